"""The three documented variants of a batch are read alike, and the answer is the documented one to the letter."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tunedrop.graders.contract import (
    BatchError,
    SampleError,
    answer,
    answer_ungraded,
    parse_batch,
    read_sample,
    unwrap,
)
from tunedrop.graders.sample import Grade
from tunedrop.graders.turn import text_of

QUESTION = {"role": "user", "content": "How many?"}
ANSWER = {"role": "assistant", "content": "#### 72"}
VARIANTS = {
    "A, under metadata": {
        "id": "1",
        "messages": [QUESTION, ANSWER],
        "metadata": {"reference_answer": "72", "level": "easy"},
    },
    "B, at the top level, wrapped": {
        "id": "1",
        "messages": [QUESTION, ANSWER],
        "reference_answer": {"text": "72"},
        "level": "easy",
    },
    "C, the training row": {"id": "1", "messages": [QUESTION, ANSWER], "reference_answer": "72", "level": "easy"},
    "Nova's role": {
        "id": "1",
        "messages": [QUESTION, {"role": "nova_assistant", "content": "#### 72"}],
        "reference_answer": "72",
        "level": "easy",
    },
    "text parts": {
        "id": "1",
        "messages": [QUESTION, {"role": "assistant", "content": [{"type": "text", "text": "#### 72"}]}],
        "reference_answer": "72",
        "level": "easy",
    },
    "both places": {
        "id": "1",
        "messages": [QUESTION, ANSWER],
        "reference_answer": {"text": "72"},
        "metadata": {"reference_answer": "72", "level": "easy"},
    },
}


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS.keys())
def test_every_documented_variant_is_the_same_sample(variant: dict[str, Any]) -> None:
    (rollout,) = parse_batch([variant])

    assert rollout.sample is not None
    assert rollout.sample.messages == [QUESTION]
    assert rollout.sample.answer == "#### 72"
    assert rollout.sample.reference == "72"
    assert rollout.sample.row == {"level": "easy"}


def test_the_wrapper_and_a_single_rollout_are_read_too() -> None:
    variant = VARIANTS["C, the training row"]

    assert parse_batch({"trajectories": [variant, variant]}) == parse_batch([variant, variant])
    assert parse_batch(variant) == parse_batch([variant])


@pytest.mark.parametrize("event", [None, "text", 5, {"records": []}])
def test_what_is_no_batch_is_refused_with_what_was_expected(event: object) -> None:
    with pytest.raises(BatchError, match="expected a JSON array"):
        parse_batch(event)


def test_an_empty_batch_is_a_batch() -> None:
    assert parse_batch([]) == []


def test_ids_are_echoed_as_they_came() -> None:
    row = {"messages": [QUESTION, ANSWER]}
    batch = [{**row, "id": "x"}, {**row, "id": 7}, {**row, "task_id": "t"}, {**row, "metadata": {"id": "m"}}, row]

    assert [rollout.id for rollout in parse_batch(batch)] == ["x", 7, "t", "m", "4"]


@pytest.mark.parametrize(
    ("element", "message"),
    [
        (5, "an object"),
        ({"id": "1"}, "must be an array"),
        ({"id": "1", "messages": []}, "must be an array"),
        ({"id": "1", "messages": ["x"]}, r"messages\[0\]"),
        ({"id": "1", "messages": [QUESTION]}, "the model's answer"),
        ({"id": "1", "messages": [{"role": "assistant", "content": 5}]}, "must be a string"),
    ],
)
def test_a_broken_element_keeps_its_place_with_its_fault(element: Any, message: str) -> None:
    good = VARIANTS["C, the training row"]
    rollouts = parse_batch([good, element, good])

    assert [rollout.sample is None for rollout in rollouts] == [False, True, False]
    with pytest.raises(SampleError, match=message):
        read_sample(element, "1")


def test_parts_of_text_are_joined_and_other_parts_say_nothing() -> None:
    assert text_of([{"type": "text", "text": "a"}, {"type": "image_url"}, {"text": "b"}, "c"]) == "a\nb\nc"
    assert text_of(None) == ""


def test_only_the_wrapper_of_a_string_is_unwrapped() -> None:
    assert unwrap({"text": "72"}) == "72"
    assert unwrap({"text": "72", "unit": "m"}) == {"text": "72", "unit": "m"}
    assert unwrap(["72"]) == ["72"]


def test_the_answer_has_the_documented_fields_and_no_other() -> None:
    grade = Grade(0.85, {"accuracy_of_part": 0.9}, True, "because", {"format": 1.0})

    assert answer("123", grade) == {
        "id": "123",
        "aggregate_reward_score": 0.85,
        "metrics_list": [
            {"name": "accuracy", "value": 1.0, "type": "Metric"},
            {"name": "accuracy_of_part", "value": 0.9, "type": "Reward"},
            {"name": "format", "value": 1.0, "type": "Metric"},
        ],
    }
    assert answer("123", grade, explain=True)["explanation"] == "because"


@pytest.mark.parametrize("reward", [math.nan, math.inf, -math.inf])
def test_a_reward_that_is_no_number_is_never_sent(reward: float) -> None:
    with pytest.raises(ValueError, match="expected a finite number"):
        answer("1", Grade(reward, {}, None, ""))


def test_an_ungraded_sample_is_told_from_a_wrong_one() -> None:
    told = answer_ungraded("1", "secret text", timeout=True)

    assert told["aggregate_reward_score"] == 0.0
    assert [metric["name"] for metric in told["metrics_list"]] == ["grader_error", "grader_timeout"]
    assert "secret text" not in str(told)
