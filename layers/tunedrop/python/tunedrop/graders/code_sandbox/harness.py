"""The process that runs the tests. The functions under test live in another process and are asked over a line."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tunedrop.graders.code_sandbox.values import Line, WireError, decode, encode

_LONGEST_REASON = 300


class SolutionError(Exception):
    """The code under test raised an exception of its own, or is no longer there."""


# What the code raises is raised in the tests as the nearest built-in exception, so that `except ValueError` works.
# StopIteration and its like would end a loop of the tests in silence.
_EXCEPTIONS = {
    name: kind
    for name, kind in vars(builtins).items()
    if isinstance(kind, type)
    and issubclass(kind, Exception)
    and not issubclass(kind, (StopIteration, StopAsyncIteration))
}


class _Solution:
    """The other process: asks it, and keeps what it may ask back."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._callbacks: list[Any] = []

    def tag(self, value: Any) -> list[Any]:
        if isinstance(value, Remote):
            return ["h", object.__getattribute__(value, "_number")]
        if callable(value):
            self._callbacks.append(value)
            return ["k", len(self._callbacks) - 1]
        raise WireError(
            f"a test passes an object of type {type(value).__name__}, which lives in the test process only; "
            "define its class in the reference's `preamble`, which is run beside the code"
        )

    def find(self, tagged: list[Any]) -> Any:
        match tagged:
            case ["h", int(number), str(kind)]:
                return Remote(self, number, kind)
            case ["k", int(number)] if 0 <= number < len(self._callbacks):
                return self._callbacks[number]
        raise WireError("a value of no known kind")

    def ask(self, what: str, *arguments: Any, **named: Any) -> Any:
        """Ask the process that holds the code; its exceptions are raised here."""
        self._line.send(
            {
                "do": what,
                "args": [encode(value, self) for value in arguments],
                "kwargs": {name: encode(value, self) for name, value in named.items()},
            }
        )
        while True:
            told = self._line.receive()
            match told:
                case {"callback": int(number), "args": list(positional), "kwargs": dict(keywords)}:
                    self._line.send(self._call_back(number, positional, keywords))
                case {"ok": node}:
                    self._copy_back(arguments, told.get("after"))
                    return decode(node, self)
                case {"stop": True}:
                    raise StopIteration
                case {"error": list(names), "message": str(message)}:
                    kind = next((_EXCEPTIONS[name] for name in names if name in _EXCEPTIONS), SolutionError)
                    raise _made(kind, f"{names[0] if names else ''}: {message}")
                case _:
                    raise WireError("a message of no known kind")

    def _call_back(self, number: int, positional: list[Any], keywords: dict[str, Any]) -> dict[str, Any]:
        try:
            function = self._callbacks[number]
            result = function(
                *(decode(node, self) for node in positional),
                **{name: decode(node, self) for name, node in keywords.items()},
            )
            return {"ok": encode(result, self)}
        except Exception as error:
            return {"error": f"{type(error).__name__}: {error}"[:_LONGEST_REASON]}

    def _copy_back(self, arguments: tuple[Any, ...], after: Any) -> None:
        """A function may have changed its arguments in place; the test sees it, as in one process."""
        for position, node in (after or {}).items():
            mine, changed = arguments[int(position)], decode(node, self)
            if isinstance(mine, list) and isinstance(changed, list):
                mine[:] = changed
            elif isinstance(mine, (dict, set)) and type(changed) is type(mine):
                mine.clear()
                mine.update(changed)


def _made(kind: type[Exception], message: str) -> Exception:
    try:
        return kind(message)
    except TypeError:  # UnicodeDecodeError and its like want five arguments
        return SolutionError(message)


class Remote:
    """An object of the generated code, as the tests see it: it can be used, but it equals nothing but itself.

    `==` is not asked of the other process on purpose: an `__eq__` that is always true must not pass a test. Nor is
    `in`: an iterator over every number would contain the right one. Tests collect it first, by `list(…)`.
    """

    __contains__ = None

    __slots__ = ("_kind", "_number", "_solution")

    def __init__(self, solution: _Solution, number: int, kind: str) -> None:
        object.__setattr__(self, "_solution", solution)
        object.__setattr__(self, "_number", number)
        object.__setattr__(self, "_kind", kind)

    def __call__(self, *positional: Any, **named: Any) -> Any:
        return _ask("call", self, *positional, **named)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _ask("get", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        _ask("set", self, name, value)

    def __getitem__(self, key: Any) -> Any:
        return _ask("item", self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        _ask("put", self, key, value)

    def __len__(self) -> int:
        return int(_ask("len", self))

    def __bool__(self) -> bool:
        return _ask("bool", self) is True

    def __iter__(self) -> Iterator[Any]:
        iterator: Iterator[Any] = _ask("iter", self)
        return iterator

    def __next__(self) -> Any:
        return _ask("next", self)

    def __str__(self) -> str:
        return str(_ask("str", self))

    def __repr__(self) -> str:
        return f"<{object.__getattribute__(self, '_kind')} of the code under test>"


def _ask(what: str, target: Remote, *arguments: Any, **named: Any) -> Any:
    solution: _Solution = object.__getattribute__(target, "_solution")
    return solution.ask(what, target, *arguments, **named)


def run_tests(request: Mapping[str, Any], line: Line) -> dict[str, Any]:
    """Load the code in the other process, run each test here, count those that pass.

    `request`: `preamble`, `solution`, `setup`: sources; `tests`: sources; `names`: what the tests take from the code;
    `modules`: what they take from the standard library. Answers `passed` and `reason`, why the first one failed.
    """
    solution = _Solution(line)
    namespace: dict[str, Any] = {"__name__": "tests"}
    namespace.update((name, sys.modules[name]) for name in request["modules"] if name in sys.modules)
    try:
        for part in ("preamble", "solution"):
            if request[part]:
                solution.ask("load", request[part], part)
        for name in request["names"]:
            namespace[name] = solution.ask("name", name)
        exec(compile(request["setup"], "<setup>", "exec", dont_inherit=True), namespace)  # noqa: S102 (the dataset's own code, confined)
    except Exception as error:
        return {"passed": 0, "reason": _told(error)}
    return _count(request["tests"], namespace)


def _count(tests: Sequence[str], namespace: dict[str, Any]) -> dict[str, Any]:
    passed, reason = 0, ""
    for number, source in enumerate(tests, start=1):
        try:
            exec(compile(source, f"<test {number}>", "exec", dont_inherit=True), namespace)  # noqa: S102 (as above)
            passed += 1
        except Exception as error:
            reason = reason or f"test {number}: {_told(error)}"
    return {"passed": passed, "reason": reason[:_LONGEST_REASON]}


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:_LONGEST_REASON].rstrip(": ")
