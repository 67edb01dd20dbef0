"""Rows of other formats, turned into the rows that the service trains on.

Three formats are read: question/answer rows (JSON Lines, such as GSM8K's own), CSV with a header, and OpenAI's RFT rows
(`messages`, and any other keys for the graders). Nothing is guessed silently: a row that cannot be turned ends it.
"""

from __future__ import annotations

import csv
import enum
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO, Final

import orjson

from tunedrop.dataset.json_line import read_line
from tunedrop.dataset.lines import Lines, Overlong
from tunedrop.dataset.prompts import content_text
from tunedrop.dataset.rules import MAX_LINE_BYTES
from tunedrop.dataset.show import shown

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_MESSAGES_KEY: Final = re.compile(rb'[{,]\s*"messages"\s*:')
_CONTENT: Final = "content"


class ConversionError(ValueError):
    """A row, or the template, cannot be turned: the message names the line, what was expected and what was got."""


class Source(enum.StrEnum):
    """The formats that are read."""

    QUESTION_ANSWER = "qa"
    CSV = "csv"
    OPENAI = "openai"


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a row is made of."""

    prompt: str | None = None
    """Text of the user's message, with `{field}` for a field of the row and `{{`, `}}` for braces. None: the question
    as it is. For OpenAI's rows `{content}` is the text of the last user message."""
    system: str | None = None
    """A system message to put first."""
    question: str = "question"
    answer: str | None = None
    """The field that becomes `reference_answer`. None: `answer`; for OpenAI's rows, see `convert`."""
    final_answer_after: str | None = None
    """A mark in the answer's text; what follows its last occurrence becomes `ground_truth`."""


def convert(source: BinaryIO, kind: Source, conversion: Conversion, rows: int | None = None) -> Iterator[bytes]:
    """Yield each row in the service's format, as one line with its line feed; the first `rows` of them where given.

    Fields that are not used become fields of the row, which the service passes on to the grader. Of OpenAI's rows,
    `reference_answer` stays what it is; without it, the assistant's last message becomes it, or else an object of all
    other fields (what their graders call `item`). The role `developer` becomes `system`.

    Raises ConversionError at the first row that cannot be turned.
    """
    template = Template(conversion.prompt) if conversion.prompt is not None else None
    read = _csv_rows(source) if kind is Source.CSV else _json_rows(source)
    for line, row in islice(read, rows):
        try:
            if kind is Source.OPENAI:
                made = _from_openai(row, conversion, template)
            else:
                made = _from_question(row, conversion, template)
            yield orjson.dumps(made) + b"\n"
        except ConversionError as error:
            raise ConversionError(f"line {line}: {error}") from None
        except (TypeError, ValueError, UnicodeEncodeError) as error:  # half a surrogate pair, or a number out of range
            raise ConversionError(f"line {line}: the row cannot be written as JSON: {error}") from None


def detect(head: bytes, name: str) -> Source:
    """The format of a file by its name and the first bytes of its first line."""
    if name.lower().endswith((".csv", ".tsv")):
        return Source.CSV
    first = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not first.startswith(b"{"):
        return Source.CSV
    return Source.OPENAI if _MESSAGES_KEY.search(first.split(b"\n", 1)[0]) else Source.QUESTION_ANSWER


class Template:
    """A prompt with `{field}` in it. Raises ConversionError where braces are alone or empty."""

    def __init__(self, text: str) -> None:
        self._parts: list[str | tuple[str]] = []
        done = 0
        for match in _PLACEHOLDER.finditer(text):
            self._parts.append(text[done : match.start()])
            done = match.end()
            if match[0] in ("{{", "}}"):
                self._parts.append(match[0][0])
            elif match[1]:
                self._parts.append((match[1],))
            else:
                raise ConversionError(
                    f"the prompt template has {match[0]!r} at character {match.start() + 1}: expected {{field}}, "
                    "and {{ or }} for a brace"
                )
        self._parts.append(text[done:])
        self.fields = tuple(part[0] for part in self._parts if isinstance(part, tuple))

    def fill(self, row: Mapping[str, Any]) -> str:
        """The prompt of a row. Raises ConversionError where the row lacks a field."""
        return "".join(part if isinstance(part, str) else _text_of(row, part[0]) for part in self._parts)


def _text_of(row: Mapping[str, Any], field: str) -> str:
    if field not in row:
        known = ", ".join(shown(key) for key in list(row)[:8])
        raise ConversionError(f"expected the field {field!r}, got a row with {known or 'no fields'}")
    value = row[field]
    return value if isinstance(value, str) else orjson.dumps(value).decode()


# --- reading -----------------------------------------------------------------------------------------------------


def _json_rows(source: BinaryIO) -> Iterator[tuple[int, dict[str, Any]]]:
    line = 0
    for part in Lines(source):
        if isinstance(part, Overlong):
            raise ConversionError(
                f"line {line + 1}: the line is {part.length:,} bytes long, at most {MAX_LINE_BYTES:,}"
            )
        for raw in part.split(b"\n"):
            line += 1
            if not raw.strip():
                continue
            reading = read_line(raw)
            if not reading.accepted:
                raise ConversionError(f"line {line}: {reading.faults[0].message}")
            if not isinstance(reading.value, dict):
                raise ConversionError(f"line {line}: expected an object, got {shown(reading.value)}")
            yield line, reading.value


def _csv_rows(source: BinaryIO) -> Iterator[tuple[int, dict[str, Any]]]:
    csv.field_size_limit(MAX_LINE_BYTES)
    text = io.TextIOWrapper(source, encoding="utf-8-sig", newline="")
    reader = csv.DictReader(text, strict=True)
    try:
        header: Sequence[str] = reader.fieldnames or ()
        if not header or len(set(header)) < len(header) or not all(name.strip() for name in header):
            raise ConversionError(
                f"line 1: expected a header of different names, got {', '.join(map(shown, header)) or 'nothing'}"
            )
        for row in reader:
            if None in row or None in row.values():
                raise ConversionError(f"line {reader.line_num}: expected {len(header)} columns, as in the header")
            yield reader.line_num, row
    except (csv.Error, UnicodeDecodeError) as error:
        raise ConversionError(f"line {reader.line_num + 1}: not readable as CSV in UTF-8: {error}") from None
    finally:
        text.detach()  # the stream is the caller's to close


# --- making ------------------------------------------------------------------------------------------------------


def _from_question(row: dict[str, Any], conversion: Conversion, template: Template | None) -> dict[str, Any]:
    answer_field = conversion.answer or "answer"
    prompt = template.fill(row) if template is not None else _text_of(row, conversion.question)
    if answer_field not in row:
        _text_of(row, answer_field)  # says what is missing
    used = {answer_field, *(template.fields if template is not None else (conversion.question,))}
    others = {key: value for key, value in row.items() if key not in used}
    return _row([{"role": "user", "content": prompt}], row[answer_field], others, conversion)


def _from_openai(row: dict[str, Any], conversion: Conversion, template: Template | None) -> dict[str, Any]:
    messages = row.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(message, dict) for message in messages):
        raise ConversionError(f"expected `messages`, an array of objects, got {shown(messages)}")
    turns = [
        {**message, "role": "system"} if message.get("role") == "developer" else dict(message) for message in messages
    ]
    others = {key: value for key, value in row.items() if key != "messages"}
    if conversion.answer is not None:
        _text_of(others, conversion.answer)  # says where it is missing
        answer = others.pop(conversion.answer)
    elif "reference_answer" in others:
        answer = others.pop("reference_answer")
    elif turns[-1].get("role") == "assistant":
        answer = content_text(turns.pop().get("content"))
    elif others:
        answer, others = others, {}
    else:
        raise ConversionError("expected an answer: `reference_answer`, another field, or an assistant's last message")
    if template is not None:
        asked = next((turn for turn in reversed(turns) if turn.get("role") == "user"), None)
        if asked is None:
            raise ConversionError("expected a user message for the prompt template, got none")
        asked["content"] = template.fill({**row, _CONTENT: content_text(asked.get("content"))})
    return _row(turns, answer, others, conversion)


def _row(turns: list[dict[str, Any]], answer: Any, others: Mapping[str, Any], conversion: Conversion) -> dict[str, Any]:
    system = [] if conversion.system is None else [{"role": "system", "content": conversion.system}]
    made = {"messages": [*system, *turns], "reference_answer": answer}
    mark = conversion.final_answer_after
    if mark is not None:
        if not isinstance(answer, str) or mark not in answer:
            raise ConversionError(f"expected an answer with {mark!r}, got {shown(answer)}")
        made["ground_truth"] = answer.rpartition(mark)[2].strip()
    return {**made, **{key: value for key, value in others.items() if key not in made}}
