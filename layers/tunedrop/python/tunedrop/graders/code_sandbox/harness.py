"""The process that runs the tests. The functions under test live in another process and are asked over a line."""

from __future__ import annotations

import ast
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tunedrop.graders.code_sandbox import pytest_tools, stubs
from tunedrop.graders.code_sandbox.exceptions import Classes, SolutionError
from tunedrop.graders.code_sandbox.output import same_output, same_value
from tunedrop.graders.code_sandbox.remote import Remote, take_for_class
from tunedrop.graders.code_sandbox.values import Line, WireError, decode, encode

_LONGEST_REASON = 300
_MOST_NAMED = 20
"""Most tests that are named on each side."""


class _Solution:
    """The other process: asks it, and keeps what it may ask back."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._callbacks: list[Any] = []
        self._remotes: dict[int, Remote] = {}
        self._classes = Classes()

    def tag(self, value: Any) -> list[Any]:
        if isinstance(value, Remote):
            return ["h", object.__getattribute__(value, "_number")]
        if isinstance(value, Iterator):
            self._callbacks.append(value.__next__)
            return ["g", len(self._callbacks) - 1]
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
                return self._remotes.setdefault(number, Remote(self, number, kind))
            case ["co", int(number)]:
                return self._coroutine(Remote(self, number, "coroutine"))
            case ["x", list(chain)]:
                return self._classes.find(chain)
            case ["k", int(number)] if 0 <= number < len(self._callbacks):
                return self._callbacks[number]
        raise WireError("a value of an unknown kind")

    async def _coroutine(self, remote: Remote) -> Any:
        return self.ask("await", remote)

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
                case {"stop": True} if what == "next":  # nothing else may end a loop of the tests in silence
                    raise StopIteration
                case {"chain": list()}:
                    raise self._raised(told) from self._cause(told.get("cause"))
                case _:
                    raise WireError("a message of an unknown kind")

    def _cause(self, told: Any) -> BaseException | None:
        return self._raised(told) if isinstance(told, dict) else None

    def _raised(self, told: dict[str, Any]) -> BaseException:
        """The exception that the code raised. Raises WireError where the message is none."""
        match told:
            case {"chain": list(chain), "args": list(values), "text": str(text), "fields": dict(fields)}:
                error = self._classes.make(
                    chain,
                    [decode(value, self) for value in values],
                    text,
                    {str(name): decode(value, self) for name, value in fields.items()},
                )
                if isinstance(error, SystemExit):
                    error.of_the_code = True  # type: ignore[attr-defined]
                return error
        raise WireError("a message of an unknown kind")

    def _call_back(self, number: int, positional: list[Any], keywords: dict[str, Any]) -> dict[str, Any]:
        try:
            function = self._callbacks[number]
            result = function(
                *(decode(node, self) for node in positional),
                **{name: decode(node, self) for name, node in keywords.items()},
            )
            return {"ok": encode(result, self)}
        except StopIteration:
            return {"stop": True}
        except Exception as error:
            kinds = [kind.__name__ for kind in type(error).__mro__]
            return {"error": kinds, "message": str(error)[:_LONGEST_REASON]}

    def _copy_back(self, arguments: tuple[Any, ...], after: Any) -> None:
        """A function may have changed its arguments in place; the test sees it, as in one process."""
        for position, node in (after or {}).items():
            mine, changed = arguments[int(position)], decode(node, self)
            if isinstance(mine, list) and isinstance(changed, list):
                mine[:] = changed
            elif isinstance(mine, (dict, set)) and type(changed) is type(mine):
                mine.clear()
                mine.update(changed)


def run_tests(request: Mapping[str, Any], line: Line) -> dict[str, Any]:
    """Load the code in the other process, run each test here, count those that pass and could have failed.

    `request`: `preamble`, `solution`, `setup`: sources; `tests`: sources; `names`: what the tests take from the code;
    `modules`: what they take from the standard library; `program`: whether the code is a whole program, run anew for
    each test with an input of its own; `examine`: only find out which tests can fail. Answers `passed`, `counted` (the
    tests that can fail; 0 where none can, or a program that does nothing passes all), `reason`, why the first one
    failed, and the numbers of the first tests that are `right` and `wrong`.
    """
    everything = {"passed": 0, "counted": len(request["tests"]), "reason": ""}
    if not request["examine"]:
        passed, reason = _run(request, _Solution(line))
        everything["reason"] = reason
        if not passed:
            return everything | {"wrong": list(range(len(request["tests"])))[:_MOST_NAMED]}
    else:
        passed = set(range(len(request["tests"])))
    can_fail = stubs.tests_that_can_fail(request, _fresh_namespace(request), _passing)
    if not can_fail:
        everything["reason"] = "the tests cannot fail: a program that does nothing passes them"
    failed = set(range(len(request["tests"]))) - passed if can_fail else set()  # what fails counts in any case
    named = {"right": sorted(passed & can_fail)[:_MOST_NAMED], "wrong": sorted(failed)[:_MOST_NAMED]}
    return everything | {"passed": len(passed & can_fail), "counted": len(can_fail | failed), **named}


def call_function(request: Mapping[str, Any], line: Line) -> dict[str, Any]:
    """Load the code in the other process and call its `function` with the `arguments`.

    Answers `value`, the number that it gives, or None, and the `reason` for that.
    """
    solution = _Solution(line)
    try:
        solution.ask("load", request["solution"], "grader")
        value = solution.ask("name", request["function"])(*request["arguments"])
    except Exception as error:
        return {"value": None, "reason": _told(error)}
    if not isinstance(value, (bool, int, float)) or not math.isfinite(value):
        return {"value": None, "reason": f"{request['function']} gave no number: {type(value).__name__}"}
    return {"value": float(value), "reason": ""}


def _run(request: Mapping[str, Any], solution: _Solution) -> tuple[set[int], str]:
    """The tests that pass, by number from 0, and why the first one failed."""
    namespace = _fresh_namespace(request)
    try:
        given = _load_preamble(request, solution, namespace)
        if request["program"]:
            namespace["_run_program"] = lambda text: solution.ask("run", request["solution"], text)
        else:
            solution.ask("load", request["solution"], "solution")
        for name in request["names"]:
            if name not in given:
                namespace[name] = _looked_up(solution, name)
        exec(compile(request["setup"], "<setup>", "exec", dont_inherit=True), namespace)  # noqa: S102 (the dataset's own code, confined)
    except Exception as error:
        return set(), _told(error)
    return _passing(request["tests"], namespace)


def _fresh_namespace(request: Mapping[str, Any]) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": "tests", "_same_output": same_output, "_same_value": same_value}
    namespace["_call_test"] = pytest_tools.call
    namespace.update((name, sys.modules[name]) for name in request["modules"] if name in sys.modules)
    sys.modules["pytest"] = pytest_tools
    return namespace


def _load_preamble(request: Mapping[str, Any], solution: _Solution, namespace: dict[str, Any]) -> set[str]:
    """Run what the task gives beside the code, and take from it what the tests use before any answer is loaded.

    An answer that defines such a name again changes nothing for the tests: they have the classes as they were, and
    functions of their own.
    """
    if not request["preamble"]:
        return set()
    solution.ask("load", request["preamble"], "preamble")
    tree = ast.parse(request["preamble"])
    classes = [part.name for part in tree.body if isinstance(part, ast.ClassDef)]
    for name in classes:
        namespace[name] = _looked_up(solution, name)
    tree.body = [part for part in tree.body if not isinstance(part, ast.ClassDef)]
    before = set(namespace) - set(classes)
    exec(compile(tree, "<preamble>", "exec", dont_inherit=True), namespace)  # noqa: S102 (the dataset's own code, confined)
    return set(namespace) - before


def _looked_up(solution: _Solution, name: str) -> Any:
    found = solution.ask("name", name)
    if type(found) is Remote and name[:1].isupper():
        take_for_class(found)
    return found


def _passing(tests: Sequence[str], namespace: dict[str, Any]) -> tuple[set[int], str]:
    passed: set[int] = set()
    reason = ""
    for number, source in enumerate(tests):
        try:
            exec(compile(source, f"<test {number + 1}>", "exec", dont_inherit=True), namespace)  # noqa: S102 (as above)
            passed.add(number)
        except SystemExit as end:
            if end.code in (None, 0) and not hasattr(end, "of_the_code"):
                passed.add(number)
            else:
                reason = reason or f"test {number + 1}: exit code {str(end.code)[:40]}"
        except Exception as error:
            reason = reason or f"test {number + 1}: {_told(error)}"
    return passed, reason[:_LONGEST_REASON]


def _told(error: Exception) -> str:
    name = type(error).__name__
    return f"{'the code' if isinstance(error, SolutionError) else name}: {error}"[:_LONGEST_REASON].rstrip(": ")
