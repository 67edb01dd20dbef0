"""Grading a whole batch, whatever its samples do."""

from __future__ import annotations

from typing import Any

from tunedrop.graders.contract import answer, answer_ungraded, parse_batch
from tunedrop.graders.sample import Grader


def grade_batch(
    event: object, grader: Grader, *, sample_deadline_seconds: float, explain: bool = False
) -> list[dict[str, Any]]:
    """The contract's answer to a batch: one object an element, in order, with its id. Raises BatchError."""
    answers = []
    for rollout in parse_batch(event):
        if rollout.sample is None:
            answers.append(answer_ungraded(rollout.id, rollout.fault, explain=explain))
            continue
        try:
            answers.append(answer(rollout.id, grader.grade(rollout.sample), explain=explain))
        except Exception as error:
            answers.append(answer_ungraded(rollout.id, type(error).__name__, explain=explain))
    return answers
