"""What a training service can do for a run, whichever service it is."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, Protocol


class JobStatus(enum.StrEnum):
    """Where a job stands, in the words of Tunedrop; each backend maps its service's own words onto these."""

    VALIDATING = "validating"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"

    @property
    def over(self) -> bool:
        """Whether the job has come to an end."""
        return self in (JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED)


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What a job is created with. `tags`: whose it is, where the service takes tags."""

    run_id: str
    model: str
    training_file: str
    grader_arn: str
    hyperparameters: Mapping[str, int | float | str]
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Job:
    """A job as the service tells it. `service_status` is the service's own word; `tuned_model` is opaque."""

    id: str
    status: JobStatus
    service_status: str
    training_file: str | None
    tuned_model: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class TrainingEvent:
    """One event of a job. `metrics` is None for a message; `step` is None where the event names none."""

    id: str
    created_at: int
    level: str
    message: str
    step: int | None
    metrics: Mapping[str, float] | None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model saved on the way. `model` can be asked like the tuned one."""

    id: str
    step: int
    model: str


@dataclass(frozen=True, slots=True)
class Serving:
    """How a tuned model is asked.

    `model` is the id by which inference names it, None while it cannot be asked yet. `deployment` is what was made for
    asking it, and is to be deleted in the end; None where the service needs none.
    """

    model: str | None
    deployment: str | None = None


class Refused(Exception):
    """The service said no in a way that will not change: nothing was created."""


class Busy(Exception):
    """The service throttled the call: nothing was created, another try may succeed."""


class Full(Busy):
    """The service has as many jobs as it takes: nothing was created, another try may succeed once one has ended."""


class Unclear(Exception):
    """No answer, or one that does not tell: the call may or may not have had its effect."""


class TrainingBackend(Protocol):
    """A service that trains. Every method raises Refused, Busy or Unclear."""

    @property
    def simulated(self) -> bool:
        """Whether the service is a simulation, so that its numbers must be labelled."""

    @property
    def weights(self) -> Mapping[str, str] | None:
        """`name` and `licence` of the weights that are trained on this machine; None for any other service."""

    def upload(self, name: str, body: IO[bytes]) -> str:
        """Upload a training file under `name`; its id."""

    def find_files(self, name: str) -> Sequence[str]:
        """The ids of the files with that name, the oldest first. The list may be stale."""

    def delete_file(self, file_id: str) -> bool:
        """Delete a file of the service's; one that is not there is no error. Whether there was anything to delete."""

    def create(self, request: JobRequest) -> Job:
        """Create a job. Never tried twice within. Raises Full, too."""

    def find_jobs(self, training_file: str) -> Sequence[Job]:
        """The jobs made from that file, from all pages of a list that may be stale; the oldest first."""

    def get(self, job_id: str) -> Job:
        """The job as it is now."""

    def cancel(self, job_id: str) -> None:
        """Cancel the job; one that is over stays as it is."""

    def events(self, job_id: str) -> Iterator[TrainingEvent]:
        """All events, page by page, in the service's order."""

    def checkpoints(self, job_id: str) -> Sequence[Checkpoint]:
        """The checkpoints so far, by step."""

    def serve(self, run_id: str, tuned_model: str) -> Serving:
        """Have the tuned model made askable for the run, or see how far that is. Called again, it makes nothing new."""

    def undeploy(self, run_id: str) -> str | None:
        """Delete what `serve` made for the run; its id, or None where there is nothing. The model stays."""

    def delete_model(self, run_id: str, tuned_model: str) -> bool:
        """Delete the tuned model, and what `serve` made for it; whether both are gone, or it takes another call."""

    def live_jobs(self) -> Sequence[tuple[str, Job]]:
        """Every job that has not ended and carries the name of a run of Tunedrop, as (run id, job)."""

    def files(self) -> Sequence[tuple[str, str]]:
        """Every training file at the service that carries the name of a run of Tunedrop, as (run id, file id)."""

    def deployments(self) -> Sequence[tuple[str, str]]:
        """Every deployment that carries the name of a run of Tunedrop, as (run id, deployment)."""


def number(value: Any) -> float | None:
    """`value` as a finite float, or None where it is none: what a service sends is not trusted to be one."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        as_float = float(value)
    except OverflowError:  # a whole number of more than 308 digits
        return None
    return as_float if as_float - as_float == 0 else None
