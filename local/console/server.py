"""The console as a server on loopback, in a thread of its own."""

from __future__ import annotations

import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import uvicorn

from local.console.application import Parts, application
from local.console.caller import Caller
from local.console.guard import Guard
from local.console.page_files import PageFiles
from local.console.session import Sessions
from tunedrop_client.places import Place

END_SECONDS = 5


class Console:
    """A running console: where it is, and the link that opens it in one browser."""

    def __init__(self, host: str, port: int, sessions: Sessions) -> None:
        self.address = f"{host}:{port}"
        self._sessions = sessions

    @property
    def link(self) -> str:
        return self.link_with(self._sessions.token)

    def link_with(self, token: str) -> str:
        """The link that the token makes."""
        return f"http://{self.address}/open?token={token}"

    def on_next_link(self, told: Callable[[str], None]) -> None:
        """Call `told` with the next link each time that one has been used."""
        self._sessions.on_next_token = lambda token: told(self.link_with(token))


@contextmanager
def running(find: Callable[[], Place], *, port: int = 0) -> Iterator[Console]:
    """Serve the console until the context ends. `find` looks up the stack, as for `Caller`; port 0: a free one.

    Raises:
        OSError: the port is taken.
        NoSuchPlace: `find` finds none.
    """
    caller, sessions, page = Caller(find), Sessions(), PageFiles()
    listener = _listen(port)
    host, port = listener.getsockname()
    parts = Parts(caller, sessions, page, cookie=f"tunedrop-console-{port}")
    # The other two are for an ssh that forwards the port to another machine's loopback.
    hosts = {f"{each}:{port}" for each in (host, "127.0.0.1", "localhost")}
    config = uvicorn.Config(
        Guard(application(parts), hosts=hosts, policy=page.policy()),
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="console", daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.005)
    try:
        yield Console(host, port, sessions)
    finally:
        server.should_exit = True
        thread.join(END_SECONDS)
        listener.close()


def _listen(port: int) -> socket.socket:
    """A socket on a loopback address of its own.

    Browsers keep cookies by host and not by port: on 127.0.0.1 every other program's page would get the console's.
    Linux has all of 127.0.0.0/8; elsewhere it is 127.0.0.1.
    """
    own = f"127.{secrets.randbelow(254) + 1}.{secrets.randbelow(256)}.{secrets.randbelow(254) + 1}"
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with suppress(OSError):
        listener.bind((own, port))
        listener.listen(128)
        return listener
    listener.bind(("127.0.0.1", port))
    listener.listen(128)
    return listener
