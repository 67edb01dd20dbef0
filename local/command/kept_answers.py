"""The answers and the test rows of runs that lie on this machine, and the rows that several runs asked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from local.command import kept_runs

if TYPE_CHECKING:
    from tunedrop.evaluation.answers import Answer

_TEST_ROWS = "evaluation/rows.jsonl"


def answers_of(run: kept_runs.KeptRun, candidate: str) -> Iterator[Answer]:
    """The answers of one model of a run to its test set."""
    from tunedrop.evaluation.answers import read_answers

    plan = run.folder / "evaluation/plan.json"
    shards = json.loads(plan.read_bytes())["shards"] if plan.is_file() else []
    for shard in shards:
        if shard["candidate"] != candidate or shard.get("rows_file", _TEST_ROWS) != _TEST_ROWS:
            continue
        for part in sorted((run.folder / "evaluation/answers" / f"{shard['number']:05}").glob("*.jsonl")):
            with part.open("rb") as lines:
                yield from read_answers(lines, source=str(part))


def rows_of(run: kept_runs.KeptRun) -> Iterator[tuple[str, bytes, Mapping[str, Any]]]:
    """The test rows of a run: the prompt's hash, as the answers have it, the line, and what it says."""
    path = run.folder / _TEST_ROWS
    if not path.is_file():
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
