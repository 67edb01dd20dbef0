"""REST APIs as SAM writes them: an OpenAPI body whose methods go to functions, or to the mock that answers for CORS."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from embedded_aws.deployer.errors import NotHonoured
from embedded_aws.deployer.intrinsics import Created
from embedded_aws.deployer.resource_type import Stack, given, resource_type, tags

_METHODS = {"get", "put", "post", "delete", "options", "head", "patch"}
_ANY = "x-amazon-apigateway-any-method"
_INTEGRATION = "x-amazon-apigateway-integration"

_BODY_FIELDS = {"openapi", "swagger", "info", "paths", "components", "securityDefinitions", "tags", "definitions"}
"""What of the OpenAPI body describes, or is read here."""

_POLICY = "x-amazon-apigateway-policy"
_RESPONSES = "x-amazon-apigateway-gateway-responses"
_EXTENSIONS = {"x-amazon-apigateway-binary-media-types", _POLICY, _RESPONSES}

_METHOD_FIELDS = {_INTEGRATION, "security", "responses", "parameters", "requestBody", "operationId", "summary"}
_METHOD_FIELDS |= {"description", "tags", "consumes", "produces"}


@resource_type(
    "AWS::ApiGateway::RestApi",
    honoured=["Body", "Name", "Description", "BinaryMediaTypes", "Tags"],
    without_effect={
        "EndpointConfiguration": "the front end listens on loopback alone",
        "Parameters": "they say how the body is imported, and the body is read here as it is",
    },
)
def rest_api(stack: Stack, logical_id: str, properties: dict[str, Any]) -> Created:
    api = stack.aws.client("apigateway")
    body = properties.get("Body", {})
    _check(logical_id, body, _BODY_FIELDS | _EXTENSIONS, "the API's body")
    binary = properties.get("BinaryMediaTypes") or body.get("x-amazon-apigateway-binary-media-types") or []
    name = properties.get("Name") or body.get("info", {}).get("title") or stack.physical_name(logical_id)
    description = given(properties, "Description")
    policy = {"policy": json.dumps(body[_POLICY])} if _POLICY in body else {}
    made = api.create_rest_api(
        name=name,
        tags={tag["Key"]: tag["Value"] for tag in tags(properties)},
        **{key.lower(): value for key, value in description.items()},
        **policy,
    )
    rest_api_id = made["id"]
    media_types = [media_type.replace("~1", "/") for media_type in binary]
    for media_type in media_types:  # moto leaves them out when the API is made
        path = "/binaryMediaTypes/" + media_type.replace("/", "~1")
        added = {"op": "add", "path": path, "value": media_type}
        api.update_rest_api(restApiId=rest_api_id, patchOperations=[added])
    for kind, declared in body.get(_RESPONSES, {}).items():
        _check(logical_id, declared, {"statusCode", "responseParameters", "responseTemplates"}, f"the response {kind}")
        api.put_gateway_response(restApiId=rest_api_id, responseType=kind, **declared)
    root = next(item["id"] for item in api.get_resources(restApiId=rest_api_id)["items"] if item["path"] == "/")
    schemes = body.get("components", {}).get("securitySchemes", {}) or body.get("securityDefinitions", {})
    resources = {"/": root}
    for path, methods in body.get("paths", {}).items():
        resource_id = _resource(api, rest_api_id, resources, path)
        for method, description_of_method in methods.items():
            if method not in _METHODS and method != _ANY:
                raise NotHonoured(f"{logical_id}: {method} of {path} is not honoured by the embedded AWS")
            _check(logical_id, description_of_method, _METHOD_FIELDS, f"{method.upper()} {path}")
            verb = "ANY" if method == _ANY else method.upper()
            place = {"restApiId": rest_api_id, "resourceId": resource_id, "httpMethod": verb}
            _put_method(api, place, description_of_method, schemes, logical_id)
    return Created(rest_api_id, {"RestApiId": rest_api_id, "RootResourceId": root})


def _check(logical_id: str, described: Mapping[str, Any], known: set[str], what: str) -> None:
    unknown = sorted(set(described) - known)
    if unknown:
        raise NotHonoured(f"{logical_id}: {', '.join(unknown)} of {what} is not honoured by the embedded AWS")


def _resource(api: Any, rest_api_id: str, resources: dict[str, str], path: str) -> str:
    """The id of the path's resource, made with all above it."""
    path = path.rstrip("/") or "/"
    if path not in resources:
        above, _, part = path.rpartition("/")
        parent = _resource(api, rest_api_id, resources, above or "/")
        resources[path] = api.create_resource(restApiId=rest_api_id, parentId=parent, pathPart=part)["id"]
    return resources[path]


def _put_method(
    api: Any, place: dict[str, str], method: Mapping[str, Any], schemes: Mapping[str, Any], logical_id: str
) -> None:
    integration = method.get(_INTEGRATION)
    if integration is None:
        raise NotHonoured(f"{logical_id}: {place['httpMethod']} has no {_INTEGRATION}")
    api.put_method(authorizationType=_authorization(method, schemes, logical_id), **place)
    kind = integration["type"].lower()
    if kind == "aws_proxy":
        optional = {"timeoutInMillis": int(integration["timeoutInMillis"])} if "timeoutInMillis" in integration else {}
        api.put_integration(type="AWS_PROXY", integrationHttpMethod="POST", uri=integration["uri"], **optional, **place)
        return
    if kind != "mock":
        raise NotHonoured(f"{logical_id}: an integration of type {kind} is not honoured; aws_proxy and mock are")
    api.put_integration(type="MOCK", requestTemplates=integration.get("requestTemplates", {}), **place)
    answer = integration.get("responses", {}).get("default", {})
    status = str(answer.get("statusCode", "200"))
    parameters = answer.get("responseParameters", {})
    api.put_method_response(statusCode=status, responseParameters=dict.fromkeys(parameters, False), **place)
    api.put_integration_response(statusCode=status, responseParameters=parameters, **place)


def _authorization(method: Mapping[str, Any], schemes: Mapping[str, Any], logical_id: str) -> str:
    names = [name for requirement in method.get("security", []) for name in requirement if name != "NONE"]
    if not names:
        return "NONE"
    scheme = schemes.get(names[0], {})
    if scheme.get("x-amazon-apigateway-authtype") != "awsSigv4":
        raise NotHonoured(f"{logical_id}: the authorizer {names[0]} is not honoured; AWS_IAM is")
    return "AWS_IAM"


@resource_type(
    "AWS::ApiGateway::Deployment",
    honoured=["RestApiId", "Description"],
    without_effect={"StageName": "SAM's own stage, which nobody calls"},
)
def deployment(stack: Stack, _: str, properties: dict[str, Any]) -> Created:
    described = {"description": properties["Description"]} if "Description" in properties else {}
    made = stack.aws.client("apigateway").create_deployment(restApiId=properties["RestApiId"], **described)
    return Created(made["id"], {"DeploymentId": made["id"]})


@resource_type(
    "AWS::ApiGateway::Stage",
    honoured=["RestApiId", "DeploymentId", "StageName", "Description", "Tags"],
    without_effect={
        "TracingEnabled": "X-Ray is not there on one machine",
        "MethodSettings": "one machine throttles nobody and keeps no metrics of methods",
        "AccessLogSetting": "the functions' own logs tell of each request",
    },
)
def stage(stack: Stack, _: str, properties: dict[str, Any]) -> Created:
    described = {"description": properties["Description"]} if "Description" in properties else {}
    stack.aws.client("apigateway").create_stage(
        restApiId=properties["RestApiId"],
        deploymentId=properties["DeploymentId"],
        stageName=properties["StageName"],
        tags={tag["Key"]: tag["Value"] for tag in tags(properties)},
        **described,
    )
    return Created(properties["StageName"])
