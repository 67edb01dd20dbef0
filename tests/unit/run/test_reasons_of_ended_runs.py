"""What a run's reader is told of the error that ended its execution, however much of it Step Functions has kept."""

from __future__ import annotations

import json
from dataclasses import replace

import boto3
import pytest

from tunedrop.identity import EventNotUnderstood
from tunedrop.outcomes import Status
from tunedrop.run.execution import (
    MESSAGE_CHARACTERS,
    SHARD_FAILED,
    PipelineExecution,
    by_its_shard,
    describe_execution,
    end_of,
)
from tunedrop.run.record import RunRecord

MOST_CAUSE_CHARACTERS = 32_768


def message_of(cause: str) -> str:
    execution = PipelineExecution("arn", "FAILED", {}, "TrainingFailed", cause, "2026-01-01T00:00:00Z")
    return end_of(execution)[1]["message"]


def cause_of(message: str, **fields: object) -> str:
    whole = json.dumps({"errorMessage": message, "errorType": "TrainingFailed", **fields})
    return whole[:MOST_CAUSE_CHARACTERS]


def test_the_message_is_told_without_what_lambda_puts_around_it() -> None:
    assert message_of(cause_of('it "broke"')) == 'it "broke"'


def test_a_cause_that_is_cut_after_its_message_tells_the_message() -> None:
    assert message_of(cause_of('it "broke"', stackTrace=["x" * 40_000])) == 'it "broke"'


@pytest.mark.parametrize("letter", ["x", '"', "ü", "😀", "\\", "\n"])
def test_a_cause_that_is_cut_within_its_message_tells_the_begin_of_it(letter: str) -> None:
    told = message_of(cause_of(letter * 40_000))
    assert told.endswith("…")
    assert set(told) == {letter, "…"}
    assert 100 <= len(told) <= MESSAGE_CHARACTERS + 1


def test_a_cause_that_is_no_document_is_bounded() -> None:
    assert message_of("x" * 32_768) == "x" * MESSAGE_CHARACTERS
    assert message_of("") == "TrainingFailed"


def test_a_cause_that_nobody_can_read_is_told_as_it_stands() -> None:
    assert message_of('{"errorMessage": "\\q') == '{"errorMessage": "\\q'
    assert message_of('{"error": "x"}') == '{"error": "x"}'


def test_an_aftermath_that_names_no_execution_says_what_it_expected() -> None:
    with pytest.raises(EventNotUnderstood, match=r"an object with an `execution_arn`; got .* \['run'\]"):
        describe_execution(boto3.client("stepfunctions", region_name="us-west-2"), {"run": "x"})


def test_a_run_ended_by_a_shard_is_told_by_the_shard_s_own_error() -> None:
    whole = PipelineExecution("arn", "FAILED", {}, SHARD_FAILED, "The threshold was exceeded", "2026-01-01T00:00:00Z")
    record = RunRecord("run-1", "set", "arn", Status.RUNNING, "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z")
    noted = {"error": "RunFileBroken", "cause": cause_of("a file is not what the run wrote")}
    status, reason = end_of(by_its_shard(whole, replace(record, shard_failure=noted)))
    assert (status, reason) == (
        Status.FAILED,
        {"error": "RunFileBroken", "message": "a file is not what the run wrote"},
    )
    assert end_of(by_its_shard(whole, record))[1]["error"] == SHARD_FAILED, "the shard's failure could not be noted"
    timed_out = replace(whole, error=None, status="TIMED_OUT")
    assert by_its_shard(timed_out, replace(record, shard_failure=noted)) == timed_out
