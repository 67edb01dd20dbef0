"""The routes of a deployed REST API, read through API Gateway's own API."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

_FUNCTION_URI = re.compile(r"arn:aws[^:]*:apigateway:[^:]+:lambda:path/2015-03-31/functions/(.+)/invocations")


@dataclass(frozen=True, slots=True)
class Integration:
    """What stands behind a method: a function, or fixed headers (the mock that SAM makes for CORS)."""

    function: str | None
    """The function's ARN, with its version or alias where the route names one."""
    timeout_seconds: float
    mock_status: int = 200
    mock_headers: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one resource."""

    resource_id: str
    resource: str
    """The resource's path with its parameters: `/runs/{run_id}`."""
    method: str
    """GET, POST …, or ANY."""
    authorization: str
    """NONE, AWS_IAM …"""
    integration: Integration


@dataclass(frozen=True, slots=True)
class Match:
    """A route that a request takes, and what its path's parameters are."""

    route: Route
    path_parameters: Mapping[str, str]


class RouteTable:
    """Finds the route of a request as API Gateway does: a literal part before a parameter, before `{proxy+}`."""

    def __init__(self, routes: Sequence[Route], binary_media_types: Sequence[str]) -> None:
        self.binary_media_types = tuple(binary_media_types)
        self._routes = sorted(routes, key=lambda route: _rank(route.resource))

    @classmethod
    def of(cls, apigateway: Any, rest_api_id: str) -> RouteTable:
        """Reads the API's resources. `apigateway` is a boto3 client."""
        api = apigateway.get_rest_api(restApiId=rest_api_id)
        routes = []
        for resource in apigateway.get_resources(restApiId=rest_api_id, limit=500)["items"]:
            for method in resource.get("resourceMethods", {}):
                routes.append(_route(apigateway, rest_api_id, resource, method))
        return cls(routes, api.get("binaryMediaTypes") or [])

    def find(self, method: str, path: str) -> Match | None:
        """The route for the method and the path (still URL-encoded, without the stage); None when there is none."""
        segments = [segment for segment in path.split("/") if segment] if path != "/" else []
        best: Match | None = None
        for route in self._routes:
            parameters = _parameters(route.resource, segments)
            if parameters is None or route.method not in (method, "ANY"):
                continue
            if route.method == method:
                return Match(route, parameters)
            best = best or Match(route, parameters)
        return best


def _route(apigateway: Any, rest_api_id: str, resource: Mapping[str, Any], method: str) -> Route:
    identity = {"restApiId": rest_api_id, "resourceId": resource["id"], "httpMethod": method}
    described = apigateway.get_method(**identity)
    integration = described["methodIntegration"]
    uri = _FUNCTION_URI.fullmatch(integration.get("uri", ""))
    mock: Mapping[str, Any] = integration.get("integrationResponses", {})
    status: str = next(iter(mock), "200")
    headers = {
        name.removeprefix("method.response.header."): value.strip("'")
        for name, value in (mock.get(status, {}).get("responseParameters") or {}).items()
    }
    return Route(
        resource_id=resource["id"],
        resource=resource["path"],
        method=method,
        authorization=described.get("authorizationType", "NONE"),
        integration=Integration(
            function=uri.group(1) if uri else None,
            timeout_seconds=int(integration.get("timeoutInMillis") or 29_000) / 1000,
            mock_status=int(status),
            mock_headers=headers,
        ),
    )


def _parameters(resource: str, segments: Sequence[str]) -> dict[str, str] | None:
    wanted = [part for part in resource.split("/") if part]
    parameters: dict[str, str] = {}
    for position, part in enumerate(wanted):
        if part.endswith("+}"):
            if len(segments) <= position:
                return None
            parameters[part[1:-2]] = unquote("/".join(segments[position:]))
            return parameters
        if position >= len(segments):
            return None
        if part.startswith("{"):
            parameters[part[1:-1]] = unquote(segments[position])
        elif part != segments[position]:
            return None
    return parameters if len(wanted) == len(segments) else None


def _rank(resource: str) -> list[int]:
    """Literal parts come first, then parameters, then what takes all the rest."""
    return [2 if part.endswith("+}") else 1 if part.startswith("{") else 0 for part in resource.split("/") if part]
