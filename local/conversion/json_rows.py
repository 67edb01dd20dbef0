"""Rows of JSON: one object a line, or one document with all rows in it (an array, or an object with an array)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, BinaryIO, Final

from local.conversion.fault import ConversionError
from local.conversion.fields import parsed
from local.conversion.formats import Source, recognised
from local.conversion.names import question_of
from local.conversion.notes import Notes
from local.conversion.turns import is_conversation
from tunedrop.dataset.bounds import MAX_LINE_BYTES
from tunedrop.dataset.json_line import Fault, Reading, read_line
from tunedrop.dataset.lines import Lines, Overlong
from tunedrop.dataset.show import shown

MAX_DOCUMENT_BYTES: Final = 512 * 1024 * 1024
"""One document is read whole; a larger one is better written one row a line."""
_WRAPPERS: Final = (
    "data",
    "rows",
    "examples",
    "records",
    "items",
    "train",
    "dataset",
    "instances",
    "questions",
    "events",
)
_DEPTH: Final = 2
"""How many objects deep an array of rows is looked for."""
_SPACE: Final = re.compile(r"\s*")
_ONE_A_LINE: Final = "write one row a line: jq -c '.[]' FILE > rows.jsonl"


def json_rows(stream: BinaryIO, notes: Notes) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield where each row stands (`line 3`, or `row 3` of a document), and the row."""
    first, second = _first_lines(stream)
    stream.seek(0)
    if not first:
        raise ConversionError("the file is empty; expected rows")
    if len(first) > MAX_LINE_BYTES and first.startswith(b"{"):
        return _lines(stream, notes)  # says that it is too long
    if second and len(first) <= MAX_LINE_BYTES and read_line(first).accepted:
        return _lines(stream, notes)
    if second.startswith(b"{") and not _opens(first):
        return _lines(stream, notes)  # says what is wrong with the first line
    return _document(stream.read(MAX_DOCUMENT_BYTES + 1), notes)


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


def _opens(line: bytes) -> bool:
    """Whether a line only begins a document that goes on below it, such as `[` or `[{"question": "…"},`."""
    return line[:1] == b"[" or (line[-1:] in b"[{,:" and not line.endswith(b"},"))


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
            value = _row_of(_value(read_line(raw), f"line {line}"), f"line {line}")
            if not isinstance(value, dict):
                raise ConversionError(f"line {line}: expected an object, got {shown(value)}{_way_of(value)}")
            yield f"line {line}", value


def _value(reading: Reading, place: str) -> Any:
    faults: list[Fault] = [fault for fault in reading.faults if not reading.accepted or fault.rule == "duplicate-key"]
    if faults:
        hint = f" {faults[0].hint}" if faults[0].hint else ""
        raise ConversionError(f"{place}: {faults[0].message}.{hint}".rstrip("."))
    return reading.value


def _value_of_lines(reading: Reading, document: bytes, lines_before: int = 0) -> Any:
    """What a document of several lines says. Raises ConversionError, with the line of a fault where it has one."""
    found = None if reading.accepted else _AT_CHARACTER.search(reading.faults[0].message)
    if found is None:
        return _value(reading, "the JSON document")
    before = document.decode("utf-8")[: int(found[1]) - 1]
    fault = reading.faults[0]
    message = _AT_CHARACTER.sub(f"at character {len(before) - before.rfind(chr(10))}", fault.message)
    hint = "JSON has no comments: leave them out" if document.decode("utf-8")[len(before) :][:2] in _COMMENTS else None
    fault = replace(fault, message=message, hint=hint or fault.hint)
    return _value(Reading(False, None, (fault,)), f"line {lines_before + before.count(chr(10)) + 1}")


_AT_CHARACTER: Final = re.compile(r"at character (\d+)$")
_COMMENTS: Final = ("//", "/*")


def _document(document: bytes, notes: Notes) -> Iterator[tuple[str, dict[str, Any]]]:
    if len(document) > MAX_DOCUMENT_BYTES:
        raise ConversionError(f"one JSON document of more than {MAX_DOCUMENT_BYTES:,} bytes; {_ONE_A_LINE}")
    document = document.removeprefix(b"\xef\xbb\xbf")
    reading = read_line(document)
    if not reading.accepted and document.lstrip()[:1] == b"{":
        rows = _one_after_another(document)
        if rows is not None:
            notes.read_as.append("JSON objects, one after the other")
            return _of_array(rows)
    value = _value(reading, "line 1") if b"\n" not in document.strip() else _value_of_lines(reading, document)
    if isinstance(value, list):
        notes.read_as.append("one JSON array")
        return _of_array(value)
    if not isinstance(value, dict):
        raise ConversionError(f"expected rows, got one JSON document that is {shown(value)}")
    return _of_object(value, notes)


def _of_object(value: dict[str, Any], notes: Notes) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows of one object: those of its array, of its keys, or the one row that it is."""
    arrays = {key: each for key, each in value.items() if _are_rows(each)}
    name = next((each for each in _WRAPPERS if each in arrays), None)
    if name is not None:
        notes.read_as.append(f"one JSON document with the array `{name}`")
        for key in (each for each in value if each != name):
            rows = f" ({len(arrays[key]):,} rows)" if key in arrays else ""
            notes.left_out[f"{shown(key)} of the document, beside `{name}`{rows}"] += 1
        return _of_array(arrays[name])
    found = {} if _is_row(value) else dict(_within(value, ""))
    if len(found) == 1:
        path, rows_within = next(iter(found.items()))
        notes.read_as.append(f"one JSON document with the array `{path}`")
        for key in (each for each in value if each != path.partition(".")[0]):
            notes.left_out[f"{shown(key)} of the document, beside `{path}`"] += 1
        return _of_array(rows_within)
    if found:
        paths = list(found)
        raise ConversionError(
            f"one JSON document with {len(found)} arrays: {', '.join(map(shown, paths[:8]))}; "
            f"take one out: jq -c '.{paths[0]}[]' FILE > rows.jsonl"
        )
    if isinstance(value.get("columns"), list) and isinstance(value.get("data"), list):
        raise _by_columns(", ".join(map(shown, list(value)[:8])))
    parts = list(value.values())
    columns = ", ".join(map(shown, list(value)[:8]))
    if len(parts) > 1 and all(map(_is_column, parts)) and len({len(each) for each in parts}) == 1:
        raise _by_columns(columns)
    if len(parts) > 1 and all(isinstance(each, dict) and each for each in parts):
        if all(_are_numbers(each) for each in parts):
            raise _by_columns(columns)
        if len({frozenset(each) for each in parts}) == 1 or all(map(_is_row, parts)):
            notes.read_as.append("one JSON object with a row for each key")
            return _of_array([each if "id" in each else {"id": key, **each} for key, each in value.items()])
    notes.read_as.append("one JSON object")
    return iter([("line 1", _row_of(value, "line 1"))])


def _one_after_another(document: bytes) -> list[Any] | None:
    """The objects of a text such as `jq .` prints; None where it is not that."""
    try:
        text = document.decode("utf-8")
    except UnicodeDecodeError:
        return None
    decoder, place = json.JSONDecoder(), 0
    found: list[Any] = []
    try:
        while place < len(text):
            _, end = decoder.raw_decode(text, place)
            found.append(_value(read_line(text[place:end].encode("utf-8", "surrogatepass")), f"row {len(found) + 1}"))
            place = _after_space(text, end)
    except (ValueError, RecursionError):
        if found and text[place : place + 1] == "{":
            left = text[place:].encode("utf-8", "surrogatepass")
            _value_of_lines(read_line(left), left, text.count("\n", 0, place))
        return None
    return found


def _after_space(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return match.end() if match else place


def _are_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _is_row(value: Mapping[str, Any]) -> bool:
    """Whether an object is a row itself, so that an array within it is a part of the row."""
    return recognised(value) is not Source.QUESTION_ANSWER or question_of(value) is not None


def _within(value: Mapping[str, Any], before: str) -> Iterator[tuple[str, list[Any]]]:
    """The arrays of rows within an object, and within the objects in it, by their paths."""
    for key, each in value.items():
        if _are_rows(each) and "role" not in each[0] and "from" not in each[0]:
            if len(each) > 1 or _is_row(each[0]):
                yield f"{before}{key}", each
        elif isinstance(each, dict) and before.count(".") < _DEPTH:
            yield from _within(each, f"{before}{key}.")


def _is_column(value: Any) -> bool:
    return isinstance(value, list) and not any(isinstance(each, dict) for each in value)


def _are_numbers(column: dict[str, Any]) -> bool:
    return all(key.isdecimal() for key in column)


def _by_columns(columns: str) -> ConversionError:
    return ConversionError(
        f"one JSON document by columns ({columns}), expected rows; "
        "write it by DataFrame.to_json(..., orient='records', lines=True)"
    )


def _way_of(value: Any) -> str:
    """What to do with a row that is no object."""
    if isinstance(value, str) and isinstance(parsed(value), dict):
        return "; the row is JSON within a text: take it out by jq -c fromjson FILE > rows.jsonl"
    if isinstance(value, list):
        return "; write each row as an object with the columns' names, such as DataFrame.to_json(orient='records') does"
    return '; write each row as an object, such as {"question": ..., "answer": ...}'


def _of_array(rows: list[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, each in enumerate(rows, 1):
        row = _row_of(each, f"row {number}")
        if not isinstance(row, dict):
            raise ConversionError(f"row {number}: expected an object, got {shown(row)}{_way_of(row)}")
        yield f"row {number}", row


def _row_of(value: Any, place: str) -> Any:
    """The row that an array of turns is, or that the API of Hugging Face's dataset viewer wraps; any other as it is."""
    if is_conversation(value):
        return {"messages": value}
    if not isinstance(value, dict) or not isinstance(value.get("row"), dict) or "row_idx" not in value:
        return value
    if value.get("truncated_cells"):
        raise ConversionError(
            f"{place}: the dataset viewer cut {', '.join(map(shown, value['truncated_cells']))}; "
            "download the dataset's file instead"
        )
    return value["row"]
