"""An execution of the pipeline as Step Functions describes it, and what its end says about the run's end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tunedrop import clock, identity
from tunedrop.answer_members import member
from tunedrop.outcomes import STOPPED, Status, status_of_error

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

    from tunedrop.run.record import RunRecord


@dataclass(frozen=True, slots=True)
class PipelineExecution:
    """An execution of the pipeline that is over, or not. `error` and `cause` as Step Functions tells them."""

    arn: str
    status: str
    input: Mapping[str, Any]
    error: str | None
    cause: str | None
    stopped_at: str

    @property
    def going_on(self) -> bool:
        return self.status in ("RUNNING", "PENDING_REDRIVE")


def describe_execution(client: SFNClient, aftermath_input: Mapping[str, Any]) -> PipelineExecution:
    """The execution that an aftermath was started for: by its status-change event, or by the sweeper."""
    detail = aftermath_input.get("detail") or {}
    arn = detail.get("executionArn") or aftermath_input.get("execution_arn")
    if not isinstance(arn, str):
        raise identity.EventNotUnderstood(
            "the aftermath's input must be the status change of an execution or an object with an `execution_arn`; "
            f"got an object with the keys {sorted(map(str, aftermath_input))}"
        )
    described = client.describe_execution(executionArn=arn)
    stopped = described.get("stopDate")
    return PipelineExecution(
        arn=arn,
        status=member(described, "status", str, "DescribeExecution"),
        input=execution_input(described),
        error=described.get("error") or detail.get("error"),
        cause=described.get("cause") or detail.get("cause"),
        stopped_at=clock.text(stopped) if stopped else clock.now_text(),
    )


def execution_input(described: Mapping[str, Any]) -> Any:
    """The input in DescribeExecution's answer, whatever a person started the execution with."""
    return json.loads(described.get("input") or "{}")


MESSAGE_CHARACTERS = 2000
"""How much of a cause that is no error's document is told."""


SHARD_FAILED = "States.ExceedToleratedFailureThreshold"
"""How a Distributed Map ends one of whose children failed, whatever ended that."""


def by_its_shard(execution: PipelineExecution, record: RunRecord) -> PipelineExecution:
    """The execution with the error and cause of the shard that ended it, where the state machine noted them."""
    noted = record.shard_failure
    if execution.error != SHARD_FAILED or not noted:
        return execution
    return replace(execution, error=noted.get("error"), cause=noted.get("cause"))


def end_of(execution: PipelineExecution) -> tuple[Status, dict[str, str]]:
    """How a run ends whose execution ended like this, and the reason, in the words that its reader gets."""
    if execution.status == "ABORTED":
        cause = f" ({execution.cause})" if execution.cause else ""
        return Status.CANCELLED, {"error": "Stopped", "message": f"{STOPPED}{cause}."}
    if execution.status == "TIMED_OUT":
        return Status.FAILED, {"error": "RunTimedOut", "message": "The run took longer than a run may take."}
    if execution.status == "SUCCEEDED":
        return Status.FAILED, {"error": "RunUnconcluded", "message": "The execution ended before the run had a result."}
    error = execution.error or "Unknown"
    return status_of_error(error), {"error": error, "message": _message(execution.cause) or error}


def _message(cause: str | None) -> str:
    """The message in a Lambda error's Cause (`{"errorMessage", "errorType", …}`), or the Cause itself.

    Step Functions cuts a Cause at 32,768 characters, within the message where that is long: then what is left of it.
    """
    text = cause or ""
    try:
        document = json.loads(text)
    except ValueError:
        return _cut_message(text) or text[:MESSAGE_CHARACTERS]
    if isinstance(document, dict) and isinstance(document.get("errorMessage"), str):
        return str(document["errorMessage"])
    return text


def _cut_message(cause: str) -> str:
    """The begun `errorMessage` of a Cause that is cut; empty where there is none."""
    _, found, begun = cause.partition('"errorMessage": "')
    if not found:
        return ""
    decoder = json.JSONDecoder(strict=False)
    try:
        return str(decoder.raw_decode(f'"{begun}')[0])  # the cut came after the message
    except ValueError:
        begun = begun[:MESSAGE_CHARACTERS]
    # The cut may have gone through an escaped character, which has twelve at the most (a pair of \\uXXXX).
    for end in range(len(begun), max(len(begun) - 12, 0), -1):
        try:
            message = str(decoder.decode(f'"{begun[:end]}"'))
        except ValueError:
            continue
        return message.encode(errors="ignore").decode() + "…"
    return ""
