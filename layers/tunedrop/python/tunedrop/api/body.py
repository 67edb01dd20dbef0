"""What is wrong with a request's body as it was sent, before it becomes values that no longer show it."""

from __future__ import annotations

from tunedrop.api.problems import Problem
from tunedrop.outcomes import RecipeInvalid
from tunedrop.recipe_text import read_json, require_storable
from tunedrop.recipe_values import Refused


def problem_of_body(text: str) -> Problem | None:
    """The problem of a body: a recipe that no record can keep, in the words of a dropped one, or a field twice.

    What is not JSON at all is left to the framework, which tells it from a body that is missing.
    """
    try:
        body = read_json(text)
    except RecursionError:
        return Problem("request-malformed", "The body nests too deep.")
    except ValueError:
        return None
    if not isinstance(body, dict):
        return None
    for name, value in body.items():
        if isinstance(value, Refused):
            return Problem("request-malformed", f"body.{ascii(name)[1:-1][:60]}: {value.why}")
    recipe = body.get("recipe")
    if isinstance(recipe, dict):
        try:
            require_storable(recipe)
        except RecipeInvalid as error:
            return Problem("recipe-invalid", str(error))
    return None
