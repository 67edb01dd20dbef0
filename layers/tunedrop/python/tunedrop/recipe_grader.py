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
    return None if recipe.grader.kind == OWN else grader_of_rows(recipe)


def trust_of(recipe: Recipe) -> Trust:
    """The trust that the recipe's grader needs; it decides which function runs it. Not for a Lambda of the team's own.

    Raises:
        RecipeInvalid: as for `grader_of`.
    """
    return grader_of_rows(recipe).trust


def grader_of_rows(recipe: Recipe) -> RowGrader:
    """The grader with the recipe's options, in this process; one's own file lies where `own_file.folder` says.

    Raises:
        RecipeInvalid: as for `grader_of`, or there is no such file.
    """
    field = "grader.options" if recipe.grader.kind != OWN else "grader"
    try:
        return RowGrader.of(recipe.grader.kind_of_rows or "", recipe.grader.options)
    except OptionsError as error:
        raise RecipeInvalid(together([f"recipe field `{field}`: {error}"])) from None
