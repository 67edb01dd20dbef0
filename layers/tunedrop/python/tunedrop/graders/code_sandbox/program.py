"""Running the generated code as a program: standard input in, standard output out, no descriptor needed."""

from __future__ import annotations

import asyncio
import builtins
import io
import os
import sys
import threading
import time
import typing
from asyncio import base_events
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures.thread import ThreadPoolExecutor
from types import ModuleType, SimpleNamespace
from typing import Any

NAMES_OF_TYPES = (
    *("Any", "Callable", "DefaultDict", "Deque", "Dict", "FrozenSet", "Generator", "Iterable", "Iterator", "List"),
    *("Mapping", "Optional", "Sequence", "Set", "Tuple", "Type", "Union"),
)
LONGEST_OUTPUT = 4 * 1024 * 1024
"""Characters of a program's output that are kept."""


class _Standard(io.TextIOWrapper):
    """Standard input or output in memory, under the number that programs know it by."""

    def __init__(self, content: bytes, number: int) -> None:
        super().__init__(io.BytesIO(content), encoding="utf-8", errors="replace", newline="\n" if number else None)
        self._number = number

    def fileno(self) -> int:
        return self._number


def run_program(source: str, text: str) -> str:
    """What the program prints when it reads `text`. Exiting, with whatever code, ends it; what it raises is raised."""
    module = ModuleType("__main__")
    sys.modules["__main__"] = module
    streams = {0: _Standard(text.encode(errors="replace"), 0), 1: _Standard(b"", 1)}
    before = sys.stdin, sys.stdout
    sys.stdin, sys.stdout = streams[0], streams[1]
    try:
        _stand_in_for_descriptors(streams)
        exec(compile(source, "<solution>", "exec", dont_inherit=True), vars(module))  # noqa: S102 (running it is what this process is for)
    except SystemExit:
        pass
    finally:
        printed = _printed(streams[1])
        sys.stdin, sys.stdout = before
    return printed


def _printed(stream: _Standard) -> str:
    try:
        stream.flush()
        content = stream.buffer.getvalue()  # type: ignore[attr-defined]
    except (ValueError, AttributeError):  # the program closed it, or detached its buffer
        return ""
    return str(bytes(content[:LONGEST_OUTPUT]), "utf-8", "replace")


def _stand_in_for_descriptors(streams: dict[int, _Standard]) -> None:
    """Programs that read by `os.read(0, …)`, `open(0)` or a thread with a large stack do the same without them."""
    buffers: dict[int, Any] = {number: stream.buffer for number, stream in streams.items()}

    def read(number: int, length: int) -> Any:
        return buffers[number].read(length) if number == 0 else _real["read"](number, length)

    def write(number: int, content: Any) -> Any:
        return buffers[1].write(content) if number == 1 else _real["write"](number, content)

    def fstat(number: int) -> Any:
        return SimpleNamespace(st_size=len(buffers[0].getvalue()), st_mode=0) if number == 0 else _real["fstat"](number)

    def open_(name: Any, *arguments: Any, **named: Any) -> Any:
        if name in (0, "/dev/stdin"):
            mode = arguments[0] if arguments else named.get("mode", "r")
            return buffers[0] if "b" in mode else streams[0]
        return _real["open"](name, *arguments, **named)

    os.read, os.write, os.fstat, builtins.open = read, write, fstat, open_  # type: ignore[assignment]
    os._exit = sys.exit  # type: ignore[assignment]


_real: dict[str, Callable[..., Any]] = {"read": os.read, "write": os.write, "fstat": os.fstat, "open": open}


def stand_in_for_what_is_missing() -> None:
    """What programs expect of an interpreter that has its `site` module, threads and an event loop.

    `exit` and `quit`; the names of types, which templates of exercises use without an import (`nums: List[int]`); a
    thread runs at once where it is started (most are started for a larger stack and joined at once), and so does what
    a pool of threads is given; `asyncio.run` gets a loop that keeps time and tasks and has no sockets.
    """
    builtins.exit = builtins.quit = sys.exit  # type: ignore[assignment]
    for name in NAMES_OF_TYPES:
        setattr(builtins, name, getattr(typing, name))
    threading.Thread.start = _run_now  # type: ignore[assignment,method-assign]
    threading.Thread.join = lambda *_, **__: None  # type: ignore[method-assign]
    ThreadPoolExecutor.submit = _submitted  # type: ignore[method-assign,assignment]
    threading.stack_size = lambda *_: 0
    make_event_loops_without_sockets()


def _run_now(thread: threading.Thread) -> None:
    try:
        thread.run()
    except Exception as error:  # as a thread does: it ends, its starter goes on
        sys.stderr.write(f"{type(error).__name__}: {error}\n")


def _submitted(_: ThreadPoolExecutor, function: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
    """What `ThreadPoolExecutor.submit` gives, with its result: no thread is there to wait for work."""
    future: Future[Any] = Future()
    try:
        future.set_result(function(*given, **named))
    except Exception as error:
        future.set_exception(error)
    return future


class _NoSockets:
    """A selector that only waits."""

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None or timeout > 0:
            time.sleep(60.0 if timeout is None else timeout)  # the sandbox's own timer ends a wait for nothing
        return []


class _ComputingLoop(base_events.BaseEventLoop):
    """Tasks and timers."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = _NoSockets()

    def _process_events(self, _: Any) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody else could be waiting."""


def make_event_loops_without_sockets() -> None:
    """Have `asyncio` make loops that need no descriptor."""

    class Policy(asyncio.DefaultEventLoopPolicy):
        _loop_factory = _ComputingLoop

    asyncio.set_event_loop_policy(Policy())
