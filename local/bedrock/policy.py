"""The simulated model: a softmax over six behaviours and one skill, all that training changes.

There are no weights behind it. A reply shows one `Behaviour`; whether what it says is right depends on the skill, the
behaviour and the prompt's difficulty. Both kinds of parameter have a gradient of the log-probability of a sampled
reply, so that a policy gradient method can train them from rewards alone (`local.bedrock.grpo`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from local.bedrock.chance import fraction


class Behaviour(StrEnum):
    """How a reply looks, whatever it says."""

    ASKED_FORMAT = "asked_format"
    OTHER_FORMAT = "other_format"  # one that many graders accept too
    WRONG_FORMAT = "wrong_format"  # the result buried where no careful grader looks
    HEDGED = "hedged"  # several results listed
    PADDED = "padded"  # the asked format at the end of many words
    EMPTY = "empty"


BEHAVIOURS = tuple(Behaviour)


@dataclass(frozen=True, slots=True)
class Curve:
    """The chance of being right: low + (high - low) · sigmoid(skill - difficulty + offset)."""

    low: float
    high: float
    offset: float


# Hedging is right when any listed result is: that is its lure for a grader that pays for it. Padding distracts.
CURVES = {
    Behaviour.ASKED_FORMAT: Curve(0.0, 0.98, 0.0),
    Behaviour.OTHER_FORMAT: Curve(0.0, 0.98, 0.0),
    Behaviour.WRONG_FORMAT: Curve(0.0, 0.98, 0.0),
    Behaviour.HEDGED: Curve(0.90, 0.99, 0.0),
    Behaviour.PADDED: Curve(0.0, 0.95, -0.7),
    Behaviour.EMPTY: Curve(0.0, 0.0, 0.0),
}

# Difficulty is 1.2·logit of a number drawn evenly from 0.02 to 0.98: from -4.7 (trivial) to 4.7 (hopeless).
_DIFFICULTY_SPREAD = 1.2
_DIFFICULTY_CLIP = 0.02


@dataclass(frozen=True)
class Policy:
    """The six logits, in the order of `BEHAVIOURS`, and the skill."""

    logits: tuple[float, ...]
    skill: float

    @classmethod
    def starting(cls, shares: Sequence[float], skill: float) -> Policy:
        """The policy that shows each behaviour with the given share; shares are positive and sum to 1."""
        if len(shares) != len(BEHAVIOURS) or min(shares) <= 0 or not math.isclose(sum(shares), 1.0):
            raise ValueError(f"expected {len(BEHAVIOURS)} positive shares that sum to 1, got {list(shares)}")
        return cls(tuple(math.log(share) for share in shares), skill)

    @cached_property
    def shares(self) -> tuple[float, ...]:
        """The share of each behaviour, in the order of `BEHAVIOURS`; sums to 1."""
        highest = max(self.logits)
        weights = [math.exp(logit - highest) for logit in self.logits]
        total = sum(weights)
        return tuple(weight / total for weight in weights)

    @cached_property
    def fingerprint(self) -> str:
        """Names the parameters: two models with the same ones give the same answers, as equal weights would."""
        return " ".join(f"{value:.6f}" for value in (*self.logits, self.skill))

    def behaviour_at(self, position: float) -> Behaviour:
        """The behaviour at `position` in [0, 1) of the cumulated shares."""
        reached = 0.0
        for behaviour, share in zip(BEHAVIOURS, self.shares, strict=True):
            reached += share
            if position < reached:
                return behaviour
        return BEHAVIOURS[-1]

    def chance_right(self, behaviour: Behaviour, difficulty: float) -> float:
        """The probability that a reply of this behaviour says the right thing."""
        curve = CURVES[behaviour]
        return curve.low + (curve.high - curve.low) * _sigmoid(self.skill - difficulty + curve.offset)

    def probability(self, behaviour: Behaviour, right: bool, difficulty: float) -> float:
        """The probability of a reply of this behaviour that is right, or is not."""
        chance = self.chance_right(behaviour, difficulty)
        return self.shares[BEHAVIOURS.index(behaviour)] * (chance if right else 1.0 - chance)

    def score(self, behaviour: Behaviour, right: bool, difficulty: float) -> tuple[float, ...]:
        """The gradient of the log-probability of such a reply: by the six logits, then by the skill."""
        by_logits = [-share for share in self.shares]
        by_logits[BEHAVIOURS.index(behaviour)] += 1.0
        curve = CURVES[behaviour]
        rise = _sigmoid(self.skill - difficulty + curve.offset)
        slope = (curve.high - curve.low) * rise * (1.0 - rise)
        chance = curve.low + (curve.high - curve.low) * rise
        by_skill = slope / chance if right else -slope / (1.0 - chance)
        return (*by_logits, by_skill)

    def entropy(self, difficulty: float) -> float:
        """The entropy in nats of a reply to a prompt of this difficulty: of behaviour, and of right or wrong in it."""
        total = 0.0
        for behaviour, share in zip(BEHAVIOURS, self.shares, strict=True):
            total += share * (_binary_entropy(self.chance_right(behaviour, difficulty)) - math.log(max(share, 1e-300)))
        return total

    def moved(self, by: Sequence[float]) -> Policy:
        """The policy after the step `by`: six logits, then the skill."""
        return Policy(
            tuple(logit + step for logit, step in zip(self.logits, by[:-1], strict=True)), self.skill + by[-1]
        )

    def to_json(self) -> dict[str, Any]:
        """The parameters as a JSON object, `from_json`'s counterpart."""
        return {"logits": list(self.logits), "skill": self.skill}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Policy:
        """The policy that `to_json` wrote."""
        return cls(tuple(document["logits"]), document["skill"])


def difficulty(prompt_key: str) -> float:
    """How hard a prompt is, by its key alone; 0 is medium, the same for every model."""
    drawn = min(max(fraction("difficulty", prompt_key), _DIFFICULTY_CLIP), 1.0 - _DIFFICULTY_CLIP)
    return _DIFFICULTY_SPREAD * math.log(drawn / (1.0 - drawn))


def _sigmoid(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-value)) if value >= 0 else math.exp(value) / (1.0 + math.exp(value))


def _binary_entropy(chance: float) -> float:
    if chance <= 0.0 or chance >= 1.0:
        return 0.0
    return -chance * math.log(chance) - (1.0 - chance) * math.log(1.0 - chance)
