"""What no run can have is refused as its recipe is read: by its field, in a sentence, by a call as by a drop."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import boto3
import pytest

from tests.refused_recipes import KEPT, REFUSED, schema_of
from tunedrop.api.body import problem_of_body
from tunedrop.api.problems import Problem
from tunedrop.api.starting import check_recipe
from tunedrop.graders.json_fields import JsonGrader
from tunedrop.graders.sample import OptionsError, Sample
from tunedrop.limits.limits import Limits
from tunedrop.outcomes import REASON_CHARACTERS, RecipeInvalid, Status
from tunedrop.recipe_grader import grader_of
from tunedrop.recipe_resolution import resolve
from tunedrop.recipe_text import parse
from tunedrop.resources import Resources
from tunedrop.run.record import RunRecord
from tunedrop.run.store import RunStore
from tunedrop.teams import Teams

REGION = "us-west-2"


def refusal(file_name: str, text: bytes) -> str:
    with pytest.raises(RecipeInvalid) as raised:
        grader_of(resolve(parse(text, file_name), REGION))
    return str(raised.value)


@pytest.mark.parametrize("what", REFUSED)
def test_what_no_run_can_have_is_refused_by_its_field_in_a_sentence(what: str) -> None:
    file_name, text, told = REFUSED[what]
    message = refusal(file_name, text)
    assert told in message
    assert len(message) <= REASON_CHARACTERS
    assert message.isprintable()


def by_call(recipe: bytes) -> Problem | None:
    """What the API says to a body with this recipe, in the order in which it looks."""
    problem = problem_of_body(f'{{"name": "x", "recipe": {recipe.decode()}}}')
    if problem is None:
        try:
            settings = SimpleNamespace(region=REGION, parameter_path="")
            resources = SimpleNamespace(settings=settings, limits=Limits(), teams=Teams.parse("{}"))
            check_recipe(json.loads(recipe), cast(Resources, resources), "default")
        except Problem as found:
            problem = found
    return problem


@pytest.mark.parametrize(
    "what", [what for what, (name, text, _) in REFUSED.items() if name == "recipe.json" and text[:1] == b"{"]
)
def test_a_call_refuses_a_recipe_in_the_words_of_a_drop(what: str) -> None:
    file_name, text, told = REFUSED[what]
    problem = by_call(text)
    assert problem is not None
    assert problem.kind == "recipe-invalid"
    assert told in problem.detail
    if what != "too long":  # of which a call sees the fields, not the file
        assert problem.detail == refusal(file_name, text)


@pytest.mark.parametrize("what", KEPT)
def test_a_schema_is_kept_to_the_last_digit(what: str, runs_table: str) -> None:
    recipe = resolve(parse(schema_of(KEPT[what]), "recipe.json"), REGION)
    assert grader_of(recipe) is not None
    store = RunStore(boto3.client("dynamodb"), runs_table)
    store.register(
        RunRecord("run", "set", "arn", Status.RUNNING, "2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.000Z")
    )
    kept = store.update("run", {"recipe": recipe.model_dump(mode="json")}).recipe
    assert json.dumps(kept.grader.options["schema"]) == json.dumps(KEPT[what])


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("1e-5", 1e-5),
        ("0x1F", 31),
        ("1_000", 1000),
        ("~", None),
        ("+.5", 0.5),
    ],
)
def test_a_plain_word_of_yaml_is_what_it_looks_like(written: str, value: Any) -> None:
    assert parse(f"grader: {{options: {{x: {written}}}}}".encode(), "recipe.yaml") == {
        "grader": {"options": {"x": value}}
    }


def test_the_pattern_of_a_schema_is_searched_as_re2_does() -> None:
    grader = JsonGrader.from_options(
        {
            "schema": {
                "properties": {"a": {"pattern": r"^\d+$"}},
                "patternProperties": {"^x": {}},
                "additionalProperties": False,
            }
        }
    )
    grades = [
        grader.grade(Sample("1", (), answer, {"a": "12"}, {})).metrics["schema_valid"]
        for answer in ('{"a": "12"}', '{"a": "12", "xy": 1}', '{"a": "1b"}', '{"a": "12", "b": 1}')
    ]
    assert grades == [1.0, 1.0, 0.0, 0.0]


def test_a_schema_of_a_row_is_bounded_as_a_recipes_is() -> None:
    with pytest.raises(OptionsError, match="too costly"):
        JsonGrader.from_options({"schema": {"properties": {"a": {"pattern": "(a*)*"}}}})
