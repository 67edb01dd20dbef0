"""The stages that are shown are the states that are deployed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from local.command.stages import ORDER, STAGE_OF_STATE, STAGES

_PIPELINE = Path(__file__).parents[3] / "statemachine/rft_pipeline.asl.yaml"

_NEVER_SHOWN = {"Duplicate", "Ended"}
"""The ends of an execution: one that owns no run, and one whose run has been told of already."""


def _states() -> dict[str, Any]:
    states: dict[str, Any] = yaml.safe_load(_PIPELINE.read_text())["States"]
    return states


def test_every_state_of_the_pipeline_is_shown_in_one_stage() -> None:
    assert set(STAGE_OF_STATE) == set(_states()) - _NEVER_SHOWN
    assert len(STAGE_OF_STATE) == sum(len(stage.states) for stage in STAGES)


def test_the_stages_come_in_the_order_of_the_states() -> None:
    states = list(_states())
    firsts = [min(states.index(state) for state in stage.states) for stage in STAGES]
    assert firsts == sorted(firsts)
    assert [stage.name for stage in STAGES] == list(ORDER)


def test_a_stage_is_named_after_one_of_its_states() -> None:
    assert all(stage.name in stage.states for stage in STAGES)
