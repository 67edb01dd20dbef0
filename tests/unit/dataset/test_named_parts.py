"""An option of a grader that names what no reference has is found, with the nearest name and the rows that lack it."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest

from tests.unit.dataset.sample_rows import a_row
from tunedrop.dataset.with_recipe import check_with_recipe
from tunedrop.recipe_resolution import resolve

CALL = {"name": "send", "arguments": {"to": "me"}}


def found(kind: str, options: dict[str, Any], references: list[Any], **fields: Any) -> list[tuple[str, str, str]]:
    rows = [{**a_row(n), "reference_answer": references[n % len(references)], **fields} for n in range(1, 121)]
    recipe = resolve({"grader": {"kind": kind, "options": options}}, "us-west-2")
    train = BytesIO("\n".join(map(json.dumps, rows)).encode())
    report = check_with_recipe(train, test=None, recipe=recipe)
    return [(each.rule, each.message, each.hint) for each in report.findings if each.rule.startswith("grader-names")]


@pytest.mark.parametrize(
    ("kind", "options", "reference", "named", "near"),
    [
        ("json", {"fields": {"/amont": "number"}}, {"amount": 1}, "fields", "'/amount'"),
        ("json", {"fields": {"/arguments/too": "exact"}}, [CALL, CALL], "fields", "'/arguments/to'"),
        ("json", {"fields": {"/a/0": "exact"}}, '{"a": [1]}', "fields", "'/a'"),
        ("moderation", {"weights": {"spm": 2}}, ["spam"], "weights", "'spam'"),
        ("moderation", {"false_positive": {"spm": 2, "*": 1}}, "spam", "false_positive", "'spam'"),
        (
            "composite",
            {"parts": {"a": {"kind": "json", "reference": "/b", "options": {"fields": {"/d": "exact"}}}}},
            {"b": {"c": 1}},
            "parts.a.options.fields",
            None,
        ),
    ],
)
def test_a_name_that_no_reference_has_is_told_with_the_nearest(
    kind: str, options: dict[str, Any], reference: Any, named: str, near: str | None
) -> None:
    ((rule, message, hint),) = found(kind, options, [reference])
    assert rule == "grader-names-nothing"
    assert message.startswith(f"`grader.options.{named}` names ")
    assert message.endswith("none of 120 references has")
    assert near is None or hint.startswith(f"Did you mean {near}?")


def test_a_field_that_some_references_lack_is_a_note_with_their_number() -> None:
    ((rule, message, _),) = found("json", {"fields": {"/b": "exact"}}, [{"a": 1, "b": 2}, {"a": 1}, {"b": 3}])
    assert (rule, message.rpartition(", ")[2]) == ("grader-names-few", "which 40 of 120 references lack")


@pytest.mark.parametrize(
    ("kind", "options", "references", "fields"),
    [
        ("json", {"fields": {"/arguments/*": "one_of"}}, [CALL, {"tool_calls": []}], {}),
        ("json", {"fields": {"/b": "one_of"}}, [{"a": 1}], {"accepted": {"/b": [1]}}),
        ("json", {"fields": {"/b": "exact"}}, [{"a": 1}], {"tunedrop_grader": {"fields": {"/a": "exact"}}}),
        ("moderation", {"weights": {"spam": 2, "none": 1}}, [["spam"], ["ham"]], {}),
        ("exact", {}, ["yes"], {}),
    ],
)
def test_a_name_that_is_right_for_the_rows_is_not_told(
    kind: str, options: dict[str, Any], references: list[Any], fields: dict[str, Any]
) -> None:
    assert found(kind, options, references, **fields) == []
