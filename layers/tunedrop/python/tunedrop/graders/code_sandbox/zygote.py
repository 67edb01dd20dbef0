"""The process that the grader starts once: for each answer it makes two children, one for the code, one for the tests.

    grader ──stdin/stdout── zygote ─┬─ tests:    reads the request, runs the tests, writes the verdict
                                    └─ solution: has nothing but a line to the tests process

The child for the code is made before the request is read, so no test, expected value or token was ever in its memory.
Modules that generated code may import are loaded here once; a fork of two children takes some milliseconds.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import random
import signal
import struct
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NoReturn

from tunedrop.graders.code_sandbox import confinement, harness, program, solution
from tunedrop.graders.code_sandbox.modules import PRELOADED
from tunedrop.graders.code_sandbox.values import Line, WireError

_LENGTH = struct.Struct(">I")
_STDIN, _STDOUT = 0, 1
EXAMINE = 1 << 31
"""Added to a request's length where it has no code, and so needs no process for it."""
_exit = os._exit  # generated code may replace the one in `os`
_place: int | None = None  # where the processes go, where they can become users of their own (root)
_reachable: list[tuple[dict[str, Any], str]] = []
_seccomp: Any = None  # the module, where the kernel lets us filter; ctypes must not be in the process otherwise


def main(*, filter_wanted: bool, libraries: Sequence[str] = ()) -> None:
    """Serve requests from standard input until it ends. `filter_wanted` False: as where no filter can be had.

    `libraries` (`folder:package`) may be imported beside the standard library's computing part.
    """
    global _place, _seccomp  # noqa: PLW0603 (decided once a process, before the first child)
    for name in PRELOADED:
        with suppress(ImportError):  # a build of Python may lack one
            importlib.import_module(name)
    for library in libraries:
        _load_whole(*library.rsplit(":", 1))
    program.make_event_loops_without_sockets()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # asyncio would set a handler of its own beside Python's
    _place = confinement.empty_place()
    if _place is not None and not _works_in_a_child(_leave):
        os.close(_place)
        _place = None
    if filter_wanted and _works_in_a_child(_filter):
        _seccomp = importlib.import_module("tunedrop.graders.code_sandbox.seccomp")
        _seccomp.forbid_inspection()
    _reachable.extend(confinement.reachable_functions())
    gc.collect()
    gc.freeze()
    _report({"ready": True, "filter": _seccomp is not None, "separated": _place is not None})
    while header := _read_exactly(_LENGTH.size):
        (length,) = _LENGTH.unpack(header)
        if not _serve_one(length % EXAMINE, with_code=length < EXAMINE):
            return


def _load_whole(directory: str, package: str) -> None:
    """Import a package with its public modules: later nothing can be imported that is not there yet."""
    sys.path.append(directory)
    try:
        found = importlib.import_module(package)
        for module in pkgutil.iter_modules(found.__path__):
            if not module.name.startswith("_"):
                with suppress(ImportError):
                    importlib.import_module(f"{package}.{module.name}")
    finally:
        sys.path.remove(directory)


def _works_in_a_child(attempt: Callable[[], None]) -> bool:
    """Try it in a child: the parent must not load ctypes for nothing, and neither step can be taken back."""
    child = os.fork()
    if child == 0:
        try:
            attempt()
            _exit(0)
        except BaseException:  # whatever it is, the child must not go on
            _exit(1)
    _, status = os.waitpid(child, 0)
    return status == 0


def _filter() -> None:
    importlib.import_module("tunedrop.graders.code_sandbox.seccomp").install()


def _leave() -> None:
    if not confinement.leave_for(_place):
        raise PermissionError("this process is not root")


def _kept_place() -> set[int]:
    return set() if _place is None else {_place}


def _serve_one(length: int, *, with_code: bool) -> bool:
    """One request. False when standard input is not known to stand at the next one."""
    to_solution, to_tests = os.pipe(), os.pipe()
    code = os.fork() if with_code else -1
    if code == 0:
        _run_solution(Line(to_solution[0], to_tests[1]), {to_solution[0], to_tests[1]})
    tests = os.fork()
    if tests == 0:
        _run_tests(length, Line(to_tests[0], to_solution[1]), {to_tests[0], to_solution[1]})
    for descriptor in (*to_solution, *to_tests):
        os.close(descriptor)
    _, status = os.waitpid(tests, 0)
    if with_code:
        with suppress(ProcessLookupError):
            os.kill(code, signal.SIGKILL)
        os.waitpid(code, 0)
    _report({"ended": os.waitstatus_to_exitcode(status)})
    return status == 0 or (os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGALRM, signal.SIGXCPU))


def _run_solution(line: Line, kept: set[int]) -> NoReturn:
    try:
        confinement.close_all_but(kept | _kept_place())
        limits = line.receive()
        # Nobody else may be left to end it: the tests process has a timer of its own, and the zygote can be killed.
        signal.setitimer(signal.ITIMER_REAL, limits["wall_seconds"] + 1)
        _confine(limits)
        sys.argv = ["solution"]
        random.seed(0)  # the same answer gets the same grade
        solution.serve(line)
    except BaseException:  # a forked child must never return into the zygote's loop
        _exit(0)


def _run_tests(length: int, line: Line, kept: set[int]) -> NoReturn:
    try:
        body = _read_exactly(length)
        request = json.loads(body)
        signal.setitimer(signal.ITIMER_REAL, request["limits"]["wall_seconds"])  # SIGALRM's default ends the process
        verdict_to = os.dup(_STDOUT)
        confinement.close_all_but(kept | {verdict_to} | _kept_place())
        if not request["examine"]:
            line.send(request["limits"])
        _confine(request["limits"])
        random.seed(0)
        answer = harness.call_function if "function" in request else harness.run_tests
        verdict = answer(request, line) | {"token": request["token"]}
        report = json.dumps(verdict).encode()
        os.write(verdict_to, _LENGTH.pack(len(report)) + report)  # under PIPE_BUF (4,096), so in one piece
        _exit(0)
    except WireError:
        _exit(2)
    except BaseException:  # as above; a test that calls sys.exit ends here, without a verdict
        _exit(3)


def _confine(limits: dict[str, Any]) -> None:
    """Order matters: what later steps need must not be taken by earlier ones."""
    confinement.limit_resources(cpu_seconds=limits["cpu_seconds"], memory_bytes=limits["memory_bytes"])
    if _place is not None:
        confinement.leave_for(_place)
        os.close(_place)
    if _seccomp is not None:
        _seccomp.die_with_parent()  # after the change of user, which would undo it
    confinement.take_out_functions(_reachable, ctypes_too=_seccomp is None)
    if _seccomp is not None:
        _seccomp.install()
    confinement.watch()


def _report(message: dict[str, Any]) -> None:
    body = json.dumps(message).encode()
    os.write(_STDOUT, _LENGTH.pack(len(body)) + body)


def _read_exactly(length: int) -> bytes:
    parts = bytearray()
    while len(parts) < length:
        part = os.read(_STDIN, min(length - len(parts), 1 << 20))
        if not part:
            return b""
        parts += part
    return bytes(parts)


if __name__ == "__main__":
    main(filter_wanted="--no-filter" not in sys.argv)
