"""Options that cannot work are refused before a run begins, with their place and what was expected."""

from __future__ import annotations

from typing import Any

import pytest

from tunedrop.graders.kinds import make
from tunedrop.graders.pattern import compiled
from tunedrop.graders.sample import OptionsError

MATH: dict[str, Any] = {"kind": "math"}
SIMILAR = {"type": "text_similarity", "input": "{{sample.output_text}}", "reference": "{{item.a}}"}
CHECK = {"type": "string_check", "operation": "eq", "input": "{{sample.output_text}}", "reference": "{{item.a}}"}
PROGRAM = {"type": "python", "source": "def grade(sample, item):\n    return 1.0\n"}
PROGRAMS = {"type": "multi", "graders": {f"g{number}": PROGRAM for number in range(9)}}
ASKING: dict[str, Any] = {"type": "score_model", "model": "m", "input": [{"role": "user", "content": "Good?"}]}


def part(described: Any, **more: Any) -> dict[str, Any]:
    return {"parts": {"a": described}, **more}


def penalty(**described: Any) -> dict[str, Any]:
    return part(MATH, penalties={"length": described})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (part(3), "part 'a' must be an object with `kind`"),
        (part({**MATH, "options": 3}), "options of the part 'a' must be an object"),
        (part({"kind": "code", "options": {"seconds": 1000}}), "part 'a' may set seconds to .* got 1000"),
        (part({**MATH, "reference": 3}), "reference of the part 'a' must be a JSON Pointer, got 3"),
        (part(MATH, formula=3), "formula must be a text, got 3"),
        (part(MATH, penalties=3), "penalties must be an object of named terms"),
        (part(MATH, penalties={"length": 3}), "penalty 'length' must be an object"),
        (penalty(unit="lines", full_until=1, none_from=2), "must be one of characters, words, got 'lines'"),
        (penalty(full_until="1", none_from=2), "needs full_until, a number from 0, got '1'"),
        (part(MATH, penalties={"pattern": {"pattern": 3}}), "needs `pattern`, a text"),
    ],
)
def test_a_part_of_a_composite_that_cannot_work_is_named(options: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionsError, match=said):
        make("composite", options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"fields": {"/a": 3}}, "field /a must be described by an object or a comparator's name"),
        ({"fields": {"/a": {"values": 3}}}, 'field /a has values that are neither an array nor "reference"'),
    ],
)
def test_a_field_of_the_json_grader_that_cannot_work_is_named(options: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionsError, match=said):
        make("json", options)


def nested(levels: int) -> dict[str, Any]:
    return {"not": nested(levels - 1)} if levels else {}


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (nested(80), "nests deeper than 64 levels"),
        ({"const": float("nan")}, "cannot be written as JSON"),
        ({"enum": ["x" * 70_000]}, "70,014 characters of JSON; expected at most 65,536"),
        ({"$dynamicRef": "#a"}, "too costly"),
    ],
)
def test_a_schema_that_cannot_be_checked_is_refused(schema: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionsError, match=said):
        make("json", {"schema": schema})


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("a" * 1_001, "has 1,001 characters; expected at most 1,000"),
        (r"a\z", r"is no pattern: bad escape"),
        ("(?:.*x)*", "is too costly"),
    ],
)
def test_a_pattern_that_cannot_be_searched_for_is_refused(pattern: str, said: str) -> None:
    with pytest.raises(OptionsError, match=said):
        compiled(pattern, "pattern")


@pytest.mark.parametrize("pattern", ["(?:[^a]a)*", "(?:.a)+"])
def test_a_pattern_that_reads_each_text_in_one_way_is_taken(pattern: str) -> None:
    assert compiled(pattern, "pattern").search("ba")


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        ({**CHECK, "pass_threshold": "high"}, "pass_threshold must be a number, got 'high'"),
        ({**SIMILAR, "evaluation_metric": "vibes"}, "evaluation_metric must be one of .* got 'vibes'"),
        ({"type": "multi", "calculate_output": "a"}, "needs `graders`"),
        ({"type": "multi", "graders": {"a": CHECK}}, "needs `calculate_output`"),
        ({**PROGRAMS, "calculate_output": "g0"}, "has 9 python graders"),
    ],
)
def test_an_openai_definition_that_cannot_work_is_refused(definition: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionsError, match=said):
        make("composite", definition)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model": 3}, "needs `model`, a text"),
        ({"input": []}, "`input`, an array of messages"),
        ({"input": [{"role": "tool", "content": "Good?"}]}, "has the role 'tool'"),
        ({"input": [{"role": "user", "content": [{"image_url": "x"}]}]}, "images and audio are not graded"),
        ({"range": [1, 0]}, r"the lower one first, got \[1, 0\]"),
        ({"sampling_params": 3}, "sampling_params must be an object"),
    ],
)
def test_a_question_to_a_judge_that_cannot_be_asked_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionsError, match=said):
        make("judge", {**ASKING, **changes})
