"""What the integration `apigateway:invoke` of Step Functions does: one signed request to an API that is served here.

docs.aws.amazon.com/step-functions/latest/dg/connect-api-gateway.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SECONDS = 30
"""The gateway's own limit is 29."""


class ApiNotServed(Exception):
    """The endpoint is not one that this machine serves."""


def call(
    arguments: Mapping[str, Any], urls: Mapping[str, str], *, credentials: Credentials, region: str
) -> requests.Response:
    """The answer to the request that the state's `arguments` ask for.

    `urls` has the URL of each served API, without its stage, by the API's id. With `AuthType: IAM_ROLE` the request is
    signed. Raises ApiNotServed, requests.RequestException.
    """
    endpoint = str(arguments["ApiEndpoint"])
    served = urls.get(endpoint.partition(".")[0])
    if served is None or endpoint != f"{endpoint.partition('.')[0]}.execute-api.{region}.amazonaws.com":
        known = ", ".join(f"{each}.execute-api.{region}.amazonaws.com" for each in urls)
        raise ApiNotServed(f"ApiEndpoint: expected one that this machine serves ({known or 'none'}), got {endpoint}")
    parts = [str(arguments.get(name) or "").strip("/") for name in ("Stage", "Path")]
    url = "/".join([served, *(quote(part) for part in parts if part)])
    query = [(name, value) for name, values in (arguments.get("QueryParameters") or {}).items() for value in values]
    if query:
        url += f"?{urlencode(query)}"
    body = arguments.get("RequestBody")
    data = b"" if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
    headers = {name: ",".join(values) for name, values in (arguments.get("Headers") or {}).items()}
    headers.setdefault("Content-Type", "application/json")
    method = str(arguments["Method"])
    request = AWSRequest(method, url, data=data, headers=headers)
    if arguments.get("AuthType") == "IAM_ROLE":
        SigV4Auth(credentials, "execute-api", region).add_auth(request)
    signed = dict(request.headers.items())
    return requests.request(method, url, data=data, headers=signed, timeout=SECONDS, allow_redirects=False)
