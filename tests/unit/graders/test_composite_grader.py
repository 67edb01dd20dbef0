"""The composite grader: parts and weights, gates, formulas, and penalties that never give."""

from __future__ import annotations

import time

import pytest

from tunedrop.graders.composite import CompositeGrader
from tunedrop.graders.formula import Formula, FormulaError
from tunedrop.graders.openai_definition import OpenAIDefinitionGrader
from tunedrop.graders.row_options import RowGrader
from tunedrop.graders.sample import JSON, Grade, OptionsError, Sample

PARTS: dict[str, JSON] = {
    "label": {"kind": "moderation", "reference": "/label", "weight": 1, "options": {"labels": ["a", "b"]}},
    "facts": {"kind": "json", "reference": "/facts", "weight": 3, "options": {"extra": "ignore"}},
}
REFERENCE: JSON = {"label": "a", "facts": {"x": 1, "y": 2, "z": 3}}


def grade(answer: str, **options: JSON) -> Grade:
    grader = CompositeGrader.from_options({"parts": PARTS, **options})
    return grader.grade(Sample("1", [], answer, REFERENCE, {}))


RIGHT = '{"label": "a", "x": 1, "y": 2, "z": 3}'
HALF = '{"label": "b", "x": 1, "y": 2, "z": 3}'


def test_parts_count_by_their_weight_each_with_its_own_reference() -> None:
    got = grade(RIGHT)
    assert (got.reward, got.correct, got.components) == (1.0, True, {"label": 1.0, "facts": 1.0})
    assert (grade(HALF).reward, grade(HALF).correct) == (0.75, False)


def test_a_shut_gate_takes_everything() -> None:
    gated = {**PARTS, "label": {**PARTS["label"], "gate": 1.0}}  # type: ignore[dict-item]  # an object, as above
    assert grade(HALF, parts=gated).reward == 0.0
    assert grade(RIGHT, parts=gated).reward == 1.0


def costs(got: Grade) -> dict[str, float]:
    return {part.name: part.cost for part in got.parts if part.cost}


def test_each_part_tells_its_score_and_what_it_cost() -> None:
    got = grade(HALF)
    assert {part.name: part.credit for part in got.parts[:2]} == {"label": 0.0, "facts": 1.0}
    assert costs(got) == {"label": 0.25}
    assert "facts: /x" in {part.name for part in got.parts}
    assert costs(grade(RIGHT)) == {}


def test_a_part_costs_what_it_alone_would_have_saved() -> None:
    gated = {**PARTS, "label": {**PARTS["label"], "gate": 1.0}}  # type: ignore[dict-item]  # an object, as above
    assert costs(grade(HALF, parts=gated)) == {"label": 1.0}, "its gate took everything"
    assert costs(grade(HALF, formula="min(label, facts)")) == {"label": 1.0}
    assert costs(grade('{"label": "b", "x": 1, "y": 2}', formula="min(label, facts)")) == pytest.approx(
        {"label": 2 / 3}
    )
    assert costs(grade(HALF, formula="1 / (1 - label)")) == {}, "the formula has no value there"


def test_a_formula_replaces_the_weights() -> None:
    assert grade(HALF, formula="min(label, facts)").reward == 0.0
    assert grade(HALF, formula="0.5 * facts ^ 2 + 9 * label").reward == 0.5
    assert grade(RIGHT, formula="3 * facts").reward == 1.0


def test_penalties_take_from_a_right_answer_and_never_give_to_a_wrong_one() -> None:
    penalties: JSON = {
        "length": {"weight": 0.5, "unit": "words", "full_until": 10, "none_from": 20},
        "no apology": {"kind": "pattern", "weight": 0.2, "pattern": "(?i)sorry", "forbidden": True},
    }
    assert grade(RIGHT, penalties=penalties).reward == 1.0
    padded = RIGHT.replace("}", ', "w": "' + "sorry " * 6 + '"}')
    assert grade(padded, penalties=penalties).reward == pytest.approx((1 - 0.5 * 0.6) * 0.8)  # 16 words
    for wrong in ("", "short", '{"label": "c"}'):
        assert grade(wrong, penalties=penalties).reward == 0.0


def test_a_hostile_pattern_takes_linear_time() -> None:
    penalties: JSON = {"bomb": {"kind": "pattern", "pattern": "^(a+)+$"}}
    began = time.process_time()
    grade("a" * 100_000 + "!", penalties=penalties)
    assert time.process_time() - began < 1


def test_a_row_is_checked_by_every_part() -> None:
    grader = CompositeGrader.from_options({"parts": PARTS})
    assert grader.check_reference(REFERENCE, {}) is None
    assert (grader.check_reference({"label": "c", "facts": {}}, {}) or "").startswith("label: ")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"part": {}}, "part"),
        ({"parts": {}}, "parts"),
        ({"parts": {"x": {"kind": "composite"}}}, "'x'.*composite"),
        ({"parts": {"x": {"kind": "judge"}, "y": {"kind": "code"}}}, "'y'.*'x'.*no grader function"),
        ({"parts": {"x": {"kind": "judge", "options": {"seconds": 200}}, "y": {"kind": "judge"}}}, "240.*260"),
        ({"parts": {"x": {"kind": "code", "wieght": 1}}}, "wieght"),
        ({"parts": {"x": {"kind": "json", "weight": 0}}}, "add up"),
        ({"parts": {"x": {"kind": "json", "gate": 2}}}, "gate"),
        ({"parts": {"x": {"kind": "json", "options": {"y": 1}}}}, "'y'"),
        ({"parts": PARTS, "formula": "label +"}, "too early"),
        ({"parts": PARTS, "formula": "label + other"}, "other"),
        ({"parts": PARTS, "penalties": {"p": {"kind": "colour"}}}, "colour"),
        ({"parts": PARTS, "penalties": {"length": {"full_until": 5, "none_from": 5}}}, "full_until"),
        ({"parts": PARTS, "penalties": {"pattern": {"pattern": "("}}}, "RE2"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, JSON], said: str) -> None:
    with pytest.raises(OptionsError, match=said):
        RowGrader.of("composite", options)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("2 ^ 3 ^ 2", 512),
        ("-2 ^ 2", -4),
        ("2 ** -1", 0.5),
        ("8 / 2 / 2", 2),
        ("5 - 2 - 1", 2),
        ("--1", 1),
        ("min(a, b, 0.5) + max(a, b)", 1.25),
        ("abs(-3) + floor(1.7) + ceil(1.2) + sqrt(4) + exp(0) + log(1)", 9),
        ("1.5e1 + .5", 15.5),
    ],
)
def test_a_formula_has_the_value_of_arithmetic(text: str, value: float) -> None:
    assert Formula(text).value({"a": 0.25, "b": 1.0}) == pytest.approx(value)


@pytest.mark.parametrize(
    "text",
    [
        *("", "1 +", "1 2", "(1", "1)", "a b", "f(1)", "min()", "min(1", "abs(1, 2)", "a.b", "a[0]", "'a'", "a = 1"),
        *("__import__('os')", "lambda: 1", "a if b else 1", "a; b", "1 < 2", "a @ b", "10 // 3", "ä", "1__0"),
        *("(" * 60 + "1" + ")" * 60, "2 ^ " * 60 + "2", "1+" * 2000 + "1"),
    ],
)
def test_whatever_is_no_formula_is_refused_when_it_is_read(text: str) -> None:
    with pytest.raises(FormulaError):
        Formula(text)


@pytest.mark.parametrize("text", ["1 / a", "log(a)", "sqrt(-1 - a)", "9 ^ 9 ^ 9", "exp(1e9)", "missing", "(0-8) ^ 0.5"])
def test_a_formula_without_a_finite_value_says_so(text: str) -> None:
    with pytest.raises(FormulaError):
        Formula(text).value({"a": 0.0})


def test_a_long_formula_is_read_and_computed_at_once() -> None:
    began = time.process_time()
    assert Formula("+".join(["a"] * 900)).value({"a": 1.0}) == 900
    assert time.process_time() - began < 0.1


def test_a_definition_of_openai_is_taken_as_it_is() -> None:
    definition: dict[str, JSON] = {
        "type": "string_check",
        "name": "x",
        "input": "{{sample.output_text}}",
        "reference": "{{item.reference_answer}}",
        "operation": "eq",
    }
    assert isinstance(CompositeGrader.from_options(definition), OpenAIDefinitionGrader)


def test_the_options_of_a_row_overlay_those_of_the_recipe() -> None:
    grader = RowGrader.of("composite", {"parts": PARTS, "formula": "label"})

    def reward(options: JSON) -> float:
        return grader.grade(Sample("1", [], HALF, REFERENCE, {"tunedrop_grader": options})).reward

    assert [reward(None), reward({"formula": "facts"}), reward({}), reward({"formula": "facts"})] == [
        0.0,
        1.0,
        0.0,
        1.0,
    ]
    assert "no option" in (grader.check_reference(REFERENCE, {"tunedrop_grader": {"x": 1}}) or "")
    assert "an object" in (grader.check_reference(REFERENCE, {"tunedrop_grader": "x"}) or "")
