"""ReleaseRun: ends a run that did not end well: it releases what still costs money, and prepares the notice.

It can run any number of times, in any number of processes: only the execution that owns the run can close it, and only
the first closing counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, Protocol

from aws_lambda_powertools import Logger

from tunedrop import clock, identity
from tunedrop.notices import of_run
from tunedrop.outcomes import RunNotFound, ServiceBusy, Status
from tunedrop.resources import Resources
from tunedrop.run.execution import PipelineExecution, by_its_shard, describe_execution, end_of
from tunedrop.run.record import RunRecord
from tunedrop.run.registration import new_record
from tunedrop.run.store import ConditionNotMet, OwnedByAnother, RunStore
from tunedrop.states.decision import Decision, for_the_handler
from tunedrop.teams import Teams
from tunedrop.training.backend import Busy, JobStatus, TrainingBackend, Unclear
from tunedrop.training.holdings import delete_holdings

logger = Logger(child=True)

UNREGISTERED_GRACE_SECONDS = 30
"""An execution that ended before it could register its run may be one of several of the same event; so long do its
siblings have to register it before it is closed in their place."""


_STILL_COSTING = (JobStatus.VALIDATING, JobStatus.QUEUED, JobStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class Release(Decision):
    """What to do next: `publish` the notice, `wait` and run again, or `nothing`.

    If the state runs twice, the second time finds the run closed; `closed_now` says whether this time closed it.
    """

    run_id: str
    notice: Mapping[str, Any] | None = None
    wait_seconds: int | None = None
    closed_now: bool = for_the_handler(False)

    @property
    def status(self) -> str:
        """The status with which the run was closed, from its notice; empty without a notice."""
        return str(self.notice["MessageAttributes"]["status"]["StringValue"]) if self.notice else ""


def run(event: Mapping[str, Any], resources: Resources) -> Release:
    """Release what the run of an ended execution still holds, and close the run.

    Input: `input`, the status-change event of the execution, or `{"execution_arn"}` from the sweeper.

    Raises:
        ServiceBusy: the training service could not be asked; nothing is closed yet.
    """
    execution = describe_execution(resources.stepfunctions, event["input"])

    def write_report(record: RunRecord, *, status: Status, reason: Mapping[str, str] | None, finished_at: str) -> str:
        from tunedrop.reporting import report_files

        return report_files.write_report(
            resources.folder(record.run_id),
            record,
            status=status,
            reason=reason,
            finished_at=finished_at,
            metrics=resources.training_events.metrics(record.run_id),
            settings=resources.settings,
        )

    releaser = Releaser(
        resources.runs,
        resources.backend,
        list_lag_seconds=resources.settings.list_lag_seconds,
        write_report=write_report,
        leave_queue=lambda record: resources.turns(record).leave([record.run_id]),
        note=resources.audit.note,
    )
    return releaser.release(execution)


class WriteReport(Protocol):
    """Writes the report of a run that ends, and returns its address."""

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
        leave_queue: Callable[[RunRecord], object] = lambda _: None,
        note: Callable[[RunRecord], object] = lambda _: None,
    ) -> None:
        self._store = store
        self._backend_of = backend_of
        self._list_lag_seconds = list_lag_seconds
        self._write_report = write_report
        self._leave_queue = leave_queue
        self._note = note

    def release(self, execution: PipelineExecution) -> Release:
        """Release the run of `execution`, if the execution has ended and owns the run.

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
            record = self._delete_holdings(self._store.load(run_id))
            if record.resolved:
                # Not before its job is over: another run trains in its place now.
                self._leave_queue(record)
            record, closed_now = self._close(record, execution)
        self._note(record)
        return Release("publish", run_id, notice=record.notice, closed_now=closed_now)

    def _register(self, run_id: str, execution: PipelineExecution) -> RunRecord:
        try:
            return self._store.register(
                new_record(run_id, execution.input, execution.arn, execution.stopped_at, Teams.from_environment())
            )
        except OwnedByAnother:
            return self._store.load(run_id)

    def _wind_up(self, record: RunRecord) -> Release | None:
        """Cancel the job if it still trains, and return how long to wait if that is not clear yet."""
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
        training = record.training
        if training.simulated is None:
            training = replace(training, simulated=backend.simulated, weights=backend.weights)
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

    def _delete_holdings(self, record: RunRecord) -> RunRecord:
        """Delete what the run holds at the service; a run that did not go well keeps no deployment."""
        if not record.resolved or record.closed or (record.file_id is None and record.deploying_at is None):
            return record
        released = delete_holdings(record, self._backend_of(record), keep_deployment=False)
        if not released:
            return record
        return self._store.update_if(
            record.run_id, {"released": {**record.released, **released}}, "attribute_exists(run_id)"
        )

    def _close(self, record: RunRecord, execution: PipelineExecution) -> tuple[RunRecord, bool]:
        """Close the run, and return the record as it was closed, and whether this call closed it."""
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
