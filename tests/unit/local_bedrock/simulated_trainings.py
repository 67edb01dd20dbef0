"""Whole trainings of the simulated policy, to look at what it learns."""

from __future__ import annotations

import asyncio
import functools
import json
from dataclasses import dataclass
from statistics import fmean

from local.bedrock.catalog import base_model
from local.bedrock.grpo import Measures
from local.bedrock.model_ref import policy_of
from local.bedrock.policy import BEHAVIOURS, Policy
from local.bedrock.simulated_training import train
from local.bedrock.training import Plan, Progress
from tests.unit.local_bedrock.graders_on_text import as_grade


@dataclass(frozen=True)
class Outcome:
    """A training that has ended: the policy before and after, and each step's measures."""

    before: Policy
    after: Policy
    measures: list[Measures]

    def rewards(self, start: int, end: int | None) -> float:
        return fmean(step.rewards_mean for step in self.measures[start:end])

    def lengths(self, start: int, end: int | None) -> float:
        return fmean(step.response_length_mean for step in self.measures[start:end])

    def share(self, behaviour: str) -> float:
        return dict(zip(map(str, BEHAVIOURS), self.after.shares, strict=True))[behaviour]


@functools.cache
def trained(score: object, seed: int, model: str = "openai.gpt-oss-20b") -> Outcome:
    """One epoch over 300 rows in batches of 4, as in the walkthrough; prompts differ from seed to seed.

    The same training is made once for all tests of a process.
    """
    base = base_model(model)
    assert base is not None
    rows = [json.loads(line) for line in open_rows(seed)]
    plan = Plan(name="job", rows=rows, batch_size=4, epochs=1, group_size=8, max_tokens=1024, seed=seed)
    measures: list[Measures] = []
    end = asyncio.run(
        train(
            plan,
            Progress(0, base.policy),
            reference=base.policy,
            grade=as_grade(score, seed=seed),
            keep=lambda _, measured: measures.append(measured),
            step_seconds=lambda: 0.0,
        )
    )
    return Outcome(base.policy, policy_of(end.model), measures)


def open_rows(seed: int) -> list[str]:
    """300 rows of sums whose prompts, and so their difficulties, are of this seed alone."""
    rows = []
    for number in range(300):
        result = 11 + number * 7 % 1800
        rows.append(
            json.dumps(
                {
                    "messages": [{"role": "user", "content": f'Problem {seed}.{number}: end with "####".'}],
                    "reference_answer": f"It is {result - 5} + 5 = <<{result - 5}+5={result}>>{result}.\n#### {result}",
                }
            )
        )
    return rows
