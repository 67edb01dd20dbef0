"""The texts of the test rows for the report: in the page as far as there is room, all of them in files beside it.

A file is a script that calls `tunedropRows` with some rows: a page that was opened from a folder may load a script
beside it, but no data. Memory holds one file and the rows of the page, however many rows there are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from tunedrop.evaluation.answers import Answer
from tunedrop.graders.thoughts import cut_thoughts
from tunedrop.graders.tool_calls import text_of_calls
from tunedrop.reporting.flips import cut
from tunedrop.reporting.row_index import IMPORTANCE

PAGE_BYTES = 1_000_000
"""Most bytes of rows within the page: with the chart library and the index, less than 2 MB."""

FILE_BYTES = 1_000_000
"""From this size on a file is full: opening one row loads one file."""

ALL_ANSWERS_CHARACTERS = 100_000_000
"""What all answers of a report may have together: they are cut the shorter the more there are."""

ALL_ROWS_BYTES = 200_000_000
"""What all rows of the dataset may have together; of longer ones the page has the beginning and the end."""

MOST_SAMPLES = 4
"""Most answers of one candidate to one row; the others are in the run's answers."""

REASON_CHARACTERS = 1_000


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is kept of each answer (characters) and each row (bytes)."""

    answer: int
    row: int

    @classmethod
    def of(cls, *, rows: int, answers: int) -> Limits:
        """For so many rows and answers."""
        return cls(
            answer=max(300, min(8_000, ALL_ANSWERS_CHARACTERS // max(1, answers))),
            row=max(2_000, min(100_000, ALL_ROWS_BYTES // max(1, rows))),
        )


def row_text(
    number: int, line: bytes, *, prompt: str, reference: str, answers: Sequence[list[Any]], limits: Limits
) -> bytes:
    """One row as the page reads it: a JSON array of number, line, prompt, reference and answers.

    The line is the row as it was dropped, which the page shows and exports. Where it is too long it is null, and prompt
    and reference are cut; else those are empty. The answers are those of `told_answer`: the candidate's place in the
    index, sample, answer, thoughts, reward, right or wrong, why it has no grade, the grader's explanation, tokens and
    parts.
    """
    whole = len(line) <= limits.row
    told = [
        number,
        line.decode("utf-8", "replace") if whole else None,
        "" if whole else cut(prompt, limits.row // 2),
        "" if whole else cut(reference, limits.row // 2),
        answers,
    ]
    try:
        return orjson.dumps(told)
    except orjson.JSONEncodeError:  # a lone surrogate, which a model or a dataset may have written
        return orjson.dumps(_without_surrogates(told))


def told_answer(answer: Answer, candidate: int, limits: Limits) -> list[Any]:
    """An answer as `row_text` takes it: without what no report shows, so that long thoughts need no memory."""
    said = cut_thoughts(answer.answer)
    text = said.answer
    if said.calls:
        text = "\n".join(
            filter(None, [text, *(f"<tool_call>\n{text_of_calls([call])}\n</tool_call>" for call in said.calls)])
        )
    return [
        candidate,
        answer.sample,
        cut(text, limits.answer),
        cut(said.thought or answer.thought, limits.answer),
        answer.reward if answer.graded else None,
        answer.correct if answer.graded else None,
        answer.why_ungraded,
        cut(answer.explanation, REASON_CHARACTERS),
        answer.completion_tokens,
        [list(part) for part in answer.parts],
    ]


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return [_without_surrogates(each) for each in value] if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class PageRows:
    """What the page has of the rows: the index, the texts as JSON arrays, and the files that have them all.

    `files` name the files with their first row and the number of their rows; empty where the page has all rows.
    """

    index: dict[str, Any]
    texts: Sequence[bytes]
    files: Sequence[tuple[str, int, int]]


class RowTexts:
    """Takes the texts of the rows in their order; writes files once there are more than the page has room for."""

    def __init__(self, states: str, write: Callable[[str, bytes], None]) -> None:
        self._importance = {str(state): place for place, state in enumerate(IMPORTANCE)}
        self._states = states
        self._write = write
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._first = 0
        self._files: list[tuple[str, int, int]] = []
        self._page: list[list[tuple[int, bytes]]] = [[] for _ in IMPORTANCE]
        self._page_bytes = 0

    def add(self, number: int, text: bytes) -> None:
        """Keep the text of the next row."""
        if not self._waiting:
            self._first = number
        self._waiting.append(text)
        self._waiting_bytes += len(text) + 1
        self._keep_for_page(number, text)
        if self._waiting_bytes > FILE_BYTES:
            self._write_file()

    def _keep_for_page(self, number: int, text: bytes) -> None:
        rank = self._importance[self._states[number]]
        self._page[rank].append((number, text))
        self._page_bytes += in_page(text)
        while self._page_bytes > PAGE_BYTES:
            least = next(rows for rows in reversed(self._page) if rows)
            self._page_bytes -= in_page(least.pop()[1])

    def _write_file(self) -> None:
        name = f"{len(self._files):03}.js"
        self._write(name, b"tunedropRows([\n" + b",\n".join(self._waiting) + b"\n]);\n")
        self._files.append((name, self._first, len(self._waiting)))
        self._waiting, self._waiting_bytes = [], 0

    def close(self, index: dict[str, Any]) -> PageRows:
        """What the page is to have; the last file is written if there are any."""
        kept = sorted(each for rows in self._page for each in rows)
        if self._waiting and (self._files or len(kept) < index["rows"]):
            self._write_file()
        return PageRows(index, [text for _, text in kept], self._files)


def in_page(text: bytes) -> int:
    """How many bytes a text has within the page, where a "<" is written as \\u003c."""
    return len(text) + 1 + 5 * text.count(b"<")
