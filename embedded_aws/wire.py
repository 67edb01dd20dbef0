"""The way of a request and its answer: refused if a page in a browser made it, and lost where a test wants that."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler

from embedded_aws import browsers
from embedded_aws.calls import Calls
from embedded_aws.permissions.desk import Desk

_LOOKED_AT = ("HTTP_HOST", "HTTP_ORIGIN", "HTTP_SEC_FETCH_SITE", "HTTP_SEC_FETCH_DEST")


class Handler(MotoRequestHandler):
    """A request's connection: it ends with an answer, or at once."""

    def handle_expect_100(self) -> bool:
        """Leave `100 Continue` to werkzeug, which sends one itself: the client gets one, not two."""
        return True

    def connection_dropped(self, error: BaseException, environ: dict[str, Any] | None = None) -> None:
        """Close the connection: without an answer on it, its client would wait for one."""
        del error, environ
        self.close_connection = True


class Wire:
    """The APIs' WSGI application, whose answers are lost where an observer of calls has asked for it.

    Half an answer is not imitated: without TLS, botocore takes the half for the whole, which it cannot on AWS.
    """

    def __init__(self, application: Callable[..., Iterable[bytes]], calls: Calls, desk: Desk) -> None:
        self._application = application
        self._calls = calls
        self._desk = desk

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer as the application does, or reset the connection.

        Raises ConnectionResetError for the server, which then takes it that the client has gone.
        """
        headers = {name[5:].lower().replace("_", "-"): environ[name] for name in _LOOKED_AT if name in environ}
        refusal = browsers.refusal(environ["REQUEST_METHOD"], environ.get("QUERY_STRING", ""), headers)
        if refusal is not None:
            return _refuse(refusal, start_response)
        if self._desk.serves(environ["PATH_INFO"]):
            return self._desk(environ, start_response)
        if not self._calls.watched:
            return self._answer(environ, start_response)
        begun: list[tuple[Any, ...]] = []
        body = b"".join(self._answer(environ, lambda *given: begun.append(given)))
        if self._calls.answer_is_lost():
            _reset(environ["werkzeug.socket"])
            raise ConnectionResetError("the answer was lost on purpose")
        start_response(*begun[0])
        return [body]

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """What the application answers. Raises RuntimeError, which the server answers with 500.

        It takes a ConnectionError or a TimeoutError for the end of the client's connection, and does not answer.
        """
        try:
            return self._application(environ, start_response)
        except (ConnectionError, TimeoutError) as error:
            raise RuntimeError(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} broke: {error!r}") from error


def _refuse(why: str, start_response: Callable[..., Any]) -> Iterable[bytes]:
    body = f"Refused: {why}.\n".encode()
    headers = [
        ("content-type", "text/plain; charset=utf-8"),
        ("content-length", str(len(body))),
        ("connection", "close"),
    ]
    start_response("403 Forbidden", headers)
    return [body]


def _reset(connection: socket.socket) -> None:
    # Lingering for 0 seconds makes the kernel send RST instead of FIN when the server closes.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
