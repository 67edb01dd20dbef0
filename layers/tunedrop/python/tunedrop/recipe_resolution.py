"""A dropped recipe, checked for one stack and one model, with what they decide filled in.

An unknown field is an error that names the field and the nearest known one; all errors are reported at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from pydantic import ValidationError

from tunedrop import catalog
from tunedrop.outcomes import RecipeInvalid
from tunedrop.recipe import MOST_ANSWER_TOKENS, Evaluation, Promotion, Recipe
from tunedrop.recipe_problems import meant, sentence
from tunedrop.recipe_text import MOST_PROBLEMS, require_storable, together

PREDECESSOR = "previous"
"""Below a parameter: the model id that it had before the last promotion."""

_ROOM_TO_THINK = {"medium": 2048, "high": 4096}
"""Least tokens of an answer by the effort of thinking, as the thoughts count in it: no source states how many."""


def resolve(document: Mapping[str, Any], region: str, *, parameter_path: str = "") -> Recipe:
    """The recipe with its defaults filled in, for a stack in `region` that promotes below `parameter_path`.

    A default that depends on the number of rows is left out: `dataset.fitting_defaults` fills it in.

    Without a stack (`tunedrop validate`) the path is empty, and any name below `/tunedrop/` is accepted.

    Raises:
        RecipeInvalid: the message names every field that is unknown, is out of its range, or cannot be kept.
    """
    require_storable(document)
    problems: list[str] = []
    recipe = Recipe()
    try:
        recipe = Recipe.model_validate(document)
    except ValidationError as error:
        problems += dict.fromkeys(map(sentence, error.errors(include_url=False)[: MOST_PROBLEMS + 1]))
    problems += _promotion_problems(recipe.promotion, parameter_path)
    model_id = document.get("model") or catalog.default_for_region(region).id
    if isinstance(model_id, str):
        try:
            model = catalog.find_for_region(model_id, region)
            given = document.get("hyperparameters") or {}
            if isinstance(given, Mapping):
                told = _hyperparameter_problems(given, model)
                problems = [each for each in problems if not each.startswith(tuple(map(_field_of, told)))] + told
                problems += _contradictions(recipe, model)
                defaults = {name: each.default for name, each in model.hyperparameters.items() if not each.fits_rows}
                chosen = {name: value for name, value in {**defaults, **given}.items() if value is not None}
                evaluation = _as_trained(recipe.evaluation, chosen)
                recipe = recipe.model_copy(
                    update={"model": model.id, "hyperparameters": chosen, "evaluation": evaluation}
                )
        except RecipeInvalid as error:
            problems.append(str(error))
    if problems:
        raise RecipeInvalid(together(problems))
    return recipe


def _promotion_problems(promotion: Promotion | None, parameter_path: str) -> list[str]:
    if promotion is None:
        return []
    problems = []
    if not promotion.parameter.startswith(f"{parameter_path}/"):
        problems.append(
            f"recipe field `promotion.parameter`: expected a name below {parameter_path}/, because this stack may "
            f"write no other, got {promotion.parameter}"
        )
    if {".", ".."} & set(promotion.parameter.split("/")):
        problems.append(
            f"recipe field `promotion.parameter`: expected names without `.` and `..`, got {promotion.parameter}"
        )
    if PREDECESSOR in promotion.parameter.split("/"):
        problems.append(
            f"recipe field `promotion.parameter`: `{PREDECESSOR}` is where the pipeline keeps the replaced "
            f"model, so choose another name; got {promotion.parameter}"
        )
    return problems


def _as_trained(evaluation: Evaluation, hyperparameters: Mapping[str, Any]) -> Evaluation:
    """The evaluation, with effort and `max_tokens` taken from the training if the recipe does not give them."""
    update: dict[str, Any] = {}
    effort = hyperparameters.get("reasoningEffort")
    if "reasoning_effort" not in evaluation.model_fields_set and isinstance(effort, str):
        update["reasoning_effort"] = effort
    if "max_tokens" not in evaluation.model_fields_set:
        trained = hyperparameters.get("inferenceMaxTokens")
        thinking = _ROOM_TO_THINK.get(update.get("reasoning_effort", evaluation.reasoning_effort), 0)
        room = max(evaluation.max_tokens, trained if isinstance(trained, int) else 0, thinking)
        update["max_tokens"] = min(room, MOST_ANSWER_TOKENS)
    return evaluation.model_copy(update=update) if update else evaluation


def _field_of(problem: str) -> str:
    """The beginning of a problem's sentence, which names its field."""
    return "`".join(problem.split("`", 2)[:2]) + "`"


def _hyperparameter_problems(given: Mapping[str, Any], model: catalog.Model) -> list[str]:
    problems = []
    for name, value in islice(given.items(), MOST_PROBLEMS + 1):
        bounds = model.hyperparameters.get(name)
        if bounds is None:
            hint = meant(name, model.hyperparameters)
            problems.append(f"recipe field `hyperparameters.{name}` is not one of {model.id}'s{hint}")
        elif problem := bounds.problem(value):
            problems.append(f"recipe field `hyperparameters.{name}`: {problem}")
    return problems


def _contradictions(recipe: Recipe, model: catalog.Model) -> list[str]:
    """Fields that are right one by one, but not together or not for this model."""
    problems = []
    for section, temperature in (("evaluation", recipe.evaluation), ("rehearsal", recipe.rehearsal)):
        if temperature.temperature > model.most_temperature:
            problems.append(
                f"recipe field `{section}.temperature`: {model.id} takes at most {model.most_temperature:g}, "
                f"got {temperature.temperature:g}"
            )
    effort = recipe.evaluation.reasoning_effort
    if effort and effort not in model.reasoning_efforts:
        takes = f"one of {', '.join(model.reasoning_efforts)}" if model.reasoning_efforts else "no effort: leave it out"
        problems.append(f"recipe field `evaluation.reasoning_effort`: {model.id} takes {takes}, got {effort!r}")
    if recipe.evaluation.checkpoints != "last" and not model.gives_checkpoints:
        problems.append(f"recipe field `evaluation.checkpoints`: {model.id} gives no checkpoints; leave it at `last`")
    if recipe.budget.dollars is not None and not recipe.budget.prices.given:
        problems.append(
            "recipe field `budget.dollars`: AWS publishes no price of the training; give the prices that you know in "
            "`budget.prices` (hour, step, grading)"
        )
    if recipe.budget.steps is not None and not model.gives_events:
        problems.append(f"recipe field `budget.steps`: {model.id} does not report steps; set `budget.hours`")
    if recipe.resumes and recipe.evaluate_only:
        problems.append("recipe fields `resumes` and `evaluate_only`: expected one of them, got both")
    return problems
