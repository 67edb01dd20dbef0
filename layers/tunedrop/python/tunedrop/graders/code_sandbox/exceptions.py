"""Exceptions on the wire: what generated code raises arrives in the tests with its class, arguments and message.

Sent is the class's chain of bases down to the first built-in one, the arguments and the attributes as values. The
tests' process builds a class of its own for each class of the code, so no code of the answer runs there.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping, Sequence
from typing import Any

LONGEST_TEXT = 2_000
_MOST_PARTS = 20


class SolutionError(Exception):
    """The code under test raised what the tests cannot be given as it is, or is no longer there."""


class SolutionEnded(SolutionError, SystemExit):
    """The code under test asked to exit."""


class SolutionInterrupted(SolutionError, KeyboardInterrupt):
    """The code under test raised KeyboardInterrupt."""


# StopIteration and its like would end a loop of the tests in silence, so they arrive as SolutionError.
_KINDS: Mapping[str, type[BaseException]] = {
    **{
        name: kind
        for name, kind in vars(builtins).items()
        if isinstance(kind, type)
        and issubclass(kind, Exception)
        and not issubclass(kind, (StopIteration, StopAsyncIteration))
    },
    "SystemExit": SolutionEnded,
    "KeyboardInterrupt": SolutionInterrupted,
}
_SILENT = ("StopIteration", "StopAsyncIteration", "GeneratorExit")


def chain_of(kind: type[BaseException], number_of: Callable[[Any], int]) -> list[Any]:
    """The classes of an exception, the own ones as `[name, number]`, ending with the name of a built-in one."""
    chain: list[Any] = []
    for base in type.mro(kind)[:_MOST_PARTS]:
        if getattr(builtins, base.__name__, None) is base:
            return [*chain, base.__name__]
        if isinstance(base, type) and issubclass(base, BaseException):
            chain.append([base.__name__[:60], number_of(base)])
    return [*chain, "Exception"]


def described(
    error: BaseException, write: Callable[[Any], Any], number_of: Callable[[Any], int], *, with_cause: bool = True
) -> dict[str, Any]:
    """An exception as a message's parts, with the one that it was raised from.

    Arguments and attributes that have no plain value are left out.
    """
    try:
        text = str(error)[:LONGEST_TEXT]
    except BaseException:  # the code's own class may raise in its __str__
        text = ""
    fields = {}
    for name, value in list(getattr(error, "__dict__", {}).items())[:_MOST_PARTS]:
        if isinstance(name, str) and not name.startswith("__") and name != "args":
            try:
                fields[name] = write(value)
            except Exception:  # noqa: S112 (one attribute less, the exception itself still arrives)
                continue
    try:
        arguments = [write(value) for value in error.args[:_MOST_PARTS]]
    except Exception:
        arguments = [text]
    told = {"chain": chain_of(type(error), number_of), "args": arguments, "text": text, "fields": fields}
    cause = error.__cause__
    if with_cause and isinstance(cause, BaseException):
        told["cause"] = described(cause, write, number_of, with_cause=False)
    return told


class Classes:
    """The tests' side: one class for each exception class of the code, by its number."""

    def __init__(self) -> None:
        self._made: dict[int, type[BaseException]] = {}

    def find(self, chain: Sequence[Any]) -> type[BaseException]:
        """The class that a chain names."""
        *own, last = chain
        known = last if isinstance(last, str) else ""
        if own and last in ("Exception", "BaseException"):
            kind: type[BaseException] = Exception
        else:
            kind = _KINDS.get(known, SolutionError)
        for name, number in reversed(own[:_MOST_PARTS]):
            if int(number) not in self._made:
                self._made[int(number)] = type(str(name), (kind,), {"__str__": _text_of, "__module__": "solution"})
            kind = self._made[int(number)]
        return kind

    def make(self, chain: Sequence[Any], arguments: Sequence[Any], text: str, fields: dict[str, Any]) -> BaseException:
        """The exception itself, ready to be raised."""
        kind = self.find(chain)
        if chain and chain[-1] in _SILENT:
            return SolutionError(f"the code raised {chain[-1]} {text}".rstrip())
        try:
            made = kind(*arguments)
        except Exception:  # UnicodeDecodeError and its like want arguments of their own
            made = SolutionError(text)
        if isinstance(made, SystemExit):
            made.code = arguments[0] if arguments else None
        if len(chain) > 1:
            made._text = text  # type: ignore[attr-defined]
        for name, value in fields.items():
            try:
                setattr(made, name, value)
            except (AttributeError, TypeError):
                continue
        return made


def _text_of(error: BaseException) -> str:
    text = getattr(error, "_text", None)
    return text if isinstance(text, str) else Exception.__str__(error)


def from_callback(names: Sequence[Any], message: str) -> BaseException:
    """What a function of the tests raised, for the code that called it."""
    kind = next((found for name in names if isinstance(found := getattr(builtins, str(name), None), type)), None)
    if kind is not None and issubclass(kind, Exception):
        try:
            return kind(message)
        except TypeError:
            return RuntimeError(message)
    return RuntimeError(f"the test's function failed: {message}")
