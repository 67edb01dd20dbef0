"""The end of every run that did not go well: nothing of it goes on costing money, and its record is closed.

Safe to run any number of times, by any number of processes: only the execution that owns the run can close it, and only
the first closing counts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING, Any, Protocol

from aws_lambda_powertools import Logger

from tunedrop import clock, identity
from tunedrop.answer_members import member
from tunedrop.notices import of_run
from tunedrop.outcomes import RunNotFound, ServiceBusy, Status, status_of_error
from tunedrop.run.record import RunRecord
from tunedrop.run.registration import new_record
from tunedrop.run.store import ConditionNotMet, OwnedByAnother, RunStore
from tunedrop.teams import Teams
from tunedrop.training.backend import Busy, JobStatus, TrainingBackend, Unclear
from tunedrop.training.holdings import let_go

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

logger = Logger(child=True)

UNREGISTERED_GRACE_SECONDS = 30
"""An execution that ended before it could register its run may be one of several of the same event; so long do its
siblings have to register it before it is closed in their place."""


_STILL_COSTING = (JobStatus.VALIDATING, JobStatus.QUEUED, JobStatus.RUNNING)


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


@dataclass(frozen=True, slots=True)
class Release:
    """What is to be done next: `publish` the notice, `wait` and come again, or `nothing`."""

    decision: str
    run_id: str
    notice: Mapping[str, Any] | None = None
    wait_seconds: int = 0
    closed_now: bool = False
    """Whether this release closed the run, and did not find it closed."""


def describe_execution(client: SFNClient, aftermath_input: Mapping[str, Any]) -> PipelineExecution:
    """The execution that an aftermath was started for: by its status-change event, or by the sweeper."""
    detail = aftermath_input.get("detail") or {}
    arn = detail.get("executionArn") or aftermath_input.get("execution_arn")
    if not isinstance(arn, str):
        raise identity.EventNotUnderstood(
            "the aftermath's input must be the status change of an execution or an object with an `execution_arn`; "
            f"got an object with the keys {sorted(map(str, aftermath_input))}"
        )
    told = client.describe_execution(executionArn=arn)
    stopped = told.get("stopDate")
    return PipelineExecution(
        arn=arn,
        status=member(told, "status", str, "DescribeExecution"),
        input=execution_input(told),
        error=told.get("error") or detail.get("error"),
        cause=told.get("cause") or detail.get("cause"),
        stopped_at=clock.text(stopped) if stopped else clock.now_text(),
    )


def execution_input(told: Mapping[str, Any]) -> Any:
    """The input in DescribeExecution's answer, whatever a person started the execution with."""
    return json.loads(told.get("input") or "{}")


class WriteReport(Protocol):
    """Writes the report of a run that ends, and gives its address."""

    def __call__(
        self, record: RunRecord, *, status: Status, reason: Mapping[str, str] | None, finished_at: str
    ) -> str: ...


class Releaser:
    """Releases what a run holds. `backend_of` gives the backend that trains the run's model."""

    def __init__(
        self,
        store: RunStore,
        backend_of: Callable[[RunRecord], TrainingBackend],
        *,
        list_lag_seconds: float,
        write_report: WriteReport | None = None,
    ) -> None:
        self._store = store
        self._backend_of = backend_of
        self._list_lag_seconds = list_lag_seconds
        self._write_report = write_report

    def release(self, execution: PipelineExecution) -> Release:
        """Release the run of `execution`, if that has ended and owns it.

        Raises:
            ServiceBusy: the training service could not be asked; nothing is closed yet.
        """
        run_id = identity.run_id_of(execution.input)
        if execution.going_on:
            return Release("nothing", run_id)
        try:
            record = self._store.load(run_id)
        except RunNotFound:
            passed = (clock.now() - clock.parse(execution.stopped_at)).total_seconds()
            if passed < UNREGISTERED_GRACE_SECONDS:
                return Release("wait", run_id, wait_seconds=ceil(UNREGISTERED_GRACE_SECONDS - passed))
            record = self._register(run_id, execution)
        if record.execution_arn != execution.arn or record.notified_at is not None:
            return Release("nothing", run_id)
        closed_now = False
        if not record.closed:
            waiting = self._wind_up(record)
            if waiting is not None:
                return waiting
            record, closed_now = self._close(self._let_go(self._store.load(run_id)), execution)
        return Release("publish", run_id, notice=record.notice, closed_now=closed_now)

    def _register(self, run_id: str, execution: PipelineExecution) -> RunRecord:
        try:
            return self._store.register(
                new_record(run_id, execution.input, execution.arn, execution.stopped_at, Teams.from_environment())
            )
        except OwnedByAnother:
            return self._store.load(run_id)

    def _wind_up(self, record: RunRecord) -> Release | None:
        """Cancel what still trains; how long to wait where that cannot be told yet."""
        try:
            record = self._store.update_if(
                record.run_id,
                {"releasing_at": record.releasing_at or clock.now_text()},
                "attribute_exists(run_id) AND attribute_not_exists(notice)",
            )
        except ConditionNotMet:
            return None
        if record.job_id is None:
            lease = record.submission_lease_until
            if lease is not None and not clock.has_passed(lease):
                # In short turns: the process that submits gives its lease back as soon as it has come to an end.
                left = (clock.parse(lease) - clock.now()).total_seconds()
                return Release("wait", record.run_id, wait_seconds=max(1, ceil(min(left, self._list_lag_seconds))))
            if record.submitting_at is None:
                return None
        try:
            return self._cancel(record)
        except (Busy, Unclear) as trouble:
            raise ServiceBusy(f"the job of run {record.run_id} could not be released: {trouble}") from trouble

    def _cancel(self, record: RunRecord) -> Release | None:
        backend = self._backend_of(record)
        job_id = record.job_id
        if job_id is None:
            jobs = backend.find_jobs(record.file_id) if record.file_id else []
            if not jobs:
                since = (clock.now() - clock.parse(record.releasing_at or clock.now_text())).total_seconds()
                if since < self._list_lag_seconds:
                    # The list may not show the job yet.
                    return Release("wait", record.run_id, wait_seconds=ceil(self._list_lag_seconds - since))
                return None
            job_id = jobs[0].id
            for other in jobs[1:]:
                backend.cancel(other.id)
        released = dict(record.released)
        job = backend.get(job_id)
        if not job.status.over:
            backend.cancel(job_id)
            released[job_id] = "training job cancelled"
            job = backend.get(job_id)
        if job.status in _STILL_COSTING:
            # Cancelling takes its time.
            self._store.update_if(record.run_id, {"released": released}, "attribute_exists(run_id)")
            return Release("wait", record.run_id, wait_seconds=max(1, ceil(self._list_lag_seconds)))
        training = {"simulated": backend.simulated, **(record.training or {})}
        self._store.update_if(
            record.run_id,
            {
                "job_id": job_id,
                "job_status": job.service_status,
                "released": released,
                "tuned_model": job.tuned_model or record.tuned_model,
                "training": training,
            },
            "attribute_exists(run_id)",
        )
        return None

    def _let_go(self, record: RunRecord) -> RunRecord:
        """Delete what the run holds at the service; a run that did not go well keeps no deployment."""
        if record.recipe is None or record.closed or (record.file_id is None and record.deploying_at is None):
            return record
        released = let_go(record, self._backend_of(record), keep_deployment=False)
        if not released:
            return record
        return self._store.update_if(
            record.run_id, {"released": {**record.released, **released}}, "attribute_exists(run_id)"
        )

    def _close(self, record: RunRecord, execution: PipelineExecution) -> tuple[RunRecord, bool]:
        """The record as it was closed, and whether it was closed here."""
        status, reason = end_of(by_its_shard(execution, record))
        finished_at = clock.now_text()
        report_uri = None
        if self._write_report is not None:
            try:
                report_uri = self._write_report(record, status=status, reason=reason, finished_at=finished_at)
            except Exception:
                # The notice is what must come; a report that cannot be written is told, and missing in the notice.
                logger.exception("the report of an ended run could not be written", run_id=record.run_id)
        closing = of_run.closing(record, status, reason, report_uri=report_uri, finished_at=finished_at)
        closed = self._store.close(record.run_id, closing)
        return closed, closed.finished_at == finished_at


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
        told = f" ({execution.cause})" if execution.cause else ""
        return Status.CANCELLED, {"error": "Stopped", "message": f"The execution was stopped{told}."}
    if execution.status == "TIMED_OUT":
        return Status.FAILED, {"error": "RunTimedOut", "message": "The run took longer than a run may take."}
    if execution.status == "SUCCEEDED":
        return Status.FAILED, {"error": "RunUnconcluded", "message": "The execution ended without a conclusion."}
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
