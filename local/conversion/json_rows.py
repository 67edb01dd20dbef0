"""Rows of JSON: one object a line, or one document with all rows in it (an array, or an object with an array)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from local.conversion.fault import ConversionError
from local.conversion.notes import Notes
from tunedrop.dataset.json_line import Fault, Reading, read_line
from tunedrop.dataset.lines import Lines, Overlong
from tunedrop.dataset.rules import MAX_LINE_BYTES
from tunedrop.dataset.show import shown

MAX_DOCUMENT_BYTES: Final = 512 * 1024 * 1024
"""One document is read whole; a larger one is better written one row a line."""
_WRAPPERS: Final = ("data", "rows", "examples", "records", "items", "train", "dataset", "instances", "questions")
_ONE_A_LINE: Final = "write one row a line: jq -c '.[]' FILE > rows.jsonl"


def json_rows(stream: BinaryIO, notes: Notes) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield where each row stands (`line 3`, or `row 3` of a document), and the row."""
    first, second = _first_lines(stream)
    stream.seek(0)
    if first.startswith(b"[") or not _is_object(first):
        document = stream.read(MAX_DOCUMENT_BYTES + 1)
        if not first.startswith(b"[") and second.startswith(b"{"):
            stream.seek(0)
            yield from _lines(stream, notes)  # says what is wrong with the first line
            return
        yield from _document(document, notes)
        return
    if not second:
        wrapped = _wrapped(read_line(first).value)
        if wrapped is not None:
            name, rows = wrapped
            notes.read_as.append(f"one JSON document with the array `{name}`")
            yield from _of_array(rows)
            return
    yield from _lines(stream, notes)


def _first_lines(stream: BinaryIO) -> tuple[bytes, bytes]:
    """The first two lines that are not blank, without a byte order mark and white space around them."""
    found: list[bytes] = []
    while len(found) < 2:
        line = stream.readline(MAX_LINE_BYTES + 1)
        if not line:
            break
        stripped = line.removeprefix(b"\xef\xbb\xbf").strip()
        if stripped:
            found.append(stripped)
    return (*found, b"", b"")[0], (*found, b"", b"")[1]


def _is_object(line: bytes) -> bool:
    if len(line) > MAX_LINE_BYTES:
        return True  # `_lines` says that it is too long
    return isinstance(read_line(line).value, dict)


def _lines(stream: BinaryIO, notes: Notes) -> Iterator[tuple[str, dict[str, Any]]]:
    notes.read_as.append("JSON Lines")
    line = 0
    for part in Lines(stream):
        if isinstance(part, Overlong):
            raise ConversionError(
                f"line {line + 1}: the line is {part.length:,} bytes long, at most {MAX_LINE_BYTES:,}"
            )
        for raw in part.split(b"\n"):
            line += 1
            if not raw.strip():
                notes.left_out["blank line"] += 1
                continue
            value = _value(read_line(raw), f"line {line}")
            if not isinstance(value, dict):
                raise ConversionError(f"line {line}: expected an object, got {shown(value)}")
            yield f"line {line}", value


def _value(reading: Reading, place: str) -> Any:
    faults: list[Fault] = [fault for fault in reading.faults if not reading.accepted or fault.rule == "duplicate-key"]
    if faults:
        hint = f" {faults[0].hint}" if faults[0].hint else ""
        raise ConversionError(f"{place}: {faults[0].message}.{hint}".rstrip("."))
    return reading.value


def _document(document: bytes, notes: Notes) -> Iterator[tuple[str, dict[str, Any]]]:
    if len(document) > MAX_DOCUMENT_BYTES:
        raise ConversionError(f"one JSON document of more than {MAX_DOCUMENT_BYTES:,} bytes; {_ONE_A_LINE}")
    value = _value(read_line(document.removeprefix(b"\xef\xbb\xbf")), "the JSON document")
    if isinstance(value, list):
        notes.read_as.append("one JSON array")
        yield from _of_array(value)
        return
    wrapped = _wrapped(value)
    if wrapped is not None:
        notes.read_as.append(f"one JSON document with the array `{wrapped[0]}`")
        yield from _of_array(wrapped[1])
    elif isinstance(value, dict) and value and all(isinstance(each, (dict, list)) for each in value.values()):
        raise ConversionError(
            f"one JSON document by columns ({', '.join(map(shown, list(value)[:8]))}), expected rows; "
            "write it by DataFrame.to_json(..., orient='records', lines=True)"
        )
    elif isinstance(value, dict):
        notes.read_as.append("one JSON object")
        yield "row 1", value
    else:
        raise ConversionError(f"expected rows, got one JSON document that is {shown(value)}")


def _wrapped(value: Any) -> tuple[str, list[Any]] | None:
    """The name and rows of an object's one array of objects, where the object is no row itself."""
    if not isinstance(value, dict):
        return None
    for name in _WRAPPERS:
        rows = value.get(name)
        if isinstance(rows, list) and rows and all(isinstance(row, dict) for row in rows):
            return name, rows
    return None


def _of_array(rows: list[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, row in enumerate(rows, 1):
        if isinstance(row, dict) and isinstance(row.get("row"), dict) and "row_idx" in row:
            row = row["row"]  # noqa: PLW2901 - as the dataset viewer's API of Hugging Face wraps it
        if not isinstance(row, dict):
            raise ConversionError(f"row {number}: expected an object, got {shown(row)}")
        yield f"row {number}", row
