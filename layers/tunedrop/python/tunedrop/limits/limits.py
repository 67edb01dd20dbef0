"""The operator's limits: the template's parameter `Limits`, and what a run would use up. Pure.

    {"run": {"hours": 24, "answer_tokens": 50000000},
     "month": {"hours": 200, "dollars": 2000},
     "prices": {"hour": 12.5, "step": 0, "grading": 0.0004},
     "teams": {"research": {"month": {"hours": 400}}}}

`run` is for each run, `month` for all runs of a team in a calendar month (UTC); a team's own figures go before those of
all teams. `prices` are dollars, and stand in place of those that a recipe gives.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from math import ceil
from typing import Any

from tunedrop.outcomes import LimitExceeded
from tunedrop.recipe import Prices, Recipe
from tunedrop.training.budget import gradings_of

CHECKPOINT_STEPS = 20
"""Steps between two checkpoints, for the number of models that `evaluation.checkpoints: all` compares. UNCONFIRMED."""


class LimitsInvalid(Exception):
    """The parameter cannot be read; names the field."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """What a run uses up, or may use up at the most; a limit that is not set is infinite.

    `answer_tokens`: tokens of answers in the evaluation. `dollars`: of the training, by the operator's prices.
    """

    hours: float = 0
    steps: float = 0
    gradings: float = 0
    answer_tokens: float = 0
    reference_models: float = 0
    dollars: float = 0

    def __add__(self, other: Amounts) -> Amounts:
        return Amounts(*(getattr(self, each) + getattr(other, each) for each in NAMES))

    def to_json(self) -> dict[str, float]:
        """The amounts that are not 0."""
        return {each: getattr(self, each) for each in NAMES if getattr(self, each)}

    def passing(self, most: Amounts) -> list[str]:
        """The names of the amounts that are greater than `most` lets them be."""
        return [each for each in NAMES if getattr(self, each) > getattr(most, each)]


NAMES = tuple(each.name for each in fields(Amounts))
UNLIMITED = Amounts(*(math.inf for _ in NAMES))

_WORDS = {
    "hours": "hours of training",
    "steps": "training steps",
    "gradings": "graded answers",
    "answer_tokens": "tokens of answers in the evaluation",
    "reference_models": "reference models",
    "dollars": "dollars of training",
}
_LEAST = {"hours": 0.01, "steps": 1, "gradings": 1, "dollars": 0.01}
"""A recipe's budget must be more than nothing."""
_BUDGET = {"hours": "budget.hours", "steps": "budget.steps", "gradings": "budget.gradings", "dollars": "budget.dollars"}


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a stack. `run` and `month` have "" for all teams, and each team that has limits of its own."""

    run: Mapping[str, Amounts] = field(default_factory=dict)
    month: Mapping[str, Amounts] = field(default_factory=dict)
    prices: Prices | None = None

    @property
    def given(self) -> bool:
        """Whether there is any limit."""
        return any(each != UNLIMITED for each in (*self.run.values(), *self.month.values()))

    @classmethod
    def parse(cls, text: str) -> Limits:
        """The limits in the parameter's JSON. Raises LimitsInvalid."""
        try:
            told = json.loads(text or "{}")
        except ValueError as error:
            raise LimitsInvalid(f"Limits: expected JSON, got {text[:60]!r} ({error})") from None
        told = _members(told, "Limits", ("run", "month", "prices", "teams"))
        prices = told.get("prices")
        if prices is not None:
            prices = Prices(**_figures(prices, "Limits.prices", tuple(Prices.model_fields)))
        teams = told.get("teams", {})
        if not isinstance(teams, Mapping):
            raise LimitsInvalid(f"Limits.teams: expected an object by team, got {teams!r}")
        of = {"": told, **{team: _members(each, f"Limits.{team}", ("run", "month")) for team, each in teams.items()}}
        run = {team: _amounts(each.get("run", {}), f"Limits.{team or 'all'}.run") for team, each in of.items()}
        month = {team: _amounts(each.get("month", {}), f"Limits.{team or 'all'}.month") for team, each in of.items()}
        if prices is None and any(each.dollars < math.inf for each in (*run.values(), *month.values())):
            raise LimitsInvalid(
                "Limits: `dollars` needs `prices` (`hour`, `step`, `grading`): no price of a training is published"
            )
        return cls(run, month, prices)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Limits:
        """The limits in the variable LIMITS, which the template sets from its parameter. Raises LimitsInvalid."""
        return cls.parse((os.environ if environment is None else environment).get("LIMITS", ""))

    def of_run(self, team: str) -> Amounts:
        """The most that one run of the team may use up."""
        return _of(self.run, team)

    def of_month(self, team: str) -> Amounts:
        """The most that all runs of the team may use up in a month."""
        return _of(self.month, team)

    def held(self, recipe: Recipe, written: Mapping[str, Any], team: str) -> Recipe:
        """The recipe within the limits of a run: what it leaves open is cut to them, so that the job is held to them.

        `written` is the recipe as its author wrote it.

        Raises:
            LimitExceeded: it asks for more than a run may have; names each figure.
        """
        most = self.of_run(team)
        asked = written.get("budget")
        asked = asked if isinstance(asked, Mapping) else {}
        budget = recipe.budget.model_copy(update={"prices": self.prices} if self.prices is not None else {})
        problems, cut = [], {}
        for name, path in _BUDGET.items():
            given, allowed = getattr(budget, name), getattr(most, name)
            if allowed == math.inf or (name == "steps" and not recipe.catalog_model.gives_events):
                continue
            if recipe.trains and asked.get(name) is not None and given is not None and given > allowed:
                problems.append(f"`{path}` is {given:g}, and a run may have {allowed:g}")
            cut[name] = allowed if given is None else min(given, allowed)
        references = len(recipe.evaluation.reference_models)
        if references > most.reference_models:
            problems.append(
                f"`evaluation.reference_models` has {references}, and a run may have {most.reference_models:g}"
            )
        if problems:
            raise LimitExceeded(_told(problems))
        whole = {name: int(value) if name in ("steps", "gradings") else value for name, value in cut.items()}
        return recipe.model_copy(update={"budget": budget.model_copy(update=whole)})

    def require(self, planned: Amounts, team: str) -> None:
        """Raise LimitExceeded where a run that is planned so may not use up so much."""
        most = self.of_run(team)
        passing = planned.passing(most)
        if passing:
            raise LimitExceeded(
                _told(
                    f"it would use up to {getattr(planned, each):,.0f} {_WORDS[each]}, and a run may use "
                    f"{getattr(most, each):,.0f}"
                    for each in passing
                )
            )


def planned(recipe: Recipe, *, rows: int, test_rows: int) -> Amounts:
    """What a run of this recipe, `held` to its limits, uses up at the most."""
    steps = training_steps(recipe, rows) if recipe.trains else 0
    gradings = gradings_of(recipe, steps)
    evaluation, budget = recipe.evaluation, recipe.budget
    hours = budget.hours if recipe.trains else 0.0
    dollars = 0.0
    if recipe.trains and budget.prices.given:
        prices = budget.prices
        dollars = steps * prices.step + gradings * prices.grading
        # The hours are not known beforehand: at most so many as the budget lets the training cost.
        dollars = max(dollars, min(dollars + hours * prices.hour, budget.dollars or math.inf))
    tested = test_rows if evaluation.rows is None else min(evaluation.rows, test_rows)
    models = 2 + len(evaluation.reference_models)
    if evaluation.checkpoints == "all":
        models += max(0, ceil(steps / CHECKPOINT_STEPS) - 1)
    answers = tested * models * evaluation.samples
    return Amounts(
        hours=hours,
        steps=steps,
        gradings=gradings,
        answer_tokens=answers * evaluation.max_tokens,
        reference_models=len(evaluation.reference_models),
        dollars=dollars,
    )


def training_steps(recipe: Recipe, rows: int) -> int:
    """How many steps the training takes at the most: every row in every epoch, by batches."""
    chosen = recipe.hyperparameters
    epochs = chosen.get("n_epochs") or chosen.get("epochCount") or 1
    batch = chosen.get("batch_size") or chosen.get("batchSize") or 1
    return ceil(rows * float(epochs) / float(batch))


def month_problem(spent: Amounts, wanted: Amounts, most: Amounts, team: str, month: str) -> str | None:
    """What stands in the way of a run that wants so much more in a month; None where nothing does."""
    passing = [each for each in (spent + wanted).passing(most) if getattr(wanted, each) > 0]
    if not passing:
        return None
    return "; ".join(
        f"team {team or 'none'} has {getattr(spent, each):,.1f} {_WORDS[each]} used or reserved in {month}, this run "
        f"may use {getattr(wanted, each):,.1f}, and a month has {getattr(most, each):,.1f}"
        for each in passing
    )


def _told(problems: Any) -> str:
    return (
        "the limits of this stack (parameter `Limits`): "
        + "; ".join(problems)
        + ". Ask for less, or ask the stack's operator"
    )


def _of(by_team: Mapping[str, Amounts], team: str) -> Amounts:
    general, own = by_team.get("", UNLIMITED), by_team.get(team, UNLIMITED)
    return Amounts(*(getattr(own if getattr(own, each) < math.inf else general, each) for each in NAMES))


def _amounts(told: Any, where: str) -> Amounts:
    figures = _figures(told, where, NAMES)
    return Amounts(*(figures.get(each, math.inf) for each in NAMES))


def _figures(told: Any, where: str, known: tuple[str, ...]) -> dict[str, float]:
    for name, value in _members(told, where, known).items():
        number = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < math.inf
        if not number or value < _LEAST.get(name, 0):
            raise LimitsInvalid(f"{where}.{name}: expected a number of at least {_LEAST.get(name, 0)}, got {value!r}")
    return dict(told)


def _members(told: Any, where: str, known: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(told, Mapping) or not set(told) <= set(known):
        raise LimitsInvalid(f"{where}: expected an object with some of {', '.join(known)}, got {told!r}"[:500])
    return told
