"""Values between the process that runs the tests and the process that runs generated code.

What generated code returns is rebuilt here from plain JSON as exact built-in types, so an object that claims to equal
everything, hides its class or runs code when it is unpickled arrives as what it is: a plain value, or a reference
(`References`) that equals nothing but itself. The wire is a frame of four bytes of length (big-endian) and JSON; what
JSON cannot say is a tagged array: `["t", 1, 2]` is the tuple (1, 2).
"""

from __future__ import annotations

import json
import os
import struct
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePath
from typing import Any, Protocol
from uuid import UUID

from tunedrop.graders.code_sandbox import library

LONGEST_FRAME = 16 * 1024 * 1024
"""Bytes of one message: what a test may pass or a function may return."""
DEEPEST = 100
"""How deep a value may nest; Python's own recursion limit (1,000) stays far away."""
_LENGTH = struct.Struct(">I")
_JSON_INTEGERS = 2**63
_NAMED_TYPES: dict[str, type] = {
    kind.__name__: kind
    for kind in (bool, int, float, complex, str, bytes, list, tuple, set, frozenset, dict, type(None), object)
}


class WireError(Exception):
    """The other process sent something that is no message, or a value is too large or nests too deeply to be sent."""


class References(Protocol):
    """How a process names what has no plain value, and finds what the other one names."""

    def tag(self, value: Any) -> list[Any]:
        """A tagged array that names this object; raises WireError where it cannot be referred to."""
        ...

    def find(self, tagged: list[Any]) -> Any:
        """What a tagged array of no plain type names; raises WireError where it names nothing."""
        ...


def encode(value: Any, references: References, depth: int = 0) -> Any:
    """A value as JSON. Subclasses of built-in types are sent as the built-in that they are."""
    if value is None or value is True or value is False:
        return value
    if depth > DEEPEST:
        raise WireError(f"a value nests deeper than {DEEPEST}")
    for kind, write in _WRITERS:
        if isinstance(value, kind):
            return write(value, references, depth + 1)
    if isinstance(value, type) and _NAMED_TYPES.get(value.__name__) is value:
        return ["T", value.__name__]
    return references.tag(value)


def _items(tag: str) -> Callable[[Any, References, int], Any]:
    return lambda value, references, depth: [tag, *(encode(item, references, depth) for item in value)]


def _integer(value: int, *_: Any) -> Any:
    value = int(value)
    return value if -_JSON_INTEGERS < value < _JSON_INTEGERS else ["i", hex(value)]


def _real(value: float, *_: Any) -> Any:
    value = float(value)
    return value if value - value == 0.0 else ["f", repr(value)]


def _mapping(value: dict[Any, Any], references: References, depth: int) -> Any:
    flat: list[Any] = library.head_of_mapping(value, _NAMED_TYPES)
    for key, item in dict.items(value):
        flat += (encode(key, references, depth), encode(item, references, depth))
    return flat


def _tuple(value: tuple[Any, ...], references: References, depth: int) -> Any:
    items = [encode(item, references, depth) for item in tuple.__iter__(value)]
    names = library.field_names(value)
    return ["t", *items] if names is None else ["n", type(value).__name__, names, *items]


def _moment(tag: str) -> Callable[[Any, References, int], Any]:
    def write(value: datetime | time, references: References, _: int) -> Any:
        zone = library.zone_of(value)
        return references.tag(value) if zone is False else [tag, value.isoformat(), value.fold, zone]

    return write


# In this order: a bool is an int, a datetime is a date, a named tuple is a tuple.
_WRITERS: tuple[tuple[type, Callable[[Any, References, int], Any]], ...] = (
    (str, lambda value, *_: str.__str__(value)),
    (int, _integer),
    (float, _real),
    (list, _items("l")),
    (tuple, _tuple),
    (dict, _mapping),
    (set, _items("s")),
    (frozenset, _items("z")),
    (deque, _items("q")),
    (bytes, lambda value, *_: ["y", bytes(value).hex()]),
    (bytearray, lambda value, *_: ["Y", bytes(value).hex()]),
    (complex, lambda value, *_: ["c", _real(value.real), _real(value.imag)]),
    (range, lambda value, *_: ["r", value.start, value.stop, value.step]),
    (Fraction, lambda value, *_: ["F", hex(value.numerator), hex(value.denominator)]),
    (Decimal, lambda value, *_: ["D", str(value)]),
    (datetime, _moment("dt")),
    (time, _moment("ti")),
    (date, lambda value, *_: ["da", value.year, value.month, value.day]),
    (timedelta, lambda value, *_: ["td", value.days, value.seconds, value.microseconds]),
    (PurePath, lambda value, *_: ["P", type(value).__name__, str(value)]),
    (UUID, lambda value, *_: ["U", value.hex]),
    (type({}.keys()), _items("dk")),
    (type({}.items()), _items("di")),
    (type(...), lambda *_: ["..."]),
)


def decode(node: Any, references: References, depth: int = 0) -> Any:
    """The value that a piece of JSON stands for. Raises WireError for whatever `encode` would not have written."""
    if not isinstance(node, (list, dict)):
        return node
    if depth > DEEPEST:
        raise WireError(f"a value nests deeper than {DEEPEST}")
    if not isinstance(node, list) or not node or not isinstance(node[0], str):
        raise WireError("not a value")
    tag, rest = node[0], node[1:]
    if tag in _CONTAINERS:
        try:
            return _CONTAINERS[tag]([decode(item, references, depth + 1) for item in rest])
        except (TypeError, ValueError) as error:  # an unhashable member of a set
            raise WireError(str(error)) from None
    if tag in _MAPPINGS or tag == "dd":
        return _read_mapping(tag, rest, references, depth)
    if tag == "n":
        try:
            return library.named_tuple(rest[0], rest[1])(*(decode(item, references, depth + 1) for item in rest[2:]))
        except (IndexError, TypeError, ValueError) as error:
            raise WireError(f"not a named tuple: {error}") from None
    reader = _SCALARS.get(tag)
    if reader is None:
        return references.find(node)
    try:
        return reader(*rest)
    except (ArithmeticError, KeyError, TypeError, ValueError) as error:
        raise WireError(f"not a value of tag {tag}: {type(error).__name__}") from None


def _read_mapping(tag: str, rest: list[Any], references: References, depth: int) -> Any:
    try:
        made: dict[Any, Any]
        if tag == "dd":
            name, *rest = rest
            made = defaultdict(None if name is None else _NAMED_TYPES[name])
        else:
            made = _MAPPINGS[tag]()
        if len(rest) % 2:
            raise WireError("a mapping with a key and no value")
        parts = [decode(item, references, depth + 1) for item in rest]
        made.update(dict(zip(parts[::2], parts[1::2], strict=True)))
    except (KeyError, TypeError, ValueError) as error:
        raise WireError(str(error)) from None
    return made


def _finite(value: Any) -> float:
    return float(value[1]) if isinstance(value, list) else float(value)


_CONTAINERS: dict[str, Callable[[list[Any]], Any]] = {
    "l": list,
    "t": tuple,
    "s": set,
    "z": frozenset,
    "q": deque,
    "dk": lambda items: dict.fromkeys(items).keys(),
    "di": lambda items: dict(items).items(),
}
_MAPPINGS: dict[str, Callable[[], dict[Any, Any]]] = {"d": dict, "ct": Counter, "od": OrderedDict}
_SCALARS: dict[str, Callable[..., Any]] = {
    "i": lambda text: int(text, 16),
    "f": float,
    "y": bytes.fromhex,
    "Y": bytearray.fromhex,
    "c": lambda real, imaginary: complex(_finite(real), _finite(imaginary)),
    "r": range,
    "F": lambda above, below: Fraction(int(above, 16), int(below, 16)),
    "D": Decimal,
    "dt": lambda text, fold, zone: library.read_moment(datetime.fromisoformat(text), fold, zone),
    "ti": lambda text, fold, zone: library.read_moment(time.fromisoformat(text), fold, zone),
    "da": date,
    "td": timedelta,
    "T": _NAMED_TYPES.__getitem__,
    "P": library.read_path,
    "U": lambda text: UUID(hex=text),
    "...": lambda: ...,
}


class Line:
    """One end of a pair of pipes that carries frames."""

    def __init__(self, reading: int, writing: int) -> None:
        self._reading = reading
        self._writing = writing

    def send(self, message: Any) -> None:
        """Write one frame. Raises WireError where the message is too long or the other end is gone."""
        body = json.dumps(message, separators=(",", ":")).encode()
        if len(body) > LONGEST_FRAME:
            raise WireError(f"a message of {len(body):,} bytes, more than {LONGEST_FRAME:,}")
        rest = memoryview(_LENGTH.pack(len(body)) + body)
        try:
            while rest:
                rest = rest[os.write(self._writing, rest) :]
        except OSError as error:
            raise WireError(f"the line is closed: {error.strerror}") from None

    def receive(self) -> Any:
        """Read one frame. Raises WireError at the end of the line and for what is no frame."""
        (length,) = _LENGTH.unpack(self._read(_LENGTH.size))
        if length > LONGEST_FRAME:
            raise WireError(f"a message of {length:,} bytes, more than {LONGEST_FRAME:,}")
        try:
            return json.loads(self._read(length))
        except (ValueError, RecursionError):
            raise WireError("a message that is not JSON") from None

    def _read(self, length: int) -> bytes:
        parts = bytearray()
        while len(parts) < length:
            part = os.read(self._reading, min(length - len(parts), 1 << 20))
            if not part:
                raise WireError("the other process has ended")
            parts += part
        return bytes(parts)
