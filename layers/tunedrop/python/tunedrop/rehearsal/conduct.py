"""The rehearsal of a grader: everything that is asked, graded and concluded, whoever asks the model and the grader."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any

from tunedrop.evaluation.power import resolution
from tunedrop.graders.graded import Graded, Rollout
from tunedrop.recipe import Recipe
from tunedrop.rehearsal.answer_forms import AS_WRITTEN, form_that_pays, ideal_answer
from tunedrop.rehearsal.figures import JobSize, Trial, figures_of
from tunedrop.rehearsal.findings import Finding, judge
from tunedrop.rehearsal.layouts import SAME
from tunedrop.rehearsal.probes import Probe, probes
from tunedrop.rehearsal.sampling import Group, sample_groups
from tunedrop.sampling.question import Asking, Sampler

if TYPE_CHECKING:
    from tunedrop.graders.deployed import DeployedGrader

PROBED_ROWS = 8
"""Rows whose cheats are graded: some 12 answers each, so that a rehearsal stays a matter of seconds."""

_ANY_FORM = ("code", "judge")
"""Kinds that ask for no marker: code is found wherever it stands, and a judge reads everything."""

SMALL_BATCH = 7
"""Samples a batch when everything is graded again: a divisor of no usual batch, so that every sample moves."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a rehearsal gave: every answer, the figures, and what they say."""

    trial: Trial
    figures: dict[str, Any]
    findings: list[Finding]


def rehearse(
    rows: Sequence[Mapping[str, Any]],
    *,
    recipe: Recipe,
    asked_as: str,
    sampler: Sampler,
    grader: DeployedGrader,
    train_rows: int,
    test_rows: int,
) -> Rehearsal:
    """Grade the references of the rows, the model's answers to them twice, and the cheats.

    Raises:
        ServiceBusy: the model or the grader could not be asked this time.
    """
    rewards = recipe.grader.reward_range
    form = form_of_answers(rows, recipe=recipe, graders=[grader])
    references = grader.grade(ideal_rollouts(rows, form))
    groups = sample_groups(
        rows,
        sampler=sampler,
        grader=grader,
        asking=Asking(
            asked_as, recipe.evaluation.max_tokens, recipe.rehearsal.temperature, recipe.evaluation.reasoning_effort
        ),
        samples=recipe.rehearsal.samples,
    )
    trial = Trial(
        groups=groups,
        references=references,
        probed=_probe(grader, probes(rows[:PROBED_ROWS], kind=recipe.grader.kind, form=form)),
        repeated=_grade_again(grader, groups),
        timings=grader.timings,
        job=_job_size(recipe, rows=train_rows),
    )
    asked = min(test_rows, recipe.evaluation.rows or test_rows)
    figures = {
        **figures_of(trial, rewards),
        "reference_form": form,
        "reward_range": list(rewards),
        "test_set": resolution(asked, level=recipe.gates.level),
    }
    return Rehearsal(trial, figures, judge(figures, recipe.gates, rewards))


def ideal_rollouts(rows: Sequence[Mapping[str, Any]], form: str = AS_WRITTEN) -> list[Rollout]:
    """The reference answers as a model would give them, in this form."""
    return [Rollout(f"reference-{place}", row, ideal_answer(row, form)) for place, row in enumerate(rows)]


def form_of_answers(rows: Sequence[Mapping[str, Any]], *, recipe: Recipe, graders: Collection[DeployedGrader]) -> str:
    """The form in which one of these graders pays for the references: it may ask for a marker that they lack."""
    if recipe.grader.kind in _ANY_FORM:
        return AS_WRITTEN
    rewards = recipe.grader.reward_range

    def earned(form: str) -> float:
        ideal = ideal_rollouts(rows, form)
        graded = [[each.reward for each in grader.grade(ideal) if each.reward is not None] for grader in graders]
        return max((fmean(given) for given in graded if given), default=rewards.low)

    marker = recipe.grader.options.get("after")
    return form_that_pays(
        rows,
        earned,
        enough=rewards.at(recipe.gates.least_reference),
        gain=SAME * rewards.width,
        marker=marker if isinstance(marker, str) else "",
    )


def _probe(grader: DeployedGrader, made: list[Probe]) -> list[tuple[Probe, Graded]]:
    graded = grader.grade([Rollout(f"probe-{place}", probe.row, probe.answer) for place, probe in enumerate(made)])
    return list(zip(made, graded, strict=True))


def _grade_again(grader: DeployedGrader, groups: list[Group]) -> list[Graded]:
    """All answers of the groups once more, in the reverse order and in small batches; in the first order again."""
    answers = [(group.row, reply) for group in groups for reply in group.replies]
    rollouts = [Rollout(f"again-{place}", row, reply.text, reply.thought) for place, (row, reply) in enumerate(answers)]
    graded = grader.grade(rollouts[::-1], batch_samples=SMALL_BATCH)[::-1]
    return [
        each if reply.refused is None else Graded(each.id, None, ungraded="the model refused")
        for each, (_, reply) in zip(graded, answers, strict=True)
    ]


def _job_size(recipe: Recipe, rows: int) -> JobSize:
    """What the job will be, by the names that the two families have for the same things."""
    given = recipe.typed_hyperparameters
    model = recipe.catalog_model
    return JobSize(
        rows=rows,
        epochs=int(given.get("n_epochs") or given.get("epochCount") or 1),
        batch_size=int(given.get("batch_size") or given.get("batchSize") or 1),
        group_size=int(given.get("trainingSamplePerPrompt") or model.default_group_size),
    )
