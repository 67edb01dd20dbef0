"""The OpenAPI document of the API: docs/openapi.json, made from the routes and their models.

python -m tunedrop.api.openapi > docs/openapi.json        writes it anew
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

import tunedrop
from tunedrop.api import documents, problems

_ALWAYS = (403, 413, 429, 500, 503)
"""What any route may answer: the gateway's own refusals, too many requests, and faults."""

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
    403: "Not signed, not let in, of no team, or of a team that may not.",
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
Every request is signed with AWS credentials (Signature Version 4, service `execute-api`). A caller sees and names what
is its own team's. Errors are problem documents (RFC 9457)."""


_SERVER: Mapping[str, Any] = {
    "url": "https://{api_id}.execute-api.{region}.amazonaws.com/v1",
    "description": "The stack's output ApiUrl.",
    "variables": {"api_id": {"default": "api-id"}, "region": {"default": "us-west-2"}},
}

_SIGNATURE: Mapping[str, Any] = {
    "type": "apiKey",
    "in": "header",
    "name": "Authorization",
    "description": "Signature Version 4, for the service execute-api.",
    "x-amazon-apigateway-authtype": "awsSigv4",
}

_FRAMEWORKS_OWN = ("HTTPValidationError", "ValidationError", "ResponseValidationError")


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


def document() -> dict[str, Any]:
    """The OpenAPI document."""
    from tunedrop.api.application import build
    from tunedrop.resources import Resources

    made: dict[str, Any] = json.loads(build(Resources()).get_openapi_json_schema())
    made["servers"] = [_SERVER]
    made["components"]["securitySchemes"] = {"sigv4": _SIGNATURE}
    made["security"] = [{"sigv4": []}]
    for operations in made["paths"].values():
        for operation in operations.values():
            _name_headers(operation)
            _drop_the_frameworks_own(operation)
    for name in _FRAMEWORKS_OWN:
        made["components"]["schemas"].pop(name, None)
    return made


def text() -> str:
    """The OpenAPI document as docs/openapi.json has it."""
    return json.dumps(document(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _name_headers(operation: dict[str, Any]) -> None:
    """Headers as they are written; the framework has them in lower case."""
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "header":
            parameter["name"] = parameter["name"].title()


def _drop_the_frameworks_own(operation: dict[str, Any]) -> None:
    """The framework adds a 422 of its own form to each route; where nothing can be invalid, none is answered."""
    responses = operation["responses"]
    if "application/json" in responses.get("422", {}).get("content", {}):
        del responses["422"]


if __name__ == "__main__":
    sys.stdout.write(text())
