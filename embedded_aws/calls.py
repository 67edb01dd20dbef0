"""Every AWS API call that reaches the embedded AWS: seen by recorders, and refused on purpose by tests.

Costs nothing while nobody listens.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import unescape
from typing import Any

from embedded_aws.identities import Credentials


@dataclass(frozen=True, slots=True)
class Call:
    """One API call before it is carried out."""

    service: str
    """The service as in an IAM action: `s3`, `dynamodb`, `states`, `lambda` …"""
    action: str
    """The operation as the API names it: `PutItem`."""
    access_key: str
    caller: Credentials | None
    """Whose key it is, when it was issued by the embedded AWS."""
    method: str
    path: str
    parameters: Mapping[str, Any]
    """What the service's parser found: the body's fields, the query, the path's parts, as far as moto parses them."""
    headers: Mapping[str, str] = field(default_factory=dict)


def call_of(action: str, response: Any, caller: Callable[[str], Any]) -> Call:
    """What observers get to know of moto's request (one of its response objects)."""
    access_key = _presigned_by(response) or response.access_key
    parameters = {**_parameters(response), **response.uri_match}
    if response.service_name == "s3":
        # The address may name the bucket in the host's name or in the path.
        parameters["Bucket"] = response.bucket_name
        parameters["Key"] = response.parse_key_name() or (action == "PostObject" and _field(response, "key")) or ""
        if action == "DeleteObjects":
            parameters["Objects"] = _objects(response.body)
    return Call(
        service=SERVICE_PREFIXES.get(response.service_name, response.service_name),
        action=action,
        access_key=access_key,
        caller=caller(access_key),
        method=response.method,
        path=response.path,
        parameters=parameters,
        headers={str(name).lower(): str(value) for name, value in response.headers.items()},
    )


def _objects(body: bytes | str) -> list[tuple[str, str | None]]:
    """Key and version of each object in the body of DeleteObjects."""
    text = body.decode() if isinstance(body, bytes) else body
    found = []
    for told in re.findall(r"<Object>(.*?)</Object>", text, re.DOTALL):
        key, version = (re.search(rf"<{name}>(.*?)</{name}>", told, re.DOTALL) for name in ("Key", "VersionId"))
        found.append((unescape(key[1]) if key else "*", version[1] if version else None))
    return found


def _presigned_by(response: Any) -> str | None:
    """The access key of a link, or a form, that was signed in advance."""
    credential = _field(response, "X-Amz-Credential", "x-amz-credential")
    return credential.partition("/")[0] if credential else None


def _field(response: Any, *names: str) -> str | None:
    values = response.querystring or {}
    for name in names:
        if value := values.get(name):
            return str(value[0] if isinstance(value, list) else value)
    return None


def _parameters(response: Any) -> Mapping[str, Any]:
    """What moto has parsed; of a service whose JSON body it parses only when it is asked for a field, that body."""
    parsed = getattr(response, "params", None)
    if parsed:
        return dict(parsed)
    body = response.body  # an object, where moto's responses of the service read it at once
    if isinstance(body, str | bytes):
        try:
            body = json.loads(body) if response.method == "POST" else None
        except ValueError:
            body = None
    return body if isinstance(body, dict) else response.querystring or {}


SERVICE_PREFIXES = {"awslambda": "lambda", "stepfunctions": "states"}
"""moto's names where they are not the prefix of the IAM action."""


class CallRefused(Exception):
    """Raised by an observer: the caller gets this error of the service instead of an answer."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


Observer = Callable[[Call], None]
"""Called before each call, in the thread that serves it; may wait, or raise CallRefused."""


@dataclass(slots=True)
class _Refusal:
    service: str
    action: str
    refusal: CallRefused
    remaining: int


class Calls:
    """The observers of API calls, and the refusals that tests have asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._serving = threading.local()
        self._observers: list[Observer] = []
        self._refusals: list[_Refusal] = []

    @property
    def watched(self) -> bool:
        """Whether anyone wants to know of calls."""
        return bool(self._observers or self._refusals)

    def observe(self, observer: Observer) -> Callable[[], None]:
        """Has `observer` called before every call; returns what ends that."""
        with self._lock:
            self._observers.append(observer)

        def stop() -> None:
            with self._lock:
                if observer in self._observers:
                    self._observers.remove(observer)

        return stop

    def refuse(self, service: str, action: str, refusal: CallRefused, *, times: int = 1) -> None:
        """The next `times` calls of the action get the error."""
        with self._lock:
            self._refusals.append(_Refusal(service, action, refusal, times))

    def accept(self) -> None:
        """Ends all refusals."""
        with self._lock:
            self._refusals.clear()

    def lose_answer(self) -> None:
        """Resets the connection of the call that this thread serves instead of answering it; for observers.

        The call is carried out, unless the observer raises CallRefused as well.
        """
        self._serving.lost = True

    def answer_is_lost(self) -> bool:
        """Whether the answer that this thread has at hand is to be lost; asked once for each."""
        lost: bool = getattr(self._serving, "lost", False)
        self._serving.lost = False
        return lost

    def made(self, call: Call) -> None:
        """Tells the observers. Raises CallRefused when the call is not to be carried out."""
        for observer in list(self._observers):
            observer(call)
        with self._lock:
            for refusal in self._refusals:
                if (refusal.service, refusal.action) == (call.service, call.action):
                    refusal.remaining -= 1
                    if refusal.remaining <= 0:
                        self._refusals.remove(refusal)
                    raise refusal.refusal
