"""Fine-tuning jobs: from `validating_files` to their end, with events and checkpoints, across restarts."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Sequence
from typing import Any

from local.bedrock.engine import Engine, TrainingFailed
from local.bedrock.errors import ApiError, invalid, not_found
from local.bedrock.grading import GraderFailed, GraderSettings, Reply, rewards
from local.bedrock.grpo import Measures
from local.bedrock.job_tasks import JobTasks
from local.bedrock.mantle.job_request import JobRequest
from local.bedrock.mantle.lists import Staleness
from local.bedrock.records import Document
from local.bedrock.rows import read_rows
from local.bedrock.service import Service
from local.bedrock.training import FEWEST_ROWS, MOST_ROWS, Plan, Progress

JOB, EVENT, CHECKPOINT, PROGRESS = "job", "event", "checkpoint", "progress"
ENDED = ("succeeded", "failed", "cancelled")
_QUEUE_LOOK_SECONDS = 0.02

_log = logging.getLogger(__name__)


class JobFailed(Exception):
    """A job cannot go on; the fields of its `error` object."""

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message, "param": param}


class Jobs:
    """Makes jobs, runs each in a task of its own, and tells about them."""

    def __init__(self, service: Service, staleness: Staleness) -> None:
        self._service = service
        self._records = service.records
        self._staleness = staleness
        self._tasks = JobTasks(self._run)
        self._training: set[str] = set()

    def go_on(self) -> None:
        """Run on every job that the process before this one left unfinished."""
        for job in self._records.all(JOB):
            if job["status"] not in ENDED:
                self._tasks.start(job["id"])

    async def stop_all(self) -> None:
        """Stop all tasks; their jobs are left as they are, to go on in the next process."""
        await self._tasks.stop_all()

    def create(self, request: JobRequest, *, creator: str | None, project: str) -> Document:
        """Make a job of a project and start it; returns its record. `creator`: the access key of whoever made it.

        Raises ApiError (429) where the account has as many jobs as it may.
        """
        most = self._service.switches.jobs_quota
        if most and sum(job["status"] not in ENDED for job in self._records.all(JOB)) >= most:
            message = f"Your account has reached the maximum of {most} active fine-tuning jobs."
            raise ApiError(429, "rate_limit_exceeded", message, kind="rate_limit_error")
        now = time.time()
        name = f"ftjob-{uuid.uuid4()}"
        job: Document = {
            "id": name,
            "created": now,
            "model": request.model,
            "base": request.base.model_id,
            "training_file": request.training_file,
            "validation_file": request.validation_file,
            "method": request.method,
            "grader": request.grader,
            "epochs": request.epochs,
            "batch_size": request.batch_size,
            "rate": request.rate,
            "seed": request.seed,
            "metadata": request.metadata,
            "creator": creator,
            "project": project,
            "status": "validating_files",
            "finished_at": None,
            "fine_tuned_model": None,
            "trained_tokens": None,
            "error": None,
            "history": [],
        }
        with self._records.together():
            self._records.put(JOB, name, job)
            self._say(name, f"Created fine-tuning job: {name}")
            self._say(name, f"Validating training file: {request.training_file}")
        self._staleness.created(JOB, name)
        self._tasks.start(name)
        return job

    def find(self, name: str) -> Document:
        """A job's record. Raises ApiError (404)."""
        job = self._records.get(JOB, name)
        if job is None:
            raise not_found("fine-tuning job", name)
        return job

    def cancel(self, name: str) -> Document:
        """Stop a job at once. Raises ApiError: 404, or 400 for one that has ended unless the switch answers it."""
        job = self.find(name)
        if job["status"] in ENDED:
            if self._service.switches.cancel_ended_job == "refuse":
                raise invalid(f"Job {name} has already ended with status '{job['status']}'.")
            return job
        self._tasks.stop(name)
        with self._records.together():
            self._change(name, status="cancelled", finished_at=int(time.time()))
            self._say(name, "The job was cancelled.")
        return self.find(name)

    async def _run(self, name: str) -> None:
        try:
            await self._live(name)
        except JobFailed as failure:
            self._fail(name, failure.error)
        except TrainingFailed as failure:
            self._fail(name, {"code": "training_failed", "message": str(failure), "param": None})
        except GraderFailed as failure:
            self._fail(name, {"code": "grader_error", "message": str(failure), "param": None})
        except Exception:
            _log.exception("job %s", name)
            self._fail(
                name, {"code": "server_error", "message": "The local Bedrock broke; see its log.", "param": None}
            )
        finally:
            self._training.discard(name)

    async def _live(self, name: str) -> None:
        switches = self._service.switches
        if self.find(name)["status"] == "validating_files":
            await asyncio.sleep(switches.validating_seconds)
            self._rows(self.find(name))
            with self._records.together():
                self._change(name, status="queued")
                self._say(name, "Files validated, moving job to queued state")
        if self.find(name)["status"] == "queued":
            await asyncio.sleep(switches.queued_seconds)
            while switches.concurrent_jobs and len(self._training) >= switches.concurrent_jobs:
                await asyncio.sleep(_QUEUE_LOOK_SECONDS)
            with self._records.together():
                self._change(name, status="running")
                self._say(name, self._service.engine.training_text)
        self._training.add(name)
        await self._train(name)

    async def _train(self, name: str) -> None:
        job = self.find(name)
        switches = self._service.switches
        base = self._base(job)
        plan = Plan(
            name=name,
            rows=self._rows(job),
            batch_size=job["batch_size"],
            epochs=job["epochs"],
            group_size=switches.group_size,
            max_tokens=switches.rollout_max_tokens,
            rate=job["rate"],
            seed=job["seed"],
            checkpoint_every=switches.checkpoint_every,
            holds_out=switches.holdout == "tenth" and job["validation_file"] is None,
            labels=self._service.rows.labels,
        )
        kept = self._records.get(PROGRESS, name)
        caller = job["creator"]
        if switches.grader_invoked_as == "service":
            service = self._service
            caller = await service.rights.access_key(f"arn:aws:bedrock:{service.region}:{service.account}:job/{name}")
        invoke = self._service.invoke_as(caller)

        async def grade(replies: Sequence[Reply]) -> list[float]:
            settings = GraderSettings.of(switches)
            return await rewards(job["grader"], replies, invoke=invoke, settings=settings)

        def keep(progress: Progress, measures: Measures) -> None:
            with self._records.together():
                self._records.put(PROGRESS, name, progress.to_json())
                self._event(name, f"Step {progress.step}/{plan.total_steps}: training metrics", "metrics",
                            metrics_data(progress.step, plan.total_steps, measures))  # fmt: skip
                if progress.step % plan.checkpoint_every == 0 or progress.step == plan.total_steps:
                    self._checkpoint(name, progress)

        engine = self._service.engine
        progress = await engine.train(
            plan,
            Progress.from_json(kept) if kept else Progress(0, engine.base(base)),
            base=base,
            grade=grade,
            keep=keep,
            step_seconds=lambda: switches.step_seconds,
        )
        with self._records.together():
            tuned = self._service.models.keep(base, progress.model)
            self._say(name, f"New fine-tuned model created: {tuned}")
            self._say(name, "The job has successfully completed")
            self._change(
                name,
                status="succeeded",
                finished_at=int(time.time()),
                fine_tuned_model=tuned,
                trained_tokens=progress.tokens,
            )

    def _base(self, job: Document) -> Any:
        found = self._service.models.find(job["base"])
        if found is None:
            raise JobFailed("server_error", f"The base model {job['base']} is no longer there.")
        return found.base

    def _rows(self, job: Document) -> list[Document]:
        content = self._records.content(job["training_file"])
        if content is None:
            raise JobFailed("invalid_training_file", "The training file is no longer there.", "training_file")
        rows = []
        for number, row in enumerate(read_rows(content), 1):
            if row is None:
                message = f"Invalid training file: example {number} is no JSON object with a list of messages."
                raise JobFailed("invalid_training_file", message, "training_file")
            rows.append(row)
        if not FEWEST_ROWS <= len(rows) <= MOST_ROWS:
            message = f"The training file has {len(rows)} examples; expected {FEWEST_ROWS} to {MOST_ROWS}."
            raise JobFailed("invalid_training_file", message, "training_file")
        return rows

    def _checkpoint(self, name: str, progress: Progress) -> None:
        model = self._service.models.keep(self._base(self.find(name)), progress.model, listed=False)
        checkpoint = f"ftckpt-{uuid.uuid4()}"
        document = {
            "id": checkpoint,
            "object": "fine_tuning.job.checkpoint",
            "created_at": int(time.time()),
            "fine_tuning_job_id": name,
            "fine_tuned_model_checkpoint": model,
            "step_number": progress.step,
            "metrics": {"step": progress.step},
        }
        self._records.put(CHECKPOINT, checkpoint, document, parent=name)
        self._say(name, f"Checkpoint created at step {progress.step}", {"step": progress.step})

    def _fail(self, name: str, error: Document) -> None:
        with self._records.together():
            self._event(name, error["message"], "message", {}, level="error")
            self._change(name, status="failed", finished_at=int(time.time()), error=error)

    def _change(self, name: str, **changes: Any) -> None:
        job = self.find(name)
        job["history"].append([time.time(), {field: job[field] for field in changes}])
        self._records.put(JOB, name, {**job, **changes})

    def _say(self, name: str, message: str, data: Document | None = None) -> None:
        self._event(name, message, "message", data or {})

    def _event(self, name: str, message: str, kind: str, data: Document, *, level: str = "info") -> None:
        event: Document = {
            "id": f"ftevent-{uuid.uuid4()}",
            "object": "fine_tuning.job.event",
            "created_at": int(time.time()),
            "level": level,
            "message": message,
            "type": kind,
            "data": data,
        }
        self._records.put(EVENT, event["id"], event, parent=name)


def trained_by(engine: Engine) -> Document:
    """Who trains, beside every job and model: it is never taken for Bedrock."""
    if engine.weights is None:
        return {"simulated": True, "trained_by": engine.trained_by}
    return {"simulated": False, "trained_by": engine.trained_by, "weights": dict(engine.weights)}


def metrics_data(step: int, total_steps: int, measures: Measures) -> Document:
    """The data of a metrics event: exactly the eight documented keys."""
    return {
        "step": step,
        "total_steps": total_steps,
        "actor_entropy": measures.entropy,
        "actor_grad_norm": measures.gradient_norm,
        "actor_pg_loss": measures.policy_loss,
        "critic_advantages_mean": measures.advantages_mean,
        "critic_rewards_mean": measures.rewards_mean,
        "response_length_mean": measures.response_length_mean,
    }


def job_object(job: Document, *, engine: Engine, echo_method: bool, as_of: float | None = None) -> Document:
    """A job in the API's shape; with `as_of`, as it was at that moment (seconds since the epoch)."""
    told = dict(job)
    for changed_at, before in reversed(job["history"]):
        if as_of is not None and changed_at > as_of:
            told.update(before)
    return {
        "id": told["id"],
        "object": "fine_tuning.job",
        "model": told["model"],
        "created_at": int(told["created"]),
        "finished_at": told["finished_at"],
        "estimated_finish": None,
        "fine_tuned_model": told["fine_tuned_model"],
        "status": told["status"],
        "training_file": told["training_file"],
        "validation_file": told["validation_file"],
        "organization_id": "",
        "result_files": [],
        "trained_tokens": told["trained_tokens"],
        "seed": told["seed"],
        "error": told["error"],
        "integrations": None,
        "metadata": told["metadata"],
        "hyperparameters": None,
        "method": told["method"] if echo_method else None,
        **trained_by(engine),
    }
