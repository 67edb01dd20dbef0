"""The control plane for Nova: jobs, customised models, deployments and their tags, as boto3's `bedrock` has them."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from local.bedrock.catalog import NOVA, base_model
from local.bedrock.faults import named
from local.bedrock.http import JsonResponse, json_body
from local.bedrock.native.deployments import Deployments
from local.bedrock.native.errors import conflict, no_resource
from local.bedrock.native.job_request import read_customization_request
from local.bedrock.native.jobs import CustomizationJobs, job_answer, job_summary, timestamp
from local.bedrock.native.lists import filtered, page
from local.bedrock.native.service_model import read_input
from local.bedrock.native.tags import Tags
from local.bedrock.records import Document
from local.bedrock.service import Service

_LEGACY_TIMES = {"legacyTime": timestamp(1_796_083_200), "endOfLifeTime": timestamp(1_811_808_000)}


class ControlPlane:
    """The routes' handlers, each named in its docstring by its operation."""

    def __init__(self, service: Service, jobs: CustomizationJobs, deployments: Deployments) -> None:
        self._service = service
        self._jobs = jobs
        self._deployments = deployments
        self._tags = Tags(service.records)

    async def create_job(self, request: Request) -> Response:
        """CreateModelCustomizationJob"""
        given = await _input(request, "CreateModelCustomizationJob")
        asked = read_customization_request(given, switches=self._service.switches, region=self._service.region)
        return JsonResponse({"jobArn": self._jobs.create(asked)["arn"]}, 201)

    async def get_job(self, request: Request) -> Response:
        """GetModelCustomizationJob"""
        given = await _input(request, "GetModelCustomizationJob")
        return JsonResponse(self._tell(self._jobs.find(given["jobIdentifier"]), job_answer))

    async def stop_job(self, request: Request) -> Response:
        """StopModelCustomizationJob"""
        self._jobs.stop((await _input(request, "StopModelCustomizationJob"))["jobIdentifier"])
        return JsonResponse({})

    async def list_jobs(self, request: Request) -> Response:
        """ListModelCustomizationJobs"""
        given = await _input(request, "ListModelCustomizationJobs")
        told = [self._tell(job, job_summary) for job in self._jobs.all()]
        told = filtered(told, given, status="status", name="jobName", created="creationTime")
        return page(told, given, member="modelCustomizationJobSummaries", key="jobArn", created="creationTime")

    async def get_foundation_model(self, request: Request) -> Response:
        """GetFoundationModel"""
        given: str = (await _input(request, "GetFoundationModel"))["modelIdentifier"]
        name = given.rpartition("foundation-model/")[2]
        base = base_model(name)
        if base is None:
            raise no_resource(f"Could not resolve the foundation model from the provided model identifier {name}.")
        legacy = base.model_id in named(self._service.switches.legacy_models)
        lifecycle = {"status": "LEGACY", **_LEGACY_TIMES} if legacy else {"status": "ACTIVE"}
        details = {
            "modelArn": f"arn:aws:bedrock:{self._service.region}::foundation-model/{name}",
            "modelId": name,
            "providerName": base.owner,
            "modelLifecycle": lifecycle,
        }
        return JsonResponse({"modelDetails": details})

    async def get_model(self, request: Request) -> Response:
        """GetCustomModel"""
        job = self._model_job((await _input(request, "GetCustomModel"))["modelIdentifier"])
        told = self._tell(job, job_answer)
        same = ("jobName", "jobArn", "baseModelArn", "customizationType", "trainingDataConfig", "validationDataConfig",
                "outputDataConfig", "customizationConfig")  # fmt: skip
        key = {"modelKmsKeyArn": told["outputModelKmsKeyArn"]} if "outputModelKmsKeyArn" in told else {}
        return JsonResponse({**_model_summary(job, told), **{name: told[name] for name in same}, **key})

    async def list_models(self, request: Request) -> Response:
        """ListCustomModels"""
        given = await _input(request, "ListCustomModels")
        told = [
            {
                **_model_summary(job, self._tell(job, job_answer)),
                "baseModelName": NOVA.partition(":")[0],
                "ownerAccountId": self._service.account,
            }
            for job in self._jobs.all()
            if self._has_model(job)
        ]
        # Every model here is of this account, and customised from a foundation model.
        bases = [given[name] for name in ("baseModelArnEquals", "foundationModelArnEquals") if name in given]
        told = [model for model in told if all(base == model["baseModelArn"] for base in bases)]
        told = [] if given.get("isOwned") is False else told
        told = filtered(told, given, status="modelStatus", name="modelName", created="creationTime")
        return page(told, given, member="modelSummaries", key="modelArn", created="creationTime")

    async def delete_model(self, request: Request) -> Response:
        """DeleteCustomModel"""
        arn = self._model_job((await _input(request, "DeleteCustomModel"))["modelIdentifier"])["model_arn"]
        if any(deployment["model_arn"] == arn for deployment in self._deployments.all()):
            raise conflict(f"The model {arn} is in use by a deployment.")
        self._service.models.delete(arn)
        self._tags.forget(arn)
        return JsonResponse({})

    async def create_deployment(self, request: Request) -> Response:
        """CreateCustomModelDeployment"""
        made = self._deployments.create(await _input(request, "CreateCustomModelDeployment"))
        return JsonResponse({"customModelDeploymentArn": made["arn"]}, 202)

    async def get_deployment(self, request: Request) -> Response:
        """GetCustomModelDeployment"""
        given = await _input(request, "GetCustomModelDeployment")
        return JsonResponse(self._deployments.answer(self._deployments.find(given["customModelDeploymentIdentifier"])))

    async def update_deployment(self, request: Request) -> Response:
        """UpdateCustomModelDeployment"""
        given = await _input(request, "UpdateCustomModelDeployment")
        updated = self._deployments.update(given["customModelDeploymentIdentifier"], given["modelArn"])
        return JsonResponse({"customModelDeploymentArn": updated["arn"]}, 202)

    async def delete_deployment(self, request: Request) -> Response:
        """DeleteCustomModelDeployment"""
        given = await _input(request, "DeleteCustomModelDeployment")
        self._deployments.delete(given["customModelDeploymentIdentifier"])
        return JsonResponse({})

    async def list_deployments(self, request: Request) -> Response:
        """ListCustomModelDeployments"""
        given = await _input(request, "ListCustomModelDeployments")
        told = [self._deployments.summary(deployment) for deployment in self._deployments.all()]
        told = [summary for summary in told if given.get("modelArnEquals") in (None, summary["modelArn"])]
        told = filtered(told, given, status="status", name="customModelDeploymentName", created="createdAt")
        return page(told, given, member="modelDeploymentSummaries", key="customModelDeploymentArn", created="createdAt")

    async def list_tags(self, request: Request) -> Response:
        """ListTagsForResource"""
        arn = self._tagged(await _input(request, "ListTagsForResource"))
        return JsonResponse({"tags": self._tags.of(arn)})

    async def tag(self, request: Request) -> Response:
        """TagResource"""
        given = await _input(request, "TagResource")
        self._tags.add(self._tagged(given), given["tags"])
        return JsonResponse({})

    async def untag(self, request: Request) -> Response:
        """UntagResource"""
        given = await _input(request, "UntagResource")
        self._tags.remove(self._tagged(given), given["tagKeys"])
        return JsonResponse({})

    def _tagged(self, given: Document) -> str:
        """The ARN of a request about tags. Raises ApiError (ResourceNotFoundException) where nothing has it."""
        arn: str = given["resourceARN"]
        jobs = self._jobs.all()
        tagged = {job["arn"] for job in jobs} | {job["model_arn"] for job in jobs if self._has_model(job)}
        if arn not in tagged | {deployment["arn"] for deployment in self._deployments.all()}:
            raise no_resource(f"The provided resource {arn} is not found.")
        return arn

    def _tell(self, job: Document, tell: Callable[..., Document]) -> Document:
        return tell(job, region=self._service.region, status_details=self._service.switches.nova_status_details)

    def _has_model(self, job: Document) -> bool:
        return job["status"] == "Completed" and self._service.models.find(job["model_arn"]) is not None

    def _model_job(self, identifier: str) -> Document:
        for job in self._jobs.all():
            if identifier in (job["model_arn"], job["model_name"]) and self._has_model(job):
                return job
        raise no_resource(f"The provided model identifier {identifier} is not found.")


async def _input(request: Request, operation: str) -> Document:
    """The members of the operation's input. Raises ApiError (ValidationException)."""
    body = await json_body(request) if await request.body() else None
    return read_input(operation, body=body, query=request.query_params, path=request.path_params)


def _model_summary(job: Document, told: Document) -> Document:
    return {
        "modelArn": job["model_arn"],
        "modelName": job["model_name"],
        "creationTime": timestamp(job["ended"]),
        "baseModelArn": told["baseModelArn"],
        "customizationType": told["customizationType"],
        "modelStatus": "Active",
    }
