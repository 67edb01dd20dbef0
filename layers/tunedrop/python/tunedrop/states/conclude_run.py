"""ConcludeRun: compares base and tuned model, writes the report, and closes the record with its notice."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import orjson

from tunedrop import clock
from tunedrop.dataset.written_rows import as_dropped
from tunedrop.evaluation.comparison import length_labels
from tunedrop.evaluation.guard_rails import Profile
from tunedrop.evaluation.parts_tally import PartsTally
from tunedrop.evaluation.tally import Tally
from tunedrop.evaluation.verdict import Rules, evaluate, notice_figures
from tunedrop.graders.turn import text_of
from tunedrop.notices import of_run
from tunedrop.outcomes import RunFileBroken, RunFileMissing, Status
from tunedrop.recipe import Recipe
from tunedrop.rehearsal.answer_forms import ideal_answer
from tunedrop.reporting.flips import Flips
from tunedrop.reporting.report_files import write_report
from tunedrop.reporting.row_index import row_index
from tunedrop.reporting.row_texts import MOST_SAMPLES, Limits, PageRows, RowTexts, row_text, told_answer
from tunedrop.resources import Resources
from tunedrop.run import approval
from tunedrop.run import folder as names
from tunedrop.run.folder import RunFolder
from tunedrop.run.plan import Shard, comparison_shards, load_plan, read_shard
from tunedrop.run.promotion import deserved, wanted
from tunedrop.run.record import RunRecord
from tunedrop.run.record_parts import EvaluationResult
from tunedrop.sampling.question import text_with_calls
from tunedrop.states.decision import Decision, for_the_handler
from tunedrop.training.holdings import delete_holdings
from tunedrop.training.job_output import written_metrics

_log = logging.getLogger(__name__)

LABEL_CHARACTERS = 60
"""Longest label of a slice."""


@dataclass(frozen=True, slots=True)
class Concluded(Decision):
    """The run is closed: its verdict, what the state machine does about the promotion, and the notice to publish.

    If the state runs twice, the second time finds the run closed; `closed_now` says whether this time closed it.
    """

    verdict: str | None
    promotion: Mapping[str, Any]
    notice: Mapping[str, Any] | None
    difference: float = for_the_handler(0.0)
    closed_now: bool = for_the_handler(False)


def run(event: Mapping[str, Any], resources: Resources) -> Concluded:
    """Compare the models, write result and report, and close the run. If it is closed, return it as it was closed.

    Input: `run_id`.

    Raises:
        EvaluationIncomplete: too few rows have graded answers of both models.
        RunFileMissing, RunFileBroken: the run's rows, plan or answers are not what was written.
        RunReleased: the run was stopped meanwhile.
    """
    run_id = event["run_id"]
    record = resources.runs.load(run_id)
    recipe = record.recipe
    closed_now = False
    if not record.closed:
        # From here on the time is the conclusion's own.
        record = resources.runs.update(run_id, {"stage": "EvaluateShards"})
        run_folder = resources.folder(run_id)
        shards = comparison_shards(load_plan(run_folder))
        if not shards:
            raise run_folder.broken(names.PLAN, "it has no shard of the test set")
        evaluation = _evaluate(run_folder, recipe, shards)
        run_folder.write_json(names.EVALUATION, evaluation.result)
        metrics = resources.training_events.metrics(run_id) or (written_metrics(run_folder) if record.job_id else [])
        run_folder.write_json(names.METRICS, metrics)
        asked = approval.decided(record, evaluation.result)
        changes = {
            "evaluation": EvaluationResult(notice_figures(evaluation.result)),
            "approval_asked": None if asked is None else asked.to_attribute(),
            "stage": "ConcludeRun",
        }
        record = resources.runs.update(run_id, changes)
        record = _delete_holdings(record, recipe, resources)
        finished_at = clock.now_text()
        report_uri = write_report(
            run_folder,
            record,
            status=Status.SUCCEEDED,
            reason=None,
            finished_at=finished_at,
            metrics=metrics,
            evaluation=evaluation.result,
            flips=evaluation.flips,
            rows=evaluation.rows,
            settings=resources.settings,
        )
        closing = of_run.closing(record, Status.SUCCEEDED, None, report_uri=report_uri, finished_at=finished_at)
        record = resources.runs.close(run_id, closing)
        closed_now = record.finished_at == finished_at
    resources.audit.note(record)
    return Concluded(
        "concluded",
        verdict=record.evaluation.verdict,
        promotion=instructions(record, runs_table=resources.settings.runs_table),
        notice=record.notice,
        difference=record.evaluation.difference or 0.0,
        closed_now=closed_now,
    )


def instructions(record: RunRecord, *, runs_table: str) -> dict[str, Any]:
    """What the state machine does about the promotion, once the run is closed with its notice.

    `wanted`: go on to PromoteModel. `approval`: only after a person has approved; `asking` is the notice that asks, and
    `wait_seconds` is how long the person has.
    """
    promotion = wanted(record)
    if promotion is None or not deserved(record, record.status):
        return {"wanted": False, "approval": False}
    asked = approval.approval_of(record)
    if asked is None or not asked.asked:
        return {"wanted": True, "approval": False}
    return {
        "wanted": True,
        "approval": True,
        "wait_seconds": round(promotion.approval_hours * 3600),
        "asking": of_run.approval_wanted(record, promotion, runs_table=runs_table),
    }


def _delete_holdings(record: RunRecord, recipe: Recipe, resources: Resources) -> RunRecord:
    """The evaluation is over: delete what the run holds at the training service and need not keep."""
    if record.deploying_at is None and not recipe.cleanup.delete_files:
        return record
    released = delete_holdings(record, resources.backend(record), keep_deployment=recipe.cleanup.keep_deployment)
    return resources.runs.update(record.run_id, {"released": {**record.released, **released}})


@dataclass(frozen=True, slots=True)
class _Evaluation:
    """What the answers amount to: the result, the rows that flipped, and all rows for the page."""

    result: dict[str, Any]
    flips: dict[str, Any]
    rows: PageRows


def _evaluate(run_folder: RunFolder, recipe: Recipe, shards: list[Shard]) -> _Evaluation:
    lengths: list[int] = []
    fields: dict[str, list[str | None]] = {name: [] for name in recipe.evaluation.slices}
    for row in _test_rows(run_folder):
        lengths.append(len(_prompt(row)))
        for name, labels in fields.items():
            labels.append(slice_label(row, name))
    run_folder.hold_rows(names.TEST_ROWS, len(lengths), max(shard.first_row + shard.rows for shard in shards))
    rewards = recipe.grader.reward_range
    tally = Tally(rows=len(lengths), samples=recipe.evaluation.samples, rewards=rewards)
    parts = PartsTally(recipe.grader.kind)
    profiles: dict[str, Profile] = {}
    for shard in shards:
        profile = profiles.setdefault(shard.candidate, Profile())
        # Of one shard at a time: some thousand prompts, however large the test set is.
        prompts = [_prompt(row) for _, row in run_folder.rows(shard.rows_file, shard.start, shard.end)]
        run_folder.hold_rows(shard.rows_file, len(prompts), shard.rows)
        for answer in read_shard(run_folder, shard, samples=recipe.evaluation.samples):
            if tally.add(answer):
                profile.add(answer, prompts[answer.row - shard.first_row])
                parts.add(answer)
    gates = recipe.gates
    slices: dict[str, Sequence[str | None]] = {**fields, "prompt length": length_labels(lengths)}
    models = {shard.candidate: shard.model for shard in shards}
    result = evaluate(
        tally,
        profiles,
        Rules(
            level=gates.level,
            least_difference=gates.least_difference * rewards.width,
            most_ungraded=gates.most_ungraded,
        ),
        labels=slices,
        models=models,
    )
    result["parts"] = parts.to_json()
    file, lines = _asked_lines(run_folder)
    index = row_index(tally, labels=slices, models=models, file=file, lines=lines)
    return _Evaluation(result, *_texts(run_folder, recipe, tally, shards, index))


def _texts(
    run_folder: RunFolder, recipe: Recipe, tally: Tally, shards: list[Shard], index: dict[str, Any]
) -> tuple[dict[str, Any], PageRows]:
    """The rows that flipped and all rows for the page, from a second pass: only some shards' texts are ever held."""

    def write(name: str, script: bytes) -> None:
        run_folder.write(f"{names.REPORT_ROWS}{name}", script, "text/javascript; charset=utf-8")

    flips = Flips(tally)
    texts = RowTexts(index["states"], write)
    limits = Limits.of(rows=tally.rows, answers=tally.rows * len(index["names"]) * min(tally.samples, MOST_SAMPLES))
    places = {name: place for place, name in enumerate(index["names"])}
    wanted = frozenset(flips.rows)
    # Each part of the rows is asked of every candidate, in one shard each.
    for first_row, of_rows in groupby(sorted(shards, key=lambda shard: shard.first_row), lambda shard: shard.first_row):
        of_these = list(of_rows)
        answers: dict[int, dict[tuple[str, int], list[Any]]] = {}
        for shard in of_these:
            for answer in read_shard(run_folder, shard, samples=tally.samples):
                flips.add_answer(answer)
                of_row = answers.setdefault(answer.row, {})
                if answer.sample < MOST_SAMPLES and (key := (answer.candidate, answer.sample)) not in of_row:
                    of_row[key] = told_answer(answer, places[answer.candidate], limits)
        for number, (line, row) in enumerate(
            run_folder.rows(of_these[0].rows_file, of_these[0].start, of_these[0].end), start=first_row
        ):
            prompt, reference = shown_prompt(row), ideal_answer(row)
            if number in wanted:
                flips.add_row(number, prompt, reference)
            dropped = as_dropped(line.rstrip(b"\r\n"), recipe.grader)
            given = list(answers.pop(number, {}).values())
            told = row_text(number, dropped, prompt=prompt, reference=reference, answers=given, limits=limits)
            texts.add(number, told)
    return flips.to_json(), texts.close(index)


def _asked_lines(run_folder: RunFolder) -> tuple[str | None, list[int] | None]:
    """The dropped file that the test rows come from, and the line of each; None if the run has not noted them."""
    try:
        noted = run_folder.read_json(names.ASKED_LINES)
        return str(noted["file"]), [int(line) for line in noted["lines"]]
    except (RunFileMissing, RunFileBroken, LookupError, TypeError, ValueError) as error:
        _log.warning("the report does not name the lines of the test rows: %s", error)
        return None, None


def slice_label(row: Mapping[str, Any], name: str) -> str | None:
    """What a row has in a field, at its top level or in its metadata, as the label of a slice; None for nothing."""
    metadata = row.get("metadata")
    value = row.get(name, metadata.get(name) if isinstance(metadata, Mapping) else None)
    if value is None:
        return None
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= LABEL_CHARACTERS else text[: LABEL_CHARACTERS - 1] + "…"


def _test_rows(run_folder: RunFolder) -> Iterator[Mapping[str, Any]]:
    return (row for _, row in run_folder.rows(names.TEST_ROWS))


def shown_prompt(row: Mapping[str, Any]) -> str:
    """A row's prompt for a reader: with the names of its tools, if it has any."""
    tools = row.get("tools")
    functions = [each.get("function") for each in tools if isinstance(each, Mapping)] if isinstance(tools, list) else []
    named = [str(function["name"]) for function in functions if isinstance(function, Mapping) and "name" in function]
    return _prompt(row) + (f"\n\nTools: {', '.join(named)}" if named else "")


def _prompt(row: Mapping[str, Any]) -> str:
    return "\n\n".join(filter(None, map(_said, (each for each in row["messages"] if isinstance(each, Mapping)))))


def _said(message: Mapping[str, Any]) -> str:
    """What a turn of a prompt says, and the tools that it calls."""
    return text_with_calls(text_of(message.get("content")), message)
