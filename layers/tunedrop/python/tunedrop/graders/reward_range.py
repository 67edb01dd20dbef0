"""Between which rewards a grader's lie: 0 and 1, unless a recipe declares others for a grader of one's own."""

from __future__ import annotations

from typing import NamedTuple

_ROUNDING = 1e-6


class RewardRange(NamedTuple):
    """The least and the greatest reward. Gates and thresholds are shares of it: 0 is its low end, 1 its high end."""

    low: float = 0.0
    high: float = 1.0

    @property
    def width(self) -> float:
        """How far the ends lie apart."""
        return self.high - self.low

    def at(self, share: float) -> float:
        """The reward at this share of the range."""
        return self.low + share * self.width

    def holds(self, reward: float) -> bool:
        """Whether the reward lies in the range, but for rounding."""
        slack = _ROUNDING * self.width
        return self.low - slack <= reward <= self.high + slack

    def named(self, gate: str, share: float) -> str:
        """A gate's name in a message; where the range is not that from 0 to 1, with what its value is a share of."""
        return f"`{gate}`" if self == UNIT else f"`{gate}`: {share:g} of the range from {self}"

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}"


UNIT = RewardRange()
