"""The quickest way: a block of rows of one shape, read and checked at once by columns instead of row by row.

A plain row is one user message with text, a text to compare with, and other fields of single values. Whatever is not
plain is refused, so this way finds no fault and never has to say one; the careful way does, and is the rule.

The parser (msgspec) knows the fields and their types and refuses a row that has others. A block is read by one call, as
rows that each end with a line break or with the block. A line break may also stand within a row, or alone; where the
scan of the block did not tell, the rows are counted: if there are fewer than lines, the block is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, Literal

from tunedrop.dataset.row_format import SYSTEM_FIELDS

if TYPE_CHECKING:
    import msgspec

_MESSAGES: Final = "messages"
_ANSWER: Final = "reference_answer"
_ID: Final = "id"
SHORTEST_PLAIN_ROW: Final = len('{"messages":[{"role":"user","content":"?"}],"reference_answer":"!"}')
"""Bytes; among lines that are shorter on average, looking for plain rows costs more than it saves."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What a block's rows say, a list of each with one entry a line."""

    prompts: list[str]
    answers: list[str]
    ids: list[str] | None
    rows: list[Any]
    fields: tuple[str, ...]
    """The fields of each row but its messages; in `rows` they are the attributes f1, f2, …, in this order."""

    def for_the_grader(self) -> Iterator[dict[str, Any]]:
        """Each row's fields but its messages and its answer."""
        places = {key: f"f{place}" for place, key in enumerate(self.fields, 1) if key != _ANSWER}
        if not places:
            yield from ({} for _ in self.rows)
        elif len(places) == 1:
            ((key, place),) = places.items()
            yield from ({key: value} for value in map(attrgetter(place), self.rows))
        else:
            for values in map(attrgetter(*places.values()), self.rows):
                yield dict(zip(places, values, strict=True))


class PlainRows:
    """Reads blocks of rows of a shape that the other ways have met before."""

    def __init__(self) -> None:
        self._readers: dict[tuple[str, ...], Callable[[bytes, bool], Columns | None] | None] = {}

    def read(self, data: bytes, keys: tuple[str, ...], *, row_a_line: bool) -> Columns | None:
        """The rows of a block of whole lines, joined by line feeds; None where one is not plain or has other `keys`.

        The caller makes sure that no line has a key twice, nor a number beyond a double: the parser does not tell.
        `row_a_line`: the caller knows that each line break stands between two rows.
        """
        if keys not in self._readers:
            self._readers[keys] = _reader(keys)
        reader = self._readers[keys]
        return None if reader is None else reader(data, row_a_line)


def _reader(keys: tuple[str, ...]) -> Callable[[bytes, bool], Columns | None] | None:
    """Reads lines that are rows with exactly these keys; None where rows with them are not plain."""
    import msgspec

    if _MESSAGES not in keys or _ANSWER not in keys or not SYSTEM_FIELDS.isdisjoint(keys):
        return None

    fields = tuple(key for key in keys if key != _MESSAGES)
    decoder = _decoder(fields)
    answers_of = attrgetter(f"f{fields.index(_ANSWER) + 1}")
    ids_of = attrgetter(f"f{fields.index(_ID) + 1}") if _ID in fields else None

    def read(data: bytes, row_a_line: bool) -> Columns | None:
        try:
            rows = decoder.decode_lines(data)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None
        if not rows or not (row_a_line or _has_lines(data, len(rows))):
            return None
        prompts = [row.f0[0].content for row in rows]
        answers = list(map(answers_of, rows))
        ids = None if ids_of is None else list(map(ids_of, rows))
        if not all(_say_something(texts) for texts in (prompts, answers, ids) if texts is not None):
            return None
        return Columns(prompts, answers, ids, rows, fields)

    return read


def _decoder(fields: tuple[str, ...]) -> msgspec.json.Decoder[Any]:
    import msgspec

    message = msgspec.defstruct(
        "Message", [("role", Literal["user"]), ("content", str)], forbid_unknown_fields=True, gc=False
    )
    texts = (_ANSWER, _ID)
    types: list[tuple[str, Any]] = [("f0", tuple[message])]  # type: ignore[valid-type]  # it is made here
    types += [
        (f"f{place}", str if key in texts else str | int | float | bool | None) for place, key in enumerate(fields, 1)
    ]
    names = {"f0": _MESSAGES, **{f"f{place}": key for place, key in enumerate(fields, 1)}}
    row = msgspec.defstruct("Row", types, rename=names, forbid_unknown_fields=True, gc=False)
    return msgspec.json.Decoder(row)


def _has_lines(data: bytes, count: int) -> bool:
    """Whether `data` has so many lines. Of long lines, looking for each end is several times as fast as counting."""
    find, end = data.find, -1
    for _ in range(count - 1):
        if (end := find(b"\n", end + 1)) < 0:
            return False
    return find(b"\n", end + 1) < 0


def _say_something(texts: list[str]) -> bool:
    """Whether none of the texts is blank."""
    return all(texts) and not any(map(str.isspace, texts))
