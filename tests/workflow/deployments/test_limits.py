"""Drops that ask for more than the operator lets them have: refused with the figure, and nothing is spent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from embedded_aws.waiting import until
from tests.workflow.pipeline.application import TEST, TRAIN, Application, jsonl, rows, running

QUOTA = 5
DROPS = 24
LIMITS = {
    "run": {
        "hours": 24,
        "steps": 60,
        "gradings": 2000,
        "answer_tokens": 100_000,
        "reference_models": 1,
        "dollars": 50,
    },
    "month": {"hours": 100},
    "prices": {"hour": 1, "step": 0.5},
    "teams": {"small": {"month": {"hours": 10}}, "cheap": {"run": {"dollars": 10}}},
}
TEAMS = {
    "team": {"names": ["team-"]},
    "cheap": {"names": ["cheap-"]},
    "small": {"names": ["small-"]},
    "many": {"names": ["many-"]},
}
SMALL: dict[str, Any] = {"evaluation": {"max_tokens": 100}}

CHEAP: dict[str, Any] = {"budget": {"hours": 0.01}, "hyperparameters": {"n_epochs": 1, "batch_size": 4}}
OVER: dict[str, tuple[dict[str, Any], str]] = {
    "hours": ({"budget": {"hours": 30}}, "`budget.hours` is 30, and a run may have 24"),
    "steps": ({"hyperparameters": {"n_epochs": 3}}, "75 training steps, and a run may use 60"),
    "gradings": (
        {"hyperparameters": {"n_epochs": 3, "batch_size": 8}},
        "2,432 graded answers, and a run may use 2,000",
    ),
    "answer-tokens": ({"evaluation": {"max_tokens": 4096}}, "163,840 tokens of answers in the evaluation"),
    "reference-models": ({"evaluation": {"reference_models": ["a", "b"]}}, "has 2, and a run may have 1"),
    "dollars": ({"budget": {"dollars": 60, "prices": {"hour": 0.01}}}, "`budget.dollars` is 60, and a run may have 50"),
    # 25 steps at half a dollar each, by the operator's prices.
    "dollars-needed": (CHEAP, "it would use up to 12 dollars of training, and a run may use 10"),
}


@pytest.fixture(scope="module")
def application() -> Iterator[Application]:
    parameters = {
        "SettleSeconds": 0,
        "TeamRunQuota": QUOTA,
        "JobsAtOnce": 1,
        "Limits": json.dumps(LIMITS),
        "Teams": json.dumps(TEAMS),
    }
    with running("us-west-2", parameters) as application:
        yield application


def drop(application: Application, name: str, recipe: dict[str, Any], skip: int = 0) -> str:
    train = jsonl(rows(100, skip=500 + skip)) if skip else TRAIN
    return application.drop(
        {"test.jsonl": TEST, "recipe.yaml": yaml.safe_dump(recipe).encode(), "train.jsonl": train}, name
    )


@pytest.mark.prove
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("what", OVER)
def test_a_drop_over_a_limit_is_rejected_with_the_figure_and_nothing_is_spent(
    application: Application, what: str
) -> None:
    recipe, told = OVER[what]
    team = "cheap" if recipe is CHEAP else "team"
    name = drop(application, f"{team}-{what}", {**SMALL, **recipe})
    notice = application.end(name)
    assert (notice["status"], notice["reason"]["error"]) == ("REJECTED", "LimitExceeded"), notice["reason"]
    assert told in notice["reason"]["message"]
    record = application.record(name)
    assert "RehearseGrader" not in record.reached, "a model was asked"
    assert application.jobs(record.run_id) == []


@pytest.mark.prove
@pytest.mark.timeout(1500)
def test_a_month_that_is_used_up_refuses_the_next_drop(application: Application) -> None:
    application.stack.bedrock.set_switch("step_seconds", 30)
    first = drop(application, "small-first", {**SMALL, "budget": {"hours": 8}, "gates": {"most_step_seconds": 900}})
    until(lambda: "ValidateDataset" in application.record(first).reached, "the first run's reservation")
    notice = application.end(drop(application, "small-second", {**SMALL, "budget": {"hours": 3}}))
    assert notice["reason"]["error"] == "LimitExceeded"
    assert "team small has 8.0 hours of training used or reserved" in notice["reason"]["message"]
    application.states.stop_execution(executionArn=application.record(first).execution_arn, error="Stopped")
    application.end(first)
    # The first run used up next to nothing, so its reservation is free again.
    third = drop(application, "small-third", {**SMALL, "budget": {"hours": 3}, "gates": {"most_step_seconds": 900}})
    until(lambda: "ValidateDataset" in application.record(third).reached, "the third run's reservation")
    application.states.stop_execution(executionArn=application.record(third).execution_arn, error="Stopped")
    application.end(third)


@pytest.mark.prove
@pytest.mark.timeout(1500)
def test_of_twenty_four_drops_at_once_a_quota_of_five_lets_five_begin(application: Application) -> None:
    application.stack.bedrock.set_switch("step_seconds", 30)
    recipe = {**SMALL, "budget": {"hours": 1}, "gates": {"most_step_seconds": 900}}
    names = [drop(application, f"many-{number}", recipe, skip=number + 1) for number in range(DROPS)]

    def decided() -> bool:
        records = [each for name in names for each in application.records(name)]
        return len(records) == DROPS and all(
            each.notified_at if each.closed else "ValidateDataset" in each.reached for each in records
        )

    until(decided, "a decision about each drop", 900)
    records = [application.record(name) for name in names]
    begun = [each for each in records if not each.closed]
    refused = [each for each in records if each.closed]
    assert len(begun) == QUOTA
    assert {(str(each.status), (each.reason or {})["error"]) for each in refused} == {("REJECTED", "TooManyRuns")}
    assert all("has 5 active runs and may have 5" in (each.reason or {})["message"] for each in refused)
    for record in begun:
        application.states.stop_execution(executionArn=record.execution_arn, error="Stopped")
    for record in begun:
        application.end(record.name)
