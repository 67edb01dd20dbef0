"""Cutting the evaluation into shards: some rows of the test set, asked of one candidate model, for one Lambda."""

from __future__ import annotations

import hashlib
import heapq
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import IO, Any

from tunedrop.evaluation.answers import BASE, TUNED
from tunedrop.recipe import Evaluation, Recipe
from tunedrop.run import folder as names
from tunedrop.run.folder import RunFolder
from tunedrop.run.record import RunRecord
from tunedrop.run.store import RunStore

SHARD_SECONDS = 240.0
"""How long a shard should take at the latency that the rehearsal saw: well within its Lambda's 15 minutes, so that a
model that has become three times slower still ends in time."""

ASSUMED_LATENCY_SECONDS = 20.0
"""Latency of an answer where none was measured."""

MOST_ANSWERS = 2_000
"""Most answers a shard: with some 4 KB each, 8 MB that the conclusion sorts in memory at a time."""

LEAST_ANSWERS = 50
"""Fewest answers worth a Lambda of their own."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that is evaluated: its name in the answers, and its id as inference names it."""

    name: str
    model: str


@dataclass(frozen=True, slots=True)
class Shard:
    """Rows `first_row` to `first_row + rows - 1` of the test set, bytes `start` to `end - 1`, for one candidate."""

    number: int
    candidate: str
    model: str
    first_row: int
    rows: int
    start: int
    end: int


def plan_evaluation(run_id: str, *, store: RunStore, run_folder: RunFolder) -> int:
    """Plan the run's evaluation; how many shards may be worked on at once."""
    record = store.load(run_id)
    recipe = Recipe.model_validate(record.recipe)
    latency = (record.rehearsal or {}).get("latency_p99")
    plan(run_folder, recipe.evaluation, candidates(record, recipe.catalog_model.asked_as), latency)
    store.update(run_id, {"stage": "PlanEvaluation"})
    return recipe.evaluation.concurrency


def candidates(record: RunRecord, asked_as: str) -> list[Candidate]:
    """The models to compare: the base as inference names it, and the tuned one."""
    found = [Candidate(BASE, asked_as)]
    if record.tuned_model:
        found.append(Candidate(TUNED, record.asked_as or record.tuned_model))
    return found


def rows_a_shard(rows: int, evaluation: Evaluation, latency_seconds: float | None) -> int:
    """How many rows a shard has: as many as end in SHARD_SECONDS, but so that all `concurrency` Lambdas get some."""
    latency = max(latency_seconds or ASSUMED_LATENCY_SECONDS, 0.001)
    answers_in_time = int(evaluation.in_flight * SHARD_SECONDS / latency)
    evenly = -(-rows * evaluation.samples // evaluation.concurrency)
    answers = max(LEAST_ANSWERS, min(MOST_ANSWERS, answers_in_time, evenly))
    return max(1, answers // evaluation.samples)


def plan(
    run_folder: RunFolder, evaluation: Evaluation, models: Sequence[Candidate], latency_seconds: float | None
) -> list[Shard]:
    """Write the plan and the manifest of the Distributed Map into the run's folder; the shards."""
    with tempfile.TemporaryFile() as rows_file:
        if evaluation.rows is None:
            spans = _copy(run_folder.stream(names.TEST).iter_lines(keepends=True), rows_file)
        else:
            chosen = _chosen(run_folder.stream(names.TEST).iter_lines(), evaluation.rows)
            lines = run_folder.stream(names.TEST).iter_lines(keepends=True)
            spans = _copy((line for number, line in enumerate(lines) if number in chosen), rows_file)
        rows_file.seek(0)
        run_folder.write(names.TEST_ROWS, rows_file)
    size = rows_a_shard(len(spans), evaluation, latency_seconds)
    shards: list[Shard] = []
    for model in models:
        for first in range(0, len(spans), size):
            part = spans[first : first + size]
            shards.append(
                Shard(len(shards), model.name, model.model, first, len(part), start=part[0][0], end=part[-1][1])
            )
    run_folder.write_json(names.PLAN, {"rows": len(spans), "shards": [asdict(shard) for shard in shards]})
    run_id = run_folder.prefix.split("/")[1]
    run_folder.write_json(names.MANIFEST, [{"run_id": run_id, "shard": shard.number} for shard in shards])
    return shards


def load_plan(run_folder: RunFolder) -> list[Shard]:
    """The shards as they were planned."""
    document: dict[str, Any] = run_folder.read_json(names.PLAN)
    return [Shard(**shard) for shard in document["shards"]]


def _copy(lines: Iterable[bytes], target: IO[bytes]) -> list[tuple[int, int]]:
    """Write the lines that hold a row; where each one lies, as bytes from and to."""
    spans: list[tuple[int, int]] = []
    at = 0
    for line in lines:
        if line.strip():
            written = target.write(line if line.endswith(b"\n") else line + b"\n")
            spans.append((at, at + written))
            at += written
    return spans


def _chosen(lines: Iterable[bytes], count: int) -> frozenset[int]:
    """The numbers of `count` rows by a hash of each line: the same rows every time, from all over the file."""
    keyed = ((hashlib.sha256(line).digest(), number) for number, line in enumerate(lines) if line.strip())
    return frozenset(number for _, number in heapq.nsmallest(count, keyed))
