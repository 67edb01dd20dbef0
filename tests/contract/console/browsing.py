"""The console before an API that answers as a test tells it to, and a browser's requests to it, byte by byte."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from botocore.credentials import Credentials

from local.console.server import Console, running
from tests.contract.client.answering import Asked, Server, serving
from tunedrop_client.places import Place


@dataclass(frozen=True, slots=True)
class Got:
    """What the console answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def kind(self) -> str:
        """The kind of the console's own problem document."""
        return str(self.json["type"]).removeprefix("urn:tunedrop:problem:console-")


@dataclass
class Browser:
    """One that has opened no link yet. `headers` go with every request; None takes one away."""

    console: Console
    api: Server
    cookie: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str | None] | None = None,
        raw: bytes | None = None,
    ) -> Got:
        """One request, as the console's page sends it but for `headers`."""
        data = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        own: dict[str, str | None] = {"Host": self.console.address, "Sec-Fetch-Site": "same-origin"}
        if self.cookie:
            own["Cookie"] = self.cookie
        if method not in ("GET", "HEAD"):
            own |= {"Origin": f"http://{self.console.address}", "Content-Length": str(len(data))}
        if body is not None:
            own["Content-Type"] = "application/json"
        own |= {**self.headers, **(headers or {})}
        connection = http.client.HTTPConnection(self.console.address, timeout=30)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in own.items():
                if value is not None:
                    connection.putheader(name, value)
            connection.endheaders(data)
            answer = connection.getresponse()
            return Got(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def open(self, link: str | None = None) -> Got:
        """Open the link, as from a terminal, and keep the cookie."""
        parts = urlsplit(link or self.console.link)
        got = self.ask("GET", f"{parts.path}?{parts.query}", headers={"Sec-Fetch-Site": "none", "Cookie": None})
        if given := got.headers.get("set-cookie"):
            self.cookie = given.partition(";")[0]
        return got


@contextmanager
def browsing(answer: Callable[[Asked], Any] = lambda _: (200, {"answered": True})) -> Iterator[Browser]:
    """A browser that has not opened the console's link."""
    with (
        serving(answer) as api,
        running(lambda: Place(api.url, "us-west-2", Credentials("AKIA", "secret"))) as console,
    ):
        yield Browser(console, api)
