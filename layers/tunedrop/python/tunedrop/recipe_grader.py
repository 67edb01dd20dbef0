"""The grader that a recipe chooses, checked when the recipe is read."""

from __future__ import annotations

from tunedrop.graders.kinds import Trust
from tunedrop.graders.row_options import RowGrader
from tunedrop.graders.sample import OptionsError
from tunedrop.outcomes import RecipeInvalid
from tunedrop.recipe import OWN, Recipe
from tunedrop.recipe_text import together


def grader_of(recipe: Recipe) -> RowGrader | None:
    """The grader with the recipe's options; None for a team's own grader, whose code runs only in its own function.

    Raises:
        RecipeInvalid: the kind has no such option, or the option's value is out of bounds or too costly.
    """
    return None if recipe.grader.kind == OWN else _of_a_kind(recipe)


def trust_of(recipe: Recipe) -> Trust:
    """The trust that the recipe's grader needs; it decides which function runs it. Not for a Lambda of the team's own.

    Raises:
        RecipeInvalid: as for `grader_of`.
    """
    return _of_a_kind(recipe).trust


def _of_a_kind(recipe: Recipe) -> RowGrader:
    field = "grader.options" if recipe.grader.kind != OWN else "grader"
    try:
        return RowGrader.of(recipe.grader.kind_of_rows or "", recipe.grader.options)
    except OptionsError as error:
        raise RecipeInvalid(together([f"recipe field `{field}`: {error}"])) from None
