"""SubmitJob: uploads the training file and creates the job, exactly once, or takes over a job that exists.

The service for open-weight models takes no client token. So the training file is uploaded under a name made of the run
id, and the id of that file is the idempotency key. A lease keeps two processes from submitting at the same time.
`submitting_at` is saved before the call: if the answer is lost, the next process first looks for the job, on all pages
of the list and several times (the list may be out of date), and creates one only if it finds none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

from tunedrop import clock, identity
from tunedrop.outcomes import JobRefused, RunReleased, ServiceBusy, SubmissionUnclear
from tunedrop.queue.pace import turn_wait_seconds, waited_seconds
from tunedrop.resources import Resources
from tunedrop.run.record import RunRecord
from tunedrop.run.record_parts import TrainingProgress
from tunedrop.run.store import ConditionNotMet, RunStore
from tunedrop.states.decision import Decision, for_the_handler
from tunedrop.training.backend import Busy, Full, Job, JobRequest, Refused, TrainingBackend, Unclear
from tunedrop.training.tags import tags_of
from tunedrop.training.takeover import take_over

_LEASE_FREE = "attribute_not_exists(submission_lease_until) OR submission_lease_until < :now"


@dataclass(frozen=True, slots=True)
class Submitted(Decision):
    """The run has its job, or its model: it is `submitted`, and PollJob looks at it after `wait_seconds`.

    `full`: the service had no room for the job; after `wait_seconds` the run asks for its turn again.
    """

    wait_seconds: int
    job_id: str | None = for_the_handler()
    tuned_model: str | None = for_the_handler()
    taken_over: bool = for_the_handler(False)
    why: str | None = for_the_handler()


def run(event: Mapping[str, Any], resources: Resources) -> Submitted:
    """Take over the job or the model that the recipe names, or submit a job for this run.

    Input: `run_id`.

    Raises:
        JobRefused, RecipeInvalid: the service refuses this job, or there is nothing to take over.
        RunReleased: the run was stopped meanwhile; no job of it is left training.
        RunFileMissing, RunFileBroken: the training file is not what ValidateDataset wrote.
        ServiceBusy, SubmissionUnclear: the state machine runs the state again.
    """
    run_id = event["run_id"]
    record = resources.runs.load(run_id)
    backend = resources.backend(record)
    taken_over = take_over(record, resources.runs, backend)
    if taken_over is not None:
        job_id, tuned_model = taken_over.job_id, taken_over.tuned_model
        return Submitted("submitted", wait_seconds=0, job_id=job_id, tuned_model=tuned_model, taken_over=True)
    submission = Submission(
        resources.runs,
        backend,
        lease_seconds=resources.seconds_left(),
        list_lag_seconds=resources.settings.list_lag_seconds,
    )
    rows, folder = record.dataset.rows, resources.folder(run_id)
    try:
        record = submission.submit(run_id, lambda: folder.open_training_file(rows))
    except Full as full:
        turns = resources.turns(record)
        turns.refused(run_id)
        place = turns.place(run_id)
        # Twice as long as another that waits: each try asks the service, too.
        waited = waited_seconds(place.since) if place else 0
        wait = 2 * turn_wait_seconds(waited, resources.settings.first_poll_seconds)
        return Submitted("full", wait_seconds=wait, why=str(full))
    return Submitted("submitted", wait_seconds=resources.settings.first_poll_seconds, job_id=record.job_id)


class Submission:
    """Submits the job of one run. `lease_seconds`: the longest time that this process can live."""

    def __init__(
        self,
        store: RunStore,
        backend: TrainingBackend,
        *,
        lease_seconds: float,
        list_lag_seconds: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = store
        self._backend = backend
        self._lease_seconds = lease_seconds
        self._list_lag_seconds = list_lag_seconds
        self._sleep = sleep

    def submit(self, run_id: str, open_training_file: Callable[[], IO[bytes]]) -> RunRecord:
        """Create the run's job, or find the one that was created, and return the record with its `job_id`.

        Raises:
            JobRefused: the service refuses this job or its file.
            RunReleased: the run was stopped meanwhile; no job of it is left training.
            Full: the service takes no more jobs at the moment; none was created.
            ServiceBusy: the service throttled; this try created nothing.
            SubmissionUnclear: a job may have been created but is not in the list yet, or another process is submitting.
        """
        before = self._store.load(run_id)
        if before.job_id is not None:
            return self._unless_released(before)
        self._take_lease(before)
        try:
            return self._submit(before, open_training_file)
        finally:
            self._free_lease(run_id)

    def _submit(self, before: RunRecord, open_training_file: Callable[[], IO[bytes]]) -> RunRecord:
        try:
            file_id = before.file_id or self._upload(before.run_id, open_training_file)
            job = self._look(file_id) if before.submitting_at is not None else None
            if job is None:
                job = self._create(before, file_id)
        except Refused as refusal:
            raise JobRefused(
                f"Bedrock refused the training job: {str(refusal).rstrip('.')}. Nothing was trained: mend what it "
                "names, then start the run again"
            ) from refusal
        except Full:
            raise
        except Busy as busy:
            raise ServiceBusy(str(busy)) from busy
        except Unclear as unclear:
            raise SubmissionUnclear(str(unclear)) from unclear
        return self._save(before.run_id, job)

    def _upload(self, run_id: str, open_training_file: Callable[[], IO[bytes]]) -> str:
        name = identity.training_file_name(run_id)
        uploaded = self._backend.find_files(name)
        if uploaded:
            file_id = uploaded[0]
        else:
            with open_training_file() as body:
                file_id = self._backend.upload(name, body)
        self._store.update(run_id, {"file_id": file_id})
        return file_id

    def _create(self, record: RunRecord, file_id: str) -> Job:
        recipe = record.recipe
        model = recipe.catalog_model
        # From here on a job may exist that nobody has heard of.
        self._store.update(record.run_id, {"submitting_at": clock.now_text()})
        request = JobRequest(
            run_id=record.run_id,
            model=model.tuned_as,
            training_file=file_id,
            grader_arn=record.grader_arn or "",
            hyperparameters=recipe.typed_hyperparameters,
            tags=tags_of(record),
        )
        try:
            return self._backend.create(request)
        except (Unclear, Full):
            # A refusal is looked into as well: who gives up a slot must have no job.
            job = self._look(file_id)
            if job is None:
                raise
            return job

    def _look(self, file_id: str) -> Job | None:
        """The job that was made from our file; looks for it until the list can no longer be out of date."""
        waited = 0.0
        for moment in (0.0, 0.25, 0.5, 1.0):
            pause = moment * self._list_lag_seconds - waited
            if pause > 0:
                self._sleep(pause)
                waited += pause
            jobs = self._backend.find_jobs(file_id)
            if jobs:
                return jobs[0]
        return None

    def _save(self, run_id: str, job: Job) -> RunRecord:
        try:
            record = self._store.update_if(
                run_id,
                {
                    "job_id": job.id,
                    "job_status": job.service_status,
                    "submitted_at": clock.now_text(),
                    "stage": "SubmitJob",
                    "training": TrainingProgress(simulated=self._backend.simulated, weights=self._backend.weights),
                },
                "attribute_exists(run_id) AND attribute_not_exists(job_id)",
            )
        except ConditionNotMet:
            record = self._store.load(run_id)
            if record.job_id != job.id:
                self._backend.cancel(job.id)
        return self._unless_released(record)

    def _unless_released(self, record: RunRecord) -> RunRecord:
        if record.releasing_at is None and not record.closed:
            return record
        if record.job_id is not None:
            self._backend.cancel(record.job_id)
        raise RunReleased(f"run {record.run_id} was stopped while its job was submitted; the job is cancelled")

    def _take_lease(self, record: RunRecord) -> None:
        try:
            self._store.update_if(
                record.run_id,
                {"submission_lease_until": clock.seconds_from_now(self._lease_seconds)},
                "attribute_exists(run_id) AND attribute_not_exists(notice) AND attribute_not_exists(releasing_at) "
                f"AND attribute_not_exists(job_id) AND ({_LEASE_FREE})",
                {":now": clock.now_text()},
            )
        except ConditionNotMet:
            record = self._store.load(record.run_id)
            if record.releasing_at is not None or record.closed:
                raise RunReleased(f"run {record.run_id} was stopped; no job is submitted for it") from None
            raise SubmissionUnclear(
                f"another process may be submitting the job of run {record.run_id} "
                f"until {record.submission_lease_until}"
            ) from None

    def _free_lease(self, run_id: str) -> None:
        # A lease that could not be given back runs out by itself.
        with suppress(Exception):
            self._store.update_if(run_id, {"submission_lease_until": None}, "attribute_exists(run_id)")
