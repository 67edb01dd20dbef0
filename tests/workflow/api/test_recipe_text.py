"""A recipe as the text of its file: read by the API as a dropped one is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workflow.api.clients import Client

RED = {"uri": "s3://shared-data/red/train.jsonl"}


@pytest.mark.parametrize(
    "text",
    [
        "grader:\n  kind: exact\nhyperparameters: {learning_rate_multiplier: 1e-1}\n",
        '{"grader": {"kind": "exact"}}',
        '{\n\t"grader": {"kind": "exact"}\n}',
        "{grader: {kind: exact}}",
        "",
    ],
)
def test_a_recipe_is_taken_as_it_is_written(red: Client, text: str) -> None:
    answer = red.start({"name": "held", "dataset": RED, "recipe_text": text})
    assert answer.status == 202, answer.body


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("grader:\n  kind: exacct\n", "exact"),
        ("grader: {kind: exact\nmodel: a", "line 2"),
        ('{"grader": {"kind": "exact"}, "grader": {}}', "grader"),
        ("- a\n", "expected fields with values"),
        ("name: &a [*a]", "recipe.yaml"),
    ],
)
@pytest.mark.parametrize("path", ["/runs", "/validations"])
def test_a_recipe_that_cannot_be_used_is_refused_with_its_place(red: Client, path: str, text: str, says: str) -> None:
    body: dict[str, Any] = {"dataset": RED, "recipe_text": text}
    answer = red.start(body | {"name": "held"}) if path == "/runs" else red.ask("POST", path, body)
    assert (answer.status, answer.problem) == (422, "recipe-invalid"), answer.body
    assert says in answer.json["detail"]


def test_two_recipes_at_once_are_refused(red: Client) -> None:
    answer = red.start({"name": "held", "dataset": RED, "recipe_text": "", "recipe": {}})
    assert (answer.status, answer.problem) == (422, "request-invalid")
    assert "got both" in answer.json["detail"]
