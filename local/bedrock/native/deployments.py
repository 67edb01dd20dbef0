"""On-demand deployments of customised models: Creating for a while, then Active."""

from __future__ import annotations

import time
import uuid

from local.bedrock.native.errors import conflict, no_resource, quota_exceeded
from local.bedrock.native.jobs import timestamp
from local.bedrock.native.tags import Tags
from local.bedrock.records import Document
from local.bedrock.service import Service

DEPLOYMENT = "deployment"


class Deployments:
    """Makes, finds, updates and deletes deployments. A deployment's status is told by the time that has passed."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._tags = Tags(service.records)

    def all(self) -> list[Document]:
        """Every deployment's record, oldest first."""
        return self._service.records.all(DEPLOYMENT)

    def create(self, given: Document) -> Document:
        """Deploy a model; a token that was used before gives the deployment that it made.

        Raises ApiError: ValidationException for tags that do not go together, ConflictException for a name that is
        taken, ResourceNotFoundException for a model that is not there, ServiceQuotaExceededException for too many at
        once.
        """
        name, token = given["modelDeploymentName"], given.get("clientRequestToken")
        for other in self.all():
            if token is not None and other["token"] == token:
                return other
            if other["name"] == name:
                raise conflict(f"The provided deployment name {name} is currently in use.")
        self._check_model(given["modelArn"])
        creating = sum(self.status(other) == "Creating" for other in self.all())
        most = self._service.switches.nova_concurrent_deployments
        if creating >= most:
            raise quota_exceeded(f"{creating} custom model deployments are in progress; the quota is {most}.")
        unique = uuid.uuid4().hex[:12]
        service = self._service
        deployment: Document = {
            "id": unique,
            "arn": f"arn:aws:bedrock:{service.region}:{service.account}:custom-model-deployment/{unique}",
            "name": name,
            "model_arn": given["modelArn"],
            "description": given.get("description"),
            "token": token,
            "created": time.time(),
            "ready": time.time() + service.switches.deploying_seconds,
            "fails": service.switches.nova_deployments_fail,
            "update": None,
        }
        with service.records.together():
            service.records.put(DEPLOYMENT, unique, deployment)
            self._tags.add(deployment["arn"], given.get("tags") or [])
        return deployment

    def find(self, identifier: str) -> Document:
        """A deployment's record by its ARN or name. Raises ApiError (ResourceNotFoundException)."""
        for deployment in self.all():
            if identifier in (deployment["arn"], deployment["name"]):
                return deployment
        raise no_resource(f"The provided custom model deployment identifier {identifier} is not found.")

    def update(self, identifier: str, model_arn: str) -> Document:
        """Put another model behind a deployment. Raises ApiError as `create` and `find` do."""
        deployment = self.find(identifier)
        self._check_model(model_arn)
        deployment["model_arn"] = model_arn
        deployment["update"] = {"modelArn": model_arn, "updateStatus": "UpdateCompleted"}
        self._service.records.put(DEPLOYMENT, deployment["id"], deployment)
        return deployment

    def delete(self, identifier: str) -> None:
        """Delete a deployment; its model stays. Raises ApiError (ResourceNotFoundException)."""
        deployment = self.find(identifier)
        self._service.records.delete(DEPLOYMENT, deployment["id"])
        self._tags.forget(deployment["arn"])

    def status(self, deployment: Document) -> str:
        """Creating, Active or Failed."""
        if time.time() < deployment["ready"]:
            return "Creating"
        return "Failed" if deployment["fails"] else "Active"

    def answer(self, deployment: Document) -> Document:
        """A deployment as GetCustomModelDeployment tells it."""
        status = self.status(deployment)
        told = {
            "customModelDeploymentArn": deployment["arn"],
            "modelDeploymentName": deployment["name"],
            "modelArn": deployment["model_arn"],
            "createdAt": timestamp(deployment["created"]),
            "lastUpdatedAt": timestamp(min(time.time(), deployment["ready"])),
            "status": status,
            "description": deployment["description"],
            "updateDetails": deployment["update"],
            "failureMessage": "The deployment failed, as switched on." if status == "Failed" else None,
        }
        return {name: value for name, value in told.items() if value is not None}

    def summary(self, deployment: Document) -> Document:
        """A deployment as ListCustomModelDeployments tells it."""
        told = self.answer(deployment)
        summary = {
            name: told[name] for name in told if name in ("customModelDeploymentArn", "modelArn", "createdAt", "status")
        }
        return {**summary, "customModelDeploymentName": deployment["name"], "lastUpdatedAt": told["lastUpdatedAt"]}

    def _check_model(self, model_arn: str) -> None:
        if self._service.models.find(model_arn) is None:
            raise no_resource(f"The provided model {model_arn!r} is not found.")
