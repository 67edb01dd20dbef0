"""Objects of the generated code as the tests see them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from tunedrop.graders.code_sandbox.exceptions import SolutionError

_CLASSES = ("type", "EnumType", "ABCMeta")


class Asks(Protocol):
    """Whoever asks the process that holds the code."""

    def ask(self, what: str, *arguments: Any, **named: Any) -> Any:
        """The value that comes back; what the code raised is raised."""
        ...


class Remote:
    """An object of the generated code: it can be used, but it is never asked whether it equals something.

    An `__eq__` that is always true must not pass a test. Two of them are equal where they are one object, or where
    the tests made one of them, as in `Point(1, 2)`, both are of one class with the same attributes, and the arguments
    are among the attributes. An object that a function returns has no
    operators and no `in`, or its `__sub__` and `__contains__` would decide; one that the tests made from a class of
    the code has them, for its methods are what is tested.
    """

    __slots__ = ("_class_like", "_kind", "_made_with", "_named", "_number", "_shared", "_solution")

    def __init__(self, solution: Asks, number: int, kind: str) -> None:
        object.__setattr__(self, "_solution", solution)
        object.__setattr__(self, "_number", number)
        object.__setattr__(self, "_kind", kind)
        object.__setattr__(self, "_class_like", kind in _CLASSES)
        object.__setattr__(self, "_made_with", None)
        object.__setattr__(self, "_named", None)
        object.__setattr__(self, "_shared", False)

    def __call__(self, *positional: Any, **named: Any) -> Any:
        result = _ask("call", self, *positional, **named)
        if type(result) is Remote and _is_class(self):
            _note_origin(result, "_made_with", [*positional, *named.values()])
        return result

    def __getattr__(self, name: str) -> Any:
        if name == "__name__":
            return _ask("get", self, name)
        if name.startswith("__"):
            raise AttributeError(name)
        result = _ask("get", self, name)
        if type(result) is Remote and _is_class(self):
            _note_origin(result, "_named", name)
        return result

    def __setattr__(self, name: str, value: Any) -> None:
        _ask("set", self, name, value)

    def __getitem__(self, key: Any) -> Any:
        result = _ask("item", self, key)
        if type(result) is Remote and _is_class(self):  # an enumeration's member
            _note_origin(result, "_named", key)
        return result

    def __setitem__(self, key: Any, value: Any) -> None:
        _ask("put", self, key, value)

    def __delitem__(self, key: Any) -> None:
        _ask("del", self, key)

    def __len__(self) -> int:
        return int(_ask("len", self))

    def __bool__(self) -> bool:
        return _ask("bool", self) is True

    def __iter__(self) -> Iterator[Any]:
        return _counted(self, _ask("iter", self))

    def __next__(self) -> Any:
        return _ask("next", self)

    def __str__(self) -> str:
        return str(_ask("str", self))

    def __repr__(self) -> str:
        return str(_ask("repr", self))

    def __enter__(self) -> Any:
        return _ask("enter", self)

    def __exit__(self, *_: object) -> None:
        _ask("exit", self)

    def __instancecheck__(self, value: Any) -> bool:
        return type(value) is Remote and _ask("isinstance", value, self) is True

    def __subclasscheck__(self, value: Any) -> bool:
        return type(value) is Remote and _ask("issubclass", value, self) is True

    def __contains__(self, value: Any) -> bool:
        if _part(self, "_made_with") is None:
            raise TypeError("`in` does not work on an object of the code; make a list of it first, with `list(…)`")
        return _ask("contains", self, value) is True

    def __eq__(self, other: object) -> bool:
        if type(other) is not Remote:
            return False
        if _part(self, "_shared") or _part(other, "_shared"):
            return False
        return _part(self, "_number") == _part(other, "_number") or _alike(self, other)

    def __hash__(self) -> int:
        return hash(_part(self, "_kind"))


def _part(remote: Remote, name: str) -> Any:
    return object.__getattribute__(remote, name)


def _is_class(remote: Remote) -> bool:
    return bool(_part(remote, "_class_like"))


def take_for_class(remote: Remote) -> None:
    """What it makes is an object that the tests made, whatever the code says that it is: the tests name it so."""
    object.__setattr__(remote, "_class_like", True)


def _note_origin(remote: Remote, route: str, value: Any) -> None:
    """Remember how the tests got an object from a class: what they made it with, or its name (`Color.RED`).

    One object for two different requests equals nothing any more.
    """
    before = _part(remote, route)
    if before is not None and before != value:
        object.__setattr__(remote, "_shared", True)
    object.__setattr__(remote, route, value)


def _alike(one: Remote, other: Remote) -> bool:
    mine, theirs = _ask("facts", one), _ask("facts", other)
    if not mine or mine != theirs:
        return False
    values = list(mine.values())
    if _part(one, "_made_with") is None and _part(other, "_made_with") is None:
        return False
    wanted = [*(_part(one, "_made_with") or ()), *(_part(other, "_made_with") or ())]
    return all(value in values for value in wanted)


def _counted(remote: Remote, iterator: Any) -> Iterator[Any]:
    """The items; an object that tells another length than it has items contradicts itself, and raises."""
    try:
        length: int | None = len(remote)
    except Exception:
        length = None
    count = 0
    while True:
        try:
            item = _ask("next", iterator)
        except StopIteration:
            break
        yield item
        count += 1
    if length is not None and length != count:
        raise SolutionError(f"an object of the code says that it has {length} items, and gives {count}")


def _ask(what: str, target: Remote, *arguments: Any, **named: Any) -> Any:
    solution: Asks = object.__getattribute__(target, "_solution")
    return solution.ask(what, target, *arguments, **named)


def _with_operator(name: str) -> Callable[[Remote, Any], Any]:
    def apply(self: Remote, other: Any) -> Any:
        if _part(self, "_made_with") is None:
            return NotImplemented
        result = _ask("operator", self, name, other)
        if type(result) is Remote and _part(result, "_made_with") is None:
            object.__setattr__(result, "_made_with", [])  # its class is the one that the tests made the operand from
        return result

    return apply


OPERATORS = {
    **{name: getattr(operator, name) for name in ("lt", "le", "gt", "ge")},
    **{name: getattr(operator, name) for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul")},
    **{name: getattr(operator, name) for name in ("and_", "or_", "xor", "lshift", "rshift")},
}
"""What an object may be combined by, by the names in the module `operator`."""
for _name in OPERATORS:
    setattr(Remote, f"__{_name.rstrip('_')}__", _with_operator(_name))
