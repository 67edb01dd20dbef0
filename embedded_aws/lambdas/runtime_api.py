"""Lambda's Runtime API for one process, without a thread of its own: whoever invokes talks to the process directly.

The process is an HTTP client (docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html): it asks for the next invocation
and posts the response or the error. Between invocations its question lies unanswered in the socket, so an idle process
costs nothing, and a process that ended shows as a closed connection at once.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

EXIT_POLL_SECONDS = 0.05
"""How often to look whether a silent process still lives: a child of its own may hold the connection."""

RECEIVE_BYTES = 1 << 18


class ProcessGone(Exception):
    """The function's process closed its connection or ended."""


class DeadlinePassed(Exception):
    """The function's process said nothing until the deadline."""


@dataclass(frozen=True, slots=True)
class RuntimeRequest:
    """One request of the runtime client."""

    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def is_next(self) -> bool:
        return self.path.endswith("/invocation/next")

    @property
    def is_init_error(self) -> bool:
        return self.path.endswith("/init/error")

    @property
    def is_error(self) -> bool:
        return self.path.endswith("/error")


class RuntimeApi:
    """A listening socket on loopback for one process. `alive` tells whether the process still runs."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._connection: socket.socket | None = None
        self._buffer = b""

    @property
    def address(self) -> str:
        """What AWS_LAMBDA_RUNTIME_API holds: host and port."""
        host, port = self._listener.getsockname()
        return f"{host}:{port}"

    def receive(self, deadline: float, alive: Callable[[], bool]) -> RuntimeRequest:
        """The next request of the process, by the monotonic clock's `deadline`.

        Raises ProcessGone or DeadlinePassed.
        """
        while True:
            if self._connection is None:
                self._wait(self._listener, deadline, alive)
                self._connection, _ = self._listener.accept()
                self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._buffer = b""
            try:
                return self._read_request(self._connection, deadline, alive)
            except ProcessGone:
                self._connection.close()
                self._connection = None
                if not alive():
                    raise
                # The client has several connections in its life: its error reports come over one of their own.

    def answer(self, status: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        """Answers the request that was received last. A process that has gone meanwhile shows at the next `receive`."""
        if self._connection is None:
            return
        lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        try:
            self._connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        except OSError:
            self._connection.close()
            self._connection = None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._listener.close()

    def _read_request(self, connection: socket.socket, deadline: float, alive: Callable[[], bool]) -> RuntimeRequest:
        while b"\r\n\r\n" not in self._buffer:
            self._buffer += self._read(connection, deadline, alive)
        head, _, rest = self._buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        parts, size = [rest], len(rest)
        while size < length:
            parts.append(self._read(connection, deadline, alive))
            size += len(parts[-1])
        content = b"".join(parts)
        self._buffer = content[length:]
        return RuntimeRequest(path=first.split(" ")[1], headers=headers, body=content[:length])

    def _read(self, connection: socket.socket, deadline: float, alive: Callable[[], bool]) -> bytes:
        self._wait(connection, deadline, alive)
        try:
            data = connection.recv(RECEIVE_BYTES)
        except OSError as error:
            raise ProcessGone from error
        if not data:
            raise ProcessGone
        return data

    @staticmethod
    def _wait(waited: socket.socket, deadline: float, alive: Callable[[], bool]) -> None:
        poll = select.poll()  # unlike select it takes file descriptors beyond 1023
        try:
            poll.register(waited, select.POLLIN)
        except ValueError as error:  # closed from another thread
            raise ProcessGone from error
        while True:
            was_alive = alive()
            remaining = deadline - time.monotonic()
            patience = min(EXIT_POLL_SECONDS, max(0.0, remaining)) if was_alive else 0.0
            if poll.poll(patience * 1000):
                return
            if not was_alive:
                raise ProcessGone
            if remaining <= 0:
                raise DeadlinePassed
