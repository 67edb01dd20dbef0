"""Reinforcement fine-tuning of the simulated policy: groups of rollouts, graded outside, then GRPO, step by step."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from local.bedrock.chance import Draw, generator
from local.bedrock.grading import Reply
from local.bedrock.grpo import Measures, Rollout, update
from local.bedrock.model_ref import policy_of
from local.bedrock.policy import Policy, difficulty
from local.bedrock.prompts import prompt_key
from local.bedrock.rendering import form_of
from local.bedrock.simulated_model import UNKNOWN_PROMPT, cut, decide
from local.bedrock.training import Grade, Plan, Progress


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
    policy = policy_of(before.model)
    replies: list[Reply] = []
    sampled: list[tuple[Rollout, int]] = []
    for place, row in enumerate(plan.batch(step)):
        key = prompt_key(row["messages"])
        form = form_of(row, plan.labels)
        for sample in range(plan.group_size):
            draw = Draw.of("rollout", plan.seed, step, place, sample)
            behaviour, right = decide(policy, key, draw)
            text = form.render(behaviour, right, generator(draw.style)) if form else UNKNOWN_PROMPT
            answer = cut(text, plan.max_tokens)
            replies.append(Reply(f"{plan.name}-{step}-{place}-{sample}", row, answer.text))
            sampled.append((Rollout(behaviour, right, difficulty(key), answer.tokens, 0.0), place))
    graded = await grade(replies)
    groups: dict[int, list[Rollout]] = {}
    for (rollout, place), reward in zip(sampled, graded, strict=True):
        rewarded = Rollout(rollout.behaviour, rollout.right, rollout.difficulty, rollout.tokens, reward)
        groups.setdefault(place, []).append(rewarded)
    policy, measures = update(policy, reference, list(groups.values()), step=step, rate=plan.rate)
    tokens = sum(rollout.tokens for rollout, _ in sampled)
    return Progress(step, policy, before.tokens + tokens), measures
