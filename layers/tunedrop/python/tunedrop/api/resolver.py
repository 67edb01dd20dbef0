"""How requests come in and answers go out: as JSON alone, and with nothing in them that is not known."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from tunedrop.api import problems
from tunedrop.api.body import problem_of_body
from tunedrop.api.problems import Problem
from tunedrop.api.routes import ROUTES
from tunedrop.api.wording import not_known, short

TAKE_A_BODY = ("/runs", "/uploads", "/validations")
"""The resources whose POST has a body."""


class JsonResolver(APIGatewayRestResolver):
    """Takes bodies of JSON alone: the framework reads forms, too, and fails at one that it cannot read."""

    def resolve(self, event: Any, context: Any) -> dict[str, Any]:
        problem = _problem_of(event)
        if problem is None:
            return super().resolve(event, context)
        return {
            "statusCode": problem.status,
            "multiValueHeaders": {
                "Content-Type": [problems.MEDIA_TYPE],
                **{name: [value] for name, value in problem.headers.items()},
            },
            "body": json_text(problem.document()),
            "isBase64Encoded": False,
        }


def _problem_of(event: Mapping[str, Any]) -> Problem | None:
    """What is wrong with a request before any route sees it."""
    method, resource = str(event.get("httpMethod")), str(event.get("resource"))
    methods = ROUTES.get(resource)
    if methods is None:
        return None
    if method not in methods:
        return problems.method_not_allowed(method, resource, sorted(methods))
    unknown = [name for name in event.get("multiValueQueryStringParameters") or {} if name not in methods[method]]
    if unknown:
        told = [{"field": short(name), "expected": not_known(name, methods[method])} for name in unknown]
        return problems.invalid(told)
    if method != "POST" or resource not in TAKE_A_BODY:
        return None
    return _problem_of_body(event)


def _problem_of_body(event: Mapping[str, Any]) -> Problem | None:
    headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "application/x-www-form-urlencoded" or media_type.startswith("multipart/"):
        return problems.no_json()
    try:
        return problem_of_body(_body(event))
    except ValueError:
        return Problem("request-malformed", "The body must be one JSON object, in UTF-8.")


def _body(event: Any) -> str:
    """The body as text. Raises ValueError where it is no UTF-8, which the framework takes for a fault of its own."""
    body = event.get("body") or ""
    return base64.b64decode(body).decode() if event.get("isBase64Encoded") else str(body)


def json_text(document: Any) -> str:
    """A document as it is sent. Raises ValueError for a number that JSON does not have."""
    return json.dumps(document, allow_nan=False)
