"""References are tried in the form that a grader asks for."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import Any

import pytest

from tunedrop.graders.contract import read_sample
from tunedrop.graders.deployed import wire_form
from tunedrop.graders.graded import Rollout
from tunedrop.graders.row_options import RowGrader
from tunedrop.rehearsal.answer_forms import AS_WRITTEN, FORMS, form_that_pays, ideal_answer
from tunedrop.rehearsal.probes import probes


def rows_of(*references: Any) -> list[dict[str, Any]]:
    prompt = [{"role": "user", "content": "How many are there?"}]
    return [{"messages": prompt, "reference_answer": reference} for reference in references]


def form_for(kind: str, options: Mapping[str, Any], rows: list[dict[str, Any]]) -> str:
    grader = RowGrader.of(kind, options)

    def earned(form: str) -> float:
        samples = [read_sample(wire_form(Rollout("1", row, ideal_answer(row, form))), "1") for row in rows]
        return fmean(grader.grade(sample).reward for sample in samples)

    return form_that_pays(rows, earned, enough=0.9, gain=0.05, marker=options.get("after", ""))


@pytest.mark.parametrize(
    ("marker", "form"),
    [
        ("hashes", "after ####"),
        ("boxed", "in \\boxed"),
        ("tag", "in <answer>"),
        ("phrase", "in words"),
    ],
)
@pytest.mark.parametrize("references", [("72", "-1,050"), (72, 3.5), ({"answer": "72"}, {"answer": 9})])
def test_plain_references_are_graded_in_the_marker_that_the_recipe_asks_for(
    references: tuple[Any, ...], marker: str, form: str
) -> None:
    assert form_for("math", {"require_format": marker}, rows_of(*references)) == form


def test_a_solution_that_ends_in_another_marker_is_cut_down_to_its_value() -> None:
    rows = rows_of("So 70 + 2 = 72.\n#### 72", "It is \\boxed{9}")
    assert form_for("math", {"require_format": "tag"}, rows) == "in <answer>"
    assert ideal_answer(rows[0], "in <answer>") == "<answer>72</answer>"


def test_a_value_that_is_asked_for_alone_is_taken_out_of_its_object_or_list() -> None:
    calls = [{"ground_truth": ["area(base=1)", "sum(of=[1])"]}, {"ground_truth": "area(base=2)"}]
    assert [ideal_answer(row, "alone") for row in rows_of(*calls)] == ["area(base=1)\nsum(of=[1])", "area(base=2)"]
    assert form_for("exact", {"mode": "regex", "pattern": r"\d+"}, rows_of({"answer": 72}, {"price": 9})) == "alone"
    assert form_for("exact", {}, rows_of("red", "blue")) == AS_WRITTEN


def test_a_part_of_a_composite_and_a_marker_of_exact_are_met_too() -> None:
    parts = {"value": {"kind": "math", "options": {"require_format": "boxed"}}}
    assert form_for("composite", {"parts": parts}, rows_of("72", "9")) == "in \\boxed"
    assert form_for("exact", {"after": "####"}, rows_of("red", "blue")) == "after ####"
    assert form_for("exact", {"after": "Label:"}, rows_of("red", "blue")) == "after Label:"


def test_references_that_earn_enough_as_they_are_stay_so() -> None:
    asked: list[str] = []

    def earned(form: str) -> float:
        asked.append(form)
        return 0.95

    assert form_that_pays(rows_of("72"), earned, enough=0.9, gain=0.05) == AS_WRITTEN
    assert asked == [AS_WRITTEN]


@pytest.mark.parametrize("reference", [{"code": "def f(): pass"}, {"a": 1, "b": 2}, [1, "x"], "line\nline", None, True])
def test_what_comes_to_no_one_value_is_left_as_it_is(reference: Any) -> None:
    (row,) = rows_of(reference)
    assert {ideal_answer(row, form) for form in FORMS} == {ideal_answer(row)}
    assert form_that_pays([row], lambda _: 0.0, enough=0.9, gain=0.05) == AS_WRITTEN


def test_wrong_answers_and_hedges_are_written_in_the_same_form() -> None:
    made = probes(rows_of("72", "9", "5"), kind="math", form="in \\boxed")
    assert {probe.answer for probe in made if probe.cheat is None} == {f"\\boxed{{{n}}}" for n in ("72", "9", "5")}
    assert "\\boxed{72}" in next(probe.answer for probe in made if probe.cheat == "hedging")
