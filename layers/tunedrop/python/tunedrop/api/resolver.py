"""How requests come in and answers go out: as JSON alone."""

from __future__ import annotations

import base64
import json
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from tunedrop.api import problems
from tunedrop.api.body import problem_of_body

TAKE_A_BODY = ("/runs", "/uploads", "/validations")
"""The resources whose POST has a body."""


class JsonResolver(APIGatewayRestResolver):
    """Takes bodies of JSON alone: the framework reads forms, too, and fails at one that it cannot read."""

    def resolve(self, event: Any, context: Any) -> dict[str, Any]:
        headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
        media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        is_form = media_type == "application/x-www-form-urlencoded" or media_type.startswith("multipart/")
        if event.get("httpMethod") == "POST" and event.get("resource") in TAKE_A_BODY:
            problem = problems.no_json() if is_form else problem_of_body(_body(event))
            if problem is not None:
                return {
                    "statusCode": problem.status,
                    "multiValueHeaders": {"Content-Type": [problems.MEDIA_TYPE]},
                    "body": json_text(problem.document()),
                    "isBase64Encoded": False,
                }
        return super().resolve(event, context)


def _body(event: Any) -> str:
    """The body as text; what is no UTF-8 is no JSON, which the framework tells."""
    body = event.get("body") or ""
    return base64.b64decode(body).decode(errors="replace") if event.get("isBase64Encoded") else str(body)


def json_text(document: Any) -> str:
    """A document as it is sent. Raises ValueError for a number that JSON does not have."""
    return json.dumps(document, allow_nan=False)
