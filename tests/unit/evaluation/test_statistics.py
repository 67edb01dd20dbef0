"""The arithmetic of a comparison, checked against its definitions, scipy and simulated truth."""

from __future__ import annotations

import math
import random
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunedrop.evaluation.saddlepoint import normal_cdf
from tunedrop.evaluation.statistics import (
    difference_of_shares,
    mcnemar,
    mean_with_interval,
    paired_difference,
    pass_at_k,
    wilson,
    z_score,
)


@pytest.fixture(scope="module")
def stats() -> Any:
    """scipy's, which takes seconds to import: `make prove` compares with it, `make test` with what it once said."""
    from scipy import stats

    return stats


@given(first=st.integers(0, 400), second=st.integers(0, 400))
def test_mcnemar_is_the_sum_of_the_binomial_coefficients(first: int, second: int) -> None:
    tail = sum(math.comb(first + second, place) for place in range(min(first, second) + 1))
    assert mcnemar(first, second) == pytest.approx(min(1.0, 2 * tail / 2 ** (first + second)), rel=1e-9)


@pytest.mark.prove
@given(first=st.integers(0, 400), second=st.integers(0, 400))
def test_mcnemar_is_the_exact_binomial_test(stats: Any, first: int, second: int) -> None:
    expected = stats.binomtest(first, first + second, 0.5).pvalue if first + second else 1.0
    assert mcnemar(first, second) == pytest.approx(expected, rel=1e-9)


def test_mcnemar_of_ten_thousand_pairs_neither_overflows_nor_vanishes() -> None:
    assert mcnemar(5_100, 4_900) == pytest.approx(0.04658552770494645, rel=1e-6)


def test_wilsons_interval_is_that_of_newcombes_paper() -> None:
    # Newcombe 1998 (two-sided intervals for one proportion), table I: 81 of 263, method 3.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


@pytest.mark.prove
@given(
    share=st.integers(1, 3_000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))),
    level=st.sampled_from([0.01, 0.05, 0.2]),
)
def test_wilson_is_scipys(stats: Any, share: tuple[int, int], level: float) -> None:
    expected = stats.binomtest(*share).proportion_ci(1 - level, method="wilson")
    assert wilson(*share, level=level) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_newcombes_interval_is_that_of_his_paper() -> None:
    # Newcombe 1998, table II: 56/70 against 48/80, method 10.
    assert difference_of_shares((48, 80), (56, 70)) == pytest.approx((0.0524, 0.3339), abs=5e-5)


@given(st.integers(1, 8).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))))
def test_pass_at_k_is_the_share_of_all_choices_that_hold_a_right_answer(case: tuple[int, int, int]) -> None:
    answers, right, k = case
    choices = list(combinations([True] * right + [False] * (answers - right), k))
    assert pass_at_k(answers, right, k) == pytest.approx(sum(map(any, choices)) / len(choices))


def test_pass_at_more_than_was_sampled_is_refused() -> None:
    with pytest.raises(ValueError, match="k=5, 1 of 4"):
        pass_at_k(4, 1, 5)


def test_z_and_the_normal_distribution_are_scipys() -> None:
    assert z_score(0.05) == pytest.approx(1.959963984540054)  # scipy.stats.norm.ppf(0.975)
    assert normal_cdf(-8.0) == pytest.approx(6.22096057427174e-16, rel=1e-9)  # scipy.stats.norm.cdf(-8)
    with pytest.raises(ValueError, match="between 0 and 1"):
        z_score(1.0)


STUDENT = {40: 2.022690920036761, 300: 1.9679296690656698}
"""scipy.stats.t.ppf(0.975, rows - 1)"""


@pytest.mark.parametrize("rows", [40, pytest.param(300, marks=pytest.mark.prove)])
@pytest.mark.parametrize("kind", ["right or wrong", "partial", "skewed"])
def test_the_interval_is_the_percentile_bootstrap_taken_further_out(rows: int, kind: str) -> None:
    """Against two hundred thousand real resamples of the same data, at the same expanded percentiles."""
    draw = np.random.default_rng(rows)
    values = {
        "right or wrong": draw.choice([-1.0, 0.0, 1.0], rows, p=[0.1, 0.6, 0.3]),
        "partial": np.round(draw.beta(0.5, 0.4, rows), 2) - np.round(draw.beta(0.5, 0.5, rows), 2),
        "skewed": draw.exponential(0.1, rows),
    }[kind]
    resampled = values[draw.integers(0, rows, (200_000, rows), dtype=np.int16)].mean(axis=1)
    outward = math.sqrt(rows / (rows - 1)) * STUDENT[rows]
    expected = np.quantile(resampled, [(1 + math.erf(end / math.sqrt(2))) / 2 for end in (-outward, outward)])
    estimate = mean_with_interval(values)
    # A lattice's quantile is only known to half a step; otherwise three digits of the interval's width.
    tolerance = 0.51 / rows if kind == "right or wrong" else 0.006 * (expected[1] - expected[0])
    assert estimate.mean == pytest.approx(values.mean())
    assert estimate.deviation == pytest.approx(values.std(ddof=1))
    assert (estimate.low, estimate.high) == pytest.approx(tuple(expected), abs=tolerance)


def test_the_interval_does_not_depend_on_the_order_of_the_rows() -> None:
    values = [0.1, 0.25, 1.0, 0.0, 0.7] * 30
    shuffled = random.Random(1).sample(values, len(values))
    assert mean_with_interval(values) == mean_with_interval(shuffled)


def test_two_models_that_never_differ_are_still_not_known_to_be_equal() -> None:
    difference = paired_difference([0.0] * 300)
    assert difference.p_value == 1.0
    assert difference.estimate.low == pytest.approx(-difference.estimate.high)
    # A share of 1% of differing rows stays unseen in 300 rows with probability 0.99^300 = 4.9%.
    assert difference.estimate.high == pytest.approx(0.00994, abs=1e-5)


def test_a_bounded_mean_keeps_within_its_bounds() -> None:
    estimate = mean_with_interval([1.0] * 99 + [0.0])
    assert estimate.low < 0.99 < estimate.high <= 1.0


def test_no_rows_have_no_mean() -> None:
    with pytest.raises(ValueError, match="no rows"):
        mean_with_interval([])


@given(st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=1, max_size=200))
def test_the_test_of_right_and_wrong_answers_is_mcnemars(differences: list[float]) -> None:
    assert paired_difference(differences).p_value == pytest.approx(
        mcnemar(differences.count(1.0), differences.count(-1.0))
    )


def test_few_partial_differences_are_tested_exactly() -> None:
    differences = [0.5, 0.25, 1.0, -0.25, 0.5, 0.75, 0.0, 0.5]
    flipped = [
        sum(sign * each for sign, each in zip(signs, differences, strict=True))
        for signs in product((-1, 1), repeat=len(differences))
    ]
    expected = sum(abs(each) >= abs(sum(differences)) for each in flipped) / len(flipped)
    result = paired_difference(differences)
    assert result.test == "sign-flip, exact"
    assert result.p_value == pytest.approx(expected)


@pytest.mark.prove
@pytest.mark.parametrize("shift", [0.0, 0.03, 0.06])
def test_many_partial_differences_are_tested_as_by_permutation(shift: float) -> None:
    draw = np.random.default_rng(7)
    differences = np.round(draw.normal(shift, 0.3, 200), 3)
    signs = draw.choice([-1.0, 1.0], (100_000, 200))
    expected = np.mean(np.abs(signs @ differences) >= abs(differences.sum()) - 1e-9)
    result = paired_difference(differences)
    assert result.test == "sign-flip, saddlepoint"
    assert result.p_value == pytest.approx(expected, abs=0.005)


def test_all_rows_better_by_different_amounts_is_as_unlikely_as_that_many_heads() -> None:
    result = paired_difference([0.25, 0.5] * 10)
    assert result.p_value == pytest.approx(2.0**-19)
