"""Requests to the API: signed, and sent again where that can help and cannot do harm."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import (
    BotoCoreError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ProxyConnectionError,
    SSLError,
)
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from tunedrop_client.errors import NoSuchPlace, Problem, Unreachable
from tunedrop_client.places import Place

TRIES = 6
FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 20.0
"""Each wait is a random part of a time that doubles: at most 0.5, 1, 2, 4 and 8 seconds, 16 together."""

TIMEOUT_SECONDS = 40
"""To connect, and to wait for an answer: API Gateway answers within 29 seconds."""

PASSING = frozenset({"throttled", "unavailable", "internal", "run-not-started"})
"""Problems that may be gone at the next try."""

PASSING_STATUS = frozenset({500, 502, 503, 504})
"""The same, of an answer that is no problem document: a gateway's or a proxy's."""

NOTHING_DONE = frozenset({"throttled", "run-not-started"})
"""With these the API says that it did nothing. Behind another one a function may have acted: the gateway also answers
`unavailable` where a function took longer than 29 seconds."""

_NOT_SENT = (ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError)


def passes(error: Exception) -> bool:
    """Whether the same request may go well later."""
    if isinstance(error, Problem):
        return error.kind in PASSING or (error.type == "about:blank" and error.status in PASSING_STATUS)
    return isinstance(error, Unreachable)


class Connection:
    """One API. `sleep` waits between two tries."""

    def __init__(self, place: Place, *, tries: int = TRIES, sleep: Callable[[float], None] = time.sleep) -> None:
        self.place = place
        self._tries = tries
        self._sleep = sleep
        self.http = http_session(place.api_url)

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        repeat: bool = True,
    ) -> Any:
        """The document that the API answers.

        `repeat`: the request may reach the API twice. Without it, a request is sent again only if it cannot have
        reached the API, or if the API said that it did nothing.

        Raises:
            Problem: the API refused it.
            Unreachable: the API gave no answer to any try.
        """
        asked = {name: value for name, value in (query or {}).items() if value is not None}
        # A space must be %20, as it is signed: with + the signature is another one.
        url = f"{self.place.api_url}{path}" + (f"?{urlencode(asked, safe='', quote_via=quote)}" if asked else "")
        data = None if body is None else json.dumps(body).encode()
        for number in range(self._tries):
            try:
                return self._ask_once(method, url, data, headers or {})
            except (Problem, Unreachable) as error:
                harmless = repeat or (isinstance(error, Problem) and error.kind in NOTHING_DONE)
                harmless = harmless or (isinstance(error, Unreachable) and not error.sent)
                if number == self._tries - 1 or not passes(error) or not harmless:
                    raise
            self._sleep(wait_seconds(number))
        raise AssertionError("a request is tried at least once")

    def _ask_once(self, method: str, url: str, data: bytes | None, headers: Mapping[str, str]) -> Any:
        request = AWSRequest(method, url, data=data, headers={"Accept": "application/json", **headers})
        if data is not None:
            request.headers["Content-Type"] = "application/json"
        try:
            # Frozen anew for each try: a session's credentials end while a run goes on.
            frozen = self.place.credentials.get_frozen_credentials()
        except BotoCoreError as error:
            raise NoSuchPlace(f"the AWS credentials cannot be used: {error}") from None
        SigV4Auth(frozen, "execute-api", self.place.region).add_auth(request)
        answer = send(self.http, request)
        return _document(answer.status_code, answer.content)


def http_session(url: str) -> URLLib3Session:
    """Connections as the AWS CLI and SDKs make them: with the proxies and certificates of the environment."""
    return URLLib3Session(proxies=get_environ_proxies(url), timeout=TIMEOUT_SECONDS)


def send(http: URLLib3Session, request: AWSRequest) -> Any:
    """Send a request once. Raises Unreachable if there is no answer."""
    try:
        return http.send(request.prepare())
    except BotoCoreError as error:
        where = str(request.url).partition("?")[0]
        if isinstance(error, SSLError):
            raise NoSuchPlace(f"{where} cannot be trusted: {error}") from None
        raise Unreachable(f"{where} gave no answer: {error}", sent=not isinstance(error, _NOT_SENT)) from None


def wait_seconds(number: int) -> float:
    """How long to wait after try `number`, from 0: a random part, so that many clients do not come at once."""
    return random.uniform(0, min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2**number))  # noqa: S311 - no secret


def _document(status: int, content: bytes) -> Any:
    try:
        document = json.loads(content)
    except ValueError:
        document = {"detail": content.decode(errors="replace")[:300]}
        if status < 400:
            raise Unreachable(f"the answer is no JSON: {document['detail']}", sent=True) from None
    if status >= 400:
        if not isinstance(document, dict):
            document = {"detail": str(document)[:300]}
        elif document.get("message") == "Forbidden":
            # So API Gateway answers for a stage that there is not.
            document = {**document, "detail": "Forbidden. Does the URL end with the stage, as the output ApiUrl does?"}
        raise Problem(status, document)
    return document
