"""The table of stages agrees with the deployed pipeline, and with what the states write into the record."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from tunedrop.stages import ORDER, STAGE_OF_STATE, STAGES

_REPOSITORY = Path(__file__).parents[3]
_PIPELINE = _REPOSITORY / "statemachine/rft_pipeline.asl.yaml"
_PACKAGE = _REPOSITORY / "layers/tunedrop/python/tunedrop"

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


def test_every_stage_that_a_record_names_says_what_the_run_does_afterwards() -> None:
    written = {
        name
        for module in _PACKAGE.rglob("*.py")
        for name in re.findall(r'(?:"stage": |stage: str = )"(\w+)"', module.read_text())
    }
    assert {"RegisterRun", "SubmitJob", "ConcludeRun"} <= written
    assert written == {stage.name for stage in STAGES if stage.afterwards}
