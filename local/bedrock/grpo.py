"""Group relative policy optimisation on the simulated policy: real arithmetic, seven parameters.

Group-relative advantages after Shao et al. 2024 (DeepSeekMath, section 4.1), the clipped surrogate after Schulman et
al. 2017 (PPO, equation 7), the penalty towards the reference policy by the k3 estimator that GRPO takes
(ratio - log(ratio) - 1 with ratio = π_ref/π). Nothing but the rewards decides the direction.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from local.bedrock.policy import Behaviour, Policy

_CLIP = 0.2
_PENALTY = 0.1  # β: lower ones let the shares of hedging runs wander
_EXPONENT_CAP = 5.0  # of π_ref/π, so that a behaviour that nearly died cannot explode the penalty
_SAME_REWARDS = 1e-9  # a group whose rewards spread less has no signal
_STANDARD_DEVIATION_FLOOR = 1e-4
_LOGIT_RATE = 1.0
_SKILL_RATE = 0.2
_WARM_UP_STEPS = 5
_INNER_EPOCHS = 2
_LARGEST_NORM = 1.0


@dataclass(frozen=True, slots=True)
class Rollout:
    """One sampled reply as the update needs it."""

    behaviour: Behaviour
    right: bool
    difficulty: float
    tokens: int
    reward: float


@dataclass(frozen=True, slots=True)
class Measures:
    """What one update measured, by the names of the service's metrics."""

    rewards_mean: float
    advantages_mean: float  # over tokens, so that long replies weigh more; over replies it is 0 by construction
    policy_loss: float  # the clipped surrogate, mean of the inner epochs
    gradient_norm: float  # of the first inner epoch, before clipping
    entropy: float  # in nats, of the policy that sampled, mean over the replies' prompts
    response_length_mean: float  # tokens


def advantages(rewards: Sequence[float]) -> list[float]:
    """Each reward's distance from its group's mean in (population) standard deviations; all 0 where all are equal."""
    mean = math.fsum(rewards) / len(rewards)
    deviation = math.sqrt(math.fsum((reward - mean) ** 2 for reward in rewards) / len(rewards))
    if deviation < _SAME_REWARDS:
        return [0.0] * len(rewards)
    return [(reward - mean) / (deviation + _STANDARD_DEVIATION_FLOOR) for reward in rewards]


def update(
    policy: Policy, reference: Policy, groups: Sequence[Sequence[Rollout]], *, step: int, rate: float = 1.0
) -> tuple[Policy, Measures]:
    """One training step on `groups` of rollouts that `policy` sampled, one group a prompt.

    `step` counts from 1 and sets the warm-up; `rate` multiplies the learning rates. Raises ValueError for no rollouts.
    """
    rollouts = [rollout for group in groups for rollout in group]
    if not rollouts:
        raise ValueError("a training step needs rollouts, got none")
    scaled = [value for group in groups for value in advantages([rollout.reward for rollout in group])]
    sampled_at = [policy.probability(r.behaviour, r.right, r.difficulty) for r in rollouts]
    preferred = [reference.probability(r.behaviour, r.right, r.difficulty) for r in rollouts]
    step_rate = rate * min(1.0, step / _WARM_UP_STEPS)

    current = policy
    losses: list[float] = []
    norms: list[float] = []
    for _ in range(_INNER_EPOCHS):
        gradient = [0.0] * (len(policy.logits) + 1)
        surrogate = 0.0
        for rollout, advantage, before, wanted in zip(rollouts, scaled, sampled_at, preferred, strict=True):
            now = current.probability(rollout.behaviour, rollout.right, rollout.difficulty)
            ratio = now / before
            clipped = min(max(ratio, 1.0 - _CLIP), 1.0 + _CLIP)
            surrogate += min(ratio * advantage, clipped * advantage)
            beyond = (advantage > 0 and ratio > 1.0 + _CLIP) or (advantage < 0 and ratio < 1.0 - _CLIP)
            penalty = 1.0 - math.exp(min(math.log(wanted / now), _EXPONENT_CAP))
            weight = (0.0 if beyond else ratio * advantage) - _PENALTY * penalty
            for index, slope in enumerate(current.score(rollout.behaviour, rollout.right, rollout.difficulty)):
                gradient[index] += weight * slope / len(rollouts)
        losses.append(-surrogate / len(rollouts))
        norm = math.sqrt(math.fsum(value * value for value in gradient))
        norms.append(norm)
        scale = step_rate * min(1.0, _LARGEST_NORM / norm) if norm > 0 else 0.0
        current = current.moved(
            [*(_LOGIT_RATE * scale * value for value in gradient[:-1]), _SKILL_RATE * scale * gradient[-1]]
        )

    tokens = sum(rollout.tokens for rollout in rollouts)
    weighted = math.fsum(value * rollout.tokens for value, rollout in zip(scaled, rollouts, strict=True))
    return current, Measures(
        rewards_mean=math.fsum(rollout.reward for rollout in rollouts) / len(rollouts),
        advantages_mean=weighted / tokens if tokens else 0.0,
        policy_loss=math.fsum(losses) / len(losses),
        gradient_norm=norms[0],
        entropy=math.fsum(policy.entropy(rollout.difficulty) for rollout in rollouts) / len(rollouts),
        response_length_mean=tokens / len(rollouts),
    )
