"""Reinforcement fine-tuning of the simulated policy: groups of rollouts, graded outside, then GRPO, step by step."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from local.bedrock.chance import Draw, generator
from local.bedrock.grading import Reply
from local.bedrock.grpo import Measures, Rollout, update
from local.bedrock.policy import Policy, difficulty
from local.bedrock.prompts import prompt_key
from local.bedrock.records import Document
from local.bedrock.rendering import form_of
from local.bedrock.simulated_model import UNKNOWN_PROMPT, cut, decide

Grade = Callable[[Sequence[Reply]], Awaitable[list[float]]]
"""Gives the reward of each reply, in order; raises GraderFailed."""

FEWEST_ROWS = 100  # the documented bounds of a training file
MOST_ROWS = 20_000


@dataclass(frozen=True)
class Plan:
    """What is trained on, and how; the same plan gives the same training, step by step."""

    name: str
    rows: Sequence[Document]
    batch_size: int  # prompts a step
    epochs: int
    group_size: int  # rollouts a prompt
    max_tokens: int  # longest rollout
    rate: float = 1.0  # multiplies the learning rates
    seed: int = 0
    holds_out: bool = True  # a tenth of the rows is not trained on
    labels: Sequence[str] = field(default=())

    @cached_property
    def trained(self) -> list[int]:
        """Positions of the rows that are trained on: nine tenths, drawn by the seed, or all."""
        if not self.holds_out:
            return list(range(len(self.rows)))
        return sorted(generator("hold-out", self.seed).sample(range(len(self.rows)), len(self.rows) * 9 // 10))

    @property
    def steps_an_epoch(self) -> int:
        """Full batches in one pass: 300 rows, a tenth held out, batches of 4: 67. A pass has at least one step."""
        return max(1, len(self.trained) // self.batch_size)

    @property
    def total_steps(self) -> int:
        """Steps of the whole training."""
        return self.steps_an_epoch * self.epochs

    def batch(self, step: int) -> list[Document]:
        """The rows of a step, counted from 1; each epoch has an order of its own."""
        epoch, place = divmod(step - 1, self.steps_an_epoch)
        order = self.trained.copy()
        generator("order", self.seed, epoch).shuffle(order)
        return [self.rows[index] for index in order[place * self.batch_size : (place + 1) * self.batch_size]]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a training has come: steps done, the policy after them, tokens sampled so far."""

    step: int
    policy: Policy
    tokens: int = 0

    def to_json(self) -> Document:
        """As a JSON object, `from_json`'s counterpart."""
        return {"step": self.step, "policy": self.policy.to_json(), "tokens": self.tokens}

    @classmethod
    def from_json(cls, document: Document) -> Progress:
        """The progress that `to_json` wrote."""
        return cls(document["step"], Policy.from_json(document["policy"]), document["tokens"])


async def train(
    plan: Plan,
    start: Progress,
    *,
    reference: Policy,
    grade: Grade,
    keep: Callable[[Progress, Measures], None],
    step_seconds: Callable[[], float],
) -> Progress:
    """Train from `start` to the plan's last step; after each step `keep` gets the progress and what was measured.

    `reference` is the policy before the first step, which the penalty holds on to. A step takes at least
    `step_seconds()`. Raises GraderFailed as `grade` does.
    """
    progress = start
    while progress.step < plan.total_steps:
        began = time.monotonic()
        progress, measures = await _one_step(plan, progress, reference=reference, grade=grade)
        keep(progress, measures)
        await asyncio.sleep(max(0.0, step_seconds() - (time.monotonic() - began)))
    return progress


async def _one_step(plan: Plan, before: Progress, *, reference: Policy, grade: Grade) -> tuple[Progress, Measures]:
    step = before.step + 1
    replies: list[Reply] = []
    sampled: list[tuple[Rollout, int]] = []
    for place, row in enumerate(plan.batch(step)):
        key = prompt_key(row["messages"])
        form = form_of(row, plan.labels)
        for sample in range(plan.group_size):
            draw = Draw.of("rollout", plan.seed, step, place, sample)
            behaviour, right = decide(before.policy, key, draw)
            text = form.render(behaviour, right, generator(draw.style)) if form else UNKNOWN_PROMPT
            answer = cut(text, plan.max_tokens)
            replies.append(Reply(f"{plan.name}-{step}-{place}-{sample}", row, answer.text))
            sampled.append((Rollout(behaviour, right, difficulty(key), answer.tokens, 0.0), place))
    graded = await grade(replies)
    groups: dict[int, list[Rollout]] = {}
    for (rollout, place), reward in zip(sampled, graded, strict=True):
        rewarded = Rollout(rollout.behaviour, rollout.right, rollout.difficulty, rollout.tokens, reward)
        groups.setdefault(place, []).append(rewarded)
    policy, measures = update(before.policy, reference, list(groups.values()), step=step, rate=plan.rate)
    tokens = sum(rollout.tokens for rollout, _ in sampled)
    return Progress(step, policy, before.tokens + tokens), measures
