"""Processes that grade one sample at a time and are killed when a sample takes too long.

A deadline inside one process cannot be kept: a signal handler runs only in the main thread and never inside C code,
and a thread cannot be stopped. So what may take long runs in a forked child that the parent kills. Forked, not
spawned: the child has the grader in memory already (a few milliseconds), and neither shared memory nor semaphores are
needed, which Lambda does not have.
"""

from __future__ import annotations

import json
import os
import resource
import selectors
import signal
import socket
import struct
import time
import warnings
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

from tunedrop.graders.sample import ChoosingGrader, Grade, Grader, Part, Sample, Terms

START_SECONDS = 20.0
"""How long a worker may take to get ready (imports on the smallest Lambda), outside any sample's deadline."""
ADDRESS_SPACE_BYTES = 2 * 1024**3
"""What a worker may map beyond what it had from its parent when it began, as a fork has all that is mapped there:
an answer that makes a grader allocate without end fails in the worker, not in the sandbox."""
ORPHAN_SECONDS = 5.0
"""How long after its deadline a worker ends by itself, in case that its parent is gone and cannot kill it."""
_LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Ungraded:
    """Why a worker gave no grade."""

    reason: str
    timeout: bool = False
    refused: bool = False
    """Whether the row names no grader that may grade it here."""


class Workers:
    """A grader's worker processes: started when first needed, kept for the next batch, replaced when killed.

    Safe to use off the main thread, by one thread at a time. `close` (or leaving the context) ends them.
    """

    def __init__(self, grader: Grader) -> None:
        self._grader = grader
        self._idle: list[_Worker] = []

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the workers that are idle; those at work have been ended by `grade_all` already."""
        while self._idle:
            self._idle.pop().kill()

    def grade_all(
        self, samples: Sequence[Sample], terms: Sequence[Terms], *, give_up_at: float | None = None
    ) -> Iterator[tuple[int, Grade | Ungraded]]:
        """Grade the samples, yielding each position with its outcome as soon as it is known, so not in order.

        `terms` are the samples', one each; as many are graded at once as the most that one of them allows.
        `give_up_at` (of `time.monotonic`) is when the rest is answered as timed out, because the caller itself has to
        answer.
        """
        at_once = max((each.at_once for each in terms), default=1)
        waiting = deque(range(len(samples)))
        busy: dict[_Worker, int] = {}
        selector = selectors.DefaultSelector()
        end = give_up_at if give_up_at is not None else float("inf")
        try:
            while waiting or busy:
                while waiting and len(busy) < at_once and time.monotonic() < end:
                    worker = self._idle.pop() if self._idle else _Worker(self._grader)
                    position = busy[worker] = waiting.popleft()
                    worker.send(samples[position], terms[position].deadline_seconds)
                    selector.register(worker.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, worker)
                if not busy:
                    break
                wake = min(end, *(worker.deadline for worker in busy))
                for key, events in selector.select(max(0.0, wake - time.monotonic())):
                    worker = key.data
                    outcome = worker.progress(events)
                    if outcome is None:
                        selector.modify(worker.socket, worker.interest, worker)
                        continue
                    selector.unregister(worker.socket)
                    position = busy.pop(worker)
                    if worker.alive:
                        self._idle.append(worker)
                    yield position, outcome
                now = time.monotonic()
                for worker in [worker for worker in busy if now >= min(end, worker.deadline)]:
                    selector.unregister(worker.socket)
                    worker.kill()
                    position = busy.pop(worker)
                    seconds = terms[position].deadline_seconds
                    yield position, Ungraded(f"not graded within {seconds:g} s", timeout=True)
            for position in waiting:
                yield position, Ungraded("no time was left in this batch", timeout=True)
        finally:
            for worker in busy:
                worker.kill()
            selector.close()


class _Worker:
    """The parent's side of one worker process."""

    def __init__(self, grader: Grader) -> None:
        self.socket, theirs = socket.socketpair()
        with warnings.catch_warnings():
            # Python warns of forking beside other threads: a lock that one of them holds is then never released in
            # the child. Such a child is killed at its deadline like any other that is stuck.
            warnings.simplefilter("ignore", DeprecationWarning)
            self.pid = os.fork()
        if self.pid == 0:
            _serve(grader, theirs)
        theirs.close()
        with suppress(OSError):  # the child does the same; whichever comes first
            os.setpgid(self.pid, self.pid)
        self.socket.setblocking(False)
        self.alive = True
        self.deadline = 0.0
        self.interest = selectors.EVENT_READ
        self._seconds = 0.0
        self._outbox = memoryview(b"")
        self._inbox = bytearray()

    def send(self, sample: Sample, seconds: float) -> None:
        """Hand over a sample; its time starts when the worker has told that it is ready for it."""
        self._seconds = seconds
        self.deadline = time.monotonic() + START_SECONDS
        body = json.dumps([seconds, asdict(sample)], default=_plain).encode()
        self._outbox = memoryview(_LENGTH.pack(len(body)) + body)
        self.interest = selectors.EVENT_READ | selectors.EVENT_WRITE

    def progress(self, events: int) -> Grade | Ungraded | None:
        """Write and read what can be; the outcome once it is there."""
        try:
            if events & selectors.EVENT_WRITE and self._outbox:
                self._outbox = self._outbox[self.socket.send(self._outbox) :]
            self.interest = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._outbox else 0)
            if not events & selectors.EVENT_READ:
                return None
            received = self.socket.recv(1 << 16)
        except BlockingIOError:
            return None
        except OSError:
            received = b""
        if not received:
            self.kill()
            return Ungraded("the worker process ended while it graded this sample")
        self._inbox += received
        return self._read_outcome()

    def _read_outcome(self) -> Grade | Ungraded | None:
        outcome: Grade | Ungraded | None = None
        while outcome is None and len(self._inbox) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._inbox)
            if len(self._inbox) < _LENGTH.size + length:
                break
            told = json.loads(self._inbox[_LENGTH.size : _LENGTH.size + length])
            del self._inbox[: _LENGTH.size + length]
            if told == "ready":
                self.deadline = time.monotonic() + self._seconds
            else:
                outcome = Ungraded(told["failed"]) if "failed" in told else _grade_of(told)
        return outcome

    def kill(self) -> None:
        """End the worker with all that it has started, and leave no zombie."""
        if not self.alive:
            return
        self.alive = False
        self.socket.close()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


def _serve(grader: Grader, parent: socket.socket) -> NoReturn:
    """The child's life: read a sample, get ready for it, grade it, tell the grade, until the parent closes the line."""
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for number in (signal.SIGTERM, signal.SIGALRM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        _close_all_but(parent.fileno())
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        limit = _mapped_bytes() + ADDRESS_SPACE_BYTES
        limit = limit if hard == resource.RLIM_INFINITY else min(hard, limit)
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
        while True:
            (length,) = _LENGTH.unpack(_read(parent, _LENGTH.size))
            seconds, fields = json.loads(_read(parent, length))
            sample = Sample(**fields)
            signal.setitimer(signal.ITIMER_REAL, START_SECONDS + ORPHAN_SECONDS)
            if isinstance(grader, ChoosingGrader):
                grader.prepare(sample.row)
            _tell(parent, "ready")
            signal.setitimer(signal.ITIMER_REAL, seconds + ORPHAN_SECONDS)
            try:
                told: object = asdict(grader.grade(sample))
                body = json.dumps(told).encode()
            except Exception as error:
                body = json.dumps({"failed": f"{type(error).__name__}: {error}"[:300]}).encode()
            signal.setitimer(signal.ITIMER_REAL, 0)
            parent.sendall(_LENGTH.pack(len(body)) + body)
    except BaseException:  # whatever it is, a forked child must never return into its parent's code
        os._exit(1)
    os._exit(0)


def _mapped_bytes() -> int:
    """The size of this process' address space, in bytes; 0 where the system does not tell (it has no /proc)."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def _tell(parent: socket.socket, word: str) -> None:
    body = json.dumps(word).encode()
    parent.sendall(_LENGTH.pack(len(body)) + body)


def _read(parent: socket.socket, length: int) -> bytes:
    received = bytearray()
    while len(received) < length:
        part = parent.recv(min(length - len(received), 1 << 20))
        if not part:
            os._exit(0)
        received += part
    return bytes(received)


def _close_all_but(kept: int) -> None:
    """Close what the child inherited: other workers' lines, and the connection to Lambda's runtime API."""
    highest = max((int(name) for name in os.listdir("/proc/self/fd")), default=2)  # noqa: PTH208 (names only)
    os.closerange(3, kept)
    os.closerange(kept + 1, highest + 1)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def _grade_of(told: Mapping[str, Any]) -> Grade:
    """The grade that a worker sent as JSON, which has no tuples."""
    return Grade(**{**told, "parts": tuple(Part(*each) for each in told["parts"])})
