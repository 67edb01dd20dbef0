"""The API's own words for what the gateway answers by itself: its GatewayResponses.

docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any

from embedded_aws.gateway.proxy_event import Response

_VARIABLE = re.compile(r"\$context\.(error\.messageString|error\.message|error\.responseType|requestId)")


class GatewayResponses:
    """Renders the gateway's own errors as the API says; as they are where it says nothing."""

    def __init__(self, declared: Mapping[str, Mapping[str, Any]]) -> None:
        self._declared = declared

    @classmethod
    def of(cls, apigateway: Any, rest_api_id: str) -> GatewayResponses:
        """Reads the API's gateway responses. `apigateway` is a boto3 client."""
        items = apigateway.get_gateway_responses(restApiId=rest_api_id)["items"]
        return cls({each["responseType"]: each for each in items})

    def render(self, response: Response) -> Response:
        """The response in the API's own words, where it is the gateway's (`response.refusal`)."""
        if response.refusal is None:
            return response
        family = "DEFAULT_4XX" if response.status < 500 else "DEFAULT_5XX"
        declared = self._declared.get(response.refusal) or self._declared.get(family)
        if declared is None:
            return response
        message = str(json.loads(response.body)["message"])
        values = {
            "error.messageString": json.dumps(message),
            "error.message": message,
            "error.responseType": response.refusal,
            "requestId": str(uuid.uuid4()),
        }
        templates = declared.get("responseTemplates") or {}
        template = templates.get("application/json")
        body = response.body
        if template is not None:
            body = _VARIABLE.sub(lambda match: values[match[1]], template).encode()
        headers = {name.lower(): (name, value) for name, value in response.headers}
        for name, value in (declared.get("responseParameters") or {}).items():
            plain = name.removeprefix("gatewayresponse.header.")
            headers[plain.lower()] = (plain, value.strip("'"))
        status = int(declared.get("statusCode") or response.status)
        return Response(status, body, tuple(headers.values()))
