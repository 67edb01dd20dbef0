"""Runs that wait for their turn, from outside: their place, the notice of a long wait, a stop, and the next turn."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from embedded_aws.waiting import until
from tests.workflow.pipeline.application import TEST, TRAIN, Application, running
from tunedrop import clock
from tunedrop.run.record import RunRecord

SCHEMA = json.loads((Path(__file__).parents[3] / "events/schemas/notice.schema.json").read_text())
RECIPE = b"rehearsal: {prompts: 2, samples: 2}\ngates: {least_groups_with_signal: 0, most_step_seconds: 900}\n"
PATIENCE_SECONDS = 400


@pytest.fixture(scope="module")
def application() -> Iterator[Application]:
    with running("us-west-2", {"SettleSeconds": 0, "JobsAtOnce": 1}) as application:
        yield application


def dropped(application: Application, more: bytes = b"") -> str:
    return application.drop({"test.jsonl": TEST, "recipe.yaml": RECIPE + more, "train.jsonl": TRAIN})


def once(application: Application, name: str, holds: Callable[[RunRecord], object], what: str) -> RunRecord:
    """The record of a run, once it is so."""

    def looked() -> RunRecord | None:
        record = application.record(name)
        return record if holds(record) else None

    found: RunRecord = until(looked, what, PATIENCE_SECONDS)
    return found


def place(record: RunRecord) -> tuple[int, int] | None:
    return (record.turn["place"], record.turn["waiting"]) if record.turn else None


def let_it_wait_for(application: Application, run_id: str, hours: float) -> None:
    """Let the run have waited so long: change its entry as another process would."""
    table, key = application.stack.resources["ApiTable"], {"id": {"S": "queue/open_weight"}}
    client = application.stack.aws.client("dynamodb")
    item: dict[str, Any] = client.get_item(TableName=table, Key=key, ConsistentRead=True)["Item"]
    line = json.loads(item["text"]["S"])
    line["waiting"][run_id]["since"] = clock.text(clock.now() - timedelta(hours=hours))
    item |= {"text": {"S": json.dumps(line)}, "version": {"N": str(int(item["version"]["N"]) + 1)}}
    client.put_item(TableName=table, Item=item)


@pytest.mark.prove
@pytest.mark.timeout(1500)
def test_who_waits_sees_its_place_and_who_is_stopped_makes_room(application: Application) -> None:
    application.stack.bedrock.set_switch("step_seconds", 30)
    first = dropped(application)
    trains = once(application, first, lambda record: record.job_id, "the first job")
    second = dropped(application)
    waits = once(application, second, lambda record: record.turn, "a place in the queue")
    assert place(waits) == (1, 1)
    assert waits.stage == "AwaitTurn"
    urgent = dropped(application, b"queue: {priority: 5}\n")
    once(application, urgent, lambda record: place(record) == (1, 2), "the place of a run with a priority")
    once(application, second, lambda record: place(record) == (2, 2), "the place behind it")

    let_it_wait_for(application, waits.run_id, hours=1.5)

    def told() -> list[dict[str, Any]]:
        application.notices_of(second)
        return [each for each in application.warnings if each["event"] == "turn_awaited"]

    (notice,) = until(told, "the notice of a long wait", PATIENCE_SECONDS)
    jsonschema.Draft202012Validator(SCHEMA).validate(notice)
    assert (notice["run_id"], notice["place"], notice["waiting"]) == (waits.run_id, 2, 2)

    application.states.stop_execution(executionArn=application.record(urgent).execution_arn, error="Stopped")
    assert application.end(urgent)["status"] == "CANCELLED"
    once(application, second, lambda record: place(record) == (1, 1), "the place that the stopped run gave up")
    application.states.stop_execution(executionArn=trains.execution_arn, error="Stopped")
    assert application.end(first)["status"] == "CANCELLED"
    application.stack.bedrock.set_switch("step_seconds", 0)
    ended = application.end(second)
    assert ended["status"] == "SUCCEEDED", ended["reason"]
    assert application.record(second).turn is None
    assert told() == [notice], "a long wait is told once"


@pytest.mark.prove
@pytest.mark.timeout(1500)
def test_who_waits_too_long_fails_and_has_trained_nothing(application: Application) -> None:
    application.stack.bedrock.set_switch("step_seconds", 30)
    first = dropped(application)
    trains = once(application, first, lambda record: record.job_id, "the first job")
    second = dropped(application, b"queue: {wait_hours: 2}\n")
    waits = once(application, second, lambda record: record.turn, "a place in the queue")
    let_it_wait_for(application, waits.run_id, hours=2.5)
    notice = application.end(second)
    assert (notice["status"], notice["reason"]["error"]) == ("FAILED", "WaitedTooLong")
    assert "number 1 of 1" in notice["reason"]["message"]
    assert application.jobs(waits.run_id) == []
    application.states.stop_execution(executionArn=trains.execution_arn, error="Stopped")
    assert application.end(first)["status"] == "CANCELLED"


@pytest.mark.prove
@pytest.mark.timeout(1500)
def test_a_quota_of_the_service_makes_a_run_wait_and_not_fail(application: Application) -> None:
    application.stack.bedrock.set_switch("step_seconds", 0)
    application.stack.bedrock.set_switch("fault_plan", "CreateFineTuningJob:before:429:3")
    name = dropped(application)
    ended = application.end(name)
    assert ended["status"] == "SUCCEEDED", ended["reason"]
    assert len(application.jobs(ended["run_id"])) == 1
