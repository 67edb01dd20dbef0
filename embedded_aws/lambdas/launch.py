"""How a function's process is started: by itself, or as a fork of a process that has imported modules already."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

BOOTSTRAP = Path(__file__).with_name("function_bootstrap.py")
FORK_SERVER = Path(__file__).with_name("fork_server.py")


class Program(Protocol):
    """A started process, as `subprocess.Popen` shows it."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...


class Launch(Protocol):
    """Starts `function_bootstrap.py` in a folder, in a session of its own. `stdin` and `output` are open files."""

    def __call__(self, environment: Mapping[str, str], folder: Path, stdin: int, output: int) -> Program: ...


def alone(environment: Mapping[str, str], folder: Path, stdin: int, output: int) -> Program:
    """In a new interpreter, as Lambda does."""
    return subprocess.Popen(
        [base_interpreter(), "-S", "-s", "-P", str(BOOTSTRAP)],
        stdin=stdin,
        stdout=output,
        stderr=output,
        env=environment,
        cwd=folder,
        start_new_session=True,
    )


class ForkServer:
    """One process that imports the modules once; what it starts are forks of it. It ends with this process.

    `environment` is what the modules see when they are imported: they must read no variable of a function then.
    """

    def __init__(self, environment: Mapping[str, str], modules: Sequence[str]) -> None:
        self._lock = threading.Lock()
        self._connection, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [base_interpreter(), "-S", "-s", "-P", str(FORK_SERVER), str(theirs.fileno()), *modules],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=environment,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    def __call__(self, environment: Mapping[str, str], folder: Path, stdin: int, output: int) -> Program:
        """A fork. Raises RuntimeError when the server has ended."""
        status, theirs = os.pipe()
        try:
            request = json.dumps({"environment": dict(environment), "folder": str(folder)}).encode()
            with self._lock:
                socket.send_fds(self._connection, [request], [stdin, output, theirs])
                pid = self._connection.recv(64)
        except OSError as error:
            os.close(status)
            raise RuntimeError("the process that functions are forked from has ended") from error
        finally:
            os.close(theirs)
        if not pid:
            os.close(status)
            raise RuntimeError("the process that functions are forked from has ended")
        return Fork(int(pid), status)

    def close(self) -> None:
        """End the server; its forks go on."""
        self._connection.close()
        self._process.wait()


class Fork:
    """A process that a fork server has started. The server writes how it ended into the pipe `status`."""

    def __init__(self, pid: int, status: int) -> None:
        self.pid = pid
        self._status = os.fdopen(status, "rb", buffering=0)
        self._lock = threading.Lock()
        self._ended: int | None = None

    def poll(self) -> int | None:
        """The exit code once the process has ended, negative for a signal."""
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        """The exit code. Raises subprocess.TimeoutExpired."""
        ended = self._look(timeout)
        if ended is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return ended

    def _look(self, seconds: float | None) -> int | None:
        with self._lock:
            if self._ended is None:
                poll = select.poll()
                poll.register(self._status, select.POLLIN)
                if poll.poll(None if seconds is None else seconds * 1000):
                    told = self._status.read(16)
                    self._ended = int(told) if told else -signal.SIGKILL  # a server that ends takes its word with it
                    self._status.close()
            return self._ended


def base_interpreter() -> str:
    """The interpreter under the virtual environment: without site-packages it sees the standard library alone."""
    return getattr(sys, "_base_executable", None) or sys.executable
