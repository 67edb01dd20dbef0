"""What schemathesis needs to ask the API: its document, the checks of each answer, and a signature."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import requests
import schemathesis
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from requests.auth import AuthBase
from schemathesis.specs.openapi import checks

from tests.workflow.api.clients import Client

DOCUMENT: dict[str, Any] = json.loads((Path(__file__).parents[3] / "docs/openapi.json").read_text())
"""As it is published; a test in tests/unit/api holds it to the code."""
CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


class Signature(AuthBase):
    """Signs a request of `requests` as botocore signs its own."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        signed = AWSRequest(request.method, request.url, headers=dict(request.headers), data=request.body or b"")
        assert self._client.credentials is not None
        SigV4Auth(self._client.credentials, "execute-api", self._client.region).add_auth(signed)
        for name in ("Authorization", "X-Amz-Date", "X-Amz-Security-Token"):
            request.headers[name] = signed.headers[name]
        return request
