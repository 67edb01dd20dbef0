"""The table of the native APIs: method, path, IAM action, handler."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.bedrock import keys
from local.bedrock.errors import ApiError, not_imitated
from local.bedrock.faults import named
from local.bedrock.http import Api, Handler, route
from local.bedrock.native.control_plane import ControlPlane
from local.bedrock.native.deployments import Deployments
from local.bedrock.native.errors import denied, error_response
from local.bedrock.native.jobs import CustomizationJobs
from local.bedrock.native.needs import needed
from local.bedrock.native.runtime import Runtime
from local.bedrock.native.service_model import operation_at
from local.bedrock.service import Service

_SIGNING_SERVICE = "bedrock"
_JOBS = "/model-customization-jobs"
_DEPLOYMENTS = "/model-customization/custom-model-deployments"
_ONE_DEPLOYMENT = _DEPLOYMENTS + "/{customModelDeploymentIdentifier:path}"
_STREAM = "InvokeModelWithResponseStream"


def native_routes(service: Service, jobs: CustomizationJobs) -> list[Route]:
    """Every route of the control plane for Nova, and of the runtime."""
    deployments = Deployments(service)
    control = ControlPlane(service, jobs, deployments)
    runtime = Runtime(service, deployments)
    table: list[tuple[str, str, str, Handler]] = [
        ("POST", "/model/{model_id:path}/converse", "InvokeModel", runtime.converse),
        ("POST", "/model/{model_id:path}/converse-stream", _STREAM, runtime.converse_stream),
        ("POST", "/model/{model_id:path}/invoke", "InvokeModel", runtime.invoke),
        ("POST", "/model/{model_id:path}/invoke-with-response-stream", _STREAM, runtime.invoke_stream),
        ("POST", _JOBS, "CreateModelCustomizationJob", control.create_job),
        ("GET", _JOBS, "ListModelCustomizationJobs", control.list_jobs),
        ("POST", _JOBS + "/{jobIdentifier:path}/stop", "StopModelCustomizationJob", control.stop_job),
        ("GET", _JOBS + "/{jobIdentifier:path}", "GetModelCustomizationJob", control.get_job),
        ("GET", "/foundation-models/{modelIdentifier:path}", "GetFoundationModel", control.get_foundation_model),
        ("GET", "/custom-models", "ListCustomModels", control.list_models),
        ("GET", "/custom-models/{modelIdentifier:path}", "GetCustomModel", control.get_model),
        ("DELETE", "/custom-models/{modelIdentifier:path}", "DeleteCustomModel", control.delete_model),
        ("POST", _DEPLOYMENTS, "CreateCustomModelDeployment", control.create_deployment),
        ("GET", _DEPLOYMENTS, "ListCustomModelDeployments", control.list_deployments),
        ("GET", _ONE_DEPLOYMENT, "GetCustomModelDeployment", control.get_deployment),
        ("PATCH", _ONE_DEPLOYMENT, "UpdateCustomModelDeployment", control.update_deployment),
        ("DELETE", _ONE_DEPLOYMENT, "DeleteCustomModelDeployment", control.delete_deployment),
        ("POST", "/listTagsForResource", "ListTagsForResource", control.list_tags),
        ("POST", "/tagResource", "TagResource", control.tag),
        ("POST", "/untagResource", "UntagResource", control.untag),
    ]
    api = Api(authorise=_authoriser(service), error=error_response)
    return [
        route(service, api, method=method, path=path, action=action, handler=handler)
        for method, path, action, handler in table
    ]


def refused_operation(request: Request) -> Response | None:
    """The refusal of a request that no route takes, where it is for Bedrock's control plane or runtime; else None."""
    # As it was sent: an ARN's slashes are no path's.
    operation = operation_at(request.method, request.scope["raw_path"].decode("latin-1"))
    if operation is not None:
        return error_response(not_imitated(f"The operation {operation}"))
    scope = keys.signed_scope(request.headers.get("authorization", ""))
    if scope is not None and scope[1] == _SIGNING_SERVICE:
        message = f"Bedrock has no operation at {request.method} {request.url.path[:200]}."
        return error_response(ApiError(404, "UnknownOperationException", message))
    return None


def _authoriser(service: Service) -> Callable[[Request, str], Awaitable[None]]:
    async def authorise(request: Request, action: str) -> None:
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
        access_key = keys.access_key_of(request.headers) or ""
        for each, resource, context in await needed(request, action, region=service.region, account=service.account):
            words = await service.rights.refusal(access_key, each, resource, context)
            if words is not None:
                raise denied(words)

    return authorise
