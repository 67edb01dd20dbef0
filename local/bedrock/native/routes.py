"""The table of the native APIs: method, path, IAM action, handler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.bedrock import keys
from local.bedrock.catalog import NOVA
from local.bedrock.faults import named
from local.bedrock.http import Api, Handler, JsonResponse, json_body, route
from local.bedrock.native.converse import Converse
from local.bedrock.native.deployments import Deployments
from local.bedrock.native.errors import conflict, denied, error_response, no_resource, validation
from local.bedrock.native.job_request import read_customization_request
from local.bedrock.native.jobs import CustomizationJobs, job_answer, job_summary, timestamp
from local.bedrock.records import Document
from local.bedrock.service import Service

_SIGNING_SERVICE = "bedrock"
_MOST_A_PAGE = 1000


def native_routes(service: Service, jobs: CustomizationJobs) -> list[Route]:
    """Every route of the control plane for Nova, and Converse."""
    control = _ControlPlane(service, jobs)
    deployments = control.deployments
    converse = Converse(service, deployments)
    deployed = "/model-customization/custom-model-deployments"
    table: list[tuple[str, str, str, Handler]] = [
        ("POST", "/model/{model_id:path}/converse", "InvokeModel", converse.converse),
        ("POST", "/model-customization-jobs", "CreateModelCustomizationJob", control.create_job),
        ("GET", "/model-customization-jobs", "ListModelCustomizationJobs", control.list_jobs),
        ("POST", "/model-customization-jobs/{job:path}/stop", "StopModelCustomizationJob", control.stop_job),
        ("GET", "/model-customization-jobs/{job:path}", "GetModelCustomizationJob", control.get_job),
        ("GET", "/custom-models", "ListCustomModels", control.list_models),
        ("GET", "/custom-models/{model:path}", "GetCustomModel", control.get_model),
        ("DELETE", "/custom-models/{model:path}", "DeleteCustomModel", control.delete_model),
        ("POST", deployed, "CreateCustomModelDeployment", control.create_deployment),
        ("GET", deployed, "ListCustomModelDeployments", control.list_deployments),
        ("GET", f"{deployed}/{{deployment:path}}", "GetCustomModelDeployment", control.get_deployment),
        ("PATCH", f"{deployed}/{{deployment:path}}", "UpdateCustomModelDeployment", control.update_deployment),
        ("DELETE", f"{deployed}/{{deployment:path}}", "DeleteCustomModelDeployment", control.delete_deployment),
    ]
    api = Api(authorise=_authoriser(service), error=error_response)
    return [
        route(service, api, method=method, path=path, action=action, handler=handler)
        for method, path, action, handler in table
    ]


class _ControlPlane:
    """The routes' handlers, Converse apart."""

    def __init__(self, service: Service, jobs: CustomizationJobs) -> None:
        self._service = service
        self._jobs = jobs
        self.deployments = Deployments(service)

    async def create_job(self, request: Request) -> Response:
        """CreateModelCustomizationJob"""
        asked = read_customization_request(
            await json_body(request), switches=self._service.switches, region=self._service.region
        )
        return JsonResponse({"jobArn": self._jobs.create(asked)["arn"]}, 201)

    async def get_job(self, request: Request) -> Response:
        """GetModelCustomizationJob"""
        return JsonResponse(self._tell(self._jobs.find(request.path_params["job"]), job_answer))

    async def stop_job(self, request: Request) -> Response:
        """StopModelCustomizationJob"""
        self._jobs.stop(request.path_params["job"])
        return JsonResponse({})

    async def list_jobs(self, request: Request) -> Response:
        """ListModelCustomizationJobs"""
        told = [self._tell(job, job_summary) for job in self._jobs.all()]
        told = _filtered(told, request, status="status", name="jobName", created="creationTime")
        return _page(told, request, "modelCustomizationJobSummaries", "jobArn")

    async def get_model(self, request: Request) -> Response:
        """GetCustomModel"""
        job = self._model_job(request.path_params["model"])
        told = self._tell(job, job_answer)
        same = ("jobName", "jobArn", "baseModelArn", "customizationType", "trainingDataConfig", "validationDataConfig",
                "outputDataConfig", "customizationConfig")  # fmt: skip
        return JsonResponse({**_model_summary(job, told), **{name: told[name] for name in same}})

    async def list_models(self, request: Request) -> Response:
        """ListCustomModels"""
        completed = [job for job in self._jobs.all() if self._has_model(job)]
        told = [
            {**_model_summary(job, self._tell(job, job_answer)), "baseModelName": NOVA.partition(":")[0]}
            for job in completed
        ]
        told = _filtered(told, request, status="modelStatus", name="modelName", created="creationTime")
        return _page(told, request, "modelSummaries", "modelArn")

    async def delete_model(self, request: Request) -> Response:
        """DeleteCustomModel"""
        arn = self._model_job(request.path_params["model"])["model_arn"]
        if any(deployment["model_arn"] == arn for deployment in self.deployments.all()):
            raise conflict(f"The model {arn} is in use by a deployment.")
        self._service.models.delete(arn)
        return JsonResponse({})

    async def create_deployment(self, request: Request) -> Response:
        """CreateCustomModelDeployment"""
        made = self.deployments.create(await json_body(request))
        return JsonResponse({"customModelDeploymentArn": made["arn"]}, 202)

    async def get_deployment(self, request: Request) -> Response:
        """GetCustomModelDeployment"""
        return JsonResponse(self.deployments.answer(self.deployments.find(request.path_params["deployment"])))

    async def update_deployment(self, request: Request) -> Response:
        """UpdateCustomModelDeployment"""
        model_arn = (await json_body(request)).get("modelArn")
        updated = self.deployments.update(request.path_params["deployment"], model_arn)
        return JsonResponse({"customModelDeploymentArn": updated["arn"]}, 202)

    async def delete_deployment(self, request: Request) -> Response:
        """DeleteCustomModelDeployment"""
        self.deployments.delete(request.path_params["deployment"])
        return JsonResponse({})

    async def list_deployments(self, request: Request) -> Response:
        """ListCustomModelDeployments"""
        told = [self.deployments.summary(deployment) for deployment in self.deployments.all()]
        model = request.query_params.get("modelArnEquals")
        told = [summary for summary in told if model in (None, summary["modelArn"])]
        told = _filtered(told, request, status="status", name="customModelDeploymentName", created="createdAt")
        return _page(told, request, "modelDeploymentSummaries", "customModelDeploymentArn")

    def _tell(self, job: Document, tell: Callable[..., Document]) -> Document:
        return tell(job, region=self._service.region, status_details=self._service.switches.nova_status_details)

    def _has_model(self, job: Document) -> bool:
        return job["status"] == "Completed" and self._service.models.find(job["model_arn"]) is not None

    def _model_job(self, identifier: str) -> Document:
        for job in self._jobs.all():
            if identifier in (job["model_arn"], job["model_name"]) and self._has_model(job):
                return job
        raise no_resource(f"The provided model identifier {identifier} is not found.")


def _model_summary(job: Document, told: Document) -> Document:
    return {
        "modelArn": job["model_arn"],
        "modelName": job["model_name"],
        "creationTime": timestamp(job["ended"]),
        "baseModelArn": told["baseModelArn"],
        "customizationType": told["customizationType"],
        "modelStatus": "Active",
    }


def _filtered(told: list[Document], request: Request, *, status: str, name: str, created: str) -> list[Document]:
    """The entries that a list request's filters let through, in the order that it asks for, newest first else."""
    query = request.query_params
    wanted = query.get("statusEquals") or query.get("modelStatus")
    kept = [
        entry for entry in told if wanted in (None, entry[status]) and (query.get("nameContains") or "") in entry[name]
    ]
    # Timestamps of one form compare as texts.
    after = query.get("creationTimeAfter") or query.get("createdAfter") or ""
    before = query.get("creationTimeBefore") or query.get("createdBefore") or "~"
    kept = [entry for entry in kept if after <= entry[created] <= before]
    return kept if query.get("sortOrder") == "Ascending" else kept[::-1]


def _page(told: list[Document], request: Request, member: str, key: str) -> Response:
    query = request.query_params
    limit = query.get("maxResults", str(_MOST_A_PAGE))
    if not limit.isdigit() or not 1 <= int(limit) <= _MOST_A_PAGE:
        raise validation(f"maxResults: expected a whole number from 1 to {_MOST_A_PAGE}, got {limit!r}.")
    token = query.get("nextToken")
    start = 0
    if token:
        start = next((place for place, entry in enumerate(told, 1) if entry[key].endswith(token)), 0)
        if not start:
            raise validation("nextToken: not a token of this list.")
    page = told[start : start + int(limit)]
    answer: dict[str, Any] = {member: page}
    if len(told) > start + int(limit):
        answer["nextToken"] = page[-1][key].rpartition("/")[2]
    return JsonResponse(answer)


def _authoriser(service: Service) -> Callable[[Request, str], None]:
    def authorise(request: Request, action: str) -> None:
        """Raises ApiError (403) for a request that is not signed for this service and Region, or is denied."""
        scope = keys.signed_scope(request.headers.get("authorization", ""))
        if scope is None:
            raise denied("Missing Authentication Token", "MissingAuthenticationTokenException")
        if scope != (service.region, _SIGNING_SERVICE):
            message = (
                f"Credential should be scoped to a valid region and service: {service.region}, {_SIGNING_SERVICE}."
            )
            raise denied(message, "InvalidSignatureException")
        if action in named(service.switches.denied_actions):
            caller = f"arn:aws:sts::{service.account}:assumed-role/local/local"
            raise denied(f"User: {caller} is not authorized to perform: bedrock:{action}")

    return authorise
