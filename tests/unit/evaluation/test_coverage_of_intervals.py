"""Whether the 95% interval holds the true difference 95 times in 100, on simulated pairs whose truth is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from tunedrop.evaluation.statistics import paired_difference

Draw = Callable[[np.random.Generator, int], tuple[NDArray[np.float64], float]]


def right_or_wrong(gained: float, lost: float) -> Draw:
    def draw(chance: np.random.Generator, rows: int) -> tuple[NDArray[np.float64], float]:
        return chance.choice(np.array([1.0, -1.0, 0.0]), rows, p=[gained, lost, 1 - gained - lost]), gained - lost

    return draw


def partial_rewards(chance: np.random.Generator, rows: int) -> tuple[NDArray[np.float64], float]:
    levels = np.array([0.0, 0.1, 0.5, 1.0])
    base, tuned = np.array([0.3, 0.2, 0.2, 0.3]), np.array([0.1, 0.1, 0.2, 0.6])
    return chance.choice(levels, rows, p=tuned) - chance.choice(levels, rows, p=base), float(levels @ (tuned - base))


def a_judges_scores(chance: np.random.Generator, rows: int) -> tuple[NDArray[np.float64], float]:
    """Skewed, two decimals, the same prompt harder for both."""
    ease = chance.beta(2, 2, rows)
    base, tuned = chance.binomial(20, ease) / 20, chance.binomial(20, 1 - (1 - ease) ** 2) / 20
    return tuned - base, 0.5 - 0.3  # E[1-(1-p)^2] - E[p] = E[p] - E[p^2] = 0.2 for Beta(2, 2)


CASES = {
    "many differ": right_or_wrong(0.3, 0.1),
    "no difference": right_or_wrong(0.1, 0.1),
    "few differ": right_or_wrong(0.1, 0.02),
    "partial rewards": partial_rewards,
    "a judge's scores": a_judges_scores,
}


def coverage(draw: Draw, rows: int, draws: int) -> tuple[float, float]:
    """The share of intervals that hold the truth, and of those that lie above 0 wholly."""
    chance = np.random.default_rng(rows)
    held = above = 0
    for _ in range(draws):
        differences, truth = draw(chance, rows)
        estimate = paired_difference(differences.tolist()).estimate
        held += estimate.low <= truth <= estimate.high
        above += estimate.low > 0
    return held / draws, above / draws


@pytest.mark.prove
@pytest.mark.parametrize(("case", "rows"), [("many differ", 300), ("no difference", 100)])
def test_the_interval_of_right_and_wrong_answers_holds_the_truth(case: str, rows: int) -> None:
    held, above = coverage(CASES[case], rows, draws=1_000)
    assert 0.93 <= held <= 0.97
    if case == "no difference":
        assert above <= 0.05


@pytest.mark.prove
@pytest.mark.parametrize("rows", [100, 300, 1319])
@pytest.mark.parametrize("case", CASES)
def test_the_interval_holds_the_truth_whatever_the_rewards_are_like(case: str, rows: int) -> None:
    held, _ = coverage(CASES[case], rows, draws=2_000)
    assert 0.93 <= held <= 0.97
