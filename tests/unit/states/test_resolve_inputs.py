"""What ResolveInputs refuses before anything is read, and whose runs and graders a recipe may name."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from tests.unit.states.simulated_service import RUN_ID
from tunedrop.limits.limits import Limits
from tunedrop.outcomes import InputMissing, RecipeInvalid, RepeatedDrop, Status
from tunedrop.recipe import Recipe
from tunedrop.recipe_resolution import resolve
from tunedrop.run.record import PinnedObject, RunRecord
from tunedrop.run.store import RunStore
from tunedrop.states import resolve_inputs
from tunedrop.teams import Teams

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


TRAIN = PinnedObject("drop", "inbox/ants/train.jsonl", "v1", 3, "e", "content")
LEAD = "arn:aws:iam::123456789012:role/red-lead"
TEAMS = Teams.parse(json.dumps({"red": {"names": ["gsm8k", "ants"], "approvers": [LEAD]}}))


def stack(store: RunStore, *, teams: Teams = TEAMS, maker: RunRecord | None = None) -> Any:
    """The resources of a stack as far as a run that resumes or evaluates another one's model needs them."""
    settings = SimpleNamespace(
        region="us-west-2", parameter_path="/tunedrop/dev", graders={"plain": f"{ARN}:1"}, allowed_graders=(),
        team_run_quota=0,
    )  # fmt: skip
    return SimpleNamespace(
        runs=store,
        s3=None,
        settings=settings,
        teams=teams,
        limits=Limits(),
        models=SimpleNamespace(maker=lambda model: maker),
        audit=SimpleNamespace(note=lambda record: None),
    )


def test_a_resuming_run_has_files_and_recipe_of_the_earlier_one_but_for_what_it_says(
    store: RunStore, run: RunRecord
) -> None:
    written = resolve({"evaluation": {"rows": 9, "samples": 3}, "labels": {"a": "b"}}, "us-west-2")
    earlier = replace(run, run_id=EARLIER, status=Status.FAILED, notice={"id": "n"}, tuned_model="ft-1", train=TRAIN,
                      recipe_document=written.model_dump(mode="json"))  # fmt: skip
    store.register(earlier)
    source = {"kind": "call", "resumes": EARLIER, "recipe": {"evaluation": {"rows": 5}}}
    store.update(RUN_ID, {"recipe": None, "source": source})
    resolve_inputs.run({"run_id": RUN_ID}, stack(store, teams=Teams.parse("{}")))
    record = store.load(RUN_ID)
    assert (record.train, record.test, record.recipe.resumes) == (TRAIN, None, EARLIER)
    assert (record.recipe.evaluation.rows, record.recipe.labels) == (5, {"a": "b"})
    assert store.load(EARLIER).used_by == [RUN_ID]


@pytest.mark.parametrize("made_by", [None, "blue", "red"])
def test_a_given_model_is_promoted_only_if_the_team_made_it_and_an_approver_is_asked(
    store: RunStore, run: RunRecord, made_by: str | None
) -> None:
    maker = None if made_by is None else store.register(replace(run, run_id=EARLIER, team=made_by, tuned_model="ft-1"))
    recipe = {"evaluate_only": "ft-1", "promotion": {"parameter": "/tunedrop/dev/red/model"}}
    record = replace(run, run_id="gsm8k-00000000000000bb", team="red", recipe_document=None, train=TRAIN)
    store.register(replace(record, source={"kind": "call", "bucket": "drop", "key": TRAIN.key, "recipe": recipe}))
    resources = stack(store, maker=maker)
    asked = {"run_id": record.run_id}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(resolve_inputs, "pin_object", lambda s3, place: TRAIN)
        if made_by != "red":
            with pytest.raises(RecipeInvalid, match="no run of your team on this stack made 'ft-1'"):
                resolve_inputs.run(asked, resources)
            return
        resolve_inputs.run(asked, resources)
    resolved = store.load(record.run_id)
    assert resolved.recipe.promotion is not None
    assert (resolved.recipe.promotion.approval, resolved.governed) == (True, "yes")


@pytest.fixture
def table_of_drops(api_table: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("API_TABLE", api_table)
    return boto3.client("dynamodb")


def test_an_equal_drop_is_refused_while_the_run_of_the_first_one_stands(
    store: RunStore, run: RunRecord, table_of_drops: Any
) -> None:
    resources: Any = SimpleNamespace(runs=store, dynamodb=table_of_drops)
    resolve_inputs._require_new_drop(RUN_ID, resources, TRAIN, None)
    with pytest.raises(RepeatedDrop, match=rf"Nothing was started: this drop \(train\.jsonl\) equals.*{RUN_ID}"):
        resolve_inputs._require_new_drop("second", resources, TRAIN, None)
    store.forget(RUN_ID, "run_id = :id", {":id": RUN_ID})
    resolve_inputs._require_new_drop("third", resources, TRAIN, None)


def test_a_drop_whose_content_s3_does_not_tell_equals_no_other(store: RunStore, table_of_drops: Any) -> None:
    resources: Any = SimpleNamespace(runs=store, dynamodb=table_of_drops)
    for run_id in ("first", "second"):
        resolve_inputs._require_new_drop(run_id, resources, replace(TRAIN, content=""), None)
