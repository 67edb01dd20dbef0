"""Two candidates side by side on the rows that both have graded answers to."""

from __future__ import annotations

import random

import pytest

from tests.unit.evaluation.paired_answers import a_tally
from tunedrop.evaluation.answers import Answer
from tunedrop.evaluation.comparison import candidate_figures, compare, length_labels, slices
from tunedrop.evaluation.tally import Tally


def test_only_rows_graded_on_both_sides_count_and_the_rest_is_told() -> None:
    comparison = compare(a_tally([0.0, 1.0, None, 0.0, None], [1.0, 1.0, 1.0, None, None]), "base", "tuned", level=0.05)
    assert comparison is not None
    assert (comparison.rows, comparison.pairs, comparison.left_out) == (5, 2, 3)
    assert (comparison.only_first_graded, comparison.only_second_graded, comparison.neither_graded) == (1, 1, 1)
    assert comparison.reward.estimate.mean == pytest.approx(0.5)
    assert (comparison.gained, comparison.lost) == (1, 0)


def test_the_worst_case_takes_every_left_out_row_for_a_loss() -> None:
    comparison = compare(a_tally([0.0, 1.0, None, 0.0, None], [1.0, 1.0, 1.0, None, None]), "base", "tuned", level=0.05)
    assert comparison is not None
    # Rows: gained, equal, 1 against a base of at most 1, 0 at the least against 0, at worst 0 against 1.
    assert comparison.worst_case == pytest.approx((1 + 0 + 0 + 0 - 1) / 5)
    assert comparison.best_case == pytest.approx((1 + 0 + 1 + 1 + 1) / 5)


def test_no_common_row_makes_no_comparison() -> None:
    assert compare(a_tally([1.0, None], [None, 1.0]), "base", "tuned", level=0.05) is None
    assert compare(a_tally([1.0], [1.0]), "base", "checkpoint:4", level=0.05) is None


def test_several_answers_to_a_row_are_one_observation() -> None:
    """Five equal answers to each of 40 rows know no more than one: the interval must not shrink."""
    chance = random.Random(3)
    single, fivefold = Tally(rows=40), Tally(rows=40, samples=5)
    for row in range(40):
        for candidate in ("base", "tuned"):
            reward = float(chance.random() < 0.5)
            single.add(Answer(row, 0, candidate, "", "", reward=reward, correct=reward == 1))
            for sample in range(5):
                fivefold.add(Answer(row, sample, candidate, "", "", reward=reward, correct=reward == 1))
    one, five = (compare(tally, "base", "tuned", level=0.05) for tally in (single, fivefold))
    assert one is not None
    assert five is not None
    assert one.reward == five.reward
    assert one.accuracy == five.accuracy


def test_rows_that_no_grader_judged_have_no_accuracy() -> None:
    tally = Tally(rows=2)
    for row in range(2):
        for candidate in ("base", "tuned"):
            tally.add(Answer(row, 0, candidate, "", "", reward=0.5))
    comparison = compare(tally, "base", "tuned", level=0.05)
    assert comparison is not None
    assert comparison.accuracy is None
    assert comparison.to_json()["accuracy"] is None


def test_a_slice_shows_what_the_mean_hides() -> None:
    tally = a_tally([0.0] * 50 + [1.0] * 50, [1.0] * 50 + [0.0] * 50)
    found = slices(tally, "base", "tuned", {"topic": ["easy"] * 50 + ["hard"] * 45 + [None] * 5}, level=0.05)
    assert [(each["label"], each["pairs"], each["difference"]) for each in found] == [
        ("easy", 50, 1.0),
        ("hard", 45, -1.0),
    ]


def test_small_and_many_slices_are_gathered() -> None:
    labels = [f"label {row // 12}" for row in range(240)] + ["rare"] * 5
    found = slices(a_tally([0.0] * 245, [1.0] * 245), "base", "tuned", {"kind": labels}, level=0.05)
    assert len(found) == 13
    assert (found[-1]["label"], found[-1]["pairs"]) == ("(others)", 245 - 12 * 12)


def test_labels_for_another_number_of_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="expected one label for each of 2 rows, got 1"):
        slices(a_tally([0.0, 0.0], [1.0, 1.0]), "base", "tuned", {"kind": ["a"]}, level=0.05)


def test_prompts_fall_into_quarters_by_length() -> None:
    labels = length_labels(list(range(1, 101)))
    assert [labels.count(label) for label in dict.fromkeys(labels)] == [26, 25, 25, 24]
    assert labels[0] == "1st: up to 26 characters"
    assert labels[-1] == "4th: over 76 characters"


def test_a_candidates_figures_hold_what_it_cost_and_what_is_missing() -> None:
    tally = Tally(rows=4)
    for row in range(3):
        tally.add(Answer(row, 0, "base", "", "", "length" if row == 2 else "stop", 100, 50, 2.0, 1.0, correct=row == 0))
    figures = candidate_figures(tally.candidates["base"], level=0.05)
    assert figures["answers"] == 3
    assert figures["missing"] == 1
    assert figures["ungraded"] == {"truncated at max_tokens": 1}
    assert figures["accuracy"]["mean"] == 0.5
    assert figures["completion_tokens_an_answer"] == 50
    assert figures["latency_p99_seconds"] == 2.0
