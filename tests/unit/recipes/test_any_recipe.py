"""Whatever a recipe file holds: it is a recipe, or RecipeInvalid says in words what is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunedrop import catalog
from tunedrop.outcomes import RecipeInvalid
from tunedrop.recipe import Recipe
from tunedrop.recipe_resolution import resolve
from tunedrop.recipe_text import parse

REGIONS = sorted({model.region for model in catalog.models()})
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([model.id for model in catalog.models()]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


def of_fields(section: type[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects whose fields are mostly known ones, with any values, sections within sections."""
    values = {
        name: VALUES | of_fields(field.annotation) if hasattr(field.annotation, "model_fields") else VALUES
        for name, field in section.model_fields.items()
    }
    known: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries({}, optional=values)
    return st.builds(
        lambda given, others: {**others, **given}, known, st.dictionaries(st.text(max_size=8), VALUES, max_size=1)
    )


def hold(text: bytes, file_name: str, region: str) -> None:
    """The one thing that may be raised is the outcome that its reader understands."""
    try:
        recipe = resolve(parse(text, file_name), region)
    except RecipeInvalid:
        return
    # What was accepted survives the record: it reads as the same recipe again.
    assert Recipe.model_validate(json.loads(recipe.model_dump_json())) == recipe


def check(examples: int) -> None:
    @settings(max_examples=examples)
    @given(of_fields(Recipe), st.sampled_from(REGIONS))
    def of_known_fields(document: dict[str, Any], region: str) -> None:
        hold(json.dumps(document).encode(), "recipe.json", region)

    @settings(max_examples=examples)
    @given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
    def of_bytes(text: bytes) -> None:
        for name in ("recipe.yaml", "recipe.json"):
            hold(text, name, REGIONS[0])

    of_known_fields()
    of_bytes()


def test_any_recipe_is_read_or_refused_in_words() -> None:
    check(30)


@pytest.mark.prove
def test_any_of_many_recipes_is_read_or_refused_in_words() -> None:
    check(5_000)
