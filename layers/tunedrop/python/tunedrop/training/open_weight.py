"""Open-weight models: training by Bedrock's OpenAI-compatible APIs, through the `openai` SDK.

The wire shapes are those of AWS's documentation of "fine-tuning with OpenAI-compatible APIs". Jobs are read as raw
JSON: the SDK's types know no Lambda grader.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import IO, Any

import openai

from tunedrop import identity
from tunedrop.catalog import is_simulated
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
    number,
)

CREATE_TIMEOUT_SECONDS = 30.0
"""How long the one try of creating a job may take; what comes later is looked up, not tried again."""

UPLOAD_TIMEOUT_SECONDS = 120.0
"""How long the upload of a training file may take."""

PAGE = 100
"""Objects a page. AWS's own notebooks ask for up to 200."""

PAGES = 200
"""Most pages that are read of one list: 20,000 objects. A list that never ends is a fault of the service."""

_STATUS = {
    "validating_files": JobStatus.VALIDATING,
    "queued": JobStatus.QUEUED,
    "running": JobStatus.RUNNING,
    "succeeded": JobStatus.SUCCEEDED,
    "failed": JobStatus.FAILED,
    "cancelled": JobStatus.CANCELLED,
}

_TOO_MANY = 429
_BAD_REQUESTS = range(400, 500)
_AMBIGUOUS = frozenset({408, 409, 425})
"""Answers below 500 that do not say that nothing was done: a timeout, a conflict with what may be our own first try."""


class OpenWeightBackend:
    """`TrainingBackend` for the models behind the OpenAI-compatible endpoint."""

    def __init__(self, client: openai.OpenAI) -> None:
        self._client = client

    @property
    def simulated(self) -> bool:
        return is_simulated(str(self._client.base_url))

    def upload(self, name: str, body: IO[bytes]) -> str:
        with _Answers():
            # One try: a second one after a lost answer would leave a second file. What was lost is found by its name.
            files = self._client.with_options(max_retries=0, timeout=UPLOAD_TIMEOUT_SECONDS).files
            file_id: str = files.create(file=(name, body), purpose="fine-tune").id
            return file_id

    def find_files(self, name: str) -> Sequence[str]:
        return [file_id for file_id, file_name in self._list_files() if file_name == name]

    def files(self) -> Sequence[tuple[str, str]]:
        named = ((identity.run_id_of_training_file(name), file_id) for file_id, name in self._list_files())
        return [(run_id, file_id) for run_id, file_id in named if run_id is not None]

    def _list_files(self) -> Iterator[tuple[str, str]]:
        for file in self._pages("/files", {"purpose": "fine-tune", "order": "asc"}):
            yield str(file.get("id")), str(file.get("filename"))

    def delete_file(self, file_id: str) -> bool:
        try:
            with _Answers():
                self._client.files.delete(file_id)
        except Refused as refusal:
            if not isinstance(refusal.__cause__, openai.NotFoundError):
                raise
        return True

    def create(self, request: JobRequest) -> Job:
        with _Answers():
            response = self._client.with_options(
                max_retries=0, timeout=CREATE_TIMEOUT_SECONDS
            ).fine_tuning.jobs.with_raw_response.create(
                model=request.model,
                training_file=request.training_file,
                # The SDK's type of a method has no Lambda grader; AWS's examples pass it as an extra field, too.
                extra_body={
                    "method": {
                        "type": "reinforcement",
                        "reinforcement": {
                            "grader": {"type": "lambda", "lambda": {"function": request.grader_arn}},
                            "hyperparameters": dict(request.hyperparameters),
                        },
                    }
                },
            )
            return _job(response.http_response.json())

    def find_jobs(self, training_file: str) -> Sequence[Job]:
        found = [job for job in self._list_jobs() if job.training_file == training_file]
        found.reverse()  # the service lists the newest first
        return found

    def live_jobs(self) -> Sequence[tuple[str, Job]]:
        live = [job for job in self._list_jobs() if not job.status.over]
        if not live:
            return []
        run_ids = {file_id: run_id for run_id, file_id in self.files()}
        return [(run_ids[job.training_file], job) for job in live if job.training_file in run_ids]

    def _list_jobs(self) -> Iterator[Job]:
        for each in self._pages("/fine_tuning/jobs", {}):
            yield _job(each)

    def get(self, job_id: str) -> Job:
        with _Answers():
            response = self._client.fine_tuning.jobs.with_raw_response.retrieve(job_id)
            return _job(response.http_response.json())

    def cancel(self, job_id: str) -> None:
        try:
            with _Answers():
                self._client.fine_tuning.jobs.with_raw_response.cancel(job_id)
        except Refused:
            # A job that is over refuses to be cancelled; one that is not must not be left training.
            if not self.get(job_id).status.over:
                raise

    def events(self, job_id: str) -> Iterator[TrainingEvent]:
        for event in self._pages(f"/fine_tuning/jobs/{job_id}/events", {}):
            yield _event(event)

    def checkpoints(self, job_id: str) -> Sequence[Checkpoint]:
        found = [
            Checkpoint(
                id=str(each["id"]), step=int(each["step_number"]), model=str(each["fine_tuned_model_checkpoint"])
            )
            for each in self._pages(f"/fine_tuning/jobs/{job_id}/checkpoints", {})
        ]
        return sorted(found, key=lambda checkpoint: checkpoint.step)

    def serve(self, run_id: str, tuned_model: str) -> Serving:  # noqa: ARG002 - the protocol's
        # Documented: a tuned model can be asked as soon as its job has succeeded, without a deployment.
        return Serving(tuned_model)

    def withdraw(self, run_id: str) -> str | None:  # noqa: ARG002 - the protocol's
        return None

    def deployments(self) -> Sequence[tuple[str, str]]:
        return []

    def _pages(self, path: str, query: dict[str, str]) -> Iterator[dict[str, Any]]:
        """Every object of a list, each id once: a list that grows while it is read shows some objects twice."""
        seen: set[str] = set()
        after: dict[str, str] = {}
        for _ in range(PAGES):
            with _Answers():
                page = self._client.get(path, cast_to=object, options={"params": {**query, "limit": PAGE, **after}})
                if not isinstance(page, dict) or not isinstance(page.get("data"), list):
                    raise Unclear(f"the answer of GET {path} is not a list")
            for each in page["data"]:
                if each["id"] not in seen:
                    seen.add(each["id"])
                    yield each
            if not page.get("has_more") or not page["data"]:
                return
            after = {"after": str(page["data"][-1]["id"])}
        raise Unclear(f"GET {path} did not end after {PAGES} pages")


class _Answers:
    """Turns what the SDK raises into what a run can decide on: refused, busy, or unclear."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, openai.APIStatusError):
            status = error.status_code
            message = f"HTTP {status} from {error.request.method} {error.request.url.path}: {_told(error)}"
            if status == _TOO_MANY:
                raise Busy(message) from error
            if status in _BAD_REQUESTS and status not in _AMBIGUOUS:
                raise Refused(message) from error
            raise Unclear(message) from error
        if isinstance(error, (openai.APIError, ValueError, KeyError, TypeError, AttributeError)):
            # No answer at all, or a half one: the call may have had its effect.
            raise Unclear(f"no usable answer from Bedrock ({type(error).__name__})") from error


def _told(error: openai.APIStatusError) -> str:
    body = error.body
    message = body.get("message") if isinstance(body, dict) else None
    return str(message or error.message)[:1000]


def _job(body: dict[str, Any]) -> Job:
    service_status = str(body["status"])
    error = body.get("error")
    told = None
    if isinstance(error, dict) and (error.get("message") or error.get("code")):
        told = ": ".join(str(error[part]) for part in ("code", "message") if error.get(part))
    tuned_model = body.get("fine_tuned_model")
    return Job(
        id=str(body["id"]),
        status=_STATUS.get(service_status, JobStatus.UNKNOWN),
        service_status=service_status,
        training_file=body.get("training_file"),
        tuned_model=str(tuned_model) if tuned_model else None,
        error=told,
    )


def _event(body: dict[str, Any]) -> TrainingEvent:
    data = body.get("data")
    data = data if isinstance(data, dict) else {}
    step = number(data.get("step"))
    metrics = None
    if body.get("type") == "metrics":
        measured = {str(name): number(value) for name, value in data.items()}
        metrics = {name: value for name, value in measured.items() if value is not None}
    return TrainingEvent(
        id=str(body["id"]),
        created_at=int(number(body.get("created_at")) or 0),
        level=str(body.get("level", "info")),
        message=str(body.get("message", ""))[:1000],
        step=None if step is None else int(step),
        metrics=metrics,
    )
