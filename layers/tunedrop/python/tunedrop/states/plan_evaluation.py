"""PlanEvaluation: divides the questions (candidates times test rows) into shards, and chooses the best checkpoint."""

from __future__ import annotations

import hashlib
import heapq
import logging
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import inf
from typing import IO, Any

from tunedrop.evaluation.answers import BASE, CHECKPOINT, REFERENCE, TUNED
from tunedrop.evaluation.tally import Tally
from tunedrop.outcomes import RunFileBroken, RunFileMissing
from tunedrop.recipe import Evaluation, Recipe
from tunedrop.resources import Resources
from tunedrop.run import folder as names
from tunedrop.run.folder import RunFolder
from tunedrop.run.plan import Shard, load_plan, read_shard, validation_shards
from tunedrop.run.record import RunRecord
from tunedrop.states.decision import Decision

_log = logging.getLogger(__name__)

SHARD_SECONDS = 240.0
"""How long a shard should take at the latency that the rehearsal saw: well within its Lambda's 15 minutes, so that a
model that has become three times slower still ends in time."""

ASSUMED_LATENCY_SECONDS = 20.0
"""Latency of an answer where none was measured."""

MOST_ANSWERS = 2_000
"""Most answers a shard: with some 4 KB each, 8 MB that the conclusion sorts in memory at a time."""

LEAST_ANSWERS = 50
"""Fewest answers worth a Lambda of their own."""


FIRST_ROUND = 1
"""Of two where the best checkpoint is to be chosen: by rows of its own first, then the comparison on the test set."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that is evaluated: its name in the answers, and the id under which it answers."""

    name: str
    model: str


@dataclass(frozen=True, slots=True)
class Planned(Decision):
    """The round is `planned`: the Map works through `manifest`, on `concurrency` shards at once.

    `next_round` is the round that follows; 0 means that there is none.
    """

    manifest: Mapping[str, str]
    concurrency: int
    next_round: int


def run(event: Mapping[str, Any], resources: Resources) -> Planned:
    """Plan a round of the run's evaluation.

    If the recipe wants the best checkpoint and the training has several, the first round asks all of them the
    validation rows. The second round asks the test rows, and of the checkpoints only the best one.

    Input: `run_id`, and `round`: the `next_round` of the last answer, if there was one.
    """
    run_id, this_round = event["run_id"], event.get("round", FIRST_ROUND)
    store, run_folder = resources.runs, resources.folder(run_id)
    record = store.load(run_id)
    recipe = record.recipe
    manifest = {"bucket": run_folder.bucket, "key": run_folder.key(names.MANIFEST)}
    latency = record.rehearsal.latency_p99
    choices = checkpoints(record) if recipe.chooses_checkpoint else []
    dataset = record.dataset
    choosing = bool(choices) and this_round == FIRST_ROUND and bool(dataset.validation_rows)
    if choosing:
        every_row = recipe.evaluation.model_copy(update={"rows": None})
        plan(
            run_folder,
            every_row,
            [*choices, _tuned(record)],
            latency,
            rows_file=names.VALIDATION,
            written=dataset.validation_rows,
        )
        store.update(run_id, {"stage": "PlanEvaluation"})
        return Planned("planned", manifest, recipe.evaluation.concurrency, next_round=FIRST_ROUND + 1)
    first_round = validation_shards(load_plan(run_folder)) if choices and this_round > FIRST_ROUND else []
    if first_round:
        choice = choose_checkpoint(run_folder, first_round, samples=recipe.evaluation.samples)
        training = replace(record.training, choice=choice)
        record = store.update(
            run_id, {"training": training, "tuned_model": choice["model"], "asked_as": choice["model"]}
        )
    plan(
        run_folder,
        recipe.evaluation,
        candidates(record, recipe),
        latency,
        before=first_round,
        written=dataset.test_rows,
    )
    store.update(run_id, {"stage": "PlanEvaluation"})
    return Planned("planned", manifest, recipe.evaluation.concurrency, next_round=0)


def candidates(record: RunRecord, recipe: Recipe) -> list[Candidate]:
    """The models to compare: base and tuned model, and the checkpoints and reference models that the recipe names."""
    found = [Candidate(BASE, recipe.catalog_model.asked_as)]
    if record.tuned_model:
        found.append(_tuned(record))
    if recipe.evaluation.checkpoints == "all":
        found += checkpoints(record)
    found += [Candidate(f"{REFERENCE}{model}", model) for model in recipe.evaluation.reference_models]
    return found


def checkpoints(record: RunRecord) -> list[Candidate]:
    """The models that the training saved, by step; the one of the last step is the tuned model itself."""
    training = record.training
    return [
        Candidate(f"{CHECKPOINT}{each['step']}", each["model"])
        for each in training.checkpoints or ()
        if each["step"] != training.steps
    ]


def choose_checkpoint(run_folder: RunFolder, shards: Sequence[Shard], *, samples: int) -> dict[str, Any]:
    """The model with the highest mean reward on the validation rows (the later one of equals), and the figures of all.

    The models come in the order of their steps. An answer without a grade does not count; a model without any grade
    is not chosen.
    """
    rows = max(shard.first_row + shard.rows for shard in shards)
    tally = Tally(rows=rows, samples=samples)
    models: dict[str, str] = {}
    for shard in shards:
        models[shard.candidate] = shard.model
        for answer in read_shard(run_folder, shard, samples=samples):
            tally.add(answer)
    figures = []
    for name, model in models.items():
        counted = tally.candidates.get(name)
        rewards = [counted.reward(row) for row in range(rows)] if counted else []
        graded = [reward for reward in rewards if reward is not None]
        mean = sum(graded) / len(graded) if graded else None
        figures.append({"name": name, "model": model, "mean_reward": mean, "rows": len(graded)})
    # max takes the first of equals, and the models are in the order of their steps.
    best = max(reversed(figures), key=lambda each: -inf if each["mean_reward"] is None else float(each["mean_reward"]))
    return {"chosen": best["name"], "model": best["model"], "validation_rows": rows, "figures": figures}


def _tuned(record: RunRecord) -> Candidate:
    return Candidate(TUNED, record.asked_as or record.tuned_model or "")


def rows_a_shard(rows: int, evaluation: Evaluation, latency_seconds: float | None) -> int:
    """How many rows a shard has: as many as take SHARD_SECONDS, but so that each of `concurrency` Lambdas has some."""
    latency = max(latency_seconds or ASSUMED_LATENCY_SECONDS, 0.001)
    answers_in_time = int(evaluation.in_flight * SHARD_SECONDS / latency)
    evenly = -(-rows * evaluation.samples // evaluation.concurrency)
    answers = max(LEAST_ANSWERS, min(MOST_ANSWERS, answers_in_time, evenly))
    return max(1, answers // evaluation.samples)


def plan(
    run_folder: RunFolder,
    evaluation: Evaluation,
    models: Sequence[Candidate],
    latency_seconds: float | None,
    *,
    rows_file: str = names.TEST,
    before: Sequence[Shard] = (),
    written: int | None = None,
) -> list[Shard]:
    """Write the plan and the map's manifest into the run's folder, and return the new shards.

    `rows_file` has the `written` rows that are asked. `before` has the shards of an earlier round, which stay in the
    plan.

    Raises:
        RunFileMissing, RunFileBroken: `rows_file` is not what was written.
    """
    asked = names.TEST_ROWS
    if rows_file == names.TEST:
        spans = _write_test_rows(run_folder, evaluation.rows, written)
    else:
        asked = rows_file
        with tempfile.TemporaryFile() as unused:
            spans = _copy((line for line, _ in run_folder.rows(rows_file)), unused)
        run_folder.hold_rows(rows_file, len(spans), written)
    size = rows_a_shard(len(spans), evaluation, latency_seconds)
    shards: list[Shard] = []
    for model in models:
        for first in range(0, len(spans), size):
            part = spans[first : first + size]
            shards.append(
                Shard(
                    len(before) + len(shards),
                    model.name,
                    model.model,
                    first,
                    len(part),
                    start=part[0][0],
                    end=part[-1][1],
                    rows_file=asked,
                )
            )
    every = [*before, *shards]
    run_folder.write_json(names.PLAN, {"rows": len(spans), "shards": [asdict(shard) for shard in every]})
    run_id = run_folder.prefix.split("/")[1]
    run_folder.write_json(names.MANIFEST, [{"run_id": run_id, "shard": shard.number} for shard in shards])
    return shards


def _write_test_rows(run_folder: RunFolder, count: int | None, written: int | None) -> list[tuple[int, int]]:
    """Write the test rows that are asked, and return where each one is in the file."""
    rows = 0

    def lines() -> Iterator[bytes]:
        nonlocal rows
        rows = 0
        for line, _ in run_folder.rows(names.TEST):
            rows += 1
            yield line

    with tempfile.TemporaryFile() as rows_file:
        chosen = None if count is None else _chosen((line.rstrip(b"\r\n") for line in lines()), count)
        asked = (line for number, line in enumerate(lines()) if chosen is None or number in chosen)
        spans = _copy(asked, rows_file)
        run_folder.hold_rows(names.TEST, rows, written)
        rows_file.seek(0)
        run_folder.write(names.TEST_ROWS, rows_file)
    _write_lines(run_folder, chosen)
    return spans


def _write_lines(run_folder: RunFolder, chosen: frozenset[int] | None) -> None:
    """Write which lines of the dropped file are asked. Runs of an earlier release did not note the lines."""
    try:
        noted = run_folder.read_json(names.TEST_LINES)
        lines = [line for number, line in enumerate(noted["lines"]) if chosen is None or number in chosen]
        run_folder.write_json(names.ASKED_LINES, {"file": str(noted["file"]), "lines": lines})
    except (RunFileMissing, RunFileBroken, LookupError, TypeError) as error:
        _log.warning("the report will not name the lines of the test rows: %s", error)


def _copy(lines: Iterable[bytes], target: IO[bytes]) -> list[tuple[int, int]]:
    """Write the lines that hold a row, and return the first byte and the end of each."""
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
