"""What no event told: runs whose execution has ended without a notice, and jobs that no live run owns."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tunedrop import clock, identity
from tunedrop.catalog import Family, models
from tunedrop.outcomes import RunNotFound
from tunedrop.resources import Resources
from tunedrop.run.record import RunRecord
from tunedrop.training.backend import Job

if TYPE_CHECKING:
    from tunedrop.training.backend import TrainingBackend


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found. `jobs_unowned` train for a Tunedrop run that this stack does not know: only reported."""

    looked_at: int
    aftermaths_started: int
    jobs_cancelled: int
    jobs_unowned: int


def sweep(resources: Resources) -> Swept:
    """Start the aftermath of every run that is not notified though its execution has ended; cancel orphaned jobs."""
    looked_at = started = 0
    for record in resources.runs.unfinished():
        looked_at += 1
        started += _start_aftermath(record, resources)
    cancelled, unowned = _release_orphans(resources)
    return Swept(looked_at, started, cancelled, unowned)


def _start_aftermath(record: RunRecord, resources: Resources) -> bool:
    client = resources.stepfunctions
    try:
        status = client.describe_execution(executionArn=record.execution_arn)["status"]
    except client.exceptions.ExecutionDoesNotExist:
        # Step Functions forgets an execution 90 days after its end.
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


def _release_orphans(resources: Resources) -> tuple[int, int]:
    """Cancel the live jobs made from files of ours whose run has ended, or has another job; count those unknown."""
    region = resources.settings.region
    model = next((each for each in models() if each.region == region and each.family is Family.OPEN_WEIGHT), None)
    if model is None:
        return 0, 0
    from tunedrop.training.backends import backend_for

    backend = backend_for(model, resources.settings)
    live = [job for job in backend.list_jobs() if not job.status.over]
    if not live:
        return 0, 0
    names = dict(backend.list_files())
    cancelled = unowned = 0
    for job in live:
        run_id = identity.run_id_of_training_file(names.get(job.training_file or "", ""))
        if run_id is None:
            continue
        try:
            record = resources.runs.load(run_id)
        except RunNotFound:
            # Perhaps another stack's in the same account: not ours to cancel.
            unowned += 1
            continue
        cancelled += _cancel_if_orphaned(job, record, backend)
    return cancelled, unowned


def _cancel_if_orphaned(job: Job, record: RunRecord, backend: TrainingBackend) -> bool:
    owned = job.id == record.job_id or record.job_id is None
    if owned and not record.closed:
        return False
    backend.cancel(job.id)
    return True
