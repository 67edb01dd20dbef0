"""The rows that flipped, with a bounded amount of text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from tunedrop.evaluation.answers import BASE, TUNED, Answer
from tunedrop.evaluation.tally import Tally
from tunedrop.reporting.flips import MOST_ROWS, TEXT_BYTES, Flips, cut


def filled(answers: Sequence[Answer], rows: int, samples: int = 1) -> Flips:
    tally = Tally(rows, samples)
    for answer in answers:
        tally.add(answer)
    flips = Flips(tally)
    for row in range(rows):
        flips.add_row(row, f"prompt {row}", f"reference {row}")
    for answer in answers:
        flips.add_answer(answer)
    return flips


def pair(row: int, before: bool | None, after: bool | None, text: str = "answer") -> list[Answer]:
    return [
        Answer(
            row, 0, candidate, "", f"{text} of {candidate}", reward=float(bool(right)), correct=right, explanation="why"
        )
        for candidate, right in ((BASE, before), (TUNED, after))
    ]


def test_rows_that_came_right_or_went_wrong_are_shown_the_losses_first() -> None:
    shown = filled([*pair(0, False, True), *pair(1, True, True), *pair(2, True, False)], rows=3).to_json()
    assert (shown["gained"], shown["lost"]) == (1, 1)
    assert [(row["row"], row["way"]) for row in shown["rows"]] == [(2, "lost"), (0, "gained")]
    first = shown["rows"][0]
    assert first["prompt"] == "prompt 2"
    assert first["reference"] == "reference 2"
    assert first["base"] == {
        "text": "answer of base", "reward": 1.0, "correct": True, "reason": "why", "tokens": None, "seconds": None,
    }  # fmt: skip
    assert first["tuned"]["correct"] is False


def test_where_nothing_was_judged_a_change_of_half_the_reward_is_a_flip() -> None:
    answers = [
        Answer(row, 0, candidate, "", "text", reward=reward)
        for row, rewards in enumerate(((0.2, 0.9), (0.5, 0.6)))
        for candidate, reward in zip((BASE, TUNED), rewards, strict=True)
    ]
    assert [row["row"] for row in filled(answers, rows=2).to_json()["rows"]] == [0]


def test_of_several_samples_the_ones_that_show_the_flip_are_shown() -> None:
    answers = [
        Answer(0, sample, candidate, "", f"{candidate} {sample}", reward=float(right), correct=right)
        for candidate, rights in ((BASE, (True, False, False)), (TUNED, (False, True, True)))
        for sample, right in enumerate(rights)
    ]
    (row,) = filled(answers, rows=1, samples=3).to_json()["rows"]
    assert (row["base"]["text"], row["tuned"]["text"]) == ("base 1", "tuned 1")


def test_a_model_s_thoughts_are_kept_apart_from_its_answer() -> None:
    (row,) = filled(pair(0, False, True, "<think>Is it 7?</think>\n\nanswer"), rows=1).to_json()["rows"]
    assert (row["base"]["thought"], row["base"]["text"]) == ("Is it 7?", "answer of base")


def test_a_thought_beside_the_answer_is_shown_as_one_within_it() -> None:
    answers = [replace(each, thought="Is it 7?") for each in pair(0, False, True, "answer")]
    (row,) = filled(answers, rows=1).to_json()["rows"]
    assert (row["base"]["thought"], row["base"]["text"]) == ("Is it 7?", "answer of base")


def test_of_many_flipped_rows_some_from_the_whole_test_set_are_shown() -> None:
    flips = filled([answer for row in range(1_319) for answer in pair(row, False, True)], rows=1_319)
    shown = flips.to_json()
    assert shown["gained"] == 1_319
    assert len(shown["rows"]) == len(flips.rows) == MOST_ROWS
    assert shown["rows"][-1]["row"] > 1_300


@pytest.mark.prove
@pytest.mark.parametrize("text", ["x" * 10_000, "\N{BEER MUG}" * 10_000, "<" * 10_000])
def test_the_text_is_bounded_whatever_the_models_write(text: str) -> None:
    shown = filled([answer for row in range(450) for answer in pair(row, row % 2 == 0, row % 2 == 1, text)], rows=450)
    size = len(json.dumps(shown.to_json(), ensure_ascii=False).replace("<", "\\u003c").encode())
    assert 0.8 * TEXT_BYTES < size < 1.1 * TEXT_BYTES


def test_a_long_text_loses_its_middle_and_keeps_its_conclusion() -> None:
    text = "start " + "x" * 5_000 + " #### 42"
    short = cut(text, 300)
    assert short.startswith("start ")
    assert short.endswith("#### 42")
    assert "4,714 characters left out" in short
    assert cut("short", 300) == "short"
