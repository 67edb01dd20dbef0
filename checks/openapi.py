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
