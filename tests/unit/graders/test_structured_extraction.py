"""The json grader: strict reading, a schema, and fields that are compared one by one."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tunedrop.graders.json_answer import DEEPEST, LONGEST_ANSWER, NotOneDocument, Surroundings, parse, read_answer
from tunedrop.graders.json_compare import COMPARATORS, Comparison
from tunedrop.graders.json_fields import JsonGrader
from tunedrop.graders.row_options import RowGrader
from tunedrop.graders.sample import JSON, Grade, OptionsError, Sample

EXTRACTION = Path(__file__).parents[3] / "events" / "datasets" / "extraction"
CALL_OPTIONS: dict[str, JSON] = {"fields": {"/name": {"compare": "exact", "gate": True}, "/arguments/*": "one_of"}}


def grade(options: dict[str, JSON], answer: JSON, reference: JSON, row: dict[str, JSON] | None = None) -> Grade:
    text = answer if isinstance(answer, str) else json.dumps(answer)
    return JsonGrader.from_options(options).grade(Sample("1", [], text, reference, row or {}))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("{", "not JSON"),
        ('{"a": 1} {"a": 1}', "not JSON"),
        ('{"a": 1, "a": 2}', "twice"),
        ('{"a": {"b": 1, "b": 1}}', "twice"),
        ('{"a": NaN}', "NaN"),
        ("[-Infinity]", "NaN"),
        ("[1e999]", "range"),
        ("{'a': 1}", "not JSON"),
        ('{"a": 1,}', "not JSON"),
        ("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), "deeper"),
        ("[" * 100_000, "deeper"),
        ('{"a":' * 5000 + "1" + "}" * 5000, "deeper"),
        ("[" + "1," * 30_000 + "1]", "more than"),
        ("9" * 5000, "digits"),
        ('"' + "x" * LONGEST_ANSWER + '"', "characters"),
    ],
)
def test_a_text_that_is_not_one_strict_document_is_refused(text: str, said: str) -> None:
    began = time.process_time()
    with pytest.raises(NotOneDocument, match=said):
        read_answer(text, "fence")
    assert time.process_time() - began < 0.5


DOCUMENT = '{"a": 1}'
PLACES = {
    "alone": (DOCUMENT, ("none", "fence", "text")),
    "in a fence": (f"```json\n{DOCUMENT}\n```", ("fence", "text")),
    "in a fence without a language": (f"```\n{DOCUMENT}\n```", ("fence", "text")),
    "in a fence in a text": (f"Here you are:\n```json\n{DOCUMENT}\n```\nDone.", ("text",)),
    "in a text": (f"The answer {DOCUMENT} is it.", ("text",)),
    "twice in a text": (f"{DOCUMENT}\nor\n{DOCUMENT}", ()),
    "twice in fences": (f"```json\n{DOCUMENT}\n```\nor\n```json\n{DOCUMENT}\n```", ()),
    "broken": ('{"a": 1', ()),
}


@pytest.mark.parametrize("place", PLACES)
def test_what_may_stand_around_the_document_is_a_policy(place: str) -> None:
    text, allowed = PLACES[place]
    policies: tuple[Surroundings, ...] = ("none", "fence", "text")
    read = {policy for policy in policies if _reads(text, policy)}
    assert read == set(allowed)


def _reads(text: str, policy: Surroundings) -> bool:
    try:
        return read_answer(text, policy) == {"a": 1}
    except NotOneDocument:
        return False


def test_a_text_full_of_brackets_is_searched_in_bounded_time() -> None:
    began = time.process_time()
    with pytest.raises(NotOneDocument):
        read_answer("x" + "[{" * 100_000, "text")
    assert time.process_time() - began < 1


COMPARISONS: dict[str, list[tuple[dict[str, JSON], JSON, JSON, float]]] = {
    "exact": [
        ({}, 1, 1.0, 1),
        ({}, True, 1, 0),
        ({}, "1", 1, 0),
        ({}, [1, {"b": 2, "a": 1}], [1.0, {"a": 1, "b": 2}], 1),
        ({}, [1, 2], [2, 1], 0),
        ({}, None, None, 1),
        ({}, "A", "a", 0),
    ],
    "case_insensitive": [({}, " New  York", "new york", 1), ({}, "new-york", "new york", 0), ({}, 3, 3, 1)],
    "number": [
        ({"tolerance": 0.01}, 3.14, 3.145, 1),
        ({"tolerance": 0.01}, 3.1, 3.145, 0),
        ({"relative": 0.1}, 109, 100, 1),
        ({"relative": 0.1}, -109, -100, 1),
        ({"relative": 0.1}, 120, 100, 0),
        ({}, "100", 100, 0),
        ({"tolerance": 9}, True, 1, 0),
    ],
    "one_of": [
        ({"values": ["Paris", "Paris, France"]}, "paris france", "x", 1),
        ({"values": ["Paris"], "loose": False}, "paris", "x", 0),
        ({}, "ＫＭ／ｈ", "km/h", 1),  # noqa: RUF001 (wide forms of the same letters)
        ({}, "раris", "Paris", 0),  # noqa: RUF001 (the first two letters are Cyrillic)
        ({}, "-", "+", 0),
        ({"values": [5]}, 5.0, "x", 1),
        ({"values": [True]}, 1, "x", 0),
    ],
    "fuzzy": [
        ({}, "the quick fox", "the quick fax", 12 / 13),
        ({}, "abc", "xyz", 0),
        ({"at_least": 0.95}, "ab", "abc", 0),
        ({}, 3, 3.0, 1),
        ({}, "3", 3, 0),
        ({}, "x" * 20_001, "x" * 20_000, 0),
        ({}, "x" * 20_001, "x" * 20_001, 1),
    ],
    "set": [
        ({}, ["b", "A"], ["a", "b"], 1),
        ({}, ["a"], ["a", "b"], 2 / 3),
        ({}, ["a", "a"], ["a", "b"], 0.5),
        ({}, [], [], 1),
        ({}, "a", ["a"], 0),
        ({}, "a", "a", 1),
        ({}, [str(n) for n in range(1000)], ["1", "2"], 0),
        ({"loose": False}, ["A"], ["a"], 0),
    ],
    "list": [
        ({}, [], [], 1),
        ({}, ["a", "b", "c"], ["a", "x", "c"], 2 / 3),
        ({}, ["a"], ["a", "b"], 0.5),
        ({}, "a", ["a"], 0),
    ],
}


@pytest.mark.parametrize("name", COMPARISONS)
def test_values_are_compared_by(name: str) -> None:
    for settings, got, expected, score in COMPARISONS[name]:
        comparison = Comparison.from_options("x", {"compare": name, **settings})
        assert comparison.score(got, expected) == pytest.approx(score), (settings, got, expected)


def test_every_comparator_is_tested() -> None:
    assert COMPARISONS.keys() == COMPARATORS.keys()


def test_each_field_counts_by_its_weight() -> None:
    options: dict[str, JSON] = {"fields": {"/a": {"weight": 3}, "/b": {"compare": "number", "tolerance": 1}}}
    reference: JSON = {"a": "x", "b": 10, "c": {"d": 1, "e": [1]}}
    assert grade(options, reference, reference).reward == 1.0
    got = grade(options, {"a": "y", "b": 10.5, "c": {"d": 1, "e": [2]}}, reference)
    assert got.reward == pytest.approx(2 / 6)
    assert got.correct is False
    assert '/a ("y", not "x"), /c/e ([2], not [1])' in got.explanation


def test_a_field_too_many_and_a_field_too_few_cost_the_same() -> None:
    reference: JSON = {"a": 1, "b": 2}
    assert grade({}, {"a": 1}, reference).reward == 0.5
    assert grade({}, {"a": 1, "b": 2, "c": 3}, reference).reward == pytest.approx(2 / 3)
    assert grade({}, {"a": 1, "b": 2, "c": {"d": 3}}, reference).correct is False
    assert grade({"extra": "ignore"}, {"a": 1, "b": 2, "c": 3}, reference).correct is True


def test_a_gate_that_is_missed_takes_everything() -> None:
    reference: JSON = {"name": "f", "arguments": {"x": 1}}
    assert grade(CALL_OPTIONS, {"name": "g", "arguments": {"x": 1}}, reference).reward == 0.0
    assert grade(CALL_OPTIONS, {"name": "f", "arguments": {"x": 2}}, reference).reward == 0.5


def test_without_partial_credit_only_the_whole_document_pays() -> None:
    assert grade({"partial": False}, {"a": 1, "b": 3}, {"a": 1, "b": 2}).reward == 0.0
    assert grade({"partial": False}, {"b": 2, "a": 1}, {"a": 1, "b": 2}).reward == 1.0


def test_the_row_says_what_else_is_accepted_and_what_may_be_left_out() -> None:
    reference: JSON = {"name": "f", "arguments": {"x": 1, "unit": "km"}}
    row: dict[str, JSON] = {
        "accepted": {"/arguments/unit": ["km", "kilometre"], "/arguments/mode": ["fast"]},
        "optional": ["/arguments/unit"],
    }

    def reward(arguments: JSON) -> float:
        return grade(CALL_OPTIONS, {"name": "f", "arguments": arguments}, reference, row).reward

    assert [reward({"x": 1}), reward({"x": 1, "unit": "Kilometre"}), reward({"x": 1, "mode": "fast"})] == [1.0] * 3
    assert reward({"x": 1, "unit": "mile"}) == pytest.approx(2 / 3)
    assert reward({"x": 1, "mode": "slow"}) == pytest.approx(2 / 3)


def test_possible_answers_of_bfcl_are_read_as_they_are() -> None:
    options: dict[str, JSON] = {"fields": {"/area/*": {"compare": "one_of", "values": "reference"}}}
    reference: JSON = {"area": {"base": [10], "unit": ["units", "cm", ""], "sides": [[1, 2], [2, 1]]}}

    def reward(arguments: JSON) -> float:
        return grade(options, {"area": arguments}, reference).reward

    assert reward({"base": 10, "sides": [2, 1]}) == 1.0
    assert reward({"base": 10.0, "unit": "CM", "sides": [1, 2]}) == 1.0
    assert reward({"base": 10, "unit": "mm", "sides": [1, 2]}) == pytest.approx(2 / 3)
    assert reward({"unit": "cm", "sides": [1, 2]}) == pytest.approx(2 / 3)
    assert reward({"base": [10], "sides": [1, 2]}) == pytest.approx(1 / 2)


SCHEMA: JSON = {
    "type": "object",
    "required": ["a"],
    "properties": {"a": {"type": "integer", "minimum": 0}},
    "additionalProperties": False,
}


def test_an_answer_against_the_schema_is_worth_nothing() -> None:
    assert grade({"schema": SCHEMA}, {"a": 1}, {"a": 1}).reward == 1.0
    got = grade({"schema": SCHEMA}, {"a": -5}, {"a": -5})
    assert (got.reward, got.metrics["schema_valid"]) == (0.0, 0.0)
    assert "minimum at /a" in got.explanation
    assert "-5" not in got.explanation
    assert [(part.name, part.cost) for part in got.parts] == [("(against the schema)", 1.0)]


def test_an_answer_that_is_no_json_tells_that_this_cost_all_of_it() -> None:
    got = grade({}, "I cannot say.", {"a": 1})
    assert (got.reward, got.metrics["parsed"]) == (0.0, 0.0)
    assert [(part.name, part.credit, part.cost) for part in got.parts] == [("(no JSON)", 0.0, 1.0)]


def test_a_schema_that_points_elsewhere_is_never_fetched() -> None:
    with pytest.raises(OptionsError, match=r"leads out of the schema.*example\.invalid"):
        grade({"schema": {"$ref": "http://example.invalid/schema"}}, {"a": 1}, {"a": 1})


@pytest.mark.parametrize(
    "options",
    [
        {"feilds": {}},
        {"fields": ["a"]},
        {"fields": {"/a": "exactly"}},
        {"fields": {"/a": {"weigth": 1}}},
        {"fields": {"/a": {"weight": -1}}},
        {"fields": {"/a": {"gate": "yes"}}},
        {"surroundings": "any"},
        {"extra": "maybe"},
        {"partial": 1},
        {"schema": {"type": "objekt"}},
        {"schema": []},
    ],
)
def test_a_wrong_option_is_named(options: dict[str, JSON]) -> None:
    with pytest.raises(OptionsError, match=r"(?i)feilds|fields|/a|surroundings|extra|partial|schema"):
        RowGrader.of("json", options)


@pytest.mark.parametrize(
    ("reference", "row", "said"),
    [
        (None, {}, "none"),
        ("{broken", {}, "not JSON"),
        ({"a": "text"}, {}, "violates"),
        ({"a": 1}, {"accepted": ["/a"]}, "accepted"),
        ({"a": 1}, {"optional": [1]}, "optional"),
    ],
)
def test_a_row_that_cannot_be_graded_is_named(reference: JSON, row: dict[str, JSON], said: str) -> None:
    grader = JsonGrader.from_options({"schema": SCHEMA})
    assert said in (grader.check_reference(reference, row) or "")
    assert grader.check_reference('{"a": 1}', {}) is None


def rows() -> list[dict[str, Any]]:
    return [json.loads(line) for name in ("train", "test") for line in (EXTRACTION / f"{name}.jsonl").open("rb")]


def test_every_reference_call_of_bfcl_is_right_and_every_other_call_is_not() -> None:
    grader = RowGrader.of("json", CALL_OPTIONS)
    every = rows()
    assert len(every) == 400
    for row, other in zip(every, every[1:] + every[:1], strict=True):
        reference = row["reference_answer"]
        extra = {name: value for name, value in row.items() if name in ("accepted", "optional")}
        assert grader.check_reference(reference, extra) is None
        assert grader.grade(Sample("1", [], json.dumps(reference), reference, extra)).correct
        answer = json.dumps(other["reference_answer"])
        assert not grader.grade(Sample("1", [], answer, reference, extra)).correct


def test_every_accepted_value_of_bfcl_is_right() -> None:
    grader = RowGrader.of("json", CALL_OPTIONS)
    tried = 0
    for row in rows():
        for pointer, values in row.get("accepted", {}).items():
            for value in values:
                call = json.loads(json.dumps(row["reference_answer"]))
                call["arguments"][pointer.split("/")[2]] = value
                sample = Sample("1", [], json.dumps(call), row["reference_answer"], {"accepted": row["accepted"]})
                assert grader.grade(sample).correct, (row["id"], pointer, value)
                tried += 1
    assert tried > 500


def test_a_parsed_number_keeps_its_value() -> None:
    assert parse("[0.1, 12345678901234567890, -0]") == [0.1, 12345678901234567890, 0]
