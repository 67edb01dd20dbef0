"""The grader's side of the sandbox: starts the far side once, and hands it one answer with its tests at a time."""

from __future__ import annotations

import json
import os
import secrets
import select
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tunedrop.graders.code.reference import TestPlan
from tunedrop.graders.sample import JSON

_LENGTH = struct.Struct(">I")
EXAMINE = 1 << 31
"""Added to a request's length where there is no code to run: as in `code_sandbox.zygote`, which starts by itself."""
_START_SECONDS = 15.0
"""For a new interpreter and the modules that generated code may import: 60 ms here, much more on a small Lambda."""
_GRACE_SECONDS = 2.0
"""How long after its limit an answer may still take before the whole far side is killed: it limits itself."""
_LONGEST_REPORT = 4096
_PACKAGE_ROOT = Path(__file__).resolve().parents[3]
_BOOTSTRAP = (
    "import sys; sys.path.insert(0, sys.argv[1]); from tunedrop.graders.code_sandbox.zygote import main; "
    "main(filter_wanted=sys.argv[2] == 'filter', libraries=sys.argv[3:])"
)
# No credentials, no region, no runtime API address. The hash seed makes the order of sets of strings, and so the
# grade, the same every time. On Lambda the interpreter may find its libraries only by LD_LIBRARY_PATH.
_ENVIRONMENT = {"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"}
_PASSED_ON = ("LD_LIBRARY_PATH",)


class SandboxError(RuntimeError):
    """The sandbox itself failed: nothing is known about the answer."""


class CallFailed(RuntimeError):
    """The function that was called raised, took too long, or gave no number; the message says which."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one answer may use; all its tests together."""

    wall_seconds: float = 5.0
    cpu_seconds: float = 5.0
    memory_bytes: int = 256 * 1024**2


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many of the tests passed, of those that can fail, and why not more."""

    passed: int
    counted: int
    reason: str
    right: tuple[int, ...] = ()
    wrong: tuple[int, ...] = ()
    """The first tests that passed and that did not, of those that count, by number from 0."""


class Sandbox:
    """One far side, started when first used, replaced when it broke. One answer at a time; others wait.

    After a fork each process starts its own: two processes must not talk over one line.
    """

    def __init__(self, *, filter_wanted: bool = True, libraries: Sequence[str] = ()) -> None:
        """`libraries`: installed packages that the code may import, beside the standard library's computing part."""
        self._filter_wanted = filter_wanted
        self._libraries = tuple(libraries)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self.filtered = False
        """Whether the kernel let the far side put a system call filter on itself; known once it has started."""
        self.separated = False
        """Whether each process of the far side is a user of its own in an empty folder; known once it has started."""

    def start(self) -> None:
        """Start the far side now, if it does not run yet. Raises SandboxError."""
        with self._lock:
            self._started()

    def run(self, plan: TestPlan, solution: str | None, limits: Limits) -> Verdict:
        """Run the tests against the code; without code, only find out how many of them can fail.

        Raises SandboxError where the sandbox failed, not where the code did.
        """
        request = {**asdict(plan), "solution": solution or "", "examine": solution is None}
        report, status = self._exchange(request, limits)
        if report is not None:
            right, wrong = (tuple(map(int, report.get(name, ()))) for name in ("right", "wrong"))
            return Verdict(int(report["passed"]), int(report["counted"]), str(report["reason"]), right, wrong)
        return Verdict(0, len(plan.tests), _why_no_report(status, limits))

    def call(self, source: str, function: str, arguments: Sequence[JSON], limits: Limits) -> float:
        """The number that a function of the source gives for these arguments.

        Raises CallFailed where it gives none, SandboxError where the sandbox failed.
        """
        request = {"solution": source, "examine": False, "function": function, "arguments": list(arguments)}
        report, status = self._exchange(request, limits)
        if report is None:
            raise CallFailed(_why_no_report(status, limits))
        if report.get("value") is None:
            raise CallFailed(str(report["reason"]))
        return float(report["value"])

    def _exchange(self, request: Mapping[str, Any], limits: Limits) -> tuple[Mapping[str, Any] | None, int]:
        """The report that carries this request's token, None where there is none, and how the process ended."""
        token = secrets.token_hex(16)
        body = json.dumps({**request, "token": token, "limits": asdict(limits)}).encode()
        with self._lock:
            process = self._started()
            deadline = time.monotonic() + limits.wall_seconds + _GRACE_SECONDS
            try:
                _write(process, body, deadline, mark=EXAMINE if request["examine"] else 0)
                reports = [_read(process, deadline)]
                while "ended" not in reports[-1]:
                    reports.append(_read(process, deadline))
            except SandboxError:
                self._stop()
                raise
            status = reports[-1]["ended"]
            if status not in (0, -14, -24):  # the zygote has ended itself after any other end (see zygote._serve_one)
                self._stop()
        return next((report for report in reports[:-1] if report.get("token") == token), None), status

    def close(self) -> None:
        """End the far side."""
        with self._lock:
            self._stop()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._owner == os.getpid() and self._process.poll() is None:
            return self._process
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-s", "-S", "-P", "-B", "-c", _BOOTSTRAP, str(_PACKAGE_ROOT)),
                "filter" if self._filter_wanted else "no-filter",
                *_places_of(self._libraries),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=_ENVIRONMENT | {name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        )
        self._owner = os.getpid()
        try:
            greeting = _read(self._process, time.monotonic() + _START_SECONDS)
        except SandboxError:
            self._stop()
            raise
        self.filtered = greeting.get("filter") is True
        self.separated = greeting.get("separated") is True
        return self._process

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        process.wait()

    def __del__(self) -> None:
        # Its standard input closes with this object, which ends the far side; only the zombie is left to collect.
        with suppress(Exception):
            self._stop()


def _why_no_report(status: int, limits: Limits) -> str:
    if status == -14:
        return f"not done within {limits.wall_seconds:g} s"
    if status == -24:
        return f"more than {limits.cpu_seconds:g} s of CPU time"
    return "the run ended before its tests did"


def _places_of(libraries: Sequence[str]) -> list[str]:
    """`folder:package` of each library that is installed."""
    found = []
    for name in libraries:
        spec = find_spec(name)
        if spec is not None and spec.origin is not None:
            found.append(f"{Path(spec.origin).parents[1]}:{name}")
    return found


def _write(process: subprocess.Popen[bytes], body: bytes, deadline: float, *, mark: int) -> None:
    assert process.stdin is not None  # noqa: S101 (for the type checker: it is a pipe)
    descriptor = process.stdin.fileno()
    rest = memoryview(_LENGTH.pack(len(body) + mark) + body)
    while rest:
        _wait(descriptor, select.POLLOUT, deadline)
        try:
            rest = rest[os.write(descriptor, rest[: select.PIPE_BUF]) :]
        except OSError as error:
            raise SandboxError(f"the sandbox has ended: {error.strerror}") from None


def _read(process: subprocess.Popen[bytes], deadline: float) -> dict[str, Any]:
    (length,) = _LENGTH.unpack(_take(process, _LENGTH.size, deadline))
    if length > _LONGEST_REPORT:
        raise SandboxError(f"a report of {length:,} bytes from the sandbox, expected at most {_LONGEST_REPORT:,}")
    report = json.loads(_take(process, length, deadline))
    if not isinstance(report, dict):
        raise SandboxError("a report from the sandbox that is not an object")
    return report


def _take(process: subprocess.Popen[bytes], length: int, deadline: float) -> bytes:
    assert process.stdout is not None  # noqa: S101 (as above)
    descriptor = process.stdout.fileno()
    parts = bytearray()
    while len(parts) < length:
        _wait(descriptor, select.POLLIN, deadline)
        part = os.read(descriptor, length - len(parts))
        if not part:
            raise SandboxError("the sandbox has ended")
        parts += part
    return bytes(parts)


def _wait(descriptor: int, event: int, deadline: float) -> None:
    poller = select.poll()
    poller.register(descriptor, event)
    if not poller.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise SandboxError("the sandbox does not answer")
