"""The exact grader's choice: the many ways in which people and models name a letter, and those that name none."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.in_prove import a_third_in_each_run
from tunedrop.graders.choices import chosen_letter

ANSWERS = Path(__file__).parents[2] / "data/choices/answers.jsonl"
"""Answers of our own making: each names B, or does not."""
LETTERS = "ABCDEFGHIJ"


@pytest.mark.parametrize("names_b", [True, False])
def test_a_letter_is_read_however_it_is_named(names_b: bool) -> None:
    answers = [json.loads(line) for line in ANSWERS.read_text(encoding="utf-8").splitlines()]
    asked = [each["answer"] for each in answers if each["names_b"] is names_b]
    assert len(asked) > 40
    assert [answer for answer in asked if (chosen_letter(answer, {}, LETTERS) == "B") is not names_b] == []


@pytest.mark.parametrize(
    "unit",
    a_third_in_each_run(
        ["A ", "B or ", "(B) ", "the answer is ", "**", "答案是", "a b c ", "is the B ", "not B, ", "\n", "B? "]
    ),
)
def test_a_choice_in_a_long_text_is_read_in_linear_time(unit: str) -> None:
    def seconds(length: int) -> float:
        text = (unit * length)[:length]
        started = time.process_time()
        chosen_letter(text, {}, LETTERS)
        return time.process_time() - started

    short, long = min(seconds(2_000) for _ in range(3)), min(seconds(20_000) for _ in range(3))
    assert long < 20 * short + 0.02
