"""The table of kinds: recipes, functions and documents know what stands there, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tunedrop.graders.kinds import KINDS, Trust, make
from tunedrop.graders.row_options import RowGrader
from tunedrop.graders.sample import OptionsError
from tunedrop.outcomes import RecipeInvalid
from tunedrop.recipe_grader import grader_of, trust_of
from tunedrop.recipe_resolution import resolve

ROOT = Path(__file__).resolve().parents[3]
SCORE_MODEL = {"type": "score_model", "model": "x", "input": [{"role": "user", "content": "{{sample.output_text}}"}]}
STRING_CHECK = {"type": "string_check", "operation": "eq", "input": "{{sample.output_text}}", "reference": "a"}


def parts(*kinds: str) -> dict[str, Any]:
    return {"parts": {f"part {number}": {"kind": kind} for number, kind in enumerate(kinds)}}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_can_be_chosen_and_made_without_options(kind: str) -> None:
    recipe = resolve({"grader": {"kind": kind}}, "us-west-2")
    assert trust_of(recipe) is KINDS[kind].trust
    made = make(kind, {})
    assert (made.trust, made.deadline_seconds) == (KINDS[kind].trust, KINDS[kind].deadline_seconds)


def test_a_kind_that_is_not_in_the_table_is_refused_with_those_that_are() -> None:
    with pytest.raises(RecipeInvalid, match="grader.kind.*math, exact.*own.*did you mean `math`"):
        resolve({"grader": {"kind": "maths"}}, "us-west-2")


@pytest.mark.parametrize(
    ("kind", "options", "trust", "seconds"),
    [
        ("composite", parts("math", "json"), Trust.PLAIN, 20.0),
        ("composite", parts("math", "code"), Trust.CODE, 20.0),
        ("composite", parts("exact", "judge"), Trust.JUDGE, 245.0),
        ("composite", STRING_CHECK, Trust.PLAIN, 20.0),
        ("composite", SCORE_MODEL, Trust.JUDGE, 245.0),
        ("judge", SCORE_MODEL, Trust.JUDGE, 245.0),
    ],
)
def test_a_composed_grader_needs_the_trust_and_time_of_its_parts(
    kind: str, options: dict[str, Any], trust: Trust, seconds: float
) -> None:
    assert trust_of(resolve({"grader": {"kind": kind, "options": options}}, "us-west-2")) is trust
    assert make(kind, options).deadline_seconds == seconds


def test_no_grader_both_runs_code_and_asks_a_model() -> None:
    recipe = resolve({"grader": {"kind": "composite", "options": parts("code", "judge")}}, "us-west-2")
    with pytest.raises(RecipeInvalid, match="no grader function may both"):
        grader_of(recipe)


def test_no_option_may_be_named_as_the_kind_is() -> None:
    with pytest.raises(OptionsError, match="option kind"):
        RowGrader.of("composite", {**STRING_CHECK, "kind": "judge"})


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"kind": "judge"}, "may not run the kind 'judge'"),
        ({"kind": "code"}, "may not run the kind 'code'"),
        ({"kind": "composite", **parts("judge")}, "may not run the kind 'judge'"),
        ({"kind": "exact"}, None),
        ({"kind": "math", "require_format": "boxed"}, None),
        ({"tolerance": 0.1}, "no option 'tolerance'"),
    ],
)
def test_a_row_of_a_dataset_is_refused_a_grader_beyond_its_recipe(own: dict[str, Any], said: str | None) -> None:
    problem = RowGrader.of("math").check_reference("72", {"tunedrop_grader": own})
    assert problem is None if said is None else said in (problem or "")


def test_a_row_of_another_kind_has_none_of_the_options_of_the_recipe() -> None:
    grader = RowGrader.of("math", {"require_format": "boxed"})
    assert grader.check_reference("yes", {"tunedrop_grader": {"kind": "exact"}}) is None


def test_the_page_on_graders_has_a_section_for_every_kind() -> None:
    page = (ROOT / "docs/graders.md").read_text()
    headings = re.findall(r"^## `(\w+)`", page, re.MULTILINE)
    assert sorted(headings) == sorted(KINDS)
