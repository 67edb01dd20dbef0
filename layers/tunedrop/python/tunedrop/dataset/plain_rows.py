"""The quick way: a block of plain rows, read and checked at once by columns instead of row by row.

A plain row is one user message with text, a text to compare with, and other fields of single values. Whatever is not
plain is refused, so the quick way finds no fault and never has to say one; the careful way does, and is the rule.

The block is read by one call of the parser as an array: each line break becomes `,R,` with a random number R that no
file can know. When the array has all of these R, one in every second place, each line is one JSON value: a line break
within a value or a text would take an R away, a line of two values or of none would move one.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping
from operator import itemgetter
from typing import Any, Final, NamedTuple

import orjson

from tunedrop.dataset.fields import Shape

_SINGLE_VALUES: Final = frozenset({str, int, float, bool, type(None)})
_KEYS_OF_MESSAGE: Final = 2
SHORTEST_PLAIN_ROW: Final = len('{"messages":[{"role":"user","content":"?"}],"reference_answer":"!"}')
"""Bytes; among lines that are shorter on average, looking for plain rows costs more than it saves."""


class Columns(NamedTuple):
    """What a block's rows say, a list of each with one entry a line."""

    rows: list[dict[str, Any]]
    prompts: list[str]
    answers: list[str]
    ids: list[str] | None
    shapes: list[tuple[Shape, int]]
    """Each shape that occurs, and in how many rows."""


class PlainRows:
    """Reads blocks of rows of shapes that the careful way has met before."""

    def __init__(self, shapes: Mapping[tuple[str, ...], Shape]) -> None:
        self._shapes = shapes
        self._break = secrets.randbits(63)
        self._separator = b",%d," % self._break

    def read(self, data: bytes) -> Columns | None:
        """The rows of a block of whole lines, joined by line feeds; None where one of them is not plain.

        The caller makes sure that no line has a key twice: the parser does not tell.
        """
        joined = data.replace(b"\n", self._separator)
        breaks = (len(joined) - len(data)) // (len(self._separator) - 1)
        try:
            values = orjson.loads(b"".join((b"[", joined, b"]")))
        except orjson.JSONDecodeError:
            return None
        if len(values) != 2 * breaks + 1 or values[1::2].count(self._break) != breaks:
            return None
        rows = values[::2]
        try:
            return self._columns(rows)
        except (KeyError, TypeError, ValueError):  # a key is missing, or something is of another type
            return None

    def _columns(self, rows: list[Any]) -> Columns | None:
        if set(map(type, rows)) != {dict}:
            return None
        shapes = [(keys, self._shapes[keys], count) for keys, count in Counter(map(tuple, rows)).items()]
        messages = _sole_messages(rows)
        if messages is None:
            return None
        prompts = [message["content"] for message in messages]
        answers = [row["reference_answer"] for row in rows]
        ids = [row["id"] for row in rows] if any(shape.has_id for _, shape, _ in shapes) else None
        if not all(_say_something(texts) for texts in (prompts, answers, ids) if texts is not None):
            return None
        for key in {key for _, shape, _ in shapes for key in shape.extra}:
            if not {type(row.get(key)) for row in rows} <= _SINGLE_VALUES:
                return None
        return Columns(rows, prompts, answers, ids, [(shape, count) for _, shape, count in shapes])


def _sole_messages(rows: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
    """Each row's one message, which is the user's; None where a row has others."""
    if set(map(len, map(itemgetter("messages"), rows))) != {1}:
        return None
    messages = [message for row in rows for message in row["messages"]]
    plain = (
        set(map(type, messages)) == {dict}
        and set(map(len, messages)) == {_KEYS_OF_MESSAGE}
        and {message["role"] for message in messages} == {"user"}
    )
    return messages if plain else None


def _say_something(texts: list[Any]) -> bool:
    """Whether all are texts, none of them blank."""
    return set(map(type, texts)) == {str} and all(texts) and not any(map(str.isspace, texts))
