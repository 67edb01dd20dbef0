"""Model customization jobs of Nova: InProgress to Completed, Failed or Stopped, across restarts of the process."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from local.bedrock.caller_rights import RoleRefused
from local.bedrock.catalog import NOVA_TUNED, base_model
from local.bedrock.engine import TrainingFailed
from local.bedrock.grading import GraderFailed, GraderSettings, Reply, rewards
from local.bedrock.grpo import Measures
from local.bedrock.job_tasks import JobTasks
from local.bedrock.native.errors import conflict, no_resource, quota_exceeded
from local.bedrock.native.job_request import CustomizationRequest
from local.bedrock.native.network import network_needs
from local.bedrock.native.tags import Tags
from local.bedrock.records import Document
from local.bedrock.rows import read_rows
from local.bedrock.service import Service
from local.bedrock.training import FEWEST_ROWS, MOST_ROWS, Plan, Progress

JOB, PROGRESS = "native-job", "native-progress"
_ENDED = ("Completed", "Failed", "Stopped")
_PHASES = ("validationDetails", "dataProcessingDetails", "trainingDetails")

_log = logging.getLogger(__name__)


class CustomizationFailed(Exception):
    """A job cannot go on; its message is the job's failureMessage."""


class CustomizationJobs:
    """Makes jobs, runs each in a task of its own, and tells about them."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._tags = Tags(service.records)
        self._tasks = JobTasks(self._run)

    def go_on(self) -> None:
        """Run on every job that the process before this one left unfinished."""
        for job in self._service.records.all(JOB):
            if job["status"] not in _ENDED:
                self._tasks.start(job["id"])

    async def stop_all(self) -> None:
        """Stop all tasks; their jobs are left as they are, to go on in the next process."""
        await self._tasks.stop_all()

    def all(self) -> list[Document]:
        """Every job's record, oldest first."""
        return self._service.records.all(JOB)

    def create(self, request: CustomizationRequest) -> Document:
        """Make a job and start it; a token that was used before gives the job that it made.

        Raises ApiError: ConflictException for a name that is taken, ServiceQuotaExceededException for one job too many.
        """
        for job in self.all():
            if request.token is not None and job["token"] == request.token:
                return job
            if job["name"] == request.job_name:
                raise conflict(f"The provided job name {request.job_name} is currently in use.")
            if job["model_name"] == request.model_name and job["status"] in ("InProgress", "Completed"):
                raise conflict(f"The provided custom model name {request.model_name} is currently in use.")
        service = self._service
        most = service.switches.jobs_quota
        if most and sum(job["status"] not in _ENDED for job in self.all()) >= most:
            raise quota_exceeded(f"{most} model customization jobs are in progress; the quota is {most}.")
        name = uuid.uuid4().hex[:12]
        now = time.time()
        prefix = f"arn:aws:bedrock:{service.region}:{service.account}"
        job = {
            "id": name,
            "arn": f"{prefix}:model-customization-job/{NOVA_TUNED}/{name}",
            "name": request.job_name,
            "model_name": request.model_name,
            "model_arn": f"{prefix}:custom-model/{NOVA_TUNED}/{uuid.uuid4().hex[:12]}",
            "token": request.token,
            "role": request.role,
            "training_uri": request.training_uri,
            "validation": request.validation,
            "output": request.output,
            "customization": request.customization,
            "grader": request.grader,
            "hyperparameters": request.hyperparameters,
            "kms_key": request.kms_key,
            "vpc": request.vpc,
            "rate": request.rate,
            "status": "InProgress",
            "phase": 0,
            "failure": None,
            "created": now,
            "modified": now,
            "ended": None,
        }
        with service.records.together():
            service.records.put(JOB, name, job)
            self._tags.add(job["arn"], request.job_tags)
            self._tags.add(job["model_arn"], request.model_tags)
        self._tasks.start(name)
        return job

    def find(self, identifier: str) -> Document:
        """A job's record by its ARN or name. Raises ApiError (ResourceNotFoundException)."""
        for job in self.all():
            if identifier in (job["arn"], job["name"], job["id"]):
                return job
        raise no_resource(f"The provided job identifier {identifier} is not found.")

    def stop(self, identifier: str) -> None:
        """Stop a job. Raises ApiError: ResourceNotFoundException, ConflictException for one that has ended."""
        job = self.find(identifier)
        if job["status"] in _ENDED:
            raise conflict(f"The job {identifier} has already ended as {job['status']}.")
        if job["status"] == "InProgress":
            self._tasks.stop(job["id"])
            self._change(job["id"], status="Stopping")
            self._tasks.start(job["id"])

    async def _run(self, name: str) -> None:
        try:
            if self._read(name)["status"] == "Stopping":
                await asyncio.sleep(self._service.switches.nova_stopping_seconds)
                self._change(name, status="Stopped", ended=time.time())
            else:
                await self._live(name)
        except (CustomizationFailed, GraderFailed, TrainingFailed) as failure:
            self._change(name, status="Failed", ended=time.time(), failure=str(failure)[:2048])
        except Exception:
            _log.exception("job %s", name)
            self._change(name, status="Failed", ended=time.time(), failure="The local Bedrock broke; see its log.")

    async def _live(self, name: str) -> None:
        switches = self._service.switches
        job = self._read(name)
        access_key = await self._assume(job)
        invoke = self._service.invoke_as(access_key)
        rows = await self._rows(job, access_key)
        if job["phase"] == 0:
            await asyncio.sleep(switches.validating_seconds)
            self._change(name, phase=1)
            await asyncio.sleep(switches.queued_seconds)
            self._change(name, phase=2)
        settings = job["hyperparameters"]
        base = base_model(NOVA_TUNED)
        assert base is not None, "the catalog has Nova"  # noqa: S101 - of this package's own table
        engine = self._service.engine
        plan = Plan(
            name=name,
            rows=[row for row in rows if engine.prompt_tokens(row["messages"]) <= settings["maxPromptLength"]],
            batch_size=settings["batchSize"],
            epochs=settings["epochCount"],
            group_size=settings["trainingSamplePerPrompt"],
            max_tokens=settings["inferenceMaxTokens"],
            rate=job["rate"],
            checkpoint_every=switches.checkpoint_every,
            holds_out=False,  # rounds are the rows that are short enough by the batch size
            labels=self._service.rows.labels,
        )
        if not plan.rows:
            raise CustomizationFailed(f"Every prompt is longer than maxPromptLength {settings['maxPromptLength']}.")
        kept = self._service.records.get(PROGRESS, name)

        async def grade(replies: Sequence[Reply]) -> list[float]:
            asked = GraderSettings.of(switches, native=True)
            return await rewards(job["grader"], replies, invoke=invoke, settings=asked)

        def keep(progress: Progress, _: Measures) -> None:
            self._service.records.put(PROGRESS, name, progress.to_json())

        progress = await engine.train(
            plan,
            Progress.from_json(kept) if kept else Progress(0, engine.base(base)),
            base=base,
            grade=grade,
            keep=keep,
            step_seconds=lambda: switches.step_seconds,
        )
        with self._service.records.together():
            self._service.models.keep(base, progress.model, model_id=job["model_arn"])
            self._change(name, status="Completed", ended=time.time(), phase=3)

    async def _assume(self, job: Document) -> str | None:
        """An access key of the job's role, which must reach all that the job needs. Raises CustomizationFailed.

        docs.aws.amazon.com/bedrock/latest/userguide/model-customization-iam-role.html
        """
        rights = self._service.rights
        try:
            access_key = await rights.access_key(job["arn"], job["role"])
        except RoleRefused as refusal:
            raise CustomizationFailed(str(refusal)) from refusal
        bucket, _, prefix = str(job["output"]["s3Uri"]).removeprefix("s3://").partition("/")
        written = f"arn:aws:s3:::{bucket}/{prefix.rstrip('/')}/{job['id']}"
        needed: list[tuple[str, str, dict[str, str]]] = [
            ("s3:PutObject", written, {}),
            ("s3:GetObject", written, {}),
            ("s3:ListBucket", f"arn:aws:s3:::{bucket}", {"s3:prefix": prefix}),
        ]
        for action, resource, context in needed if access_key is not None else ():
            refusal_text = await rights.refusal(str(access_key), action, resource, context)
            if refusal_text is not None:
                raise CustomizationFailed(f"The role cannot write the job's output: {refusal_text}")
        for action, resource, context in network_needs(job) if access_key is not None else ():
            refusal_text = await rights.refusal(str(access_key), action, resource, context)
            if refusal_text is not None:
                raise CustomizationFailed(f"The role cannot use the job's VPC: {refusal_text}")
        return access_key

    async def _rows(self, job: Document, access_key: str | None) -> list[Document]:
        try:
            content = await self._service.read_object(job["training_uri"], self._service.region, access_key)
        except FileNotFoundError as problem:
            raise CustomizationFailed(str(problem)) from problem
        rows = []
        for number, row in enumerate(read_rows(content), 1):
            if row is None:
                raise CustomizationFailed(f"Training data: record {number} is no JSON object with a list of messages.")
            rows.append(row)
        if not FEWEST_ROWS <= len(rows) <= MOST_ROWS:
            raise CustomizationFailed(f"Training data has {len(rows)} records; expected {FEWEST_ROWS} to {MOST_ROWS}.")
        self._service.rows.teach(content)
        return rows

    def _read(self, name: str) -> Document:
        job = self._service.records.get(JOB, name)
        if job is None:
            raise LookupError(f"job {name} was forgotten while it ran")
        return job

    def _change(self, name: str, **changes: Any) -> None:
        self._service.records.put(JOB, name, {**self._read(name), **changes, "modified": time.time()})


def job_answer(job: Document, *, region: str, status_details: bool) -> Document:
    """A job as GetModelCustomizationJob tells it; members without a value are left out."""
    completed = job["status"] == "Completed"
    told = {
        "jobArn": job["arn"],
        "jobName": job["name"],
        "outputModelName": job["model_name"],
        "outputModelArn": job["model_arn"] if completed else None,
        "clientRequestToken": job["token"],
        "roleArn": job["role"],
        "status": job["status"],
        "statusDetails": _status_details(job) if status_details else None,
        "failureMessage": job["failure"],
        "creationTime": timestamp(job["created"]),
        "lastModifiedTime": timestamp(job["modified"]),
        "endTime": timestamp(job["ended"]) if job["ended"] else None,
        "baseModelArn": f"arn:aws:bedrock:{region}::foundation-model/{NOVA_TUNED}",
        "trainingDataConfig": {"s3Uri": job["training_uri"]},
        "validationDataConfig": job["validation"],
        "outputDataConfig": job["output"],
        "customizationType": "REINFORCEMENT_FINE_TUNING",
        "customizationConfig": job["customization"],
        "outputModelKmsKeyArn": job["kms_key"],
        "vpcConfig": job["vpc"],
    }
    return {name: value for name, value in told.items() if value is not None}


def job_summary(job: Document, *, region: str, status_details: bool) -> Document:
    """A job as ListModelCustomizationJobs tells it."""
    told = job_answer(job, region=region, status_details=status_details)
    wanted = (
        "jobArn",
        "baseModelArn",
        "jobName",
        "status",
        "statusDetails",
        "lastModifiedTime",
        "creationTime",
        "endTime",
    )
    summary = {name: told[name] for name in wanted if name in told}
    if "outputModelArn" in told:
        summary["customModelArn"] = told["outputModelArn"]
    return {**summary, "customModelName": job["model_name"], "customizationType": "REINFORCEMENT_FINE_TUNING"}


def timestamp(moment: float) -> str:
    """A moment in the form of the rest-json protocol, ISO 8601."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds_of(timestamp: str) -> float:
    """The moment, in seconds since the epoch, that `timestamp` wrote."""
    return datetime.fromisoformat(timestamp).timestamp()


def _status_details(job: Document) -> Document:
    times = {"creationTime": timestamp(job["created"]), "lastModifiedTime": timestamp(job["modified"])}
    statuses = ["Completed"] * job["phase"] + [job["status"]] + ["NotStarted"] * len(_PHASES)
    return {phase: {"status": status, **times} for phase, status in zip(_PHASES, statuses, strict=False)}
