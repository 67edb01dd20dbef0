"""A run that trains nothing rehearses nothing; it only finds out how a grader of one's own is asked."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.states.simulated_service import RUN_ID
from tunedrop.graders.graded import Layout
from tunedrop.graders.reward_range import RewardRange
from tunedrop.recipe_resolution import resolve
from tunedrop.run import folder as names
from tunedrop.run.record import RunRecord
from tunedrop.run.record_parts import CheckedDataset
from tunedrop.run.store import RunStore
from tunedrop.states import rehearse_grader

OWN = {"kind": "own", "function": "arn:aws:lambda:us-west-2:123456789012:function:f:1"}
EARLIER = "gsm8k-00000000000000aa"


def rehearsed(store: RunStore, monkeypatch: pytest.MonkeyPatch, **recipe: Any) -> tuple[str | None, list[str]]:
    """The layout that the run notes, and the files whose rows it tried the grader on."""
    tried: list[str] = []

    def rows_to_rehearse(folder: object, name: str, count: int, written: object) -> list[Any]:
        tried.append(name)
        return []

    def rewards(record: RunRecord, resources: object, rows: object, rewards: RewardRange) -> dict[Layout, float]:
        return {"metadata": 0.1, "row": 0.9}

    monkeypatch.setattr(rehearse_grader, "rows_to_rehearse", rows_to_rehearse)
    monkeypatch.setattr(rehearse_grader, "_rewards_by_layout", rewards)
    document = resolve(recipe, "us-west-2").model_dump(mode="json")
    store.update(RUN_ID, {"recipe": document, "dataset": CheckedDataset(test_rows=20)})
    resources: Any = SimpleNamespace(runs=store, folder=lambda _: None)
    assert rehearse_grader.run({"run_id": RUN_ID}, resources).decision == "go"
    return store.load(RUN_ID).grader_layout, tried


def test_a_given_model_is_graded_in_the_layout_in_which_the_references_earn_most(
    store: RunStore, run: RunRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rehearsed(store, monkeypatch, evaluate_only="ft-9", grader=OWN) == ("row", [names.TEST])


def test_a_grader_of_tunedrop_s_needs_no_layout(
    store: RunStore, run: RunRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rehearsed(store, monkeypatch, evaluate_only="ft-9") == (None, [])


@pytest.mark.parametrize(("version", "tried"), [(1, []), (2, [names.TEST])], ids=["the same version", "another one"])
def test_a_resuming_run_asks_the_same_version_of_the_grader_as_the_earlier_run_did(
    store: RunStore, run: RunRecord, monkeypatch: pytest.MonkeyPatch, version: int, tried: list[str]
) -> None:
    arn = f"arn:aws:lambda:us-west-2:123456789012:function:grader:{version}"
    store.register(replace(run, run_id=EARLIER, grader_arn=arn, grader_layout="metadata"))
    layout, asked = rehearsed(store, monkeypatch, resumes=EARLIER, grader=OWN)
    assert (layout, asked) == ("metadata" if version == 1 else "row", tried)
