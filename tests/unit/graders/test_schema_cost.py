"""What a JSON Schema may cost: items, lists of values and what is left over are checked in bounded time."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tunedrop.graders.json_fields import JsonGrader
from tunedrop.graders.sample import OptionsError, Sample

SECONDS = 3.0
"""Of processor time, for one document; each of these took longer than a sample's deadline, or without end."""


def reward(schema: Any, answer: Any) -> float:
    grader = JsonGrader.from_options({"schema": schema})
    started = time.process_time()
    grade = grader.grade(Sample("1", [], json.dumps(answer), answer, {}))
    assert time.process_time() - started < SECONDS
    return grade.reward


def violates(schema: Any, answer: Any) -> bool:
    grade = JsonGrader.from_options({"schema": schema}).grade(Sample("1", [], json.dumps(answer), answer, {}))
    return grade.metrics["schema_valid"] == 0.0


def test_different_objects_are_told_apart_in_linear_time() -> None:
    schema = {"type": "array", "uniqueItems": True}
    objects = [{"a": number, "b": [number]} for number in range(4_000)]
    assert reward(schema, objects) == 1.0
    assert reward(schema, [*objects, objects[7]]) == 0.0


@pytest.mark.parametrize(
    ("items", "twice"),
    [
        ([1, 1.0], True),
        ([True, 1], False),
        ([0, False], False),
        ([{"a": 1, "b": 2}, {"b": 2.0, "a": 1}], True),
        ([[1], [True]], False),
        ([None, "null"], False),
        ([[], {}], False),
    ],
)
def test_items_are_the_same_as_json_schema_has_it(items: list[Any], twice: bool) -> None:
    assert violates({"uniqueItems": True}, items) is twice
    assert violates({"enum": [items[0]]}, items[1]) is not twice
    assert not violates({"uniqueItems": False}, items)


def test_a_long_list_of_values_is_looked_up_and_not_searched() -> None:
    schema = {"items": {"enum": [{"a": [number] * 5} for number in range(1_200)]}}
    assert reward(schema, [{"a": [7] * 5}] * 2_500) == 1.0


@pytest.mark.prove
def test_a_document_of_too_many_values_for_a_costly_schema_is_not_checked() -> None:
    schema = {"items": {"oneOf": [{"const": number} for number in range(900)]}}
    assert reward(schema, list(range(100))) == 1.0
    assert reward(schema, [1] * 15_000) == 0.0


def test_what_is_left_over_at_each_level_of_a_recursion_is_refused() -> None:
    inner: Any = {"allOf": [{"properties": {"a": {"$ref": "#/$defs/n"}}}], "unevaluatedProperties": False}
    with pytest.raises(OptionsError, match="too costly"):
        JsonGrader.from_options({"schema": {"$defs": {"n": inner}, "$ref": "#/$defs/n"}})
    plain: Any = {"allOf": [{"properties": {"a": {"type": "integer"}}}], "unevaluatedProperties": False}
    assert violates(plain, {"b": 1})
    assert not violates(plain, {"a": 1})


@pytest.mark.parametrize(
    ("schema", "answer", "wrong"),
    [
        ({"patternProperties": {"^a": {"type": "integer"}}}, [1], False),
        ({"additionalProperties": False}, [1], False),
        ({"additionalProperties": {"type": "integer"}}, {"a": "x"}, True),
        ({"additionalProperties": {"type": "integer"}}, {"a": 1}, False),
    ],
)
def test_rules_for_names_count_for_objects_alone(schema: Any, answer: Any, wrong: bool) -> None:
    assert violates(schema, answer) is wrong
