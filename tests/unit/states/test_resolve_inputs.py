"""What ResolveInputs refuses before anything is read, and whose runs and graders a recipe may name."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.states.simulated_service import RUN_ID
from tunedrop.outcomes import InputMissing, RecipeInvalid, Status
from tunedrop.recipe import Recipe
from tunedrop.run.record import RunRecord
from tunedrop.run.store import RunStore
from tunedrop.states import resolve_inputs

EARLIER = "ants-0123456789abcdef"
ARN = "arn:aws:lambda:us-west-2:123456789012:function:plain"


def started(store: RunStore, run: RunRecord, source: dict[str, Any]) -> Any:
    """The resources of a stack in which a run of this source is to be resolved."""
    store.update(RUN_ID, {"recipe": None, "source": source})
    return SimpleNamespace(runs=store, s3=None, settings=None)


def test_a_run_that_was_started_without_a_dataset_says_how_to_start_one(store: RunStore, run: RunRecord) -> None:
    with pytest.raises(InputMissing, match=r"without a dataset: drop a train\.jsonl"):
        resolve_inputs.run({"run_id": RUN_ID}, started(store, run, {"kind": "call"}))


@pytest.mark.parametrize(
    ("changes", "outcome", "said"),
    [
        ({}, RecipeInvalid, "before it had a job or a model"),
        ({"tuned_model": "model"}, InputMissing, f"run {EARLIER} has no dataset"),
    ],
)
def test_a_run_that_left_nothing_to_go_on_from_cannot_be_resumed(
    store: RunStore, run: RunRecord, changes: dict[str, Any], outcome: type[Exception], said: str
) -> None:
    store.register(replace(run, run_id=EARLIER, status=Status.FAILED, notice={"id": "n"}, **changes))
    with pytest.raises(outcome, match=said):
        resolve_inputs.run({"run_id": RUN_ID}, started(store, run, {"kind": "call", "resumes": EARLIER}))


@pytest.mark.parametrize("status", [None, Status.RUNNING, Status.FAILED])
def test_another_teams_run_is_resumed_by_nobody_and_is_not_told_of(
    store: RunStore, run: RunRecord, status: Status | None
) -> None:
    if status is not None:
        store.register(replace(run, run_id=EARLIER, team="red", status=status))
    with pytest.raises(RecipeInvalid, match=f"this stack has no run '{EARLIER}' of your team"):
        resolve_inputs.run({"run_id": RUN_ID}, started(store, run, {"kind": "call", "resumes": EARLIER}))


def test_a_resumed_run_keeps_the_model_that_the_earlier_run_tuned(run: RunRecord) -> None:
    with pytest.raises(
        RecipeInvalid, match=r"recipe field `model`: run .* tuned openai\.gpt-oss-20b; got qwen.*name the same model"
    ):
        resolve_inputs._require_same_model(Recipe(model="qwen.qwen3-32b"), run)


def test_a_grader_function_that_the_stack_does_not_have_is_named(run: RunRecord) -> None:
    recipe = Recipe(model="openai.gpt-oss-20b")
    settings: Any = SimpleNamespace(graders={"code": f"{ARN}:1"}, allowed_graders=())
    with pytest.raises(RecipeInvalid, match="needs the plain grader function, which this stack does not have.*code"):
        resolve_inputs._grader(recipe, settings, None)
    settings.graders["plain"] = f"{ARN}:2"
    assert resolve_inputs._grader(recipe, settings, None) == f"{ARN}:2"
    assert resolve_inputs._grader(recipe, settings, replace(run, grader_arn=f"{ARN}:1")) == f"{ARN}:1"
