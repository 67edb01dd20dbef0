"""What the routes say about themselves for the OpenAPI document, which `checks/openapi.py` writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

import tunedrop
from tunedrop.api import documents, problems

_ALWAYS = (403, 413, 422, 429, 500, 503)
"""What any route may answer: the gateway's own refusals, an unknown parameter, too many requests, and faults."""

_MORE: Mapping[str, tuple[int, ...]] = {
    "startRun": (400, 409, 415, 422),
    "list": (400, 422),
    "one": (404, 422),
    "report": (404, 409, 422),
    "change": (404, 409, 422),
    "create": (400, 415, 422),
    "start": (400, 415, 422),
    "read": (),
}
"""What routes of a kind may answer beside that."""

_TITLES: Mapping[int, str] = {
    400: "The request cannot be read.",
    403: "The request is not signed, or its caller has no access, no team, or a team that may not do this.",
    404: "Not there, or another team's.",
    409: "Not in this state.",
    413: "Too large.",
    415: "Not application/json.",
    422: "Not of the documented form.",
    429: "Too many active runs, or too many requests.",
    500: "The API failed.",
    503: "A service did not answer.",
}

_DESCRIPTION = """\
Start and follow runs of Tunedrop: reinforcement fine-tuning on Amazon Bedrock with the proof that the model is better.
Every request is signed with AWS credentials (Signature Version 4, service `execute-api`). A caller sees only what
belongs to its team. Errors are problem documents (RFC 9457)."""


def described(operation_id: str, status: int, summary: str, kind: str) -> dict[str, Any]:
    """The arguments of a route that say what it answers; `status` where it goes well."""
    codes = sorted({*_ALWAYS, *_MORE[kind]})
    refusals = {
        code: {"description": _TITLES[code], "content": {problems.MEDIA_TYPE: {"model": documents.Problem}}}
        for code in codes
    }
    return {
        "operation_id": operation_id,
        "summary": summary,
        "description": summary,
        "responses": {status: {"description": "As asked."}, **refusals},
        "status_code": status,
    }


def configure(app: APIGatewayRestResolver) -> None:
    """Tell the application what its document says beside its routes."""
    app.configure_openapi(
        title="Tunedrop", version=tunedrop.__version__, openapi_version="3.1.0", description=_DESCRIPTION
    )
