"""The maths grader: names, units, letters, approximations and corrections, as people and models write them."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from tunedrop.graders.math.grader import MathGrader
from tunedrop.graders.math.units import read_unit, split_unit
from tunedrop.graders.sample import Sample

ANSWERS = Path(__file__).parents[2] / "data/maths/answers.jsonl"
"""Answers of our own making, each with its reference and whether it is right."""


def is_right(reference: str, answer: str) -> bool:
    return MathGrader.from_options({}).grade_quickly(Sample("s", [], answer, reference, {})).reward == 1.0


@pytest.mark.parametrize("right", [True, False])
def test_an_answer_is_judged_however_it_is_written(right: bool) -> None:
    cases = [json.loads(line) for line in ANSWERS.read_text(encoding="utf-8").splitlines()]
    asked = [case for case in cases if case["right"] is right]
    assert len(asked) > 40
    assert [case for case in asked if is_right(case["reference"], case["answer"]) is not right] == []


@pytest.mark.parametrize(
    ("one", "other", "factor"),
    [
        ("hours", "min", 60),
        ("km/h", "m/s", Fraction(5, 18)),
        ("kilometers per hour", "km h^{-1}", 1),
        ("mL", "cm^3", 1),
        ("square feet", "ft\u00b2", 1),
        ("feet squared", "sq ft", 1),
        ("degrees Celsius", "\u00b0C", 1),
        ("cents", "USD", Fraction(1, 100)),
        ("CAD", "$", 1),
        ("pounds", "\u00a3", 1),
        ("years", "months", 12),
    ],
)
def test_units_of_one_dimension_are_converted(one: str, other: str, factor: Fraction) -> None:
    first, second = read_unit(one), read_unit(other)
    assert first is not None
    assert second is not None
    assert first.per(second) == factor


@pytest.mark.parametrize(("one", "other"), [("h", "m"), ("EUR", "USD"), ("m", "m^2"), ("m/s", "m s"), ("AUD", "CAD")])
def test_units_of_other_dimensions_are_not_compared(one: str, other: str) -> None:
    first, second = read_unit(one), read_unit(other)
    assert first is not None
    assert second is not None
    assert first.per(second) is None


@pytest.mark.parametrize("text", ["3 apples", "2x m", "5h", "5 x", "5%", "x + 5", "5 in total", "5 A", "m"])
def test_what_is_no_unit_stays(text: str) -> None:
    assert split_unit(text) == (text, None)
