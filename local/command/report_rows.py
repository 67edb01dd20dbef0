"""The test rows and the answers of a run as its report has them: all that the API of a stack gives of them.

A small report holds all rows in its page, a large one has them in the files of `report_rows/` beside it. Of each
model's answers to a row there are the first few (`row_texts.MOST_SAMPLES`); long texts are cut, the grades are whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from tunedrop.evaluation.answers import Answer

_START, _END = b"tunedropRows(", b");"


@dataclass(frozen=True, slots=True)
class ReportRow:
    """A test row: its prompt's hash, its line as it was dropped, what that says, and the answers to it."""

    prompt_sha256: str
    line: bytes
    row: Mapping[str, Any]
    answers: tuple[Answer, ...]


def rows_in_report(page: Path) -> Iterator[ReportRow]:
    """All rows of the report at `page`; none where it has no page, or one without rows (of a run without a verdict)."""
    data = _block(page, "data")
    index = data.get("rows") if isinstance(data, Mapping) else None
    if not index:
        return
    files = [page.parent / data["rowsFolder"] / str(file[0]) for file in data["rowFiles"]]
    told = (each for path in files for each in _rows_of_file(path)) if files else iter(_block(page, "row-texts") or ())
    for number, line, prompt, reference, answers in told:
        hashed, text, row = _row(line, prompt, reference)
        given = tuple(_answer(number, hashed, index["names"], each) for each in answers)
        yield ReportRow(hashed, text, row, given)


def leaves_answers_out(page: Path) -> bool:
    """Whether the run had more answers to a row than its report has."""
    from tunedrop.reporting.row_texts import MOST_SAMPLES

    data = _block(page, "data")
    index = data.get("rows") if isinstance(data, Mapping) else None
    return index is not None and int(index["samples"]) > MOST_SAMPLES


def _block(page: Path, name: str) -> Any:
    """The JSON of a block of the page; None where there is no such block."""
    if not page.is_file():
        return None
    _, found, rest = page.read_text(encoding="utf-8").partition(f'<script type="application/json" id="{name}">')
    return json.loads(rest.partition("</script>")[0]) if found else None


def _rows_of_file(path: Path) -> Any:
    """The rows of a file, which is a script that calls one function with them."""
    return orjson.loads(path.read_bytes().strip().removeprefix(_START).removesuffix(_END)) if path.is_file() else ()


def _row(line: str | None, prompt: str, reference: str) -> tuple[str, bytes, Mapping[str, Any]]:
    """The prompt's hash, as the answers of a run have it, and the row; a row that was too long is its cut texts."""
    if line is None:
        row: dict[str, Any] = {"messages": [{"role": "user", "content": prompt}], "reference_answer": reference}
        return _hash(row["messages"]), json.dumps(row).encode(), row
    row = json.loads(line)
    return _hash(row["messages"]), line.encode(), row


def _hash(messages: Any) -> str:
    try:
        return hashlib.sha256(orjson.dumps(messages)).hexdigest()
    except TypeError:  # what JSON may hold and orjson does not write: a lone surrogate, a very large number
        return hashlib.sha256(json.dumps(messages).encode()).hexdigest()


def _answer(row: int, prompt_sha256: str, names: list[str], told: list[Any]) -> Answer:
    """An answer as `row_texts.told_answer` tells it."""
    from tunedrop.evaluation.answers import Answer
    from tunedrop.graders.sample import Part

    candidate, sample, text, thought, reward, correct, why, explanation, tokens, parts = told
    return Answer(
        row=row,
        sample=sample,
        candidate=names[candidate],
        prompt_sha256=prompt_sha256,
        answer=text,
        thought=thought,
        completion_tokens=tokens,
        reward=reward,
        correct=correct,
        ungraded=why,
        explanation=explanation,
        parts=tuple(Part(*part) for part in parts),
    )
