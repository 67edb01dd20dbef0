"""The grader that a recipe chooses, checked when the recipe is read."""

from __future__ import annotations

from tunedrop.graders.kinds import KINDS, load
from tunedrop.graders.sample import Grader, OptionsError
from tunedrop.outcomes import RecipeInvalid
from tunedrop.recipe import Recipe
from tunedrop.recipe_text import together


def grader_of(recipe: Recipe) -> Grader | None:
    """The grader with the recipe's options; None for a function of a team's own, whose options only itself knows.

    Raises:
        RecipeInvalid: an option is not one of the kind's, or its value is out of bounds or too costly.
    """
    if recipe.grader.kind not in KINDS:
        return None
    try:
        return load(recipe.grader.kind, recipe.grader.options)
    except OptionsError as error:
        raise RecipeInvalid(together([f"recipe field `grader.options`: {error}"])) from None
