"""What the pass over a block's bytes marked: secrets become findings, other marks say how a line is to be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import orjson

from tunedrop.dataset.findings import Findings
from tunedrop.dataset.secrets import SECRETS, Mark, Scan, fields_with

_SECRET_WORDS: Final = {
    Mark.KEY: "an access key or private key",
    Mark.EMAIL: "an e-mail address",
    Mark.PHONE: "a phone number",
    Mark.CARD: "a payment card's number",
}


@dataclass(frozen=True, slots=True)
class MarkedLines:
    """The lines of a block that cannot be read in the quickest way."""

    unusual: frozenset[int] = frozenset()
    """Only the careful way tells what they hold."""
    twice: frozenset[int] = frozenset()
    """They may have a key twice."""

    def __bool__(self) -> bool:
        return bool(self.unusual or self.twice)

    def within(self, first: int, count: int) -> bool:
        """Whether one of `count` lines from `first` is marked."""
        lines = range(first, first + count)
        return not (self.unusual.isdisjoint(lines) and self.twice.isdisjoint(lines))


NONE_MARKED: Final = MarkedLines()


class Marks:
    """Takes the marks of one file's blocks."""

    def __init__(self, findings: Findings, file: str) -> None:
        self._findings = findings
        self._file = file

    def note(self, first_line: int, data: bytes, marks: list[tuple[int, Mark]], scan: Scan) -> MarkedLines:
        """Note secrets, by kind and line; the lines that have other marks."""
        if not marks:
            return NONE_MARKED
        lines = data.split(b"\n")
        others: dict[Mark, set[int]] = {Mark.UNUSUAL: set(), Mark.TWICE: set()}
        found: dict[tuple[int, Mark], int] = {}
        line, counted_to = first_line, 0
        for offset, mark in marks:
            line += data.count(b"\n", counted_to, offset)
            counted_to = offset
            if mark in SECRETS:
                found[line, mark] = found.get((line, mark), 0) + 1
            else:
                others[mark].add(line)
        for line in others[Mark.UNUSUAL]:
            # ASCII written as escapes hides from the scan: look at what the text says, once more.
            for _, mark in scan.marks(_unescaped(lines[line - first_line])):
                if mark in SECRETS:
                    found.setdefault((line, mark), 1)
        for (line, mark), times in sorted(found.items()):
            self._note_secret(line, mark, times, lines[line - first_line])
        return MarkedLines(frozenset(others[Mark.UNUSUAL]), frozenset(others[Mark.TWICE]))

    def _note_secret(self, line: int, mark: Mark, times: int, raw: bytes) -> None:
        says = f"{times} times {_SECRET_WORDS[mark]}" if times > 1 else _SECRET_WORDS[mark]
        field = ""
        if not self._findings.full(mark.value, self._file):
            field = next(fields_with(_row_or_none(raw), mark), "")
        self._findings.add(mark.value, self._file, line, says, field=field, got="(not shown)")


def _unescaped(line: bytes) -> bytes:
    """A line as JSON without needless escapes; nothing where it has none, or is no row that can be written."""
    row = _row_or_none(line) if b"\\u00" in line else None
    try:
        return b"" if row is None else orjson.dumps(row)
    except orjson.JSONEncodeError:  # nested deeper than any row may be
        return b""


def _row_or_none(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
