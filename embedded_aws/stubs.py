"""Services that moto answers with a stub: calls would succeed and nothing would come of them, so they are refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

_SIGNING_SERVICE = re.compile(r"Credential=[^/,\s]+/\d{8}/[a-z0-9-]+/([a-z0-9-]+)/aws4_request")

REFUSED: Mapping[str, str] = {
    "bedrock": (
        "Amazon Bedrock is not imitated at this address. Set AWS_ENDPOINT_URL_BEDROCK and "
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME to the address of a server that imitates it."
    ),
}
"""By the service that a request is signed for: what its caller is told."""


class WithoutStubs:
    """A WSGI application that answers 501 for the services in `REFUSED`, and as `application` does for all others."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer the request."""
        signed = _SIGNING_SERVICE.search(environ.get("HTTP_AUTHORIZATION", ""))
        refusal = REFUSED.get(signed[1]) if signed else None
        if refusal is None:
            return self._application(environ, start_response)
        # What is left of a request on its connection would be taken for the next one.
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        body = json.dumps({"message": refusal}).encode()
        headers = [
            ("content-type", "application/json"),
            ("content-length", str(len(body))),
            ("x-amzn-errortype", "NotImplementedException"),
        ]
        start_response("501 Not Implemented", headers)
        return [body]
