"""The rows that are trained and tested on: each is read once, and written once to the file that it belongs to.

Nothing but the row that is at work is held in memory, and the few rows that the hold-out may give back.
"""

from __future__ import annotations

import json
import math
import sys
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import orjson

from tunedrop.dataset.json_line import read_line
from tunedrop.dataset.lines import Lines, Overlong
from tunedrop.dataset.prompts import prompt_text
from tunedrop.dataset.split import HoldOut, holdout_fraction
from tunedrop.graders.row_options import OPTIONS_FIELD, field_of_row
from tunedrop.outcomes import DatasetInvalid
from tunedrop.recipe import GraderChoice, Recipe


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it stands in its file, where its prompt falls between 0 and 1, and whether it names its own grader.

    `line` counts the file's lines from 1.
    """

    line: int
    text: bytes
    fraction: float
    has_grader: bool


@dataclass(frozen=True, slots=True)
class Parts:
    """How many rows each part of a dataset has; None for the part that is not made from the training rows."""

    rows: int
    test_rows: int | None
    validation_rows: int | None


class RowsFile:
    """A file that rows are written to, each with the recipe's grader; a row's own kind and options win."""

    def __init__(self, file: BinaryIO, grader: GraderChoice) -> None:
        self.rows = 0
        self.lines = array("L")
        """The lines that the rows came from, in the order in which they were written."""
        self._file = file
        self._grader = grader
        self._kind = grader.kind_of_rows
        field = usual_field(grader)
        self._added = json.dumps({OPTIONS_FIELD: field}).encode()[:-1] + b"," if field else b""

    def write(self, row: Row) -> None:
        """Write one row, as a line."""
        self.rows += 1
        self.lines.append(row.line)
        if not row.has_grader and self._added:
            self._file.write(self._added)
            self._file.write(memoryview(row.text)[1:])
        elif not row.has_grader or self._kind is None:  # only a function of one's own knows what the row says
            self._file.write(row.text)
        else:
            content = json.loads(row.text)  # not by orjson, which rounds whole numbers of more than 64 bits
            own = content[OPTIONS_FIELD] or {}
            content[OPTIONS_FIELD] = field_of_row(self._kind, self._grader.options, own)
            self._file.write(json.dumps(content).encode())
        self._file.write(b"\n")


def as_dropped(line: bytes, grader: GraderChoice) -> bytes:
    """A line that `RowsFile` wrote, without what it added: the row as it was dropped, if it names no own grader."""
    field = usual_field(grader)
    added = json.dumps({OPTIONS_FIELD: field}).encode()[:-1] + b"," if field else b""
    return b"{" + line[len(added) :] if added and line.startswith(added) else line


def usual_field(grader: GraderChoice) -> Mapping[str, Any]:
    """What a row that says nothing of its grader is given; empty where it needs nothing."""
    kind = grader.kind_of_rows
    return grader.options if kind is None else field_of_row(kind, grader.options, {})


def rows_of(source: BinaryIO, *, placed: bool = True) -> Iterator[Row]:
    """The rows of a checked file, without blank lines and a byte order mark; `placed` for those that are divided.

    Raises DatasetInvalid where a line is not a row with messages: check first.
    """
    for line, raw in _numbered(source):
        if text := raw.strip():
            content, text = _content(line, text)
            fraction = holdout_fraction(prompt_text(content["messages"])) if placed else 0.0
            yield Row(line, text, fraction, OPTIONS_FIELD in content)


def divide(
    rows: Iterable[Row],
    recipe: Recipe,
    *,
    has_test: bool,
    train: Callable[[Row], None],
    test: Callable[[Row], None],
    validation: Callable[[Row], None],
) -> Parts:
    """Give each training row to `train`, or, where the recipe and a missing test set ask for it, to another part."""
    choosing = holding = None
    holdout = 0.0 if has_test else recipe.evaluation.holdout
    trained = _Counted(train)
    to_train: Callable[[Row], None] = trained
    if recipe.chooses_checkpoint:
        choosing = HoldOut(trained, validation, share=_validation_share(recipe, holdout))
        to_train = choosing.add
    if not has_test:
        holding = HoldOut(to_train, test, share=holdout)
        to_train = holding.add
    for row in rows:
        to_train(row)
    # What the hold-out for the test set gives back, the other one divides, too.
    test_rows = holding.close().test_rows if holding else None
    validation_rows = choosing.close().test_rows if choosing else None
    return Parts(trained.rows, test_rows, validation_rows)


class _Counted:
    """A part of the rows, counted."""

    def __init__(self, part: Callable[[Row], None]) -> None:
        self.rows = 0
        self._part = part

    def __call__(self, row: Row) -> None:
        self.rows += 1
        self._part(row)


def _validation_share(recipe: Recipe, holdout: float) -> float:
    """Below which fraction a row is kept apart to choose a checkpoint by, where `holdout` of them are tested on.

    By the same hash as the hold-out, beyond its share: adding or removing a row changes the part of no other row.
    """
    return holdout + recipe.evaluation.validation * (1 - holdout)


def _numbered(source: BinaryIO) -> Iterator[tuple[int, bytes]]:
    line = 0
    for part in Lines(source):
        if isinstance(part, Overlong):
            raise DatasetInvalid(f"line {line + 1} is {part.length:,} bytes long; check the file before you split it")
        for raw in part.split(b"\n"):
            line += 1
            yield line, raw


def _content(line: int, text: bytes) -> tuple[dict[str, Any], bytes]:
    """The row, and its text as every reader of JSON reads it."""
    row: Any
    try:
        row = orjson.loads(text)
    except orjson.JSONDecodeError:
        # The check lets these pass with a warning: half a surrogate pair, a number beyond the doubles.
        row = _in_utf8(read_line(text).value)
        text = json.dumps(row).encode()
    if not isinstance(row, dict) or not isinstance(row.get("messages"), list):
        raise DatasetInvalid(
            f"line {line}: expected a row with `messages`, got something else; check the file before you split it"
        )
    return row, text


def _in_utf8(value: Any) -> Any:
    """A value of JSON as a request can carry it: half a pair as U+FFFD, infinity as the largest number of its sign."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, float) and math.isinf(value):
        return math.copysign(sys.float_info.max, value)
    if isinstance(value, list):
        return [_in_utf8(each) for each in value]
    if isinstance(value, dict):
        return {_in_utf8(key): _in_utf8(each) for key, each in value.items()}
    return value
