"""GSM8K's test answers in every rendering are right, and wrong ones in every rendering are not."""

from __future__ import annotations

import gzip
import json
import re

import pytest

from tests.unit.graders.gsm8k_renderings import DATA, PLAIN, PLAIN_MARKERS, WAYS, answers, renderings, wrong
from tunedrop.graders.math import verdict
from tunedrop.graders.math.commitment import plain_ending
from tunedrop.graders.math.grader import MathGrader
from tunedrop.graders.sample import Sample

GRADER = MathGrader()
STRIDE = 331
"""Of 656 renderings each answer gets every 331st, each answer others: every rendering some 4 times, in a second."""


def is_right(text: str, number: int) -> bool:
    return bool(GRADER.grade_quickly(Sample("s", [], text, f"Some steps.\n#### {number:,}", {})).correct)


def check(numbers: list[int], stride: int) -> tuple[int, list[str], list[str]]:
    """How many renderings were graded, the right ones that were missed, and the wrong ones that were accepted."""
    graded, missed, accepted = 0, [], []
    for place, number in enumerate(numbers):
        for name, text in renderings(number, start=place % stride, stride=stride):
            graded += 1
            if not is_right(text, number):
                missed.append(f"{name}: {number}")
        others = list(wrong(number))
        other = others[place % len(others)]
        for name, text in renderings(other, start=place % stride, stride=stride):
            if is_right(text, number):
                accepted.append(f"{name}: {other} for {number}")
    return graded, missed, accepted


@pytest.mark.prove
def test_the_test_answers_are_recognised_in_the_ways_that_models_write_them() -> None:
    graded, missed, accepted = check(answers(), STRIDE)

    assert graded > 2_500
    assert len(missed) / graded < 0.01, missed[:20]
    assert accepted == []


@pytest.mark.prove
@pytest.mark.timeout(900)
def test_every_test_answer_is_recognised_in_every_rendering() -> None:
    graded, missed, accepted = check(answers(), 1)

    assert graded == 1319 * len(WAYS)
    assert len(missed) / graded < 0.01, missed[:20]
    assert accepted == []


def test_a_rendering_says_its_number_and_nothing_else_like_it() -> None:
    """Without its number no rendering is right: what is graded is the answer, not the text around it."""
    for marker, template in PLAIN_MARKERS.items():
        text = template.format("what was asked for")
        assert not is_right(text, 72), marker
    assert {write(72) for write in PLAIN.values()} >= {"72", "$72", "72.", "**72**"}


@pytest.mark.prove
def test_the_short_way_for_usual_endings_says_what_the_long_way_says(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [text for number in (72, -3, 1600) for _, text in renderings(number, start=number % 3, stride=3)]
    short = [[is_right(text, number) for number in (72, -3, 1600)] for text in texts]
    taken = sum(plain_ending(text) is not None for text in texts)
    monkeypatch.setattr(verdict, "plain_ending", lambda answer: None)

    assert taken > 40
    assert [[is_right(text, number) for number in (72, -3, 1600)] for text in texts] == short


def last_number(solution: str) -> float | None:
    """What most graders take for the answer of a text."""
    numbers = re.findall(r"-?\d[\d,]*(?:\.\d+)?", re.sub(r"<<[^<>]*>>", "", solution))
    return float(numbers[-1].replace(",", "")) if numbers else None


@pytest.mark.parametrize("stride", [4, pytest.param(1, marks=pytest.mark.prove)])
def test_published_solutions_are_right_with_and_without_their_last_line(stride: int) -> None:
    with gzip.open(DATA / "test.jsonl.gz", "rt", encoding="utf-8") as lines:
        solutions = [json.loads(line)["answer"] for line in lines]
    published = list(zip(solutions, answers(), strict=True))[::stride]

    whole = sum(is_right(solution, answer) for solution, answer in published)
    unmarked = sum(is_right(solution.rsplit("####", 1)[0], answer) for solution, answer in published)

    last = sum(last_number(solution.rsplit("####", 1)[0]) == answer for solution, answer in published)

    assert whole == len(published) >= 1319 // stride
    assert unmarked / len(published) > 0.985, "the result of the last sentence, not merely its last number"
    assert last < unmarked
    assert stride > 1 or (unmarked, last) == (1307, 1283), "docs/graders.md tells how many"
