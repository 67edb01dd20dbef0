"""A batch is answered whole, in order and in time, whatever one of its samples does to the grader."""

from __future__ import annotations

import math
import mmap
import os
import re
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.in_prove import in_prove
from tunedrop.graders.batch import grade_batch
from tunedrop.graders.contract import BatchError
from tunedrop.graders.sample import JSON, Grade, Sample, Terms
from tunedrop.graders.workers import Workers

DEADLINE = 0.5


FINE = Grade(1.0, {"part": 0.5}, True, "fine")
OUTCOMES = {
    "nan": replace(FINE, reward=math.nan),
    "infinite part": replace(FINE, components={"part": math.inf}),
    "beyond": replace(FINE, reward=17.0),
    "below": replace(FINE, reward=-3.0),
}


class Obedient:
    """Does what the answer of the sample says, as a grader that has gone wrong would."""

    workers = 1

    def check_reference(self, reference: JSON, row: Mapping[str, JSON]) -> str | None:
        return f"cannot grade {reference} of {row}"

    def grade(self, sample: Sample) -> Grade:
        match sample.answer:
            case "spin":
                while True:
                    pass
            case "backtrack":  # inside C code, where no signal handler runs
                re.match(r"(a+)+$", "a" * 40 + "b")
            case "power":
                len(str(7 ** (7**9)))
            case "fork":
                child = subprocess.Popen(["sleep", "29.731"])  # noqa: S607  # whichever sleep there is
                child.wait()
            case "raise":
                raise RuntimeError("told to")
            case "exit":
                os._exit(0)
            case "allocate a little":
                len(b"x" * 64 * 1024**2)
            case "allocate":
                len(b"x" * (8 * 1024**3))
        return OUTCOMES.get(sample.answer, FINE)


class Quick(Obedient):
    def grade_quickly(self, sample: Sample) -> Grade | None:
        return Grade(1.0, {}, True, "at once") if sample.answer == "fine" else None


def rollouts(*answers: str) -> list[dict[str, Any]]:
    return [
        {"id": f"r-{number}", "messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": answer}]}
        for number, answer in enumerate(answers)
    ]


def names(answer: dict[str, Any]) -> set[str]:
    return {metric["name"] for metric in answer["metrics_list"]}


@pytest.mark.parametrize("grader", [Obedient(), Quick()])
@pytest.mark.parametrize("hostile", ["spin", *map(in_prove, ("backtrack", "power", "fork"))])
def test_a_stuck_sample_is_cut_off_and_counted_and_the_others_are_answered(grader: Obedient, hostile: str) -> None:
    batch = rollouts(*["fine"] * 31, hostile, *["fine"] * 32)

    answers = grade_batch(batch, grader, sample_deadline_seconds=DEADLINE)

    assert [answer["id"] for answer in answers] == [f"r-{number}" for number in range(64)]
    assert [answer["aggregate_reward_score"] for answer in answers] == [1.0] * 31 + [0.0] + [1.0] * 32
    assert names(answers[31]) == {"grader_error", "grader_timeout"}


def test_the_deadline_holds_off_the_main_thread() -> None:
    answers: list[dict[str, Any]] = []

    def grade() -> None:
        answers.extend(grade_batch(rollouts("spin", "fine"), Obedient(), sample_deadline_seconds=DEADLINE))

    thread = threading.Thread(target=grade)
    thread.start()
    thread.join(60)

    assert [answer["aggregate_reward_score"] for answer in answers] == [0.0, 1.0]


def test_what_a_killed_sample_has_started_is_ended_with_it() -> None:
    with Workers(Obedient()) as workers:
        grade_batch(rollouts("fork"), Obedient(), sample_deadline_seconds=DEADLINE, workers=workers)

    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout  # noqa: S607  # as above
    assert "sleep 29.731" not in running


@pytest.mark.parametrize("hostile", ["raise", "exit", "allocate", "nan", "infinite part"])
def test_a_sample_that_breaks_the_grader_scores_nothing_and_is_marked(hostile: str) -> None:
    answers = grade_batch(rollouts("fine", hostile, "fine"), Obedient(), sample_deadline_seconds=5)

    assert [answer["aggregate_reward_score"] for answer in answers] == [1.0, 0.0, 1.0]
    assert names(answers[1]) == {"grader_error"}


@pytest.mark.parametrize(("told", "expected"), [("beyond", 1.0), ("below", 0.0)])
def test_rewards_stay_between_0_and_1(told: str, expected: float) -> None:
    (answer,) = grade_batch(rollouts(told), Obedient(), sample_deadline_seconds=5)

    assert answer["aggregate_reward_score"] == expected


def test_samples_left_when_the_batch_has_no_time_are_answered_as_timed_out() -> None:
    answers = grade_batch(rollouts("fine", "spin", "fine"), Obedient(), sample_deadline_seconds=30, budget_seconds=0.5)

    assert [answer["aggregate_reward_score"] for answer in answers] == [1.0, 0.0, 0.0]
    assert names(answers[2]) == {"grader_error", "grader_timeout"}


@pytest.mark.prove
def test_several_workers_wait_at_the_same_time_and_the_order_is_kept() -> None:
    class Waiting(Obedient):
        workers = 8

        def grade(self, sample: Sample) -> Grade:
            time.sleep(float(sample.answer))
            return Grade(float(sample.answer) / 10, {}, None, "")

    def at_once(longest: float) -> bool:
        """Whether sixteen waits take less than three quarters of what they would take one by one."""
        waits = [longest * share for share in (1.0, 0.25, 0.75, 0.5)] * 4
        started = time.monotonic()
        answers = grade_batch(rollouts(*map(str, waits)), Waiting(), sample_deadline_seconds=60)
        assert [answer["aggregate_reward_score"] for answer in answers] == pytest.approx([wait / 10 for wait in waits])
        return time.monotonic() - started < sum(waits) * 0.75

    # On a machine that is too busy for short waits, longer ones show it; one by one, none would be short enough.
    assert any(at_once(longest) for longest in (0.4, 2.0, 10.0))


def test_workers_are_kept_for_the_next_batch() -> None:
    class Telling(Obedient):
        def grade(self, sample: Sample) -> Grade:
            return Grade(float(len(sample.answer)), {}, None, str(os.getpid()))

    with Workers(Telling()) as workers:
        told = [
            grade_batch(rollouts("x", "y"), Telling(), sample_deadline_seconds=5, explain=True, workers=workers)
            for _ in range(2)
        ]

    pids = {answer["explanation"] for answers in told for answer in answers}
    assert len(pids) == 1
    assert pids != {str(os.getpid())}


def test_warming_up_takes_nothing_from_the_first_samples_time() -> None:
    class Slow(Obedient):
        def terms(self, row: Mapping[str, JSON]) -> Terms:
            return Terms(DEADLINE) if not row else Terms()

        def prepare(self, row: Mapping[str, JSON]) -> None:
            assert not row
            time.sleep(2 * DEADLINE)

    (answer,) = grade_batch(rollouts("fine"), Slow())

    assert answer["aggregate_reward_score"] == 1.0


def test_each_sample_gets_the_time_of_its_own_grader() -> None:
    class Choosing(Obedient):
        def terms(self, row: Mapping[str, JSON]) -> Terms:
            return Terms(deadline_seconds=float(str(row["seconds"])))

        def prepare(self, row: Mapping[str, JSON]) -> None:
            pass

        def grade(self, sample: Sample) -> Grade:
            time.sleep(float(sample.answer))
            return FINE

    batch = [
        {**rollout, "seconds": seconds} for rollout, seconds in zip(rollouts("1", "1"), (DEADLINE, 20), strict=True)
    ]

    assert [names(answer) & {"grader_timeout"} for answer in grade_batch(batch, Choosing())] == [
        {"grader_timeout"},
        set(),
    ]


def test_a_worker_may_allocate_however_much_its_parent_has_mapped() -> None:
    with mmap.mmap(-1, 3 * 1024**3):  # mapped, not used, as libraries do
        answers = grade_batch(rollouts("fine", "allocate", "allocate a little"), Obedient(), sample_deadline_seconds=5)
    assert [each["aggregate_reward_score"] for each in answers] == [1.0, 0.0, 1.0]
    assert "grader_error" in names(answers[1])


def test_an_answer_of_a_megabyte_passes_through_the_worker() -> None:
    class Measuring(Obedient):
        def grade(self, sample: Sample) -> Grade:
            return Grade(1.0 if len(sample.answer) == 1_000_000 else 0.0, {}, None, "")

    (answer,) = grade_batch(rollouts("é" * 1_000_000), Measuring(), sample_deadline_seconds=5)

    assert answer["aggregate_reward_score"] == 1.0


def test_an_event_that_is_no_batch_is_refused_whole() -> None:
    with pytest.raises(BatchError, match="expected a JSON array"):
        grade_batch("hello", Obedient(), sample_deadline_seconds=1)


def test_explanations_are_sent_only_when_asked_for() -> None:
    (plain,) = grade_batch(rollouts("fine"), Obedient(), sample_deadline_seconds=5)
    (explained,) = grade_batch(rollouts("fine"), Obedient(), sample_deadline_seconds=5, explain=True)

    assert set(plain) == {"id", "aggregate_reward_score", "metrics_list"}
    assert explained["explanation"] == "fine"
