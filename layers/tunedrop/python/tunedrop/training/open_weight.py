"""Open-weight models: training by Bedrock's OpenAI-compatible APIs, through the `openai` SDK.

The wire shapes are those of AWS's documentation of "fine-tuning with OpenAI-compatible APIs". Jobs are read as raw
JSON: the SDK's types know no Lambda grader.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any

from pydantic import Field

from tunedrop import identity
from tunedrop.answer_members import AnswerBroken
from tunedrop.catalog import is_simulated
from tunedrop.openai_sdk import openai
from tunedrop.service_answers import Answer, OptionalText, read
from tunedrop.training.backend import (
    Busy,
    Checkpoint,
    Full,
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

MOST_STEPS = 10**9
"""A step number from here on is none: no training has so many."""

_QUOTA_WORDS = ("quota", "limit_exceeded", "limitexceeded")
"""What the code or type of an error says that is about a quota, whatever its status. UNCONFIRMED: AWS documents none
for fine-tuning jobs; OpenAI answers 429 `rate_limit_exceeded`."""

_QUERY_REFUSED = frozenset({400, 404, 405, 422})
"""With these a service may refuse a parameter of a list's query. 401 and 403 are about the caller."""

_log = logging.getLogger(__name__)


class OpenWeightBackend:
    """`TrainingBackend` for the models behind the OpenAI-compatible endpoint."""

    def __init__(self, client: openai.OpenAI, weights: Mapping[str, str] | None = None) -> None:
        self._client = client
        self._weights = weights

    @property
    def simulated(self) -> bool:
        return self._weights is None and is_simulated(str(self._client.base_url))

    @property
    def weights(self) -> Mapping[str, str] | None:
        return self._weights

    def upload(self, name: str, body: IO[bytes]) -> str:
        with _Answers():
            # One try: a second one after a lost answer would leave a second file. What was lost is found by its name.
            files = self._client.with_options(max_retries=0, timeout=UPLOAD_TIMEOUT_SECONDS).files
            response = files.with_raw_response.create(file=(name, body), purpose="fine-tune")
            return read(_File, response.http_response.json(), "the uploaded file").id

    def find_files(self, name: str) -> Sequence[str]:
        found = [file for file in self._list_files() if file.filename == name]
        # In whichever order the service lists them.
        return [file.id for file in sorted(found, key=lambda file: number(file.created_at) or 0)]

    def files(self) -> Sequence[tuple[str, str]]:
        named = ((identity.run_id_of_training_file(file.filename or ""), file.id) for file in self._list_files())
        return [(run_id, file_id) for run_id, file_id in named if run_id is not None]

    def _list_files(self) -> Iterator[_File]:
        # AWS documents `purpose` alone.
        for each in self._pages("/files", {"purpose": "fine-tune"}, order="asc"):
            with _Answers():
                file = read(_File, each, "a file of GET /files")
            yield file

    def delete_file(self, file_id: str) -> bool:
        try:
            with _Answers():
                self._client.files.delete(file_id)
        except Refused as refusal:
            if not isinstance(refusal.__cause__, openai.NotFoundError):
                raise
        return True

    def create(self, request: JobRequest) -> Job:
        try:
            return self._create(request)
        except (Busy, Refused) as refusal:
            if isinstance(refusal, Busy) or _is_about_a_quota(refusal):
                raise Full(str(refusal)) from refusal
            raise

    def _create(self, request: JobRequest) -> Job:
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

    def delete_model(self, run_id: str, tuned_model: str) -> bool:  # noqa: ARG002 - the protocol's
        # UNCONFIRMED: AWS documents no call that deletes a tuned open-weight model.
        raise Refused(f"no documented call deletes the model {tuned_model!r:.200}")

    def live_jobs(self) -> Sequence[tuple[str, Job]]:
        live = [job for job in self._list_jobs() if not job.status.over]
        if not live:
            return []
        run_ids = {file_id: run_id for run_id, file_id in self.files()}
        return [(run_ids[job.training_file], job) for job in live if job.training_file in run_ids]

    def _list_jobs(self) -> Iterator[Job]:
        for each in self._pages("/fine_tuning/jobs", {}):
            with _Answers():
                job = _job(each)
            # By its file a job is known to be ours: where the list leaves it out, the job itself is asked.
            yield job if job.training_file is not None else self.get(job.id)

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
        for each in self._pages(f"/fine_tuning/jobs/{job_id}/events", {}, every=False):
            yield _event(each)

    def checkpoints(self, job_id: str) -> Sequence[Checkpoint]:
        found = []
        for each in self._pages(f"/fine_tuning/jobs/{job_id}/checkpoints", {}, every=False):
            try:
                checkpoint = read(_CheckpointTold, each, f"a checkpoint of job {job_id}")
            except AnswerBroken as broken:
                # The others can be evaluated; without this one the run loses a candidate, not its job.
                _log.warning("passed over: %s", broken)
                continue
            found.append(Checkpoint(checkpoint.id, checkpoint.step, checkpoint.model))
        return sorted(found, key=lambda checkpoint: checkpoint.step)

    def serve(self, run_id: str, tuned_model: str) -> Serving:  # noqa: ARG002 - the protocol's
        # Documented: a tuned model can be asked as soon as its job has succeeded, without a deployment.
        return Serving(tuned_model)

    def undeploy(self, run_id: str) -> str | None:  # noqa: ARG002 - the protocol's
        return None

    def deployments(self) -> Sequence[tuple[str, str]]:
        return []

    def _pages(
        self, path: str, needed: Mapping[str, str], *, every: bool = True, **wanted: str
    ) -> Iterator[dict[str, Any]]:
        """Every object of a list, each id once: a list that grows while it is read shows some objects twice.

        An object without an id makes the list unclear; where not `every` one is needed, it is passed over.
        `needed` is what the service documents. `wanted`, the size of a page and its place are OpenAI's: a service that
        refuses them is asked without.
        """
        seen: set[str] = set()
        asked: dict[str, Any] = {**needed, **wanted, "limit": PAGE}
        plain, after = False, ""
        for _ in range(PAGES):
            try:
                page = self._page(path, {**asked, "after": after} if after else asked, every=every)
            except Refused as refusal:
                if plain or not _refuses_the_query(refusal):
                    raise
                if after:
                    _log.warning("GET %s shows only its first page: %s", path, refusal)
                    return
                plain, asked = True, dict(needed)
                page = self._page(path, asked, every=every)
            for each in page.data:
                if each["id"] not in seen:
                    seen.add(each["id"])
                    yield each
            if not page.has_more or not page.data or page.data[-1]["id"] == after:
                return
            after = page.data[-1]["id"]
        raise Unclear(f"GET {path} did not end after {PAGES} pages")

    def _page(self, path: str, query: Mapping[str, Any], *, every: bool) -> _Page:
        with _Answers():
            body = self._client.get(path, cast_to=object, options={"params": dict(query)})
            page = read(_Page, body, f"the answer of GET {path}")
            data = []
            for each in page.data:
                try:
                    # By their ids the pages go on, and what was seen is known.
                    read(_Entry, each, f"an entry of GET {path}")
                except AnswerBroken as broken:
                    if every:
                        raise
                    _log.warning("passed over: %s", broken)
                else:
                    data.append(each)
            return _Page(data=data, has_more=page.has_more)


class _Entry(Answer):
    id: str = Field(min_length=1, max_length=2048)


class _Page(Answer):
    data: list[Any]
    has_more: bool | None = None


class _File(_Entry):
    filename: OptionalText = None
    created_at: Any = None


class _JobTold(_Entry):
    status: str = Field(min_length=1, max_length=100)
    training_file: str | None = None
    fine_tuned_model: str | None = None
    error: Any = None


class _CheckpointTold(_Entry):
    step: int = Field(alias="step_number", ge=0, lt=MOST_STEPS)
    model: str = Field(alias="fine_tuned_model_checkpoint", min_length=1, max_length=2048)


def _refuses_the_query(refusal: Refused) -> bool:
    cause = refusal.__cause__
    return isinstance(cause, openai.APIStatusError) and cause.status_code in _QUERY_REFUSED


def _is_about_a_quota(refusal: Refused) -> bool:
    cause = refusal.__cause__
    reason = f"{cause.code} {cause.type}".lower() if isinstance(cause, openai.APIStatusError) else ""
    return any(word in reason for word in _QUOTA_WORDS)


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
        if isinstance(error, AnswerBroken):
            raise Unclear(f"an incomplete answer from Bedrock: {error}") from error
        if isinstance(error, (openai.APIError, ValueError, LookupError, TypeError, AttributeError, RecursionError)):
            # No answer at all, or one that the SDK stumbles over: the call may have had its effect.
            raise Unclear(f"no usable answer from Bedrock ({type(error).__name__})") from error


def _told(error: openai.APIStatusError) -> str:
    body = error.body
    message = body.get("message") if isinstance(body, dict) else None
    return str(message or error.message)[:1000]


def _job(body: object) -> Job:
    job = read(_JobTold, body, "a fine-tuning job")
    error = job.error if isinstance(job.error, dict) else {}
    reason = ": ".join(str(error[part])[:1000] for part in ("code", "message") if error.get(part))
    return Job(
        id=job.id,
        status=_STATUS.get(job.status, JobStatus.UNKNOWN),
        service_status=job.status,
        training_file=job.training_file,
        tuned_model=job.fine_tuned_model or None,
        error=reason or None,
    )


def _event(body: dict[str, Any]) -> TrainingEvent:
    data = body.get("data")
    data = data if isinstance(data, dict) else {}
    step = number(data.get("step"))
    if step is not None and not 0 <= step < MOST_STEPS:
        step = None
    metrics = None
    if body.get("type") == "metrics":
        measured = {str(name): number(value) for name, value in data.items()}
        metrics = {name: value for name, value in measured.items() if value is not None}
    return TrainingEvent(
        id=body["id"],
        created_at=_moment(body.get("created_at")),
        level=str(body.get("level", "info"))[:100],
        message=str(body.get("message", ""))[:1000],
        step=None if step is None else int(step),
        metrics=metrics,
    )


def _moment(value: object) -> int:
    """Seconds since the epoch; 0 where what is told cannot be such."""
    seconds = number(value) or 0
    return int(seconds) if 0 <= seconds < 2**40 else 0
