"""Tables of text with a header: CSV, TSV, and what spreadsheets write (`sep=;`, blank rows, columns without a name)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, BinaryIO, Final

from local.conversion.fault import ConversionError
from local.conversion.notes import Notes
from tunedrop.dataset.bounds import MAX_LINE_BYTES
from tunedrop.dataset.show import shown

DELIMITERS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_LOOKED_AT: Final = 50
"""Rows by which the delimiter is told."""
_MARKDOWN: Final = re.compile(r"^ *\|.*\| *\r?\n *\|(?: *:?-+:? *\|)+ *\r?$", re.MULTILINE)
"""A header between bars, and below it a line of dashes, as Markdown has it."""
_DASHES: Final = re.compile(r"\|(?: *:?-+:? *\|)+")
_HEAD_CHARACTERS: Final = 256 * 1024


def table_rows(stream: BinaryIO, delimiter: str | None, notes: Notes) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield where each row begins (`line 3`), and the row; blank rows are left out and counted.

    Raises ConversionError where the text is no table, or a row has other columns than the header.
    """
    csv.field_size_limit(MAX_LINE_BYTES)
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    before = 0
    try:
        head = text.read(_HEAD_CHARACTERS)
        first, line_end, _ = head.partition("\n")
        said = first.strip('\r\n"')
        if said[:-1].lower() == "sep=":
            delimiter = delimiter or said[-1]
            before = 1
        text.seek(0)
        if before:
            text.readline()
            head = head[len(first) + len(line_end) :]
        delimiter = delimiter or _told(head)
        notes.read_as.append(f"a table with {DELIMITERS.get(delimiter, repr(delimiter))} between its columns")
        lines = _without_frame(text) if delimiter == "|" and _MARKDOWN.search(head) else text
        yield from _rows(csv.reader(lines, delimiter=delimiter, strict=True), before, notes)
    except UnicodeDecodeError as error:
        raise ConversionError(f"not readable as UTF-8: {error}") from None
    finally:
        text.detach()  # the stream is the caller's to close


def _rows(reader: Any, before: int, notes: Notes) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        none: list[str] = []
        header = next((row for row in reader if any(cell.strip() for cell in row)), none)
        if not header:
            raise ConversionError("the file is empty; expected a header and rows")
        width = len(header)
        while header and not header[-1].strip():
            header.pop()
        names = [name.strip() or f"column {place}" for place, name in enumerate(header, 1)]
        if not names or len(set(names)) < len(names):
            raise ConversionError(
                f"line {reader.line_num + before}: expected a header of different names, "
                f"got {', '.join(map(shown, header))}"
            )
        start = reader.line_num + before + 1
        for row in reader:
            place, start = f"line {start}", reader.line_num + before + 1
            if not any(cell.strip() for cell in row):
                notes.left_out["blank row"] += 1
                continue
            if any(cell.strip() for cell in row[len(names) :]) or len(row) < len(names):
                way = (
                    "the row ends too early"
                    if len(row) < len(names)
                    else "a value with the delimiter in it stands in double quotes"
                )
                raise ConversionError(
                    f"{place}: expected {len(names)} columns, as in the header, got {len(row)}; {way}"
                )
            yield place, dict(zip(names, row[: max(width, len(names))], strict=False))
    except csv.Error as error:
        raise ConversionError(
            f"line {reader.line_num + before}: not readable as CSV: {error}; close every quote"
        ) from None


def _without_frame(lines: Iterable[str]) -> Iterator[str]:
    """The lines of a Markdown table, without the bars and spaces around its cells; its line of dashes is blank."""
    for line in lines:
        inner = line.strip()
        cells = "" if _DASHES.fullmatch(inner) else inner.removeprefix("|").removesuffix("|")
        yield "|".join(cell.strip() for cell in cells.split("|")) + "\n"


def _told(head: str) -> str:
    """The delimiter that parts the header and the first rows into as many columns; a comma where none does."""
    best, most = ",", (False, 1)
    for delimiter in DELIMITERS:
        widths = _widths(head, delimiter)
        if widths and widths[0] > 1:
            agrees = len(set(widths)) == 1
            if (agrees, widths[0]) > most:
                best, most = delimiter, (agrees, widths[0])
    return best


def _widths(head: str, delimiter: str) -> Sequence[int]:
    """Columns of the header and of the first whole rows that are not blank."""
    lines = head.splitlines(keepends=True)
    if len(head) == _HEAD_CHARACTERS:
        lines = lines[:-1]  # it may be half a line
    found: list[int] = []
    try:
        for row in islice(csv.reader(lines, delimiter=delimiter), _LOOKED_AT):
            if any(cell.strip() for cell in row):
                found.append(len(row))
    except csv.Error:
        return found
    return found
