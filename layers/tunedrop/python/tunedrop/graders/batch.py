"""Grading a whole batch, whatever its samples do: each gets its answer, within its time."""

from __future__ import annotations

import time
from typing import Any

from tunedrop.graders.contract import answer, answer_ungraded, parse_batch
from tunedrop.graders.sample import (
    ChoosingGrader,
    Grade,
    Grader,
    OptionsError,
    ParallelGrader,
    QuickGrader,
    Sample,
    Terms,
)
from tunedrop.graders.workers import Ungraded, Workers


def grade_batch(
    event: object,
    grader: Grader,
    *,
    sample_deadline_seconds: float | None = None,
    budget_seconds: float | None = None,
    explain: bool = False,
    workers: Workers | None = None,
) -> list[dict[str, Any]]:
    """The contract's answer to a batch: one object an element, in order, with its id. Raises BatchError.

    What the grader can settle at once (QuickGrader) is settled here; the rest goes to worker processes, where a sample
    that takes longer than `sample_deadline_seconds` (None: what its kind of grader says) is cut off. After
    `budget_seconds` (None: no such limit) all that is left is answered as timed out. A sample that could not be graded
    scores 0.0 with a `grader_error` metric; with `grader_refused` beside it where its row names no grader that may
    grade it here.

    `workers` of this grader are used again by the next batch; without them, they are started and ended here.
    """
    give_up_at = None if budget_seconds is None else time.monotonic() + budget_seconds
    rollouts = parse_batch(event)
    outcomes: list[Grade | Ungraded | None] = [None] * len(rollouts)
    slow: list[int] = []
    samples: list[Sample] = []
    for position, rollout in enumerate(rollouts):
        if rollout.sample is None:
            outcomes[position] = Ungraded(rollout.fault)
            continue
        outcome = outcomes[position] = _grade_quickly(grader, rollout.sample)
        if outcome is None:
            slow.append(position)
            samples.append(rollout.sample)
    if slow:
        crew = workers or Workers(grader)
        terms = [_terms(grader, sample) for sample in samples]
        if sample_deadline_seconds is not None:
            terms = [Terms(sample_deadline_seconds, each.at_once) for each in terms]
        try:
            for number, outcome in crew.grade_all(samples, terms, give_up_at=give_up_at):
                outcomes[slow[number]] = outcome
        finally:
            if workers is None:
                crew.close()
    return [_told(rollout.id, outcome, explain) for rollout, outcome in zip(rollouts, outcomes, strict=True)]


def _grade_quickly(grader: Grader, sample: Sample) -> Grade | Ungraded | None:
    if not isinstance(grader, QuickGrader):
        return None
    try:
        return grader.grade_quickly(sample)
    except OptionsError as error:
        return Ungraded(str(error)[:300], refused=True)
    except Exception as error:  # whatever a sample does to a grader, the others are answered
        return Ungraded(f"{type(error).__name__}: {error}"[:300])


def _terms(grader: Grader, sample: Sample) -> Terms:
    if isinstance(grader, ChoosingGrader):
        return grader.terms(sample.row)
    return Terms(at_once=grader.workers) if isinstance(grader, ParallelGrader) else Terms()


def _told(sample_id: Any, outcome: Grade | Ungraded | None, explain: bool) -> dict[str, Any]:
    if isinstance(outcome, Grade):
        try:
            return answer(sample_id, outcome, explain=explain)
        except (TypeError, ValueError, OverflowError) as error:
            outcome = Ungraded(f"the grader gave no usable reward: {error}")
    if outcome is None:
        outcome = Ungraded("the grader gave no answer")
    return answer_ungraded(sample_id, outcome.reason, timeout=outcome.timeout, refused=outcome.refused, explain=explain)
