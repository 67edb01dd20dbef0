"""Series of a training's measures after the published curves: healthy ones, and one of each sickness."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

Series = list[dict[str, float]]
STEPS = 67


def series(
    *,
    reward: Callable[[float], float] = lambda t: 0.5 + 0.42 * (1 - math.exp(-4 * t)),
    entropy: Callable[[float], float] = lambda t: 1.05 - 0.25 * t,
    gradient: Callable[[float], float] = lambda t: 0.0009,
    length: Callable[[float], float] = lambda t: 625 - 225 * t,
    steps: int = STEPS,
    seed: int = 0,
) -> Series:
    """A training after the published runs, `t` from 0 to 1: reward 0.5 to 0.9 with the noise of 32 rollouts a step,
    entropy 1.05 to 0.8, gradient norm 0.0009, answers from 625 to 400 tokens."""
    chance = random.Random(seed)
    told = []
    for step in range(1, steps + 1):
        t = step / steps
        mean = min(1.0, max(0.0, reward(t)))
        hits = sum(chance.random() < mean for _ in range(32))
        told.append(
            {
                "step": float(step),
                "total_steps": float(steps),
                "critic_rewards_mean": hits / 32,
                "critic_advantages_mean": chance.gauss(0.01, 0.02),
                "actor_pg_loss": chance.gauss(0.05, 0.05),
                "actor_entropy": entropy(t) * chance.uniform(0.9, 1.1),
                "actor_grad_norm": gradient(t) * chance.lognormvariate(0, 0.4),
                "response_length_mean": length(t) * chance.uniform(0.85, 1.15),
            }
        )
    return told


SICK: dict[str, Series] = {
    "reward_plateau": series(reward=lambda t: 0.45),
    "entropy_collapse": series(entropy=lambda t: max(0.01, 0.9 - 3 * t), reward=lambda t: 0.5 + 0.2 * t),
    "exploding_gradients": series(gradient=lambda t: 0.0009 if t < 0.6 else 0.02),
    "verbosity": series(length=lambda t: 500 + 900 * t),
}
