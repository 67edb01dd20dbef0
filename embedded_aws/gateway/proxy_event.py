"""The REST proxy event (payload version 1.0) of a request, and the response that a function's answer becomes.

docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from __future__ import annotations

import base64
import binascii
import json
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from embedded_aws.gateway.routes import Match


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request as it came."""

    method: str
    path: str
    """Without the stage, still URL-encoded."""
    query: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    source_ip: str

    def header(self, name: str) -> str | None:
        """The last value of the header, whatever its case."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return values[-1] if values else None


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response."""

    status: int
    body: bytes
    headers: Sequence[tuple[str, str]] = field(default_factory=tuple)
    refusal: str | None = None
    """The gateway response's type (ACCESS_DENIED …) where the gateway answers by itself."""


@dataclass(frozen=True, slots=True)
class Api:
    """Which API and stage a request came to."""

    id: str
    stage: str
    account: str
    region: str
    binary_media_types: Sequence[str]


class MalformedAnswer(Exception):
    """The function's answer is not what a proxy integration must give."""


def gateway_error(status: int, message: str, kind: str, refusal: str = "") -> Response:
    """An answer of the gateway itself: `{"message": …}` with the kind in x-amzn-ErrorType. `refusal` is the type of
    gateway response by which an API may word it otherwise."""
    body = json.dumps({"message": message}).encode()
    headers = (("Content-Type", "application/json"), ("x-amzn-ErrorType", kind))
    return Response(status, body, headers, refusal or ("DEFAULT_4XX" if status < 500 else "DEFAULT_5XX"))


def event_of(request: Request, match: Match, api: Api, identity: Mapping[str, Any]) -> dict[str, Any]:
    """The event that the function gets. `identity` goes over the caller's empty identity in the request context."""
    now = time.time()
    headers = [
        *request.headers,
        ("X-Forwarded-For", request.source_ip),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Port", "443"),
        ("X-Amzn-Trace-Id", f"Root=1-{int(now):08x}-{uuid.uuid4().hex[:24]}"),
    ]
    query = parse_qsl(request.query, keep_blank_values=True)
    domain = f"{api.id}.execute-api.{api.region}.amazonaws.com"
    is_binary = _is_binary(request.header("Content-Type"), api.binary_media_types)
    body = base64.b64encode(request.body).decode() if is_binary else request.body.decode("utf-8", "replace")
    return {
        "resource": match.route.resource,
        "path": request.path,
        "httpMethod": request.method,
        "headers": dict(headers),
        "multiValueHeaders": _grouped(headers),
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": _grouped(query) or None,
        "pathParameters": dict(match.path_parameters) or None,
        "stageVariables": None,
        "requestContext": {
            "resourceId": match.route.resource_id,
            "resourcePath": match.route.resource,
            "httpMethod": request.method,
            "extendedRequestId": uuid.uuid4().hex[:16],
            "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "requestTimeEpoch": int(now * 1000),
            "path": f"/{api.stage}{request.path}",
            "accountId": api.account,
            "protocol": "HTTP/1.1",
            "stage": api.stage,
            "domainPrefix": api.id,
            "domainName": domain,
            "requestId": str(uuid.uuid4()),
            "apiId": api.id,
            "identity": {
                **dict.fromkeys(("cognitoIdentityPoolId", "cognitoIdentityId", "principalOrgId", "caller", "user")),
                **dict.fromkeys(("cognitoAuthenticationType", "cognitoAuthenticationProvider", "userArn", "accessKey")),
                "accountId": None,
                "sourceIp": request.source_ip,
                "userAgent": request.header("User-Agent"),
                **identity,
            },
        },
        "body": body if request.body else None,
        "isBase64Encoded": bool(request.body) and is_binary,
    }


def response_of(answer: bytes, request: Request, api: Api) -> Response:
    """The response that the function's answer asks for. Raises MalformedAnswer."""
    try:
        content = json.loads(answer)
        status = int(content["statusCode"])
        headers = [(name, _text(value)) for name, value in (content.get("headers") or {}).items()]
        multi = content.get("multiValueHeaders") or {}
        many = [(name, _text(value)) for name, values in multi.items() for value in values]
        body = content.get("body")
        encoded = content.get("isBase64Encoded", False)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise MalformedAnswer(f"expected statusCode, headers and body, got {answer[:200]!r}") from error
    if body is not None and not isinstance(body, str):
        raise MalformedAnswer(f"the body must be a text, got {type(body).__name__}")
    # A header in both: the many values win, and the single one is kept when it is not among them.
    named = {name.lower() for name, _ in many}
    headers = [*many, *((name, value) for name, value in headers if name.lower() not in named)]
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "application/json"))
    data = (body or "").encode()
    if encoded and _is_binary(request.header("Accept"), api.binary_media_types):
        try:
            data = base64.b64decode(data, validate=True)
        except binascii.Error as error:
            raise MalformedAnswer("isBase64Encoded is true, but the body is not base64") from error
    return Response(status, data, tuple(headers))


def _is_binary(media_type: str | None, binary: Sequence[str]) -> bool:
    """Whether the first media type of the header is one of the API's binary ones."""
    if "*/*" in binary:
        return True
    first = (media_type or "").split(",")[0].split(";")[0].strip().lower()
    return first in [known.lower() for known in binary]


def _grouped(pairs: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return grouped


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
