"""The process that runs generated code: it loads the code and answers the test process's questions about it.

Nothing that decides the verdict is in this process: neither the tests, nor the expected values, nor the token. So
whatever the code does to the interpreter around it, it can only change what it returns.
"""

from __future__ import annotations
import __future__

import ast
import asyncio
import inspect
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, NoReturn

from tunedrop.graders.code_sandbox import exceptions, program
from tunedrop.graders.code_sandbox.remote import OPERATORS
from tunedrop.graders.code_sandbox.values import Line, WireError, decode, encode

MOST_REFERENCES = 10_000
"""Objects of the code that the tests may hold at a time; endless iterators must not fill the memory."""


class _Objects:
    """What this process has told the other one about, by number."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._told: list[Any] = []
        self._numbers: dict[int, int] = {}

    def number_of(self, value: Any) -> int:
        """The number by which the other process asks for it. Raises WireError where there are too many."""
        number = self._numbers.setdefault(id(value), len(self._told))
        if number == len(self._told):
            if number >= MOST_REFERENCES:
                raise WireError(f"more than {MOST_REFERENCES:,} objects that have no plain value")
            self._told.append(value)
        return number

    def tag(self, value: Any) -> list[Any]:
        if isinstance(value, _Callback):
            return ["k", value.number]
        if inspect.iscoroutine(value):
            return ["co", self.number_of(value)]
        if isinstance(value, type) and issubclass(value, BaseException):
            return ["x", exceptions.chain_of(value, self.number_of)]
        return ["h", self.number_of(value), type(value).__name__[:60]]

    def find(self, tagged: list[Any]) -> Any:
        if tagged[0] == "k":
            return _Callback(self._line, self, tagged[1])
        if tagged[0] == "g":
            return _CallbackIterator(_Callback(self._line, self, tagged[1]))
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
        if "stop" in told:
            raise StopIteration
        if "error" in told:
            raise exceptions.from_callback(told["error"], told["message"])
        return decode(told["ok"], self._objects)


class _CallbackIterator:
    """An iterator of the tests that was passed to the generated code."""

    def __init__(self, callback: _Callback) -> None:
        self._callback = callback

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return self._callback()


def serve(line: Line) -> NoReturn:
    """Answer questions until the test process is gone."""
    objects = _Objects(line)
    module = ModuleType("solution")
    sys.modules[module.__name__] = module  # dataclasses look up the module of a class
    program.stand_in_for_what_is_missing()
    answers = _answers(vars(module))

    def write(value: Any) -> Any:
        return encode(value, objects)

    while True:
        question = line.receive()
        asked = question["do"]
        try:
            arguments = [decode(node, objects) for node in question["args"]]
            named = {name: decode(node, objects) for name, node in question.get("kwargs", {}).items()}
            before = [_mutable(value) and write(value) for value in arguments]
            reply: dict[str, Any] = {"ok": write(answers[asked](*arguments, **named))}
            if asked == "call":
                reply["after"] = _changed(arguments, before, objects)
        except BaseException as error:  # SystemExit and KeyboardInterrupt of the code too: they end its call, no more
            if asked == "next" and isinstance(error, StopIteration):
                reply = {"stop": True}
            else:
                reply = exceptions.described(error, write, objects.number_of)
        line.send(reply)


def _answers(namespace: dict[str, Any]) -> dict[str, Callable[..., Any]]:
    def look_up(name: str) -> Any:
        if name in namespace:
            return namespace[name]
        solution = namespace.get("Solution")
        if isinstance(solution, type) and hasattr(solution, name):
            return getattr(solution(), name)
        raise NameError(f"name {name!r} is not defined")

    return {
        "load": lambda source, name: _load(source, name, namespace),
        "run": program.run_program,
        "name": look_up,
        "call": lambda function, *positional, **named: function(*positional, **named),
        "await": _awaited,
        "get": getattr,
        "set": setattr,
        "item": lambda target, key: target[key],
        "put": lambda target, key, value: target.__setitem__(key, value),
        "del": lambda target, key: target.__delitem__(key),
        "len": len,
        "iter": iter,
        "next": lambda iterator: iterator.__next__(),
        "str": str,
        "repr": repr,
        "bool": bool,
        "enter": lambda manager: manager.__enter__(),
        "exit": lambda manager: manager.__exit__(None, None, None),
        "isinstance": isinstance,
        "issubclass": issubclass,
        "contains": lambda target, value: value in target,
        "operator": lambda target, name, other: OPERATORS[name](target, other),
        "facts": _facts,
    }


def _load(source: str, name: str, namespace: dict[str, Any]) -> None:
    """Run the code statement by statement. Once it has asked for input, or to exit, only definitions still count.

    Answers often end with an example that reads input, runs their own unit tests or exits: what the tests take from
    the code is defined by then, and a wrong test of the answer's own says nothing about its code.
    """
    tree = ast.parse(source)
    flags = _future_flags(tree)
    over = False
    for statement in tree.body:
        if _only_tests(statement, namespace):
            continue
        try:
            code = compile(ast.Module([statement], []), f"<{name}>", "exec", flags=flags, dont_inherit=True)
            exec(code, namespace)  # noqa: S102 (running it is what this process is for)
        except (EOFError, SystemExit):
            over = True
        except Exception as error:
            if not over and not (isinstance(error, AssertionError) and isinstance(statement, (ast.Assert, ast.Expr))):
                raise


class _TestTools:
    """Stands in for `pytest`, which an answer may import for its own tests: its decorators change nothing."""

    def __getattr__(self, _: str) -> Any:
        return self

    def __call__(self, *arguments: Any, **_: Any) -> Any:
        return arguments[0] if len(arguments) == 1 and callable(arguments[0]) else self


def _only_tests(statement: ast.stmt, namespace: dict[str, Any]) -> bool:
    """Whether a statement runs the answer's own tests, or imports what only they need (which is stood in for)."""
    match statement:
        case ast.Expr(ast.Call(func=ast.Attribute(value=ast.Name(id="doctest" | "pytest"), attr="testmod" | "main"))):
            return True
        case ast.Import(names=[ast.alias(name="pytest", asname=other)]):
            namespace[other or "pytest"] = _TestTools()
            return True
        case ast.ImportFrom(module="pytest", names=aliases):
            namespace.update((alias.asname or alias.name, _TestTools()) for alias in aliases)
            return True
    return False


def _future_flags(tree: ast.Module) -> int:
    flags = 0
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            for alias in statement.names:
                flags |= getattr(__future__, alias.name).compiler_flag
    return flags


def _awaited(coroutine: Any) -> Any:
    async def wait() -> Any:
        return await coroutine

    return asyncio.run(wait())


def _facts(value: Any) -> dict[str, Any]:
    """What an object holds, for a comparison: its class and attributes."""
    held = dict(getattr(value, "__dict__", {}))
    for kind in type(value).__mro__:
        slots = vars(kind).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(value, name):
                held[name] = getattr(value, name)
    held.pop("__objclass__", None)
    return {"class": type(value), **held} if held else {}


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
