"""Answers of two models to one test set, as tests need them."""

from __future__ import annotations

from collections.abc import Sequence

from tunedrop.evaluation.answers import BASE, TUNED, Answer
from tunedrop.evaluation.tally import Tally


def an_answer(row: int, candidate: str, reward: float | None, **other: object) -> Answer:
    """A graded answer to a row's first sample; right where the reward is 1."""
    fields: dict[str, object] = {"correct": None if reward is None else reward == 1.0, **other}
    return Answer(row, 0, candidate, "0" * 64, "#### 4", reward=reward, **fields)  # type: ignore[arg-type]  # by name


def a_tally(base: Sequence[float | None], tuned: Sequence[float | None]) -> Tally:
    """The tally of one reward a row and model; None is an answer that the grader could not grade."""
    tally = Tally(rows=len(base))
    for candidate, rewards in ((BASE, base), (TUNED, tuned)):
        for row, reward in enumerate(rewards):
            tally.add(an_answer(row, candidate, reward, ungraded="grader_error" if reward is None else None))
    return tally
