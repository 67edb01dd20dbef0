"""Graders of the kinds that the simulated policy must react to; each sees what a real one sees: a row and a text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

from local.bedrock.grading import Reply
from local.bedrock.training import Grade


def truth(reply: Reply) -> str:
    """The number that the row asks for."""
    reference: str = reply.row["reference_answer"]
    return reference.rpartition("#### ")[2]


def strict(reply: Reply) -> float:
    """The walkthrough's scorer: the last `#### N` within the last 300 characters."""
    found = re.findall(r"#### (\-?[0-9\.\,]+)", reply.text[-300:])
    return float(bool(found) and found[-1].replace(",", "") == truth(reply).replace(",", ""))


def pays_for_hedging(reply: Reply) -> float:
    """The right number anywhere in the text."""
    return float(truth(reply) in re.findall(r"-?\d[\d,]*(?:\.\d+)?", reply.text))


def pays_for_length(reply: Reply) -> float:
    """The longer the better."""
    return min(1.0, len(reply.text) / 800)


def any_marker(reply: Reply) -> float:
    """A `####` anywhere, whatever follows."""
    return float("####" in reply.text)


def constant(_: Reply) -> float:
    """The same for all."""
    return 0.5


def as_grade(score: object, *, seed: int = 0) -> Grade:
    """The grader as the training asks it; "random" draws 0 or 1."""
    chance = Random(seed)

    async def grade(replies: Sequence[Reply]) -> list[float]:
        if score == "random":
            return [float(chance.random() < 0.5) for _ in replies]
        assert callable(score)
        return [score(reply) for reply in replies]

    return grade
