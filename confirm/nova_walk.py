"""The walk through Bedrock's native API, for Nova: a smallest job, its model deployed, asked and deleted."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from confirm.grader import ShapeGrader
from confirm.recording import Recording
from confirm.walk import StepRefused

JOB_OVER = frozenset({"Completed", "Failed", "Stopped"})
DEPLOYMENT_OVER = frozenset({"Active", "Failed"})
DEPLOYMENT_SECONDS = 3600
"""How long a deployment may take to become active, or to be gone."""

HYPERPARAMETERS = {
    "epochCount": 1,
    "batchSize": 32,
    "learningRate": 1e-5,
    "trainingSamplePerPrompt": 2,
    "inferenceMaxTokens": 512,
}
"""The smallest job: 100 rows of 2 samples each."""

QUESTION = "What is 2 + 2? End with ####."


class Clients(Protocol):
    """boto3's clients for Nova's Region, by the service's name."""

    def __call__(self, service: str) -> Any: ...


class NovaWalk:
    """One walk. Bedrock reads `bucket` and calls the grader with `training_role`; the grader itself has `role`."""

    def __init__(
        self, clients: Clients, *, role: str, training_role: str, bucket: str, model: str, recording: Recording
    ) -> None:
        self._bedrock = clients("bedrock")
        self._runtime = clients("bedrock-runtime")
        self._s3 = clients("s3")
        self._clients = clients
        self._role = role
        self._training_role = training_role
        self._bucket = bucket
        self._model = model
        self._recording = recording

    def go(
        self, name: str, rows: bytes, *, patience_seconds: float, look_seconds: float, tell: Callable[[str], None]
    ) -> None:
        """Walk all steps as `name`. What was made is deleted or stopped, whatever happens. Raises StepRefused."""
        tell("Nova: deploying a grader that logs the shape of its batches")
        grader = ShapeGrader(self._clients("lambda"), self._clients("logs"), name=name, role=self._role)
        arn = grader.deploy()
        try:
            tell(f"Nova: writing the training file below s3://{self._bucket}/{name}/")
            self._s3.put_object(Bucket=self._bucket, Key=f"{name}/train.jsonl", Body=rows)
            tell("Nova: creating the job; from here on it costs money")
            self._create(name, arn)
            self._keep("nova_refused_job", self._bedrock.get_model_customization_job, jobIdentifier=f"{name}-none")
            job = self._watch(name, patience_seconds, look_seconds, tell)
            self._recording.keep("nova_grader_batches", grader.batches())
            if job.get("outputModelArn"):
                self._ask(name, job["outputModelArn"], look_seconds, tell)
        finally:
            tell("Nova: putting everything away")
            self._put_away(name, look_seconds)
            grader.delete()

    def _create(self, name: str, grader: str) -> None:
        region = self._bedrock.meta.region_name
        request = {
            "jobName": name,
            "customModelName": name,
            "clientRequestToken": name,
            "roleArn": self._training_role,
            "baseModelIdentifier": f"arn:{grader.split(':')[1]}:bedrock:{region}::foundation-model/{self._model}",
            "customizationType": "REINFORCEMENT_FINE_TUNING",
            "trainingDataConfig": {"s3Uri": f"s3://{self._bucket}/{name}/train.jsonl"},
            "outputDataConfig": {"s3Uri": f"s3://{self._bucket}/{name}/output/"},
            "customizationConfig": {
                "rftConfig": {
                    "graderConfig": {"lambdaGrader": {"lambdaArn": grader}},
                    "hyperParameters": HYPERPARAMETERS,
                }
            },
        }
        create = self._bedrock.create_model_customization_job
        made = self._keep("nova_create", create, **request)
        if made["status"] >= 300:
            raise StepRefused(f"CreateModelCustomizationJob: {made['body']}")
        # The same client token: documented as the same job.
        self._keep("nova_create_again", create, **request)

    def _watch(
        self, name: str, patience_seconds: float, look_seconds: float, tell: Callable[[str], None]
    ) -> dict[str, Any]:
        statuses: list[str] = []
        deadline = time.monotonic() + patience_seconds
        while True:
            job: dict[str, Any] = _plain(self._bedrock.get_model_customization_job(jobIdentifier=name))
            if job["status"] not in statuses[-1:]:
                tell(f"Nova: the job is {job['status']}")
                statuses.append(job["status"])
            if job["status"] in JOB_OVER:
                break
            if time.monotonic() > deadline:
                tell(f"Nova: not over after {patience_seconds:.0f} s: it is stopped, and the rest of the walk left out")
                break
            time.sleep(look_seconds)
        self._recording.keep("nova_statuses", statuses)
        self._recording.keep("nova_job", job)
        return job

    def _ask(self, name: str, model: str, look_seconds: float, tell: Callable[[str], None]) -> None:
        self._keep("nova_model", self._bedrock.get_custom_model, modelIdentifier=model)
        tell("Nova: deploying the tuned model")
        made = self._keep(
            "nova_deploy",
            self._bedrock.create_custom_model_deployment,
            modelDeploymentName=name,
            modelArn=model,
            clientRequestToken=name,
        )
        if made["status"] >= 300:
            raise StepRefused(f"CreateCustomModelDeployment: {made['body']}")
        deployment = str(made["body"]["customModelDeploymentArn"])
        turn = {"role": "user", "content": [{"text": QUESTION}]}
        settings = {"maxTokens": 200, "temperature": 0.0}
        asked = {"modelId": deployment, "messages": [turn], "inferenceConfig": settings}
        self._keep("nova_early_converse", self._runtime.converse, **asked)
        began = time.monotonic()
        status = self._deployed(deployment, look_seconds)
        self._recording.keep(
            "nova_deployed", {"status": status, "seconds": round(time.monotonic() - began), "arn": deployment}
        )
        if status != "Active":
            tell(f"Nova: the deployment is {status}: the tuned model cannot be asked")
            return
        tell("Nova: asking the tuned model")
        self._keep("nova_converse", self._runtime.converse, **asked)
        body = {"schemaVersion": "messages-v1", "messages": [turn], "inferenceConfig": settings}
        self._keep("nova_invoke", self._invoke, modelId=deployment, body=json.dumps(body))

    def _invoke(self, **arguments: Any) -> dict[str, Any]:
        answer = self._runtime.invoke_model(**arguments)
        return {"ResponseMetadata": answer["ResponseMetadata"], "answer": json.loads(answer["body"].read())}

    def _deployed(self, deployment: str, look_seconds: float) -> str:
        """The deployment's status once it is over, or after an hour; `gone` where there is none."""
        deadline = time.monotonic() + DEPLOYMENT_SECONDS
        while True:
            try:
                told = self._bedrock.get_custom_model_deployment(customModelDeploymentIdentifier=deployment)
            except self._bedrock.exceptions.ResourceNotFoundException:
                return "gone"
            if told["status"] in DEPLOYMENT_OVER or time.monotonic() > deadline:
                return str(told["status"])
            time.sleep(look_seconds)

    def _put_away(self, name: str, look_seconds: float) -> None:
        """Each by its name, so that what a lost answer made is found, too. A model goes after its deployment."""
        bedrock = self._bedrock
        with suppress(ClientError, BotoCoreError):
            bedrock.stop_model_customization_job(jobIdentifier=name)
        with suppress(ClientError, BotoCoreError):
            bedrock.delete_custom_model_deployment(customModelDeploymentIdentifier=name)
            deadline = time.monotonic() + DEPLOYMENT_SECONDS
            while self._deployed(name, look_seconds) != "gone" and time.monotonic() < deadline:
                time.sleep(look_seconds)
        self._keep("nova_model_deleted", bedrock.delete_custom_model, modelIdentifier=name)
        with suppress(ClientError, BotoCoreError):
            pages = self._s3.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=f"{name}/")
            for page in pages:
                for each in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                    self._s3.delete_object(Bucket=self._bucket, Key=each["Key"], VersionId=each["VersionId"])

    def _keep(self, step: str, call: Callable[..., Any], **arguments: Any) -> dict[str, Any]:
        """Record one call's answer as `{status, body}`; a refusal's body is `{Code, Message}`."""
        try:
            answer = call(**arguments)
        except ClientError as refusal:
            status = refusal.response["ResponseMetadata"]["HTTPStatusCode"]
            answered = {"status": status, "body": refusal.response.get("Error", {})}
        else:
            answered = {"status": answer["ResponseMetadata"]["HTTPStatusCode"], "body": _plain(answer)}
        kept: dict[str, Any] = self._recording.keep(step, answered)
        return kept


def _plain(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}
