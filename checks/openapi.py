"""The OpenAPI document of the API: docs/openapi.json, made from the routes and their models.

python -m checks.openapi > docs/openapi.json        writes it anew
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from tunedrop.api.application import build
from tunedrop.resources import Resources

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

_RUN = {"run_id": "$response.body#/run_id"}
_FIRST_RUN = {"run_id": "$response.body#/runs/0/run_id"}
_OF_A_RUN = ("getRun", "getMetrics", "getFindings", "getReport", "stopRun", "approveRun", "rejectRun", "rollBackRun")

_LINKS: Mapping[tuple[str, str], Mapping[str, Mapping[str, Any]]] = {
    ("startRun", "202"): {name: {"operationId": name, "parameters": _RUN} for name in _OF_A_RUN},
    ("getRun", "200"): {name: {"operationId": name, "parameters": _RUN} for name in _OF_A_RUN[1:]},
    ("listRuns", "200"): {
        "getRun": {"operationId": "getRun", "parameters": _FIRST_RUN},
        "nextPage": {"operationId": "listRuns", "parameters": {"page": "$response.body#/next"}},
    },
    ("createUpload", "201"): {
        name: {"operationId": name, "requestBody": {"dataset": {"upload_id": "$response.body#/upload_id"}}}
        for name in ("startRun", "startValidation")
    },
    ("startValidation", "202"): {
        "getValidation": {
            "operationId": "getValidation",
            "parameters": {"validation_id": "$response.body#/validation_id"},
        }
    },
}
"""An operation and its status → what one does next with the answer (spec.openapis.org/oas/v3.1.0, Link Object)."""

_FRAMEWORKS_OWN = ("HTTPValidationError", "ValidationError", "ResponseValidationError")


def document() -> dict[str, Any]:
    """The OpenAPI document."""
    made: dict[str, Any] = json.loads(build(Resources()).get_openapi_json_schema())
    made["servers"] = [_SERVER]
    made["components"]["securitySchemes"] = {"sigv4": _SIGNATURE}
    made["security"] = [{"sigv4": []}]
    for operations in made["paths"].values():
        for operation in operations.values():
            _name_headers(operation)
            _drop_the_frameworks_own(operation)
            _link(operation)
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


def _link(operation: dict[str, Any]) -> None:
    """What an answer leads to, for programs that make clients and tests of the document."""
    for (name, status), links in _LINKS.items():
        if name == operation["operationId"]:
            operation["responses"][status]["links"] = {to: dict(link) for to, link in links.items()}


if __name__ == "__main__":
    sys.stdout.write(text())
