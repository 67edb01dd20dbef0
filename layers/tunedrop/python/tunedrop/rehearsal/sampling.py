"""The base model's answers to a few prompts of the dataset, graded by the deployed grader."""

from __future__ import annotations

import asyncio
import hashlib
import heapq
from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from statistics import pstdev
from typing import TYPE_CHECKING, Any

from tunedrop.graders.graded import Graded, Rollout
from tunedrop.outcomes import ServiceBusy
from tunedrop.sampling.asking import ask_all
from tunedrop.sampling.question import Asking, NotAnswered, Question, Reply, Sampler

if TYPE_CHECKING:
    from tunedrop.graders.deployed import DeployedGrader

IN_FLIGHT = 16
"""Questions under way at once: a rehearsal of 16 x 4 is four turns of the model."""


@dataclass(frozen=True, slots=True)
class Group:
    """The rollouts of one prompt: the replies, and what the grader made of each, in the same order."""

    row: Mapping[str, Any]
    replies: Sequence[Reply]
    graded: Sequence[Graded]

    @property
    def rewards(self) -> list[float]:
        """The rewards of the answers that are whole: the evaluation does not count one that was cut off, either."""
        return [
            each.reward
            for reply, each in zip(self.replies, self.graded, strict=True)
            if each.reward is not None and not reply.truncated
        ]

    @property
    def spread(self) -> float:
        """The standard deviation of the rewards, as GRPO takes it: of the population."""
        return pstdev(self.rewards) if self.rewards else 0.0

    @property
    def has_signal(self) -> bool:
        """Whether GRPO could learn from this group: its rewards differ."""
        rewards = self.rewards
        return bool(rewards) and max(rewards) - min(rewards) > 1e-9


def choose_lines(lines: Iterable[bytes], count: int) -> list[bytes]:
    """`count` lines of the dataset by a hash of each line: the same rows every time, from all over the file."""
    chosen = heapq.nsmallest(
        count, ((hashlib.sha256(line).digest(), line) for line in lines if line.strip()), key=lambda each: each[0]
    )
    return [line for _, line in chosen]


def sample_groups(
    rows: Sequence[Mapping[str, Any]], *, sampler: Sampler, grader: DeployedGrader, asking: Asking, samples: int
) -> list[Group]:
    """`samples` answers of the model to each row, graded.

    Raises:
        ServiceBusy: the model or the grader could not be asked this time.
    """
    replies = asyncio.run(_replies(rows, sampler, asking, samples))
    answered = [index for index, reply in enumerate(replies) if reply.refused is None]
    rollouts = [
        Rollout(f"rehearsal-{index}", rows[index // samples], replies[index].text, replies[index].thought)
        for index in answered
    ]
    graded = [Graded(f"rehearsal-{index}", None, ungraded="the model refused") for index in range(len(replies))]
    for index, each in zip(answered, grader.grade(rollouts), strict=True):
        graded[index] = each
    return [
        Group(row, replies[start : start + samples], graded[start : start + samples])
        for start, row in zip(range(0, len(replies), samples), rows, strict=True)
    ]


async def _replies(rows: Sequence[Mapping[str, Any]], sampler: Sampler, asking: Asking, samples: int) -> list[Reply]:
    questions = (
        (place * samples + sample, Question.of(row, seed=sample))
        for place, row in enumerate(rows)
        for sample in range(samples)
    )
    replies: dict[int, Reply] = {}
    try:
        async with aclosing(ask_all(sampler, asking, questions, in_flight=IN_FLIGHT)) as answers:
            async for index, reply in answers:
                if isinstance(reply, NotAnswered):
                    raise ServiceBusy(f"the base model could not be asked: {reply}")
                replies[index] = reply
    finally:
        await sampler.close()
    return [replies[index] for index in range(len(rows) * samples)]
