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
_BAR: Final = re.compile(r"(?<!\\)\|")
_BACKSLASHED_QUOTE: Final = re.compile(r'(?<!\\)\\"')
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
        if "\0" in head:
            line = head[: head.index("\0")].count("\n") + before + 1
            raise ConversionError(
                f"line {line}: a NUL byte, so the file is no text, or in an encoding to be named, as in "
                "--encoding utf-16-le"
            )
        delimiter = delimiter or ("|" if _MARKDOWN.search(head) else _told(head))
        notes.read_as.append(f"a table with {DELIMITERS.get(delimiter, repr(delimiter))} between its columns")
        lines: Iterable[str] = text
        options: dict[str, Any] = {}
        frame = _MARKDOWN.search(head) if delimiter == "|" else None
        if frame is not None:
            for _ in range(head.count("\n", 0, frame.start())):
                before += 1
                notes.left_out["line above the table"] += bool(text.readline().strip())
            lines = _without_frame(text)
        else:
            options, way = _quoting(head, delimiter)
            if way:
                notes.read_as.append(way)
            if way == _BACKSLASHES:
                lines = (_BACKSLASHED_QUOTE.sub('""', line) for line in text)
        yield from _rows(csv.reader(lines, delimiter=delimiter, strict=True, **options), before, notes)
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
        notes.header = tuple(names)
        start = reader.line_num + before + 1
        for row in reader:
            place, start = f"line {start}", reader.line_num + before + 1
            if not any(cell.strip() for cell in row):
                notes.left_out["blank row"] += 1
                continue
            if any(cell.strip() for cell in row[len(names) :]) or len(row) < len(names):
                way = "a value with the delimiter in it stands in double quotes"
                if len(row) < len(names):
                    way = "the row ends too early"
                elif len(names) == 1:
                    way = f"the header is the first line that is not blank, {shown(names[0])}: take lines above it out"
                raise ConversionError(
                    f"{place}: expected {len(names)} column{'s' * (len(names) != 1)}, as in the header, "
                    f"got {len(row)}; {way}"
                )
            yield place, dict(zip(names, row[: max(width, len(names))], strict=False))
    except csv.Error as error:
        raise ConversionError(
            f"line {reader.line_num + before}: not readable as CSV: {error}; close every quote, and write "
            "a quote within a value twice"
        ) from None


def _without_frame(lines: Iterable[str]) -> Iterator[str]:
    """The lines of a Markdown table, without the bars and spaces around its cells; its line of dashes is blank."""
    for line in lines:
        inner = line.strip()
        cells = "" if _DASHES.fullmatch(inner) else inner.removeprefix("|").removesuffix("|")
        texts = (cell.strip().replace("\\|", "|").replace('"', '""') for cell in _BAR.split(cells))
        yield "|".join(f'"{text}"' for text in texts) + "\n"


_BACKSLASHES: Final = "with a backslash before the quotes within a value"


def _quoting(head: str, delimiter: str) -> tuple[dict[str, Any], str]:
    """How the csv module reads the table's quotes, and what is said of it; ({}, ""): as CSV has them."""
    rows = _strictly(head, delimiter)
    if rows is None:
        if _strictly(_BACKSLASHED_QUOTE.sub('""', head), delimiter) is not None:
            return {}, _BACKSLASHES
        unquoted = _strictly(head, delimiter, quoting=csv.QUOTE_NONE) if delimiter == "\t" else None
        if unquoted and len({len(row) for row in unquoted if any(cell.strip() for cell in row)}) == 1:
            return {"quoting": csv.QUOTE_NONE}, "with quotes as signs of the text"
        return {}, ""
    if any(cell.startswith(" ") and cell.lstrip(" ").startswith('"') for row in rows for cell in row):
        spaced = _strictly(head, delimiter, skipinitialspace=True)
        if spaced is not None and len({len(row) for row in spaced if any(cell.strip() for cell in row)}) == 1:
            return {"skipinitialspace": True}, "with spaces before its quotes"
    return {}, ""


def _strictly(head: str, delimiter: str, **options: Any) -> list[list[str]] | None:
    """The first rows; None where they are not readable."""
    found: list[list[str]] = []
    try:
        found += csv.reader(head.splitlines(keepends=True), delimiter=delimiter, strict=True, **options)
    except csv.Error as error:
        if len(head) < _HEAD_CHARACTERS or "end of data" not in str(error):
            return None
    return found


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
