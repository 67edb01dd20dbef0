"""What is wrong with a request's body as it was sent, before it becomes values that no longer show it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tunedrop.api import problems
from tunedrop.api.problems import Problem
from tunedrop.api.wording import short
from tunedrop.outcomes import RecipeInvalid
from tunedrop.recipe_text import MOST_LEVELS, read_json, require_storable
from tunedrop.recipe_values import Refused

MOST_BODY_LEVELS = MOST_LEVELS + 1
"""How deep a body's objects and lists may nest: as deep as a recipe, which is one of its members."""

_TOO_DEEP = f"expected at most {MOST_BODY_LEVELS} levels of objects and lists inside each other"


def problem_of_body(text: str) -> Problem | None:
    """The problem of a body: a recipe that no record can keep, in the words of a dropped one, or a value of that kind.

    What is not JSON at all is left to the framework, which tells it from a body that is missing.
    """
    try:
        body = read_json(text)
    except RecursionError:
        return _invalid("body", _TOO_DEEP)
    except ValueError:
        return None
    if not isinstance(body, dict):
        return None if not isinstance(body, (list, Refused)) else _invalid("body", "expected one JSON object")
    recipe = body.get("recipe")
    if isinstance(recipe, dict):
        try:
            require_storable(recipe)
        except RecipeInvalid as error:
            return Problem("recipe-invalid", str(error))
    return next((_invalid(field, why) for field, why in _unusable(body)), None)


def _unusable(body: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Where a value was refused as it was read, or nests too deep; the place, and why."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((), body)]
    while waiting:
        path, value = waiting.pop()
        field = ".".join(short(part) for part in path[:4]) or "body"
        if isinstance(value, Refused):
            yield field, value.why
        elif isinstance(value, (dict, list)):
            if len(path) >= MOST_BODY_LEVELS:
                yield field, _TOO_DEEP
                return
            pairs = value.items() if isinstance(value, dict) else enumerate(value)
            waiting += [((*path, str(name)), each) for name, each in pairs]


def _invalid(field: str, why: str) -> Problem:
    return problems.invalid([{"field": field, "expected": why}])
