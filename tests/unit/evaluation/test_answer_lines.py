"""One line of evaluation output, written and read back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunedrop.evaluation.answers import Answer, AnswerLineBrokenError, parse_answer, read_answers


def an_answer(**changed: object) -> Answer:
    fields: dict[str, object] = {
        "row": 3,
        "sample": 0,
        "candidate": "base",
        "prompt_sha256": "ab" * 32,
        "answer": "#### 4",
    }
    return Answer(**{**fields, **changed})  # type: ignore[arg-type]  # the fields are chosen by name


@given(text=st.text(), reward=st.none() | st.floats(0, 1), correct=st.none() | st.booleans())
def test_an_answer_survives_its_line_whatever_the_model_wrote(
    text: str, reward: float | None, correct: bool | None
) -> None:
    answer = an_answer(
        answer=text, reward=reward, correct=correct, components={"format": 1.0}, explanation=text, thought=text
    )
    line = answer.to_line()
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert parse_answer(line) == answer


def test_a_lone_surrogate_does_not_stop_the_shard() -> None:
    written = parse_answer(an_answer(answer="a\ud800b", thought="c\ud800d").to_line())
    assert "\ufffd" in written.answer
    assert "\ufffd" in written.thought


def test_a_graded_answer_counts_and_a_truncated_one_never_does() -> None:
    assert an_answer(reward=0.0).graded
    assert not an_answer(reward=1.0, finish_reason="length").graded
    assert not an_answer(reward=0.0, ungraded="grader_error").graded
    assert not an_answer().graded


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"reward": 1.0}, None),
        ({"reward": 0.0, "ungraded": "grader_timeout"}, "grader_timeout"),
        ({"reward": 1.0, "finish_reason": "length"}, "truncated at max_tokens"),
        (
            {"reward": 1.0, "finish_reason": "length", "answer": "<think>1 and"},
            "truncated at max_tokens, within its thoughts",
        ),
        ({}, "the grader gave no reward"),
    ],
)
def test_the_reason_why_an_answer_does_not_count_is_told(changed: dict[str, object], reason: str | None) -> None:
    assert an_answer(**changed).why_ungraded == reason


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"row": 1, "sam', "expected one JSON object"),
        (b"[1]", "expected one JSON object"),
        (b'{"row": 1}', "the field 'sample' is missing"),
        ({"row": True}, "'row' must be a whole number, got True"),
        ({"row": -1}, "'row' counts from 0, got -1"),
        ({"reward": "1"}, "'reward' must be a number or null, got '1'"),
        ({"correct": 1}, "'correct' must be true or false or null, got 1"),
        ({"color": 1}, "'color' is unknown"),
    ],
)
def test_a_broken_line_is_named_with_its_number_and_field(line: bytes | dict[str, object], said: str) -> None:
    text = line if isinstance(line, bytes) else json.dumps({**json.loads(an_answer().to_line()), **line}).encode()
    with pytest.raises(AnswerLineBrokenError, match=r"shard 7, line 2: ") as broken:
        list(read_answers([an_answer().to_line(), text], source="shard 7"))
    assert said in str(broken.value)


def test_blank_lines_are_passed_over_and_counted() -> None:
    answers = read_answers([an_answer().to_line(), b"\n", an_answer(row=4).to_line()])
    assert [answer.row for answer in answers] == [3, 4]
