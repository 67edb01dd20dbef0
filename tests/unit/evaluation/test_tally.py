"""What a stream of answers amounts to."""

from __future__ import annotations

import random
import tracemalloc

import pytest

from tunedrop.evaluation.answers import Answer
from tunedrop.evaluation.tally import Tally


def an_answer(
    row: int, candidate: str = "base", *, sample: int = 0, reward: float | None = 1.0, **other: object
) -> Answer:
    return Answer(row, sample, candidate, "0" * 64, "text", reward=reward, **other)  # type: ignore[arg-type]  # by name


def test_an_answer_that_comes_twice_counts_once() -> None:
    tally = Tally(rows=2)
    assert tally.add(an_answer(0, reward=1.0))
    assert not tally.add(an_answer(0, reward=0.0))
    assert tally.candidates["base"].reward(0) == 1.0
    assert tally.candidates["base"].answers == 1
    assert tally.duplicates == 1


def test_an_ungraded_answer_is_reported_and_never_a_zero() -> None:
    tally = Tally(rows=3, samples=2)
    tally.add(an_answer(0, sample=0, reward=1.0))
    tally.add(an_answer(0, sample=1, reward=0.0, ungraded="grader_timeout"))
    tally.add(an_answer(1, reward=0.0, finish_reason="length"))
    base = tally.candidates["base"]
    assert base.reward(0) == 1.0
    assert base.reward(1) is None
    assert base.ungraded == {"grader_timeout": 1, "truncated at max_tokens": 1}
    assert base.truncated == 1
    assert base.missing() == 3


def test_only_rows_that_both_candidates_have_graded_make_a_pair() -> None:
    tally = Tally(rows=4)
    for row in (0, 1, 2):
        tally.add(an_answer(row, "base"))
    for row in (1, 2, 3):
        tally.add(an_answer(row, "tuned", ungraded="refused" if row == 2 else None))
    assert list(tally.pairs("base", "tuned")) == [1]


def test_an_answer_that_nobody_judged_has_a_reward_but_no_accuracy() -> None:
    tally = Tally(rows=1, samples=2)
    tally.add(an_answer(0, sample=0, reward=0.5))
    assert tally.candidates["base"].reward(0) == 0.5
    assert tally.candidates["base"].accuracy(0) is None
    tally.add(an_answer(0, sample=1, reward=0.5, correct=True))
    assert tally.candidates["base"].accuracy(0) == 1.0


def test_pass_at_k_is_a_mean_over_rows() -> None:
    tally = Tally(rows=2, samples=4)
    for sample in range(4):
        tally.add(an_answer(0, sample=sample, correct=sample == 0))
        tally.add(an_answer(1, sample=sample, correct=False))
    base = tally.candidates["base"]
    assert base.pass_at(1) == pytest.approx(0.125)
    assert base.pass_at(4) == pytest.approx(0.5)
    assert base.pass_at(5) is None


def test_tokens_and_latency_are_none_where_the_service_does_not_tell_them() -> None:
    tally = Tally(rows=200)
    tally.add(an_answer(0))
    base = tally.candidates["base"]
    assert base.tokens("completion") is None
    assert base.latency([0.5]) is None
    for row in range(1, 101):
        tally.add(an_answer(row, completion_tokens=10, latency_seconds=row / 100))
    assert base.tokens("completion") == 1000
    assert base.tokens_an_answer("completion") == 10
    assert base.latency([0.5, 0.99, 1.0]) == pytest.approx([0.5, 0.99, 1.0])


def test_rewards_fall_into_the_bin_that_they_are_nearest_to() -> None:
    tally = Tally(rows=5)
    for row, reward in enumerate((0.0, 0.1, 0.13, 0.5, 1.0)):
        tally.add(an_answer(row, reward=reward))
    bins = tally.candidates["base"].reward_bins
    assert [index for index, count in enumerate(bins) if count] == [0, 2, 3, 10, 20]


def test_an_answer_of_another_test_set_is_refused() -> None:
    with pytest.raises(ValueError, match="row 5, sample 0: expected rows below 5"):
        Tally(rows=5).add(an_answer(5))


def test_a_grader_that_writes_a_new_reason_for_each_answer_does_not_fill_the_memory() -> None:
    tally = Tally(rows=500)
    for row in range(500):
        tally.add(an_answer(row, ungraded=f"boom {row}" + "x" * 5_000))
    reasons = tally.candidates["base"].ungraded
    assert reasons.total() == 500
    assert len(reasons) <= 21
    assert max(map(len, reasons)) <= 120


@pytest.mark.parametrize("rows", [2_000, pytest.param(20_000, marks=pytest.mark.prove)])
def test_a_row_takes_at_most_a_hundred_bytes(rows: int) -> None:
    chance = random.Random(1)
    tracemalloc.start()
    tally = Tally(rows=rows)
    for candidate in ("base", "tuned", "reference:large"):
        for row in range(rows):
            tally.add(an_answer(row, candidate, reward=chance.random(), completion_tokens=9, latency_seconds=1.0))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 * rows
