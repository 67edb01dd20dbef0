"""The rehearsal of a run: sample, grade, judge, write it down, and stop what could not learn."""

from __future__ import annotations

from dataclasses import asdict

from tunedrop.graders.deployed import Rollout
from tunedrop.recipe import Recipe
from tunedrop.rehearsal import verdict
from tunedrop.rehearsal.sampling import choose_rows, sample_groups
from tunedrop.resources import Resources
from tunedrop.run import folder as names
from tunedrop.sampling.question import Asking
from tunedrop.sampling.samplers import sampler_for


def rehearse(run_id: str, resources: Resources) -> None:
    """Rehearse the grader of a run on its own training rows; `rehearsal.json` has every answer.

    Raises:
        GraderUnsound: the grader itself fails.
        NoSignal: the base model's rewards leave nothing to learn from.
        ServiceBusy: the model or the grader could not be asked this time.
    """
    record = resources.runs.load(run_id)
    recipe = Recipe.model_validate(record.recipe)
    model = recipe.catalog_model
    run_folder = resources.folder(run_id)
    grader = resources.grader(record)

    rows = choose_rows(run_folder.stream(names.TRAIN).iter_lines(), recipe.rehearsal.prompts)
    references = grader.grade(
        [Rollout(f"reference-{place}", row, verdict.reference_answer_text(row)) for place, row in enumerate(rows)]
    )
    groups = sample_groups(
        rows,
        sampler=sampler_for(model.family, resources.settings),
        grader=grader,
        asking=Asking(model.asked_as, recipe.evaluation.max_tokens, recipe.rehearsal.temperature),
        samples=recipe.rehearsal.samples,
    )
    figures = verdict.figures(groups, references)
    findings = verdict.judge(figures, recipe.gates)
    run_folder.write_json(names.REHEARSAL, verdict.document(groups, figures, findings))
    resources.runs.update(
        run_id,
        {"rehearsal": {**figures, "findings": [asdict(each) for each in findings]}, "stage": "RehearseGrader"},
    )
    verdict.stop_if_hopeless(findings)
