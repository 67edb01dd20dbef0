"""What a step's rewards come to; plain arithmetic."""

from __future__ import annotations

import math
from collections.abc import Sequence

_FLOOR = 1e-4  # of a group's standard deviation, TRL's


def advantages(rewards: Sequence[float], group_size: int) -> list[float]:
    """Each reward's distance from its group's mean, in the group's (sample) standard deviations, as TRL has them.

    Groups of `group_size` stand one behind the other. Where all are equal, all are 0.
    """
    scaled: list[float] = []
    for start in range(0, len(rewards), group_size):
        group = rewards[start : start + group_size]
        mean = math.fsum(group) / len(group)
        spread = math.sqrt(math.fsum((reward - mean) ** 2 for reward in group) / max(1, len(group) - 1))
        scaled += [(reward - mean) / (spread + _FLOOR) for reward in group]
    return scaled


def weighted_mean(values: Sequence[float], weights: Sequence[int]) -> float:
    """The mean of `values` by `weights` (tokens, so that long replies weigh more); 0 without any weight."""
    total = sum(weights)
    return math.fsum(value * weight for value, weight in zip(values, weights, strict=True)) / total if total else 0.0
