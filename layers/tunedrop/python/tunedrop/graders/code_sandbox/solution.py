"""The process that runs generated code: it loads the code and answers the test process's questions about it.

Nothing that decides the verdict is in this process: neither the tests, nor the expected values, nor the token. So
whatever the code does to the interpreter around it, it can only change what it returns.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, NoReturn

from tunedrop.graders.code_sandbox.values import Line, WireError, decode, encode

MOST_REFERENCES = 10_000
"""Objects of the code that the tests may hold at a time; endless iterators must not fill the memory."""


class _Objects:
    """What this process has told the other one about, by number."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._told: list[Any] = []
        self._numbers: dict[int, int] = {}

    def tag(self, value: Any) -> list[Any]:
        if isinstance(value, _Callback):
            return ["k", value.number]
        number = self._numbers.setdefault(id(value), len(self._told))
        if number == len(self._told):
            if number >= MOST_REFERENCES:
                raise WireError(f"more than {MOST_REFERENCES:,} objects that have no plain value")
            self._told.append(value)
        return ["h", number, type(value).__name__[:60]]

    def find(self, tagged: list[Any]) -> Any:
        if tagged[0] == "k":
            return _Callback(self._line, self, tagged[1])
        return self._told[tagged[1]]


class _Callback:
    """A function of the tests that was passed to the generated code; calling it asks the test process."""

    def __init__(self, line: Line, objects: _Objects, number: int) -> None:
        self._line = line
        self._objects = objects
        self.number = number

    def __call__(self, *positional: Any, **named: Any) -> Any:
        self._line.send(
            {
                "callback": self.number,
                "args": [encode(value, self._objects) for value in positional],
                "kwargs": {name: encode(value, self._objects) for name, value in named.items()},
            }
        )
        told = self._line.receive()
        if "error" in told:
            raise RuntimeError(f"the test's function failed: {told['error']}")
        return decode(told["ok"], self._objects)


def serve(line: Line) -> NoReturn:
    """Answer questions until the test process is gone."""
    objects = _Objects(line)
    module = ModuleType("solution")
    sys.modules[module.__name__] = module  # dataclasses look up the module of a class
    answers = _answers(vars(module))
    while True:
        question = line.receive()
        try:
            arguments = [decode(node, objects) for node in question["args"]]
            named = {name: decode(node, objects) for name, node in question.get("kwargs", {}).items()}
            before = [_mutable(value) and encode(value, objects) for value in arguments]
            reply: dict[str, Any] = {"ok": encode(answers[question["do"]](*arguments, **named), objects)}
            if question["do"] == "call":
                reply["after"] = _changed(arguments, before, objects)
        except StopIteration:
            reply = {"stop": True}
        except BaseException as error:  # SystemExit and KeyboardInterrupt of the code too: they end its call, no more
            reply = {"error": [kind.__name__ for kind in type(error).__mro__], "message": _message_of(error)}
        line.send(reply)


def _answers(namespace: dict[str, Any]) -> dict[str, Callable[..., Any]]:
    def load(source: str, name: str) -> None:
        exec(compile(source, f"<{name}>", "exec", dont_inherit=True), namespace)  # noqa: S102 (running it is what this process is for)

    def look_up(name: str) -> Any:
        if name not in namespace:
            raise NameError(f"name {name!r} is not defined")
        return namespace[name]

    return {
        "load": load,
        "name": look_up,
        "call": lambda function, *positional, **named: function(*positional, **named),
        "get": getattr,
        "set": setattr,
        "item": lambda target, key: target[key],
        "put": lambda target, key, value: target.__setitem__(key, value),
        "len": len,
        "iter": iter,
        "next": lambda iterator: iterator.__next__(),
        "str": str,
        "bool": bool,
    }


def _mutable(value: Any) -> bool:
    return isinstance(value, (list, dict, set))


def _changed(arguments: list[Any], before: list[Any], objects: _Objects) -> dict[str, Any]:
    """The arguments that the call has changed in place, by position: a test may look at them."""
    after = {}
    for position, (value, encoded) in enumerate(zip(arguments, before, strict=True)):
        if _mutable(value):
            now = encode(value, objects)
            if now != encoded:
                after[str(position)] = now
    return after


def _message_of(error: BaseException) -> str:
    try:
        return str(error)[:300]
    except BaseException:  # the code's own exception class may raise in its __str__
        return ""
