"""Amazon Nova: training by Bedrock's native API, through boto3.

The service has a client token, so a creation that is asked for twice makes one job; it knows jobs and deployments by
the names that we give them, so nothing is looked for in lists that may be stale. It has no events and no checkpoints.
A tuned model is asked through a deployment, which is made and deleted by the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError
from pydantic import Field

from tunedrop import identity
from tunedrop.answer_members import AnswerBroken, member, members
from tunedrop.catalog import is_simulated
from tunedrop.run import folder as names
from tunedrop.service_answers import Answer, OptionalText, read
from tunedrop.service_faults import BROKEN_ANSWERS
from tunedrop.training.backend import Busy, Checkpoint, Full, Job, JobRequest, JobStatus, Refused, Serving, Unclear
from tunedrop.training.job_output import OUTPUT

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient

    from tunedrop.settings import Settings
    from tunedrop.training.backend import TrainingEvent

CREATE_TIMEOUT_SECONDS = 30
"""How long the one try of a creation may take; what comes later is looked up by its name."""

_STATUS = {
    "InProgress": JobStatus.RUNNING,
    "Completed": JobStatus.SUCCEEDED,
    "Failed": JobStatus.FAILED,
    # It still costs, and its end is not sure yet.
    "Stopping": JobStatus.RUNNING,
    "Stopped": JobStatus.CANCELLED,
}

_QUOTA = "ServiceQuotaExceededException"
_BUSY = frozenset({"ThrottlingException", "TooManyRequestsException", _QUOTA})
_REFUSED = frozenset(
    {"ValidationException", "AccessDeniedException", "ResourceNotFoundException", "TooManyTagsException"}
)
_MISSING = "ResourceNotFoundException"

_DEPLOYMENT = ":custom-model-deployment/"


class NovaBackend:
    """`TrainingBackend` for Amazon Nova. `role_arn` is what Bedrock reads the data and calls the grader with.

    `model_key`: ARN of the KMS key that encrypts tuned models; "" for a key of AWS's.
    `vpc`: subnets and security groups of the jobs, as in `Settings.nova_vpc`; "" for no VPC.
    `once` is a client that makes one try, for what is created; `client` tries again by itself.
    """

    def __init__(
        self,
        client: BedrockClient,
        once: BedrockClient,
        *,
        role_arn: str,
        runs_bucket: str,
        weights: Mapping[str, str] | None = None,
        model_key: str = "",
        vpc: str = "",
    ) -> None:
        self._client = client
        self._once = once
        self._role_arn = role_arn
        self._runs_bucket = runs_bucket
        self._weights = weights
        self._model_key = model_key
        self._vpc = vpc

    @classmethod
    def from_settings(cls, settings: Settings) -> NovaBackend:
        """A backend with clients of its own."""
        one_try = Config(retries={"total_max_attempts": 1}, read_timeout=CREATE_TIMEOUT_SECONDS)
        tries = Config(retries={"mode": "standard", "max_attempts": 5})
        return cls(
            boto3.client("bedrock", region_name=settings.region, config=tries),
            boto3.client("bedrock", region_name=settings.region, config=one_try),
            role_arn=settings.training_role_arn,
            runs_bucket=settings.runs_bucket,
            weights=settings.weights,
            model_key=settings.nova_model_key,
            vpc=settings.nova_vpc,
        )

    @property
    def simulated(self) -> bool:
        return self._weights is None and is_simulated(self._client.meta.endpoint_url)

    @property
    def weights(self) -> Mapping[str, str] | None:
        return self._weights

    def upload(self, name: str, body: IO[bytes]) -> str:  # noqa: ARG002 - the protocol's
        # The service reads the training file where the run has written it.
        run_id = identity.run_id_of_training_file(name)
        if run_id is None:
            raise Refused(f"{name!r:.200} is not the name of a run's training file")
        return self._uri(run_id, names.TRAIN)

    def find_files(self, name: str) -> Sequence[str]:  # noqa: ARG002 - the protocol's
        # There is no copy at the service: before each submission the run's own file is opened, and so checked.
        return []

    def delete_file(self, file_id: str) -> bool:  # noqa: ARG002 - the protocol's
        # There is no copy at the service; the run's folder keeps the file.
        return False

    def files(self) -> Sequence[tuple[str, str]]:
        return []

    def create(self, request: JobRequest) -> Job:
        try:
            return self._create(request)
        except Busy as busy:
            if _code(busy.__cause__) == _QUOTA:
                raise Full(str(busy)) from busy
            raise

    def _create(self, request: JobRequest) -> Job:
        name = identity.bedrock_name(request.run_id)
        tags: Any = [{"key": key, "value": value} for key, value in request.tags.items()]
        told: Any = {"jobTags": tags, "customModelTags": tags} if tags else {}
        if self._model_key:
            told["customModelKmsKeyId"] = self._model_key
        if self._vpc:
            subnets, _, groups = self._vpc.partition(";")
            told["vpcConfig"] = {"subnetIds": subnets.split(","), "securityGroupIds": groups.split(",")}
        with _answers():
            made = self._once.create_model_customization_job(
                jobName=name,
                customModelName=name,
                clientRequestToken=name,
                roleArn=self._role_arn,
                baseModelIdentifier=self._model_arn(request.model),
                customizationType="REINFORCEMENT_FINE_TUNING",
                trainingDataConfig={"s3Uri": request.training_file},
                outputDataConfig={"s3Uri": self._uri(request.run_id, OUTPUT)},
                customizationConfig={
                    "rftConfig": {
                        "graderConfig": {"lambdaGrader": {"lambdaArn": request.grader_arn}},
                        "hyperParameters": dict(request.hyperparameters),  # type: ignore[typeddict-item] # by the catalog
                    }
                },
                **told,
            )
            arn = member(made, "jobArn", str, "CreateModelCustomizationJob")
        return Job(arn, JobStatus.RUNNING, "InProgress", request.training_file, None, None)

    def find_jobs(self, training_file: str) -> Sequence[Job]:
        run_id = training_file.rpartition(f"/{names.TRAIN}")[0].rpartition("/")[2]
        try:
            return [self.get(identity.bedrock_name(run_id))]
        except Refused as refusal:
            if _code(refusal.__cause__) == _MISSING:
                return []
            raise

    def live_jobs(self) -> Sequence[tuple[str, Job]]:
        live = []
        for status in ("InProgress", "Stopping"):
            for each in self._list(
                "list_model_customization_jobs",
                "modelCustomizationJobSummaries",
                statusEquals=status,
                nameContains=identity.bedrock_name("")[:-1],
            ):
                with _answers():
                    job = read(_JobListed, each, "a job of ListModelCustomizationJobs")
                run_id = identity.run_id_of_bedrock_name(job.name)
                if run_id is not None:
                    live.append((run_id, Job(job.arn, JobStatus.RUNNING, job.status, None, None, None)))
        return live

    def get(self, job_id: str) -> Job:
        with _answers():
            answer = self._client.get_model_customization_job(jobIdentifier=job_id)
            job = read(_JobTold, answer, "GetModelCustomizationJob")
            status = _STATUS.get(job.status, JobStatus.UNKNOWN)
            return Job(
                id=job.arn,
                status=status,
                service_status=job.status,
                training_file=job.data.uri,
                tuned_model=job.model if status is JobStatus.SUCCEEDED else None,
                error=job.failure,
            )

    def cancel(self, job_id: str) -> None:
        try:
            with _answers(conflict=Refused):
                self._client.stop_model_customization_job(jobIdentifier=job_id)
        except Refused:
            # A job that is over, or is being stopped, refuses to be stopped.
            job = self.get(job_id)
            if not job.status.over and job.service_status != "Stopping":
                raise

    def events(self, job_id: str) -> Iterator[TrainingEvent]:  # noqa: ARG002 - the protocol's
        return iter(())

    def checkpoints(self, job_id: str) -> Sequence[Checkpoint]:  # noqa: ARG002 - the protocol's
        return []

    def serve(self, run_id: str, tuned_model: str) -> Serving:
        if _DEPLOYMENT in tuned_model:
            # A deployment of someone's own, to be evaluated: it is asked, and never deleted.
            return Serving(tuned_model)
        name = identity.bedrock_name(run_id)
        deployment = self._deployment(name)
        if deployment is None:
            with _answers():
                made = self._once.create_custom_model_deployment(
                    modelDeploymentName=name, modelArn=tuned_model, clientRequestToken=name
                )
                arn = member(made, "customModelDeploymentArn", str, "CreateCustomModelDeployment")
            return Serving(None, arn)
        if deployment.status == "Failed":
            raise Refused(f"deployment {deployment.arn} failed: {(deployment.failure or 'no reason given')[:1000]}")
        return Serving(deployment.arn if deployment.status == "Active" else None, deployment.arn)

    def undeploy(self, run_id: str) -> str | None:
        deployment = self._deployment(identity.bedrock_name(run_id))
        if deployment is None:
            return None
        with _answers():
            self._client.delete_custom_model_deployment(customModelDeploymentIdentifier=deployment.arn)
        return deployment.arn

    def delete_model(self, run_id: str, tuned_model: str) -> bool:
        if self.undeploy(run_id) is not None:
            return False  # a model is in use until its deployment is gone
        try:
            with _answers(conflict=Busy):
                self._client.delete_custom_model(modelIdentifier=tuned_model)
        except Refused as refusal:
            if _code(refusal.__cause__) != _MISSING:
                raise
        return True

    def _deployment(self, name: str) -> _DeploymentTold | None:
        try:
            with _answers():
                answer = self._client.get_custom_model_deployment(customModelDeploymentIdentifier=name)
                return read(_DeploymentTold, answer, "GetCustomModelDeployment")
        except Refused as refusal:
            if _code(refusal.__cause__) != _MISSING:
                raise
            return None

    def deployments(self) -> Sequence[tuple[str, str]]:
        found = []
        for each in self._list(
            "list_custom_model_deployments",
            "modelDeploymentSummaries",
            nameContains=identity.bedrock_name("")[:-1],
        ):
            with _answers():
                deployment = read(_DeploymentListed, each, "a deployment of ListCustomModelDeployments")
            run_id = identity.run_id_of_bedrock_name(deployment.name)
            if run_id is not None:
                found.append((run_id, deployment.arn))
        return found

    def _list(self, operation: str, entries: str, **query: str) -> Iterator[Any]:
        with _answers():
            for page in self._client.get_paginator(operation).paginate(**query):  # type: ignore[call-overload] # two names
                yield from members(page, entries, operation)

    def _uri(self, run_id: str, name: str) -> str:
        return f"s3://{self._runs_bucket}/{names.prefix_of(run_id)}{name}"

    def _model_arn(self, model: str) -> str:
        partition = self._role_arn.split(":")[1]
        return f"arn:{partition}:bedrock:{self._client.meta.region_name}::foundation-model/{model}"


class _DataTold(Answer):
    uri: OptionalText = Field(None, alias="s3Uri")


class _JobTold(Answer):
    arn: str = Field(alias="jobArn", min_length=1)
    status: str = Field(min_length=1)
    data: _DataTold = Field(_DataTold(), alias="trainingDataConfig")
    model: str | None = Field(None, alias="outputModelArn")
    failure: OptionalText = Field(None, alias="failureMessage")


class _JobListed(Answer):
    arn: str = Field(alias="jobArn", min_length=1)
    name: str = Field(alias="jobName")
    status: str = Field(min_length=1)


class _DeploymentTold(Answer):
    arn: str = Field(alias="customModelDeploymentArn", min_length=1)
    status: str = Field(min_length=1)
    failure: OptionalText = Field(None, alias="failureMessage")


class _DeploymentListed(Answer):
    arn: str = Field(alias="customModelDeploymentArn", min_length=1)
    name: str = Field(alias="customModelDeploymentName")


@contextmanager
def _answers(conflict: type[Exception] = Unclear) -> Iterator[None]:
    """Turns what boto3 raises into what a run can decide on; `conflict` is what a ConflictException is."""
    try:
        yield
    except ClientError as error:
        code = _code(error) or ""
        text = error.response.get("Error", {}).get("Message", "")
        message = f"{code} from {error.operation_name}: {text}"[:1000]
        if code in _BUSY:
            raise Busy(message) from error
        if code in _REFUSED:
            raise Refused(message) from error
        if code == "ConflictException":
            # Our own first try may be under way.
            raise conflict(message) from error
        raise Unclear(message) from error
    except ParamValidationError as error:
        raise Refused(str(error)[:1000]) from error
    except AnswerBroken as error:
        raise Unclear(f"an incomplete answer from Bedrock: {error}") from error
    except BROKEN_ANSWERS as error:
        # No answer at all, or one that the SDK stumbles over: the call may have had its effect.
        raise Unclear(f"no usable answer from Bedrock ({type(error).__name__})") from error


def _code(error: BaseException | None) -> str | None:
    return error.response.get("Error", {}).get("Code") if isinstance(error, ClientError) else None
