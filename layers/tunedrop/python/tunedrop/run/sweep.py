"""What no event told: runs whose execution has ended without a notice, and what is held for no live run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from tunedrop import clock, identity
from tunedrop.outcomes import RunNotFound, Status
from tunedrop.recipe import Recipe
from tunedrop.resources import Resources
from tunedrop.run.record import RunRecord
from tunedrop.run.registration import begin_execution
from tunedrop.training.backends import backends_of_region

if TYPE_CHECKING:
    from tunedrop.training.backend import TrainingBackend


_API_PATIENCE = timedelta(minutes=1)
"""Longer than a request of the API takes (29 s at the most): until then it may still start the execution by itself."""

_ASKED_LATELY = timedelta(days=7)
"""What was asked for longer ago is not started any more: nobody expects it."""


@dataclass(slots=True)
class Swept:
    """What a sweep found. What is unowned carries the name of a Tunedrop run that this stack does not know, perhaps
    another stack's in the same account: it is only reported."""

    looked_at: int = 0
    aftermaths_started: int = 0
    jobs_cancelled: int = 0
    jobs_unowned: int = 0
    files_deleted: int = 0
    files_unowned: int = 0
    deployments_deleted: int = 0
    deployments_unowned: int = 0


def sweep(resources: Resources) -> Swept:
    """Start the aftermath of every run that is not notified though its execution has ended; release what has no run."""
    swept = Swept()
    for record in resources.runs.unfinished():
        swept.looked_at += 1
        swept.aftermaths_started += _start_aftermath(record, resources)
    for backend in backends_of_region(resources.settings):
        _release_orphans(backend, resources, swept)
    return swept


def _start_aftermath(record: RunRecord, resources: Resources) -> bool:
    client = resources.stepfunctions
    try:
        status = client.describe_execution(executionArn=record.execution_arn)["status"]
    except client.exceptions.ExecutionDoesNotExist:
        # Step Functions forgets an execution 90 days after its end.
        _begin_what_was_asked_for(record, resources)
        return False
    if status in ("RUNNING", "PENDING_REDRIVE"):
        return False
    # One aftermath a run and minute, however many sweeps there are.
    minute = clock.now().strftime("%Y%m%dT%H%M")
    try:
        client.start_execution(
            stateMachineArn=resources.settings.aftermath_arn,
            name=f"{record.run_id}-{minute}",
            input=json.dumps({"run_id": record.run_id, "execution_arn": record.execution_arn}),
        )
    except client.exceptions.ExecutionAlreadyExists:
        return False
    return True


def _begin_what_was_asked_for(record: RunRecord, resources: Resources) -> None:
    """Start the execution of a run whose record the API wrote before it died."""
    age = clock.now() - clock.parse(record.started_at)
    if record.source.get("kind") == "call" and not record.closed and _API_PATIENCE < age < _ASKED_LATELY:
        begin_execution(record.run_id, resources.stepfunctions, identity.machine_arn(record.execution_arn))


def _release_orphans(backend: TrainingBackend, resources: Resources, swept: Swept) -> None:
    """Cancel and delete what is held for runs that have ended; count what belongs to no run of this stack."""
    for run_id, job in backend.live_jobs():
        record = _record(resources, run_id)
        if record is None:
            swept.jobs_unowned += 1
        elif record.closed or record.job_id not in (None, job.id):
            backend.cancel(job.id)
            swept.jobs_cancelled += 1
    for run_id, file_id in backend.files():
        record = _record(resources, run_id)
        if record is None:
            swept.files_unowned += 1
        elif record.closed and _unwanted(file_id, record):
            swept.files_deleted += backend.delete_file(file_id)
    for run_id, _ in backend.deployments():
        record = _record(resources, run_id)
        if record is None:
            swept.deployments_unowned += 1
        elif record.closed and not _kept(record):
            swept.deployments_deleted += backend.withdraw(run_id) is not None


def _record(resources: Resources, run_id: str) -> RunRecord | None:
    try:
        return resources.runs.load(run_id)
    except RunNotFound:
        return None


def _unwanted(file_id: str, record: RunRecord) -> bool:
    """Whether a file of an ended run is to go: a second one that a killed upload left, or as the recipe says."""
    return file_id != record.file_id or Recipe.model_validate(record.recipe).cleanup.delete_files


def _kept(record: RunRecord) -> bool:
    """Whether an ended run keeps its deployment: it went well, and its recipe says so."""
    keeps = Recipe.model_validate(record.recipe).cleanup.keep_deployment
    return keeps and record.status is Status.SUCCEEDED
