"""Whole runs at each effort of thinking: by the local Bedrock's log, the same from rehearsal to evaluation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest

from tests.driven_deployments import DEV, EAST, Deployment
from tests.driven_runs import NOVA
from tests.workflow.pipeline.application import TEST, TRAIN, Application, running

pytestmark = [pytest.mark.prove, pytest.mark.timeout(2000)]

REHEARSAL = {"prompts": 4, "samples": 2}
REHEARSED, TESTED = 8, 20  # answers of the rehearsal; rows of TEST


@pytest.fixture(autouse=True)
def no_credentials_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


def application_of(deployment: Deployment) -> Iterator[Application]:
    with running(deployment.region, deployment.parameters) as application:
        yield application


@pytest.fixture(scope="class")
def west() -> Iterator[Application]:
    yield from application_of(DEV)


@pytest.fixture(scope="class")
def east() -> Iterator[Application]:
    without_key = {name: value for name, value in EAST.parameters.items() if name != "NovaModelKey"}
    yield from application_of(replace(EAST, parameters=without_key))


def requests_of_a_run(application: Application, recipe: dict[str, Any]) -> tuple[list[Any], list[Any]]:
    """What the local Bedrock was asked for in the run of this recipe: the requests of jobs, and those of answers."""
    application.stack.bedrock.forget({"validating_seconds": 0, "queued_seconds": 0, "step_seconds": 0})
    recipe = {"rehearsal": REHEARSAL, "gates": {"least_groups_with_signal": 0}, **recipe}
    files = {"test.jsonl": TEST, "recipe.json": json.dumps(recipe).encode(), "train.jsonl": TRAIN}
    application.stack.bedrock.teach(TRAIN + TEST)
    notice = application.end(application.drop(files))
    assert notice["status"] == "SUCCEEDED", notice["reason"]
    asked = application.stack.bedrock.asked()
    jobs = [each for each in asked if each["action"].endswith("Job")]
    return jobs, [each for each in asked if each not in jobs]


class TestOpenWeight:
    @pytest.mark.parametrize("effort", ["", "low", "medium", "high"])
    def test_gpt_oss_thinks_as_hard_in_rehearsal_and_evaluation(self, west: Application, effort: str) -> None:
        _, answers = requests_of_a_run(west, {"evaluation": {"reasoning_effort": effort}})
        assert {each.get("reasoning_effort", "") for each in answers} == {effort}
        assert len({each["max_tokens"] for each in answers}) == 1
        assert sum(each["times"] for each in answers) == REHEARSED + 2 * TESTED
        assert len({each["model"] for each in answers}) == 2, "the base model and the tuned one"


class TestNova:
    @pytest.mark.parametrize("effort", ["low", "medium", "high"])
    def test_nova_thinks_as_hard_in_rehearsal_training_and_evaluation(self, east: Application, effort: str) -> None:
        (job,), answers = requests_of_a_run(east, {"model": NOVA, "hyperparameters": {"reasoningEffort": effort}})
        assert job["hyperparameters"]["reasoningEffort"] == effort
        assert job["hyperparameters"]["batchSize"] == 16, "a hundred rows make no step of 128"
        config = {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": effort}}
        assert all(each["additionalModelRequestFields"] == config for each in answers)
        assert sum(each["times"] for each in answers) == REHEARSED + 2 * TESTED
        assert len({each["model"] for each in answers}) == 2, "the base model and the deployment of the tuned one"
        sent = [each.get("inferenceConfig") for each in answers]
        if effort == "high":
            assert set(map(str, sent)) == {"None"}, "neither maxTokens nor temperature"
        else:
            room = job["hyperparameters"]["inferenceMaxTokens"]
            assert {each["maxTokens"] for each in sent if each} == {room}
