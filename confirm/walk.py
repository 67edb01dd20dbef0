"""The walk through the open-weight API: a file, a smallest job, its grader's batch, its model, and everything back."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx2
import openai

from confirm.grader import ShapeGrader
from confirm.recording import Recording

OVER = frozenset({"succeeded", "failed", "cancelled"})
LIST_LOOKS = 20


class StepRefused(Exception):
    """The service refused a step without which the walk cannot go on; says which, and in the service's words."""


class Walk:
    """One walk. `functions` and `logs` are boto3 clients of the account; `role` is what the grader runs with."""

    def __init__(
        self, client: openai.OpenAI, functions: Any, logs: Any, *, role: str, model: str, recording: Recording
    ) -> None:
        self._client = client
        # Beside the SDK, for the bytes as they are: the SDK's types know no Lambda grader, and hide what is new.
        self._http = httpx2.Client(
            base_url=client.base_url, headers={"authorization": f"Bearer {client.api_key}"}, timeout=60
        )
        self._functions = functions
        self._logs = logs
        self._role = role
        self._model = model
        self._recording = recording

    def go(
        self, name: str, rows: bytes, *, patience_seconds: float, look_seconds: float, tell: Callable[[str], None]
    ) -> None:
        """Walk all steps as `name`. What was made is deleted or cancelled, whatever happens. Raises StepRefused."""
        tell("deploying a grader that logs the shape of its batches")
        function = ShapeGrader(self._functions, self._logs, name=name, role=self._role)
        grader = function.deploy()
        file_id, jobs = None, []
        try:
            tell("uploading the training file")
            file_id = self._file(name, rows)
            tell("creating the job; from here on it costs money")
            jobs.append(self._create(file_id, grader))
            tell("asking for events and checkpoints before the training has begun")
            self._recording.keep("early_events", self._raw("GET", f"fine_tuning/jobs/{jobs[0]}/events"))
            self._recording.keep("early_checkpoints", self._raw("GET", f"fine_tuning/jobs/{jobs[0]}/checkpoints"))
            self._refusals(file_id)
            tell("creating a second one and cancelling it")
            jobs.append(self._create(file_id, grader, step="create_second"))
            self._recording.keep("cancel", self._raw("POST", f"fine_tuning/jobs/{jobs[1]}/cancel"))
            self._recording.keep("cancel_again", self._raw("POST", f"fine_tuning/jobs/{jobs[1]}/cancel"))
            self._recording.keep("pause", self._raw("POST", f"fine_tuning/jobs/{jobs[1]}/pause"))
            job = self._watch(jobs[0], patience_seconds, look_seconds, tell)
            self._after(job, function)
        finally:
            tell("putting everything away")
            for job_id in jobs:
                with suppress(openai.APIError):
                    self._client.fine_tuning.jobs.with_raw_response.cancel(job_id)
            if file_id is not None:
                self._recording.keep("file_deleted", self._raw("DELETE", f"files/{file_id}"))
            function.delete()

    def _file(self, name: str, rows: bytes) -> str:
        try:
            file = self._client.files.create(file=(f"{name}.jsonl", rows), purpose="fine-tune")
        except openai.APIStatusError as refusal:
            raise StepRefused(f"POST files: HTTP {refusal.status_code}: {refusal.response.text[:1000]}") from refusal
        self._recording.keep("file_uploaded", file.model_dump())
        self._recording.keep("file", self._raw("GET", f"files/{file.id}"))
        self._recording.keep("file_content", {"status": self._raw("GET", f"files/{file.id}/content")["status"]})
        return file.id

    def _create(self, file_id: str, grader: str, step: str = "create") -> str:
        reinforcement = {
            "grader": {"type": "lambda", "lambda": {"function": grader}},
            "hyperparameters": {"n_epochs": 1, "batch_size": 4, "learning_rate_multiplier": 1.0},
        }
        body = {
            "model": self._model,
            "training_file": file_id,
            "method": {"type": "reinforcement", "reinforcement": reinforcement},
        }
        made = self._recording.keep(step, self._raw("POST", "fine_tuning/jobs", body))
        if made["status"] >= 300:
            raise StepRefused(f"POST fine_tuning/jobs: HTTP {made['status']}: {made['body']}")
        job_id = str(made["body"]["id"])
        self._recording.keep(f"{step}_listed", self._list_lag(job_id))
        return job_id

    def _refusals(self, file_id: str) -> None:
        """The bodies of errors: a job, a model and a file that there are not. None of it makes anything."""
        self._recording.keep("refused_job", self._raw("GET", "fine_tuning/jobs/ftjob-none"))
        self._recording.keep("refused_file", self._raw("GET", "files/file-none"))
        body = {"model": "tunedrop.no-such-model", "training_file": file_id}
        self._recording.keep("refused_create", self._raw("POST", "fine_tuning/jobs", body))

    def _list_lag(self, job_id: str) -> dict[str, Any]:
        """After how many seconds the list first shows the job."""
        began = time.monotonic()
        for look in range(LIST_LOOKS):
            listed = self._raw("GET", "fine_tuning/jobs?limit=20")
            if any(each["id"] == job_id for each in listed["body"].get("data", [])):
                return {"looks": look + 1, "seconds": round(time.monotonic() - began, 2)}
            time.sleep(1)
        return {"looks": LIST_LOOKS, "seconds": None}

    def _watch(
        self, job_id: str, patience_seconds: float, look_seconds: float, tell: Callable[[str], None]
    ) -> dict[str, Any]:
        statuses: list[dict[str, Any]] = []
        deadline = time.monotonic() + patience_seconds
        while True:
            answer = self._raw("GET", f"fine_tuning/jobs/{job_id}")
            if answer["status"] in (401, 403):
                raise StepRefused(f"GET fine_tuning/jobs/{job_id}: HTTP {answer['status']}: {answer['body']}")
            if answer["status"] >= 300:  # busy: the next look tells
                tell(f"a look at the job: HTTP {answer['status']}")
                answer = {"body": {"status": "not told"}}
            job: dict[str, Any] = answer["body"]
            if not statuses or statuses[-1]["status"] != job["status"]:
                tell(f"the job is {job['status']}")
                statuses.append({"status": job["status"], "seconds": round(time.monotonic())})
            if job["status"] in OVER:
                break
            if time.monotonic() > deadline:
                tell(f"not over after {patience_seconds:.0f} s: it is cancelled, and the rest of the walk left out")
                break
            time.sleep(look_seconds)
        self._recording.keep("statuses", statuses)
        self._recording.keep("job", job)
        self._recording.keep("events", self._raw("GET", f"fine_tuning/jobs/{job_id}/events?limit=100"))
        self._recording.keep("events_unlimited", self._raw("GET", f"fine_tuning/jobs/{job_id}/events"))
        self._recording.keep("checkpoints", self._raw("GET", f"fine_tuning/jobs/{job_id}/checkpoints"))
        return job

    def _after(self, job: dict[str, Any], function: ShapeGrader) -> None:
        self._recording.keep("grader_batches", function.batches())
        if job.get("fine_tuned_model"):
            question = {
                "model": job["fine_tuned_model"],
                "messages": [{"role": "user", "content": "What is 2 + 2? End with ####."}],
                "max_tokens": 200,
            }
            self._recording.keep("tuned_model_asked", self._raw("POST", "chat/completions", question))
            self._recording.keep(
                "tuned_model_with_seed", self._raw("POST", "chat/completions", {**question, "seed": 1})
            )
            self._recording.keep("models", self._raw("GET", "models"))

    def _raw(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """One call without retries: the status and the body, refusals too."""
        answer = self._http.request(method, path, json=body)
        try:
            told = answer.json()
        except ValueError:
            told = answer.text[:500]
        return {"status": answer.status_code, "body": told}
