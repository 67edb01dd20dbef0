"""Probes that copy: what a recipe pays for the JSON of the prompt is found before it is trained for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from tunedrop.graders.contract import read_sample
from tunedrop.graders.deployed import wire_form
from tunedrop.graders.graded import Rollout
from tunedrop.graders.row_options import RowGrader
from tunedrop.recipe_text import parse
from tunedrop.rehearsal.copied_json import AS_IT_IS, COPIES, NAMES, copies

DATASETS = Path(__file__).parents[3] / "events/datasets"
FUNCTION = {"name": "area", "description": "The area.", "parameters": {"base": {"type": "integer"}}}
CALL = {"name": "area", "arguments": {"base": 3}}


def row(prompt: str, reference: Any, **fields: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": prompt}], "reference_answer": reference, **fields}


@pytest.mark.parametrize(
    "of",
    [
        row(f"Base 3? Functions:\n{json.dumps(FUNCTION)}\nCall one.", CALL),
        row(f"Base 3? {{broken [ {json.dumps([FUNCTION])}", CALL),
        row("Base 3?", CALL, tools=[{"type": "function", "function": FUNCTION}]),
    ],
    ids=["in the prompt", "in an array behind what is no JSON", "in the row's tools"],
)
def test_the_name_that_the_prompt_shows_is_copied_and_nothing_else(of: dict[str, Any]) -> None:
    made = copies(of)
    assert json.loads(made[NAMES]) == {"name": "area", "arguments": {}}
    assert json.loads(made[AS_IT_IS]) in (FUNCTION, [FUNCTION])


def test_several_calls_are_answered_with_one_that_is_copied() -> None:
    made = copies(row(json.dumps(FUNCTION), [CALL, CALL]))
    assert json.loads(made[NAMES]) == [{"name": "area", "arguments": {}}]


@pytest.mark.parametrize("reference", ["area", 3, None, [], [1], {"code": "x"}])
def test_a_reference_that_is_no_object_or_a_prompt_without_json_has_no_copies(reference: Any) -> None:
    if not isinstance(reference, dict):
        assert copies(row(json.dumps(FUNCTION), reference)) == {}
    assert copies(row("no JSON here", reference)) == {}


def test_the_right_answer_is_no_copy_though_the_prompt_shows_it() -> None:
    assert copies(row(json.dumps(CALL), CALL)).get(AS_IT_IS) is None


def test_a_prompt_of_brackets_is_read_in_bounded_time() -> None:
    assert copies(row("[" * 2_000_000 + "{" * 2_000_000, CALL)) == {}


def earned(name: str, change: Mapping[str, Any]) -> float:
    recipe: Any = parse((DATASETS / name / "recipe.yaml").read_bytes(), "recipe.yaml")
    options = {**recipe["grader"]["options"]}
    options["fields"] = {**options["fields"], **change}
    grader = RowGrader.of(recipe["grader"]["kind"], options)
    with (DATASETS / name / "train.jsonl").open() as lines:
        of = [json.loads(line) for line, _ in zip(lines, range(20), strict=False)]
    made = [(each, answer) for each in of for answer in copies(each).values()]
    assert len(made) >= 20
    samples = [read_sample(wire_form(Rollout("1", each, answer)), "1") for each, answer in made]
    return fmean(grader.grade(sample).reward for sample in samples)


@pytest.mark.parametrize("name", ["extraction", "tools"])
def test_a_name_without_weight_pays_nothing_for_copies_and_a_weighed_one_does(name: str) -> None:
    assert earned(name, {"/name": {"compare": "exact", "weight": 0, "gate": True}}) < 0.02
    assert earned(name, {"/name": {"compare": "exact", "gate": True}}) > 0.1


def test_a_gate_of_no_weight_still_shuts() -> None:
    grader = RowGrader.of("json", {"fields": {"/name": {"compare": "exact", "weight": 0, "gate": True}}})

    def reward(answer: Any) -> float:
        return grader.grade(read_sample(wire_form(Rollout("1", row("?", CALL), json.dumps(answer))), "1")).reward

    assert reward(CALL) == 1.0
    assert reward({**CALL, "name": "volume"}) == 0.0
    assert reward({**CALL, "arguments": {}}) == 0.0


def test_the_probes_that_copy_have_names_of_their_own() -> None:
    assert {AS_IT_IS, NAMES} == COPIES
