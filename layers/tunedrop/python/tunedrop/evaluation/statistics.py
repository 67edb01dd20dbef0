"""The arithmetic of a comparison: means and shares with their intervals, paired differences, exact tests, pass@k.

Pure functions of numbers in plain Python: nothing here needs numpy, draws a random number, or depends on the order of
its input. The unit of every interval and test is the *row*: several answers to one row are averaged first, because they
are not independent of each other (clustering by row; Miller 2024, "Adding Error Bars to Evals", arXiv:2411.00640).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from math import comb, cosh, exp, fsum, lgamma, log, sqrt, tanh
from statistics import NormalDist

from tunedrop.evaluation.saddlepoint import Cumulants, normal_cdf, probability_below, quantile

# Rewards are sums of a few decimal parts: what differs only by rounding in the last places is one level.
_DECIMALS = 12
# Up to here the sign-flip test counts all 2^m sign patterns; beyond, the saddlepoint is as good and does not grow.
_ENUMERATED_PAIRS = 14


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean and the interval that holds the true one with confidence 1 - level, over `rows` rows."""

    mean: float
    low: float
    high: float
    rows: int
    deviation: float
    """The standard deviation between rows."""
    method: str


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """Second minus first over rows that both have: the estimate, and how likely chance alone does as much."""

    estimate: Estimate
    p_value: float
    test: str


def mean_with_interval(
    values: Iterable[float], *, level: float = 0.05, within: tuple[float, float] | None = None, width: float = 1.0
) -> Estimate:
    """The mean of one value a row and its two-sided bootstrap interval.

    The interval is the *expanded percentile* bootstrap interval: the percentiles of the bootstrap distribution of the
    mean, taken a little further out so that it is right in small samples too (Hesterberg 2015, "What Teachers Should
    Know About the Bootstrap", The American Statistician 69, section 3: z is replaced by sqrt(n/(n-1))·t). The bootstrap
    distribution itself is computed, not drawn: see `saddlepoint`. Coverage measured in tests/unit/evaluation.

    Where all values are equal a bootstrap would claim to know the mean exactly. Then at most a share 1 - level^(1/n) of
    all rows can differ (the "rule of three", Hanley and Lippman-Hand 1983, JAMA 249), each by at most `width`,
    that of the values' range. `within` are bounds that no value can pass, to which the interval is cut.

    Raises ValueError for no values, or a level not between 0 and 1.
    """
    estimate = _estimate(_levels(values), level=level, width=width)
    if within is None:
        return estimate
    return replace(estimate, low=max(within[0], estimate.low), high=min(within[1], estimate.high))


def paired_difference(differences: Iterable[float], *, level: float = 0.05, width: float = 1.0) -> PairedDifference:
    """The mean of one difference a row (second minus first, each a mean reward), tested against 0.

    `width` is that of the rewards' range.

    Interval: as `mean_with_interval`. Test: two-sided sign-flip (paired permutation) test, which holds each row's
    difference to be as likely of the other sign (Fisher 1935; Good 2005, "Permutation, Parametric and Bootstrap Tests
    of Hypotheses", 3.7). With one right-or-wrong answer a row it is McNemar's exact test. It counts all sign patterns
    where at most 14 rows differ and uses the saddlepoint approximation beyond (Robinson 1982, J. R. Stat. Soc. B 44).
    """
    levels = _levels(differences)
    p_value, test = _sign_flip(levels)
    return PairedDifference(_estimate(levels, level=level, width=width), p_value, test)


def mcnemar(only_first: int, only_second: int) -> float:
    """McNemar's exact two-sided p-value from the pairs in which only one of the two is right.

    Given their number, each is as likely to go either way: twice the smaller tail of a binomial of ½, at most 1
    (McNemar 1947, Psychometrika 12; exact form: Fagerland, Lydersen and Laake 2013, BMC Med. Res. Methodol. 13). The
    exact form, not the mid-p one, because it never exceeds its level.
    """
    pairs = only_first + only_second
    if pairs == 0:
        return 1.0
    # By logarithms, since neither C(n, k) nor 2^-n fits a double from some 1,000 pairs on.
    logs = (lgamma(pairs + 1) - lgamma(k + 1) - lgamma(pairs - k + 1) for k in range(min(only_first, only_second) + 1))
    return min(1.0, 2 * fsum(exp(each - pairs * log(2)) for each in logs))


def wilson(right: int, of: int, *, level: float = 0.05) -> tuple[float, float]:
    """Wilson's score interval of a share (Wilson 1927, JASA 22; Brown, Cai and DasGupta 2001, Statistical Science 16).

    For one answer a row; several to a row are not independent, take `mean_with_interval` of the rows' shares.
    """
    if of <= 0 or not 0 <= right <= of:
        raise ValueError(f"a share needs 0 <= right <= of and of >= 1, got {right} of {of}")
    z = z_score(level)
    share, spread = right / of, z * z / of
    centre = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * sqrt(share * (1 - share) / of + spread / (4 * of))
    # Exactly 0 and 1 at the ends, where rounding would leave 1e-17.
    return (0.0 if right == 0 else max(0.0, centre - half), 1.0 if right == of else min(1.0, centre + half))


def difference_of_shares(
    first: tuple[int, int], second: tuple[int, int], *, level: float = 0.05
) -> tuple[float, float]:
    """The interval of second - first for two independent shares, each (right, of).

    Newcombe's hybrid score interval (Newcombe 1998, Statistics in Medicine 17, method 10). For paired shares it is
    somewhat too wide, so what it tells apart is told apart.
    """
    one, other = first[0] / first[1], second[0] / second[1]
    (one_low, one_high), (other_low, other_high) = wilson(*first, level=level), wilson(*second, level=level)
    difference = other - one
    return (
        difference - sqrt((other - other_low) ** 2 + (one_high - one) ** 2),
        difference + sqrt((other_high - other) ** 2 + (one - one_low) ** 2),
    )


def pass_at_k(answers: int, right: int, k: int) -> float:
    """The unbiased estimate of the chance that at least one of k answers to a row is right.

    1 - C(n - c, k) / C(n, k) with n answers, c of them right (Chen et al. 2021, "Evaluating Large Language Models
    Trained on Code", arXiv:2107.03374, equation 1). Raises ValueError where k is not within 1 to `answers`.
    """
    if not 1 <= k <= answers or not 0 <= right <= answers:
        raise ValueError(f"pass@k needs 1 <= k <= answers and 0 <= right <= answers, got k={k}, {right} of {answers}")
    return 1.0 - comb(answers - right, k) / comb(answers, k)


@lru_cache(maxsize=32)
def z_score(level: float) -> float:
    """The standard normal's two-sided critical value: 1.96 at level 0.05."""
    if not 0 < level < 1:
        raise ValueError(f"a level lies between 0 and 1, got {level}")
    return NormalDist().inv_cdf(1 - level / 2)


def _levels(values: Iterable[float]) -> Mapping[float, int]:
    """How often each value occurs, in order: rewards have few distinct levels, so everything after this is cheap."""
    levels = Counter(round(value, _DECIMALS) for value in values)
    if not levels:
        raise ValueError("no rows: a mean needs at least one value")
    return dict(sorted(levels.items()))


def _estimate(levels: Mapping[float, int], *, level: float, width: float) -> Estimate:
    z = z_score(level)
    rows = sum(levels.values())
    mean = fsum(value * count for value, count in levels.items()) / rows
    if len(levels) == 1:
        reach = width * (1 - level ** (1 / rows))
        return Estimate(mean, mean - reach, mean + reach, rows, 0.0, "rule of three (no spread between rows)")
    centred = [(value - mean, count) for value, count in levels.items()]
    squares = fsum(count * deviation**2 for deviation, count in centred)
    cubes = fsum(count * deviation**3 for deviation, count in centred)
    skewness = cubes / squares**1.5
    expanded = sqrt(rows / (rows - 1)) * _student(z, rows - 1)

    def generating(t: float) -> Cumulants:
        return _bootstrap_cumulants(t, centred, rows)

    low, high = (mean + quantile(generating, side, skewness=skewness) / rows for side in (-expanded, expanded))
    return Estimate(
        mean, low, high, rows, sqrt(squares / (rows - 1)), "bootstrap, expanded percentile (saddlepoint, no drawing)"
    )


def _bootstrap_cumulants(t: float, centred: list[tuple[float, int]], rows: int) -> Cumulants:
    """Of the sum of `rows` draws with replacement from the centred values."""
    # The largest exponent is taken out, so that no exp overflows however far out t lies.
    peak = max(t * deviation for deviation, _ in centred)
    total = first = second = 0.0
    for deviation, count in centred:
        weight = count * exp(t * deviation - peak)
        total += weight
        weight *= deviation
        first += weight
        second += weight * deviation
    mean = first / total
    return Cumulants(rows * (peak + log(total / rows)), rows * mean, rows * max(second / total - mean * mean, 0.0))


def _student(z: float, freedom: int) -> float:
    """Student's t for a normal quantile z (Abramowitz and Stegun 1964, 26.7.5): within 0.2% from 10 degrees on."""
    return (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )


def _sign_flip(levels: Mapping[float, int]) -> tuple[float, str]:
    """The two-sided p-value of the sign-flip test, and the name of the way in which it was found."""
    sizes: Counter[float] = Counter()
    for value, count in levels.items():
        if value:
            sizes[abs(value)] += count
    pairs = sum(sizes.values())
    if pairs == 0:
        return 1.0, "no row differs"
    up = sum(count for value, count in levels.items() if value > 0)
    if len(sizes) == 1:
        return mcnemar(up, pairs - up), "McNemar, exact"
    total = abs(fsum(value * count for value, count in levels.items()))
    if up in (0, pairs):
        return 2.0 ** (1 - pairs), "sign-flip, exact"
    if pairs <= _ENUMERATED_PAIRS:
        terms = [size for size, count in sizes.items() for _ in range(count)]
        least = total - 1e-9
        reached = sum(
            abs(sum(s * term for s, term in zip(signs, terms, strict=True))) >= least
            for signs in product((1, -1), repeat=pairs)
        )
        return reached / 2**pairs, "sign-flip, exact"

    def generating(t: float) -> Cumulants:
        value = slope = curvature = 0.0
        for size, count in sizes.items():
            at = t * size
            bend = tanh(at)
            # log cosh without overflow.
            value += count * (log(cosh(at)) if abs(at) < 300 else abs(at) - log(2))
            slope += count * size * bend
            curvature += count * size * size * (1 - bend * bend)
        return Cumulants(value, slope, curvature)

    above = normal_cdf(0.0) if total == 0 else 1 - probability_below(generating, total, skewness=0.0)
    return min(1.0, 2 * above), "sign-flip, saddlepoint"
