"""SweepRuns: finds runs whose end event was lost, what the training service still holds for ended runs, and what is
older than the stack keeps."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Literal

from tunedrop import clock, identity
from tunedrop.answer_members import member, members
from tunedrop.catalog import families_of_region
from tunedrop.outcomes import RunNotFound, ServiceBusy, Status
from tunedrop.resources import Resources
from tunedrop.run.execution import execution_input
from tunedrop.run.record import RunRecord
from tunedrop.run.registration import begin_execution
from tunedrop.states.decision import Decision
from tunedrop.training.backend import Busy, Refused, Unclear
from tunedrop.training.backends import backends_of_region

if TYPE_CHECKING:
    from tunedrop.training.backend import TrainingBackend


_API_PATIENCE = timedelta(minutes=1)
"""Longer than a request of the API takes (29 s at the most): until then it may still start the execution by itself."""

_ASKED_LATELY = timedelta(days=7)
"""What was asked for longer ago is not started any more: nobody expects it."""


_LOST_LATELY = timedelta(days=2)
"""So far back a sweep looks for executions that ended before they had a record: there are many sweeps in that time."""

_ENDED_BADLY: tuple[Literal["FAILED", "TIMED_OUT", "ABORTED"], ...] = ("FAILED", "TIMED_OUT", "ABORTED")


@dataclass(slots=True)
class Counts:
    """What a sweep found. A thing is unowned if it has the name of a Tunedrop run that this stack does not know, as of
    another stack in the same account: it is only counted."""

    looked_at: int = 0
    aftermaths_started: int = 0
    jobs_cancelled: int = 0
    jobs_unowned: int = 0
    files_deleted: int = 0
    files_unowned: int = 0
    deployments_deleted: int = 0
    deployments_unowned: int = 0
    turns_freed: int = 0
    deletions_announced: int = 0
    deletions_done: int = 0


@dataclass(frozen=True, slots=True)
class Swept(Decision):
    """The stack is `swept`; `counts` says what was found."""

    counts: Mapping[str, int]

    def output(self) -> dict[str, Any]:
        """The decision, and each count under its name."""
        return {"decision": self.decision, **self.counts}


def run(event: Mapping[str, Any], resources: Resources) -> Swept:
    """Start the aftermath of every run whose execution has ended without a notice; release what belongs to no live run.

    If a run has no record because its registration failed, its aftermath creates the record.

    Raises:
        ServiceBusy: a list of the training service could not be read; everything else was swept.
    """
    swept = Counts()
    for record in resources.runs.unfinished():
        swept.looked_at += 1
        swept.aftermaths_started += _end(record, resources)
    for run_id, execution_arn in _unregistered(resources):
        swept.aftermaths_started += _start_aftermath(run_id, execution_arn, resources)
    for family in families_of_region(resources.settings.region):
        swept.turns_freed += resources.turns_of(family).heal()
    troubles = []
    for backend in backends_of_region(resources.settings):
        troubles += _release(backend, resources, swept)
    troubles += _retain(resources, swept)
    if troubles:
        raise ServiceBusy(f"the sweep could not check everything ({swept}): {'; '.join(troubles)}")
    return Swept("swept", asdict(swept))


def _end(record: RunRecord, resources: Resources) -> bool:
    """Start the aftermath of a run if its execution has ended; return whether it was started."""
    client = resources.stepfunctions
    try:
        told = client.describe_execution(executionArn=record.execution_arn)
        status = member(told, "status", str, "DescribeExecution")
    except client.exceptions.ExecutionDoesNotExist:
        # Step Functions forgets an execution 90 days after its end.
        _begin_what_was_asked_for(record, resources)
        return False
    if status in ("RUNNING", "PENDING_REDRIVE"):
        return False
    return _start_aftermath(record.run_id, record.execution_arn, resources)


def _unregistered(resources: Resources) -> Iterator[tuple[str, str]]:
    """The runs without a record whose execution has ended, with that execution's ARN.

    For these runs RegisterRun failed for good, and the event of that end was lost as well.
    """
    client, since = resources.stepfunctions, clock.now() - _LOST_LATELY
    pages = client.get_paginator("list_executions")
    for status in _ENDED_BADLY:
        listed = pages.paginate(stateMachineArn=resources.settings.pipeline_arn, statusFilter=status)
        newest_first = (each for page in listed for each in members(page, "executions", "ListExecutions"))
        for execution in takewhile(lambda each: _started(each) > since, newest_first):
            arn = member(execution, "executionArn", str, "ListExecutions")
            try:
                run_id = identity.run_id_of(execution_input(client.describe_execution(executionArn=arn)))
            except identity.EventNotUnderstood:
                continue  # someone started it by hand, with what is no run
            if _record(resources, run_id) is None:
                yield run_id, arn


def _started(execution: object) -> datetime:
    return member(execution, "startDate", datetime, "ListExecutions")


def _start_aftermath(run_id: str, execution_arn: str, resources: Resources) -> bool:
    client = resources.stepfunctions
    try:
        client.start_execution(
            stateMachineArn=resources.settings.aftermath_arn,
            name=identity.aftermath_name(run_id, clock.now()),
            input=json.dumps({"run_id": run_id, "execution_arn": execution_arn}),
        )
    except client.exceptions.ExecutionAlreadyExists:
        return False
    return True


def _begin_what_was_asked_for(record: RunRecord, resources: Resources) -> None:
    """Start the execution of a run whose record the API wrote before it died."""
    age = clock.now() - clock.parse(record.started_at)
    if record.source.get("kind") == "call" and not record.closed and _API_PATIENCE < age < _ASKED_LATELY:
        begin_execution(record.run_id, resources.stepfunctions, identity.machine_arn(record.execution_arn))


def _retain(resources: Resources, swept: Counts) -> list[str]:
    """Announce and delete what is older than the stack keeps; what could not be done."""
    told = os.environ.get("RETENTION", "{}")
    if told == "{}":
        return []
    from tunedrop.retention.rules import Retention
    from tunedrop.retention.sweep import RetentionSweep

    sweep = RetentionSweep(Retention.parse(told), resources)
    troubles = sweep.run()
    swept.deletions_announced, swept.deletions_done = sweep.announced, sweep.deleted
    return troubles


def _release(backend: TrainingBackend, resources: Resources, swept: Counts) -> list[str]:
    """Release what a service holds for ended runs; what could not be done."""
    jobs = _trouble_with(_release_jobs, backend, resources, swept)
    # A job is known by its training file: while one may train on that should not, the files stay.
    files = _trouble_with(_release_files, backend, resources, swept) if jobs is None else None
    deployments = _trouble_with(_release_deployments, backend, resources, swept)
    return [trouble for trouble in (jobs, files, deployments) if trouble is not None]


def _trouble_with(
    release: Callable[[TrainingBackend, Resources, Counts], None],
    backend: TrainingBackend,
    resources: Resources,
    swept: Counts,
) -> str | None:
    """Do one part of the sweep, and return what prevented it, so that the other parts are still done."""
    try:
        release(backend, resources, swept)
    except (Busy, Unclear, Refused) as trouble:
        return str(trouble)
    return None


def _release_jobs(backend: TrainingBackend, resources: Resources, swept: Counts) -> None:
    """Cancel the jobs that train for runs that have ended; count those of no run of this stack."""
    for run_id, job in backend.live_jobs():
        record = _record(resources, run_id)
        if record is None:
            swept.jobs_unowned += 1
        elif record.closed or record.job_id not in (None, job.id):
            backend.cancel(job.id)
            swept.jobs_cancelled += 1


def _release_files(backend: TrainingBackend, resources: Resources, swept: Counts) -> None:
    """Delete the training files that ended runs need not keep; count those of no run of this stack."""
    for run_id, file_id in backend.files():
        record = _record(resources, run_id)
        if record is None:
            swept.files_unowned += 1
        elif record.closed and _unwanted(file_id, record):
            swept.files_deleted += backend.delete_file(file_id)


def _release_deployments(backend: TrainingBackend, resources: Resources, swept: Counts) -> None:
    """Delete the deployments that ended runs need not keep; count those of no run of this stack."""
    for run_id, _ in backend.deployments():
        record = _record(resources, run_id)
        if record is None:
            swept.deployments_unowned += 1
        elif record.closed and not _kept(record):
            swept.deployments_deleted += backend.undeploy(run_id) is not None


def _record(resources: Resources, run_id: str) -> RunRecord | None:
    try:
        return resources.runs.load(run_id)
    except RunNotFound:
        return None


def _unwanted(file_id: str, record: RunRecord) -> bool:
    """Whether to delete a file of an ended run: a second one that a killed upload left, or one as the recipe says."""
    return file_id != record.file_id or record.recipe.cleanup.delete_files


def _kept(record: RunRecord) -> bool:
    """Whether an ended run keeps its deployment: if it ended well and its recipe says so."""
    keeps = record.recipe.cleanup.keep_deployment
    return keeps and record.status is Status.SUCCEEDED
