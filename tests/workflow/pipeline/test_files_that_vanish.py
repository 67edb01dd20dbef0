"""Files of the run's own folder that somebody deletes or empties between two states: each run's end has a name."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from embedded_aws.lambdas.errors import Outcome
from embedded_aws.lambdas.process import Invocation
from tests.workflow.pipeline.application import RECIPE, TRAIN, Application, jsonl, rows
from tunedrop.run import folder as names

CHOOSING = RECIPE + b"evaluation: {checkpoints: best}\nhyperparameters: {n_epochs: 4}\n"
ANSWERS = f"{names.ANSWERS}00000/00000.jsonl"


def change_before(application: Application, state: str, name: str, how: str, *, after: bool = False) -> list[str]:
    """Have a file of the run's folder deleted or emptied before a state's function works (or after it); its key."""
    s3, bucket = application.stack.aws.client("s3"), application.stack.outputs["RunsBucketName"]
    changed: list[str] = []

    def change(configuration: object, invocation: Invocation) -> None:
        key = f"runs/{json.loads(invocation.event)['run_id']}/{name}"
        s3.head_object(Bucket=bucket, Key=key)
        if how == "deleted":
            s3.delete_object(Bucket=bucket, Key=key)
        else:
            s3.put_object(Bucket=bucket, Key=key, Body=b"")
        changed.append(key)

    def work(configuration: object, invocation: Invocation, outcome: Outcome) -> Outcome:
        change(configuration, invocation)
        return outcome

    faults, function = application.stack.aws.functions.faults, application.function(state)
    if after:
        faults.after(function, work)
    else:
        faults.before(function, change)
    return changed


def ended(application: Application, change: Callable[[], list[str]], recipe: bytes = RECIPE) -> dict[str, Any]:
    """The terminal notice of a run in which something was changed."""
    changed = change()
    test = jsonl(rows(20, skip=100))
    train = jsonl(rows(300, skip=200)) if recipe == CHOOSING else TRAIN
    notice = application.end(application.drop({"test.jsonl": test, "recipe.yaml": recipe, "train.jsonl": train}))
    assert len(changed) == 1, "nothing was changed"
    return notice


@pytest.mark.prove
def test_a_training_file_that_was_emptied_before_the_rehearsal_ends_the_run_by_name(application: Application) -> None:
    notice = ended(application, lambda: change_before(application, "RehearseGrader", names.TRAIN, "emptied"))
    assert (notice["status"], notice["reason"]["error"]) == ("FAILED", "RunFileBroken")
    assert f"/runs/{notice['run_id']}/train.jsonl is not what the run wrote" in notice["reason"]["message"]
    assert application.jobs(notice["run_id"]) == []


@pytest.mark.prove
@pytest.mark.parametrize("how", ["deleted", "emptied"])
@pytest.mark.parametrize(
    ("state", "name"),
    [
        ("RehearseGrader", names.TRAIN),
        ("SubmitJob", names.TRAIN),
        ("PlanEvaluation", names.TEST),
        ("PlanEvaluation", names.VALIDATION),
        ("EvaluateShard", names.VALIDATION),
        ("EvaluateShard", names.PLAN),
        ("EvaluateShard", names.TEST_ROWS),
        ("ConcludeRun", names.PLAN),
        ("ConcludeRun", names.TEST_ROWS),
    ],
)
def test_each_file_that_a_later_state_reads_ends_the_run_by_name(
    application: Application, state: str, name: str, how: str
) -> None:
    recipe = CHOOSING if name == names.VALIDATION else RECIPE
    notice = ended(application, lambda: change_before(application, state, name, how), recipe)
    error = "RunFileMissing" if how == "deleted" else "RunFileBroken"
    assert (notice["status"], notice["reason"]["error"]) == ("FAILED", error)
    assert f"/runs/{notice['run_id']}/{name}" in notice["reason"]["message"]
    assert f"`resumes: {notice['run_id']}`" in notice["reason"]["message"]


@pytest.mark.prove
@pytest.mark.parametrize("how", ["deleted", "emptied"])
def test_the_list_of_the_shards_ends_the_run_by_name(application: Application, how: str) -> None:
    refused = application.stack.aws.permissions.refused
    before = list(refused)
    notice = ended(application, lambda: change_before(application, "PlanEvaluation", names.MANIFEST, how, after=True))
    assert (notice["status"], notice["reason"]["error"]) == ("FAILED", "States.ItemReaderFailed")
    # S3 refuses an object that is not there to whoever may not list the bucket, as the machine's role may not.
    refused.clear()
    refused.extend(before)


@pytest.mark.prove
@pytest.mark.parametrize("how", ["deleted", "emptied"])
def test_answers_that_vanish_leave_too_few_for_a_verdict(application: Application, how: str) -> None:
    notice = ended(application, lambda: change_before(application, "ConcludeRun", ANSWERS, how))
    assert (notice["status"], notice["reason"]["error"]) == ("FAILED", "EvaluationIncomplete")


@pytest.mark.prove
@pytest.mark.parametrize("how", ["deleted", "emptied"])
def test_findings_that_vanish_cost_a_trained_model_nothing(application: Application, how: str) -> None:
    notice = ended(application, lambda: change_before(application, "ConcludeRun", names.FINDINGS, how))
    assert notice["status"] == "SUCCEEDED"
    assert application.report(notice)["dataset"] is not None
