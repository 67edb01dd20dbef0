"""A training service in memory that fails where a test says, and a process that dies where a test says."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import IO

from tunedrop.identity import run_id_of_training_file
from tunedrop.training.backend import (
    Busy,
    Checkpoint,
    Job,
    JobRequest,
    JobStatus,
    Refused,
    Serving,
    TrainingEvent,
    Unclear,
)

EXECUTION = "arn:aws:states:us-west-2:123456789012:execution:pipeline:mine"
RUN_ID = "gsm8k-0123456789abcdef"


class Killed(BaseException):
    """The process is gone: nothing that it would have done afterwards is done, `finally` included."""


class Clock:
    """Time that moves when it is told to."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def sleep(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


class SimulatedService:
    """`TrainingBackend`. `fault(call, when)` is asked before and after the effect of every call and may raise.

    A job is listed only `lag` seconds after it was made.
    """

    simulated = True
    weights = None

    def __init__(
        self, clock: Clock, fault: Callable[[str, str], None] = lambda call, when: None, lag: float = 0
    ) -> None:
        self.clock = clock
        self.fault = fault
        self.lag = lag
        self.files_by_id: dict[str, str] = {}
        self.jobs: dict[str, Job] = {}
        self.made_at: dict[str, datetime] = {}
        self.deaths = 0
        self.deploys = False
        self.deploying_seconds = 60.0
        self.deployed: dict[str, datetime] = {}
        self.models: set[str] = set()

    @property
    def training(self) -> list[Job]:
        return [job for job in self.jobs.values() if not job.status.over]

    def upload(self, name: str, body: IO[bytes]) -> str:
        body.read()
        with self._call("upload"):
            file_id = f"file-{len(self.files_by_id)}"
            self.files_by_id[file_id] = name
        return file_id

    def find_files(self, name: str) -> Sequence[str]:
        with self._call("find_files"):
            return [file_id for file_id, each in self.files_by_id.items() if each == name]

    def delete_file(self, file_id: str) -> bool:
        with self._call("delete_file"):
            return self.files_by_id.pop(file_id, None) is not None

    def create(self, request: JobRequest) -> Job:
        with self._call("create"):
            job = Job(f"job-{len(self.jobs)}", JobStatus.RUNNING, "running", request.training_file, None, None)
            self.jobs[job.id] = job
            self.made_at[job.id] = self.clock.now()
        return job

    def find_jobs(self, training_file: str) -> Sequence[Job]:
        with self._call("find_jobs"):
            return [job for job in self._listed() if job.training_file == training_file]

    def get(self, job_id: str) -> Job:
        with self._call("get"):
            return self.jobs[job_id]

    def cancel(self, job_id: str) -> None:
        with self._call("cancel"):
            self.end(job_id, JobStatus.CANCELLED)

    def end(self, job_id: str, status: JobStatus, tuned_model: str | None = None, error: str | None = None) -> None:
        job = self.jobs[job_id]
        if not job.status.over:
            self.jobs[job_id] = Job(job.id, status, status.value, job.training_file, tuned_model, error)

    def events(self, job_id: str) -> Iterator[TrainingEvent]:
        return iter(())

    def checkpoints(self, job_id: str) -> Sequence[Checkpoint]:
        return []

    def serve(self, run_id: str, tuned_model: str) -> Serving:
        with self._call("serve"):
            if not self.deploys:
                return Serving(tuned_model)
            known = self.deployed.setdefault(run_id, self.clock.now())
        active = self.clock.now() - known >= timedelta(seconds=self.deploying_seconds)
        return Serving(f"deployment-{run_id}" if active else None, f"deployment-{run_id}")

    def undeploy(self, run_id: str) -> str | None:
        with self._call("undeploy"):
            return f"deployment-{run_id}" if self.deployed.pop(run_id, None) else None

    def delete_model(self, run_id: str, tuned_model: str) -> bool:
        with self._call("delete_model"):
            if self.undeploy(run_id) is not None:
                return False
            self.models.discard(tuned_model)
        return True

    def live_jobs(self) -> Sequence[tuple[str, Job]]:
        runs = {file_id: run_id for run_id, file_id in self.files()}
        return [(runs[job.training_file], job) for job in self._listed() if not job.status.over and job.training_file]

    def files(self) -> Sequence[tuple[str, str]]:
        return [(run_id_of_training_file(name) or "", file_id) for file_id, name in self.files_by_id.items()]

    def deployments(self) -> Sequence[tuple[str, str]]:
        return [(run_id, f"deployment-{run_id}") for run_id in self.deployed]

    def _listed(self) -> list[Job]:
        horizon = self.clock.now() - timedelta(seconds=self.lag)
        return [job for job in self.jobs.values() if self.made_at[job.id] <= horizon]

    def call(self, name: str, when: str) -> None:
        """Where a fault may come."""
        try:
            self.fault(name, when)
        except Killed:
            self.deaths += 1
            raise

    def _call(self, name: str) -> _Call:
        return _Call(self, name)


class _Call:
    def __init__(self, service: SimulatedService, name: str) -> None:
        self.service, self.name = service, name

    def __enter__(self) -> None:
        self.service.call(self.name, "before")

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            self.service.call(self.name, "after")


def once(call: str, when: str, error: BaseException) -> Callable[[str, str], None]:
    """A fault that comes the first time that `call` is `when`, and then no more."""
    left = [error]

    def fault(name: str, moment: str) -> None:
        if left and (name, moment) == (call, when):
            raise left.pop()

    return fault


def drawn(seed: int, share: float = 0.25, most: int = 6) -> Callable[[str, str], None]:
    """Faults drawn from a seed: at most `most` of them, before or after the effect of any call."""
    chance = random.Random(seed)
    left = [most]

    def fault(name: str, moment: str) -> None:
        if left[0] and chance.random() < share:
            left[0] -= 1
            kinds: list[BaseException] = [Killed()]
            if name != "update":
                kinds.append(Unclear("reset"))
                if moment == "before":
                    kinds.append(Busy("429"))
            raise chance.choice(kinds)

    return fault


REFUSAL = Refused("HTTP 400")
