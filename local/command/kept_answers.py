"""The answers and the test rows of ended runs, from their files or reports, and the rows that several runs asked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from local.command import kept_runs
from local.command.report_rows import leaves_answers_out, rows_in_report

if TYPE_CHECKING:
    from tunedrop.evaluation.answers import Answer

_TEST_ROWS = "evaluation/rows.jsonl"
_PLAN = "evaluation/plan.json"


def has_all_answers(run: kept_runs.KeptRun) -> bool:
    """Whether `answers_of` gives every answer of the run: a report may have only the first few to each row."""
    return (run.folder / _PLAN).is_file() or not leaves_answers_out(run.page)


def answers_of(run: kept_runs.KeptRun, candidate: str) -> Iterator[Answer]:
    """The answers of one model of a run to its test set; of a run of another stack, those that its report has."""
    from tunedrop.evaluation.answers import read_answers

    plan = run.folder / _PLAN
    if not plan.is_file():
        for row in rows_in_report(run.page):
            yield from (answer for answer in row.answers if answer.candidate == candidate)
        return
    for shard in json.loads(plan.read_bytes())["shards"]:
        if shard["candidate"] != candidate or shard.get("rows_file", _TEST_ROWS) != _TEST_ROWS:
            continue
        for part in sorted((run.folder / "evaluation/answers" / f"{shard['number']:05}").glob("*.jsonl")):
            with part.open("rb") as lines:
                yield from read_answers(lines, source=str(part))


def rows_of(run: kept_runs.KeptRun) -> Iterator[tuple[str, bytes, Mapping[str, Any]]]:
    """The test rows of a run: the prompt's hash, as the answers have it, the line, and what it says."""
    path = run.folder / _TEST_ROWS
    if not path.is_file():
        yield from ((each.prompt_sha256, each.line, each.row) for each in rows_in_report(run.page))
        return
    with path.open("rb") as lines:
        for line in lines:
            row = orjson.loads(line)
            yield hashlib.sha256(orjson.dumps(row["messages"])).hexdigest(), line.rstrip(b"\r\n"), row


def shared_prompts(sides: Sequence[Sequence[Answer]]) -> dict[str, int]:
    """The prompts that all sides have answers to, by their hashes, numbered from 0.

    A prompt that a test set has twice cannot be told apart, and needs not be: its answers are one row's.
    """
    shared = set.intersection(*({answer.prompt_sha256 for answer in side} for side in sides)) if sides else set()
    return {prompt: number for number, prompt in enumerate(sorted(shared))}
