"""Rows of other formats, turned into the rows that the service trains on.

Nothing is guessed silently: how the file was read, where each reference comes from and what was left out is told, and a
row that cannot be turned ends the conversion.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO, Final

import orjson

from local.conversion import formats
from local.conversion.answer_values import blank_fields
from local.conversion.fault import BlankAnswer, ConversionError, FieldMissingError
from local.conversion.fields import is_blank, refuse_infinite, take, text_of
from local.conversion.formats import Source
from local.conversion.invocation_log import CHAT_MARKS, Unanswered
from local.conversion.json_rows import json_rows
from local.conversion.names import known_answer, not_named, question_of, refuse_preferences
from local.conversion.notes import Notes
from local.conversion.tables import table_rows
from local.conversion.task import Task
from local.conversion.template import Template
from local.conversion.tools import tools_of
from local.conversion.turns import answer_of, is_conversation, turns_of, with_system
from local.conversion.unpacked import refuse_other_text, unpacked
from tunedrop.dataset.file_kinds import PARQUET, FileKind
from tunedrop.dataset.prompts import content_text
from tunedrop.dataset.show import shown
from tunedrop.graders.tool_calls import as_calls

_MEDIA: Final = ("image", "images", "video", "videos", "audio", "audios", "image_url")
_PART_OF_PROMPTS: Final = ("context", "passage", "document", "article", "choices", "options", "input", "history")
_BEHIND_QUESTIONS: Final = ("choices", "options")
_MARKS_OF_ANSWERS: Final = (("label", "completion"), ("kto_tag", "conversations"), ("kto_tag", "messages"))
_CONTENT: Final = "content"
_CHAT_TEMPLATE: Final = (
    "Some prompts hold marks of a model's own chat template, such as <|im_start|> or [INST]. The service adds its own: "
    "write such prompts as `messages`."
)
_MOST_NAMES: Final = 1000
_TABLE_NAMES: Final = re.compile(r"\.(?:csv|tsv|tab)(?:\.(?:gz|bz2|xz|zst))?$", re.IGNORECASE)
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,20})?(?:[eE][-+]?\d{1,3})?")


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a row is made of."""

    prompt: str | None = None
    """Text of the user's message, with `{field}` for a field of the row and `{{`, `}}` for braces. None: the question
    as it is. In a conversation `{content}` is the text of the last user message."""
    system: str | None = None
    """A system message to put first."""
    question: str | None = None
    """The field with the prompt. None: the first of QUESTIONS that there is."""
    answer: str | None = None
    """The field that becomes `reference_answer`, or several, parted by commas, that become one object. None: see
    `ANSWERS`, the assistant's last message, or for OpenAI's rows an object of all other fields."""
    numbers: tuple[str, ...] = ()
    """Fields of a table whose texts are numbers."""
    final_answer_after: str | None = None
    """A mark in the answer's text; what follows its last occurrence becomes `ground_truth`."""
    delimiter: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    """The sheet of a workbook. None: the only one with rows."""
    drop: tuple[str, ...] = ()
    """Fields that do not stay in the row."""
    skip_blank_answers: bool = False
    """Leave out a row whose answer is blank, or has a blank field, instead of stopping at it or writing it."""


def convert(source: BinaryIO, kind: Source | None, conversion: Conversion, rows: int | None = None) -> Iterator[bytes]:
    """Yield each row of a seekable stream in the service's format; see `Converter`."""
    return Converter(conversion, kind).lines(source, "", rows)


class Converter:
    """Turns one file. `notes` says afterwards how it was read and what was left out."""

    def __init__(self, conversion: Conversion, kind: Source | None = None, *, table: bool = False) -> None:
        """`kind`: the format of each row; None: recognised row by row. `table`: the file is a table, whatever it looks
        like."""
        self.notes = Notes()
        self._conversion = conversion
        self._kind = kind
        self._table = table
        self._template = Template(conversion.prompt) if conversion.prompt is not None else None
        self._seen: dict[str, None] = {}
        self._dropped: set[str] = set()

    def lines(self, stream: BinaryIO, name: str, rows: int | None = None) -> Iterator[bytes]:
        """Yield each row as one line with its line feed; the first `rows` of them where given.

        Fields that are not used stay fields of the row, which the service passes on to the grader.

        Raises ConversionError at the first row that cannot be turned, and where there is no row.
        """
        text, kind = unpacked(stream, self._conversion.encoding, self.notes)
        made = 0
        for place, row in islice(self._read(text, name) if kind is None else self._read_as_it_is(text, kind), rows):
            try:
                refuse_infinite(row)
                turned = self._made(row)
                blank = blank_fields(turned["reference_answer"])
                if blank and self._conversion.skip_blank_answers:
                    raise BlankAnswer(", ".join(f"`{field}`" for field in blank))
                line = _line(turned)
            except BlankAnswer as error:
                if not self._conversion.skip_blank_answers:
                    raise ConversionError(
                        f"{place}: {error}; give the row its answer, or leave such rows out with --skip-blank-answers"
                    ) from None
                self.notes.left_out["row with a blank answer"] += 1
                continue
            except Unanswered as error:
                self.notes.left_out[f"record without an answer ({error})"] += 1
                continue
            except FieldMissingError as error:
                raise ConversionError(f"{place}: {error}{_about_header(self.notes.header, str(error))}") from None
            except ConversionError as error:
                raise ConversionError(f"{place}: {error}") from None
            except UnicodeEncodeError:
                raise ConversionError(f"{place}: half a surrogate pair, such as \\ud83d alone; fix the text") from None
            except (TypeError, ValueError) as error:  # a number out of range
                raise ConversionError(f"{place}: the row cannot be written as JSON: {error}") from None
            made += 1
            self.notes.answers.add(place, turned["reference_answer"])
            yield line
        self._refuse_unknown_drops()
        if not made:
            left_out = "".join(f"; left out: {count:,} x {what}" for what, count in self.notes.left_out.items())
            raise ConversionError(f"the file holds no row{left_out}")

    def _read(self, stream: BinaryIO, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
        if not self._table:
            refuse_other_text(name)
        head = stream.read(64 * 1024).removeprefix(b"\xef\xbb\xbf").lstrip()
        stream.seek(0)
        if not self._table and head[:1] in (b"{", b"[") and not _TABLE_NAMES.search(name):
            return json_rows(stream, self.notes)
        if not self._table and not _TABLE_NAMES.search(name) and name.lower().endswith((".json", ".jsonl", ".ndjson")):
            return json_rows(stream, self.notes)  # says what is wrong with it as JSON
        delimiter = self._conversion.delimiter
        return (_without_gaps(place, row) for place, row in table_rows(stream, delimiter, self.notes))

    def _read_as_it_is(self, stream: BinaryIO, kind: FileKind) -> Iterator[tuple[str, dict[str, Any]]]:
        from local.conversion.parquet import parquet_rows
        from local.conversion.workbooks import workbook_rows

        if kind is PARQUET:
            return parquet_rows(stream, self.notes)
        rows = workbook_rows(stream, self._conversion.sheet, self.notes)
        return (_without_gaps(place, row) for place, row in rows)

    # --- one row -----------------------------------------------------------------------------------------------

    def _made(self, row: dict[str, Any]) -> dict[str, Any]:
        conversion = self._conversion
        row = self._with_numbers(formats.unwrapped(row))
        rest, answer, answer_from = row, None, ""
        if conversion.answer is not None:
            answer, rest = _answer_named(row, conversion.answer)
            answer_from = f"`{conversion.answer}`"
        source = self._kind or (Source.QUESTION_ANSWER if conversion.question else formats.recognised(row))
        self.notes.formats[formats.TITLES[source]] += 1
        self._seen.update(dict.fromkeys(islice(row, _MOST_NAMES)) if len(self._seen) < _MOST_NAMES else ())
        task = (
            self._question(row, rest)
            if source is Source.QUESTION_ANSWER
            else formats.read(source, rest, self.notes, answered=bool(answer_from))
        )
        if source is Source.ALPACA and self._template is None:
            _refuse_half_a_prompt(task.others, "instruction")
        if source is not Source.QUESTION_ANSWER and self._template is not None:
            self._worded_anew(task, row)
        _refuse_what_is_not_text(task.others)
        for mark, answered in _MARKS_OF_ANSWERS:
            if row.get(mark) is False and answered in row and not conversion.answer:
                raise ConversionError(f"`{mark}` marks the answer of `{answered}` as unwanted; leave such rows out")
        system, others = formats.system_of(tools_of(task.others, self.notes), self.notes)
        turns = task.turns
        if not answer_from:
            answer, others, turns, answer_from = self._answer(source, task, turns, others)
        elif turns[-1]["role"] == "assistant":
            turns = self._without_last(turns, answer_from)
        if system:
            turns = with_system(turns, system, "the row's system prompt")
        if conversion.system is not None:
            if not conversion.system.strip():
                raise ConversionError("--system is blank; give it a text, or leave it out")
            turns = with_system(turns, conversion.system, "--system")
        if not any(turn["role"] == "user" and content_text(turn.get("content")).strip() for turn in turns):
            raise ConversionError("the prompt is blank; expected a text from the user")
        if any(CHAT_MARKS.search(content_text(turn.get("content"))) for turn in turns):
            self.notes.hints[_CHAT_TEMPLATE] = None
        self.notes.references[answer_from] += 1
        return self._row(turns, formats.text_of_answer(answer, self.notes), others)

    def _question(self, row: Mapping[str, Any], rest: dict[str, Any]) -> Task:
        turns: list[dict[str, Any]] = []
        if self._template is not None:
            prompt, used = self._template.fill(row), self._template.fields
        else:
            name = self._conversion.question or question_of(row)
            if name is None:
                raise not_named("question", row)
            said, used = take(row, name)[0], (name,)
            if is_conversation(said):
                return Task(turns_of(said, name, self.notes), formats.lifted(take(rest, name)[1], name))
            if not isinstance(said, str):
                refuse_preferences(row, prompted=False)
                within = [key for key in said if isinstance(key, str)] if isinstance(said, Mapping) else []
                way = f"--question {name}.{within[0]}" if within else f"--prompt '{{{name}}}' writes it out"
                raise ConversionError(f"expected `{name}`, a text, got {shown(said)}; {way}")
            prompt = said
            if self._conversion.question is None:
                turns, rest = formats.history_of(rest, self.notes)
                _refuse_half_a_prompt(row if not turns else rest, name)
        for each in used:
            try:
                _, rest = take(rest, each)
            except ConversionError:
                continue  # used twice, or part of the answer
        if self._template is None:
            rest = formats.lifted(rest, used[0])
        return Task([*turns, {"role": "user", "content": prompt}], rest)

    def _worded_anew(self, task: Task, row: Mapping[str, Any]) -> None:
        asked = next((turn for turn in reversed(task.turns) if turn["role"] == "user"), None)
        if asked is None or self._template is None:
            raise ConversionError("expected a user message for the prompt template, got none")
        asked["content"] = self._template.fill({**row, _CONTENT: content_text(asked.get("content"))})

    def _answer(
        self, source: Source, task: Task, turns: list[dict[str, Any]], others: dict[str, Any]
    ) -> tuple[Any, dict[str, Any], list[dict[str, Any]], str]:
        """The answer that the row itself names, the fields and turns without it, and where it was."""
        last = turns[-1]["role"] == "assistant"
        if task.answer is not None:
            return task.answer, others, turns, task.answer_from
        found = known_answer(others, in_conversation=last)
        if source is Source.VERL and "reward_model.ground_truth" not in (found or ""):
            found = "reward_model.ground_truth"
        if found is not None:
            answer, rest = take(others, found)
            return answer, rest, self._without_last(turns, f"`{found}`") if last else turns, f"`{found}`"
        if last:
            return answer_of(turns[-1], self.notes), others, turns[:-1], "the assistant's last message"
        item = {key: value for key, value in others.items() if key not in ("tools", "id")}
        if source is Source.OPENAI and item:
            kept = {key: value for key, value in others.items() if key not in item}
            return item, kept, turns, "all other fields (OpenAI's `item`)"
        raise not_named("answer", others)

    def _without_last(self, turns: list[dict[str, Any]], answer_from: str) -> list[dict[str, Any]]:
        self.notes.left_out[f"the assistant's last message, as {answer_from} is the reference"] += 1
        if len(turns) == 1:
            raise ConversionError("the conversation is the assistant's answer alone")
        return turns[:-1]

    def _with_numbers(self, row: dict[str, Any]) -> dict[str, Any]:
        if not self._conversion.numbers:
            return row
        made = dict(row)
        for name in self._conversion.numbers:
            text = text_of(row, name).strip()
            if not _NUMBER.fullmatch(text):
                raise ConversionError(f"--numbers {name}: expected a number such as 12 or 3.5, got {shown(text)}")
            made[name] = json.loads(text)
        return made

    def _without_dropped(self, others: Mapping[str, Any]) -> dict[str, Any]:
        kept = dict(others)
        for name in self._conversion.drop:
            try:
                _, kept = take(kept, name)
            except ConversionError:
                continue  # this row has no such field, or the prompt or the answer took it
            self._dropped.add(name)
        return kept

    def _refuse_unknown_drops(self) -> None:
        """A misspelled field to drop would silently stay in every row."""
        for name in self._conversion.drop:
            if name not in self._dropped and name not in self._seen:
                try:
                    take(self._seen, name)
                except ConversionError as error:
                    raise ConversionError(f"--drop {name}: {error}") from None

    def _row(self, turns: list[dict[str, Any]], answer: Any, others: Mapping[str, Any]) -> dict[str, Any]:
        if is_blank(answer):
            raise BlankAnswer("the answer is blank")
        made = {"messages": turns, "reference_answer": _text_or_object(answer)}
        mark = self._conversion.final_answer_after
        if mark is not None:
            if not isinstance(answer, str) or mark not in answer:
                raise ConversionError(f"expected an answer with {mark!r}, got {shown(answer)}")
            made["ground_truth"] = answer.rpartition(mark)[2].strip()
            if not made["ground_truth"]:
                raise ConversionError(f"expected an answer after {mark!r}, got {shown(answer)}")
        others = self._without_dropped(others)
        kept = {key: value for key, value in others.items() if key not in made}
        clash = [key for key in others if key in made]
        if clash:
            raise ConversionError(
                f"the row has a field {clash[0]!r} of its own beside the one that convert makes; rename it"
            )
        if "id" in kept and is_blank(kept["id"]):
            del kept["id"]
        if isinstance(kept.get("id"), int | float):
            kept["id"] = str(kept["id"])  # the service's is a text
        self.notes.for_the_grader.update(dict.fromkeys(key for key in kept if key not in ("tools", "id")))
        return {**made, **kept}


def _answer_named(row: dict[str, Any], names: str) -> tuple[Any, dict[str, Any]]:
    """The answer's field, or several as one object; and the row without them."""
    if names in row or "," not in names:
        return take(row, names)
    paths = [name.strip() for name in names.split(",") if name.strip()]
    last = [path.rpartition(".")[2] for path in paths]
    keys = last if len(set(last)) == len(last) else paths
    answer, rest = {}, row
    for key, path in zip(keys, paths, strict=True):
        answer[key], rest = take(rest, path)
    if all(is_blank(value) for value in answer.values()):
        raise BlankAnswer(f"all of {names} are blank")
    return answer, rest


def _refuse_half_a_prompt(row: Mapping[str, Any], question: str) -> None:
    """A question may be no prompt without the text or the choices beside it: that is for the user to say."""
    for name in _PART_OF_PROMPTS:
        if name != question and not is_blank(row.get(name)):
            first, second = (question, name) if name in _BEHIND_QUESTIONS else (name, question)
            raise ConversionError(
                f"the row has `{name}` beside `{question}`; write both into the prompt, as in --prompt "
                f"'{{{first}}} {{{second}}}', or name the question alone by --question {question}"
            )


def _refuse_what_is_not_text(others: Mapping[str, Any]) -> None:
    for name in _MEDIA:
        if not is_blank(others.get(name)):
            raise ConversionError(f"the row has `{name}`, but the service trains on text only; leave such rows out")


def _text_or_object(answer: Any) -> Any:
    """The answer as the service takes it, a text or an object: numbers as their text, arrays within an object."""
    if isinstance(answer, (str, dict)):
        return answer
    if isinstance(answer, list):
        if as_calls(answer) is not None:
            return {"tool_calls": answer}
        return {"answer": answer} if not any(isinstance(each, (dict, list)) for each in answer) else _json(answer)
    return _json(answer)


def _without_gaps(place: str, row: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A table's row without the cells that are blank in a column that has no name."""
    return place, {key: value for key, value in row.items() if value.strip() or not key.startswith("column ")}


def _about_header(names: tuple[str, ...], said: str) -> str:
    """What may be wrong with a table in which a field is missing."""
    if len(names) == 1:
        return (
            "; read as a table of one column: if it has more, name the sign between them, as in --delimiter ';', and "
            "if it is no table, write it as JSON Lines"
        )
    if not names or said.endswith("?"):  # the field that is meant was found
        return ""
    return "; the first line is read as the columns' names: if it is a row, write the names above it"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _line(row: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(row) + b"\n"
    except TypeError:  # a whole number of more than 64 bits
        text = json.dumps(row, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return text.encode("utf-8") + b"\n"
