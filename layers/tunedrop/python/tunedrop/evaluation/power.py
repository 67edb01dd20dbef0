"""What a test set of a given size can tell apart, before a run is paid for.

Two models are told apart by the rows in which they differ (the discordant pairs). So the answer needs an assumption:
the share of rows that come out differently. Tuning that helps changes more rows than it gains; 0.3 is a usual share for
a model that goes from about a half right to 0.8, 0.1 for one that is nearly as good already.
"""

from __future__ import annotations

from math import ceil, sqrt
from statistics import NormalDist
from typing import Any

from tunedrop.evaluation.statistics import z_score

ASSUMED_DISCORDANT = 0.3
"""Share of rows that come out differently, where nothing is known yet."""

POWER = 0.8
"""The usual chance (Cohen 1988) of seeing a difference that is there."""


def least_detectable(
    rows: int, discordant: float = ASSUMED_DISCORDANT, *, level: float = 0.05, power: float = POWER
) -> float | None:
    """The smallest difference of accuracy that `rows` pairs show with that power, if `discordant` of the rows differ.

    Solves n = (z_a·sqrt(d) + z_b·sqrt(d - x²))² / x² for x, with d the discordant share (Connor 1987, "Sample Size for
    Testing Differences in Proportions for the Paired-Sample Design", Biometrics 43). None where even a difference as
    large as `discordant`, all of it gains, would not be seen: the test set is too small for such models.
    """
    _check(discordant)
    if rows < 1 or rows_needed(discordant, discordant, level=level, power=power) > rows:
        return None
    low, high = 0.0, discordant
    for _ in range(60):
        middle = (low + high) / 2
        if _rows(middle, discordant, level, power) > rows:
            low = middle
        else:
            high = middle
    return high


def resolution(rows: int, *, level: float = 0.05) -> dict[str, Any]:
    """What `rows` test rows can show before anything is known of the models; `least_detectable` is None for nothing.

    With the assumptions by name: the share of rows that come out differently, the level, the chance of seeing it.
    """
    return {
        "rows": rows,
        "assumed_discordant": ASSUMED_DISCORDANT,
        "level": level,
        "power": POWER,
        "least_detectable": least_detectable(rows, level=level),
    }


def rows_needed(
    difference: float, discordant: float = ASSUMED_DISCORDANT, *, level: float = 0.05, power: float = POWER
) -> int:
    """How many test rows show a difference of accuracy with that power, if `discordant` of the rows differ.

    Raises ValueError where the difference is not above 0, or greater than the share of rows that differ.
    """
    _check(discordant)
    if not 0 < difference <= discordant:
        raise ValueError(
            f"a difference is above 0 and at most the share of rows that differ ({discordant}), got {difference}"
        )
    return ceil(_rows(difference, discordant, level, power))


def _rows(difference: float, discordant: float, level: float, power: float) -> float:
    if difference == 0:
        return float("inf")
    beta = NormalDist().inv_cdf(power)
    return (z_score(level) * sqrt(discordant) + beta * sqrt(discordant - difference**2)) ** 2 / difference**2


def _check(discordant: float) -> None:
    if not 0 < discordant <= 1:
        raise ValueError(f"the share of rows that differ lies above 0 and up to 1, got {discordant}")
