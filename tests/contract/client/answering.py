"""A server on loopback that answers as a test tells it to, and keeps what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from botocore.credentials import Credentials

from tunedrop_client import Client
from tunedrop_client.places import Place

NOTHING = object()
"""In place of an answer: the connection is closed without one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    target: str = ""
    """Path and query as they were sent."""

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None


Answer = tuple[int, Any]
"""A status and a document; bytes are sent as they are."""


@dataclass
class Server:
    """`answer` says what each request is answered."""

    answer: Callable[[Asked], Any]
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def client(self, credentials: Credentials | None = None) -> Client:
        """A client of this server; instead of sleeping it notes how long."""
        place = Place(self.url, "us-west-2", credentials or Credentials("AKIA", "secret"))
        return Client(place=place, sleep=self.slept.append)


def in_turn(*answers: Any) -> Callable[[Asked], Any]:
    """Each answer once, the last one again and again."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def problem(kind: str, status: int, **more: Any) -> Answer:
    return status, {
        "type": f"urn:tunedrop:problem:{kind}",
        "title": kind,
        "status": status,
        "detail": f"{kind}.",
        **more,
    }


@contextmanager
def serving(answer: Callable[[Asked], Any]) -> Iterator[Server]:
    """The server while the test runs."""
    server = Server(answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet

        def handle_any(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, parts.path, parse_qs(parts.query), headers, body, self.path)
            server.asked.append(asked)
            told = server.answer(asked)
            if told is NOTHING:
                self.close_connection = True
                return
            status, document = told
            content = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            self.handle_any()

        def do_POST(self) -> None:
            self.handle_any()

        def do_PUT(self) -> None:
            self.handle_any()

        def log_message(self, *_: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server.url = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
