"""Text that is made to stall, exhaust or break a grader: every sample is answered, in milliseconds."""

from __future__ import annotations

import time

import pytest

from tests.hostile_answers import ATTACKS, hostile
from tunedrop.graders.batch import grade_batch
from tunedrop.graders.math.grader import MathGrader

DEADLINE = 1.0


def check(count: int) -> None:
    grader = MathGrader()
    for name, answer, reference in hostile(count):
        batch = [{"id": "h", "messages": [{"role": "assistant", "content": answer}], "reference_answer": reference}]
        started = time.thread_time()
        (told,) = grade_batch(batch, grader, sample_deadline_seconds=DEADLINE)
        took = time.thread_time() - started
        assert took < DEADLINE, f"{name} took {took:.2f} s of processor time"
        assert {metric["name"] for metric in told["metrics_list"]}.isdisjoint({"grader_error", "grader_timeout"}), name


def test_one_hostile_answer_of_each_kind_is_graded_within_its_deadline() -> None:
    check(len(ATTACKS))


@pytest.mark.prove
@pytest.mark.timeout(900)
def test_a_thousand_hostile_answers_are_graded_each_within_its_deadline() -> None:
    check(1000)


def test_a_batch_with_hostile_answers_gives_the_others_what_they_deserve() -> None:
    answers = ["#### 72" if place % 2 else text for place, (_, text, _) in enumerate(hostile(16))]
    batch = [
        {"id": str(place), "messages": [{"role": "assistant", "content": text}], "reference_answer": "72"}
        for place, text in enumerate(answers)
    ]

    told = grade_batch(batch, MathGrader(), sample_deadline_seconds=DEADLINE)

    assert [one["id"] for one in told] == [str(place) for place in range(16)]
    assert [one["aggregate_reward_score"] for one in told] == [0.0, 1.0] * 8
