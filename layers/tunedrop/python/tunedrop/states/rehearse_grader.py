"""RehearseGrader: grades answers of the base model with the deployed grader, and ends a run that could not learn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tunedrop.graders.deployed import LAYOUTS
from tunedrop.graders.graded import Layout
from tunedrop.graders.reward_range import RewardRange
from tunedrop.recipe import Recipe
from tunedrop.rehearsal import layouts, verdict
from tunedrop.rehearsal.conduct import form_of_answers, ideal_rollouts, rehearse
from tunedrop.rehearsal.findings import Finding, Severity
from tunedrop.rehearsal.sampling import choose_lines
from tunedrop.resources import Resources
from tunedrop.run import folder as names
from tunedrop.run.folder import RunFolder
from tunedrop.run.record import RunRecord
from tunedrop.run.record_parts import RehearsalResult
from tunedrop.sampling.samplers import sampler_for
from tunedrop.states.decision import Decision


def run(event: Mapping[str, Any], resources: Resources) -> Decision:
    """Rehearse a run's grader on the run's training rows, and write every answer into `rehearsal.json`.

    Input: `run_id`. The decision is `go`.

    Raises:
        GraderUnsound: the grader itself is at fault.
        RunFileMissing, RunFileBroken: the training file is not what ValidateDataset wrote.
        NoSignal: the base model's rewards leave nothing to learn from.
        ServiceBusy: the model or the grader did not answer this time.
    """
    _rehearse(event["run_id"], resources)
    return Decision("go")


def _rehearse(run_id: str, resources: Resources) -> None:
    record = resources.runs.load(run_id)
    recipe = record.recipe
    rewards = recipe.grader.reward_range
    run_folder, dataset = resources.folder(run_id), record.dataset
    if not recipe.trains:
        # No training to be paid for that a rehearsal could save; only how to ask a grader of one's own is open.
        if recipe.grader.kind_of_rows is None:
            layout = _earlier_layout(record, recipe, resources)
            if layout is None:
                prompts, written = recipe.rehearsal.prompts, dataset.test_rows
                rows = rows_to_rehearse(run_folder, names.TEST, prompts, written)
                layout = layouts.best_layout(_rewards_by_layout(record, resources, rows, rewards), rewards)
            resources.runs.update(run_id, {"grader_layout": layout})
        return
    model = recipe.catalog_model

    rows = rows_to_rehearse(run_folder, names.TRAIN, recipe.rehearsal.prompts, dataset.rows)
    by_layout: dict[Layout, float] = {}
    if recipe.grader.kind_of_rows is None:
        by_layout = _rewards_by_layout(record, resources, rows, rewards)
        record = resources.runs.update(run_id, {"grader_layout": layouts.best_layout(by_layout, rewards)})
    rehearsal = rehearse(
        rows,
        recipe=recipe,
        asked_as=model.asked_as,
        sampler=sampler_for(model.family, resources.settings),
        grader=resources.grader(record),
        train_rows=dataset.rows or 0,
        test_rows=dataset.test_rows or 0,
    )
    trial, figures, findings = rehearsal.trial, rehearsal.figures, rehearsal.findings
    if by_layout:
        figures |= {"grader_layout": record.grader_layout, "reference_reward_by_layout": by_layout}
        if (advice := layouts.warning(by_layout, rewards)) is not None:
            findings.append(Finding("layouts_not_read", Severity.WARNING, *advice))
    run_folder.write_json(names.REHEARSAL, verdict.document(trial, figures, findings))
    kept = {
        **figures,
        "verdict": str(verdict.verdict_of(findings)),
        "findings": [asdict(each) for each in findings],
    }
    resources.runs.update(run_id, {"rehearsal": RehearsalResult(kept), "stage": "RehearseGrader"})
    verdict.stop_if_hopeless(findings)


def _rewards_by_layout(
    record: RunRecord, resources: Resources, rows: Sequence[Mapping[str, Any]], rewards: RewardRange
) -> dict[Layout, float]:
    """The mean reward of the references in each layout, in the form that pays."""
    graders = {layout: resources.grader_in(record, layout) for layout in LAYOUTS}
    form = form_of_answers(rows, recipe=record.recipe, graders=graders.values())
    return layouts.rewards_by_layout(graders, ideal_rollouts(rows, form), rewards)


def _earlier_layout(record: RunRecord, recipe: Recipe, resources: Resources) -> str | None:
    """The layout that this grader function reads, as the resumed run found it; None if that run noted none."""
    if not recipe.resumes:
        return None
    earlier = resources.runs.load(recipe.resumes)
    return earlier.grader_layout if earlier.grader_arn == record.grader_arn else None


def rows_to_rehearse(run_folder: RunFolder, name: str, count: int, written: object) -> list[Mapping[str, Any]]:
    """`count` rows of a file of the dataset, which must have as many rows as were `written`.

    Raises:
        RunFileMissing, RunFileBroken: it is not what ValidateDataset wrote.
    """
    seen = 0

    def lines() -> Iterator[bytes]:
        nonlocal seen
        for line in run_folder.lines(name):
            seen += bool(line.strip())
            yield line.removesuffix(b"\n")

    chosen = choose_lines(lines(), count)
    run_folder.hold_rows(name, seen, written)
    return [run_folder.row(name, line) for line in chosen]
