"""Waiting for a run: through lost answers and outages, to its end or to the end of the time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.client.answering import NOTHING, in_turn, problem, serving
from tunedrop_client import Problem, StillRunning, Unreachable, ValidationFailed, waiting


def run(status: str = "RUNNING", state: str = "PollJob") -> Any:
    return {"run_id": "sums-1", "status": status, "state": state}


class Clock:
    """A clock that goes on only while someone sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    def now(self) -> float:
        return self.seconds


def follow(look: Callable[[], Any], clock: Clock, timeout: float | None = None) -> list[Any]:
    return list(waiting.follow(look, "sums-1", timeout=timeout, every=None, sleep=clock.sleep, now=clock.now))


def looks(*seen: Any) -> Callable[[], Any]:
    left = list(seen)

    def look() -> Any:
        told = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(told, Exception):
            raise told
        return told

    return look


def test_a_run_is_given_each_time_that_it_has_changed_and_as_it_ended() -> None:
    seen = follow(looks(run(), run(), run(state="ConcludeRun"), run("SUCCEEDED")), Clock())
    assert seen == [run(), run(state="ConcludeRun"), run("SUCCEEDED")]


def test_a_run_of_days_is_looked_at_every_half_minute() -> None:
    clock = Clock()
    began = looks(*[run()] * 9000, run("SUCCEEDED"))
    follow(began, clock)
    assert clock.seconds > 2.5 * 24 * 3600
    assert max(clock.slept) <= 36
    assert clock.slept[0] < 3


def test_an_outage_of_most_of_an_hour_is_waited_through() -> None:
    clock = Clock()
    out = Unreachable("no network", sent=False)
    assert follow(looks(run(), *[out] * 100, run("FAILED")), clock)[-1] == run("FAILED")
    assert clock.seconds > 2000


def test_an_outage_without_end_is_told_after_an_hour() -> None:
    clock = Clock()
    with pytest.raises(Unreachable):
        follow(looks(run(), Unreachable("no network", sent=False)), clock)
    assert 3600 < clock.seconds < 3700


def test_each_failure_is_told_with_the_seconds_since_the_last_answer() -> None:
    clock, told = Clock(), []
    out = Unreachable("no network", sent=False)
    list(
        waiting.follow(
            looks(run(), out, out, run("FAILED")),
            "sums-1",
            timeout=None,
            every=5,
            on_failure=lambda error, seconds: told.append((error, seconds)),
            sleep=clock.sleep,
            now=clock.now,
        )
    )
    assert told == [(out, 5), (out, 10)]


def test_a_refusal_that_stays_is_told_at_once() -> None:
    clock = Clock()
    with pytest.raises(Problem):
        follow(looks(run(), Problem(404, {"type": "urn:tunedrop:problem:not-found"})), clock)
    assert len(clock.slept) == 1


def test_a_wait_of_limited_time_ends_with_the_run_as_it_was_seen_last() -> None:
    clock = Clock()
    with pytest.raises(StillRunning, match="sums-1 has not ended within 100 seconds") as over:
        follow(looks(run()), clock, timeout=100)
    assert over.value.run == run()
    assert isinstance(over.value, TimeoutError)
    assert clock.seconds == pytest.approx(100)


def test_waiting_by_the_client_gives_the_run_that_ended() -> None:
    answers = (200, run()), NOTHING, problem("unavailable", 503), (200, run("REJECTED"))
    with serving(in_turn(*answers)) as server:
        assert server.client().wait("sums-1") == run("REJECTED")


def test_a_check_that_came_to_no_result_is_an_error_with_its_reason() -> None:
    reason = {"error": "InputMissing", "message": "there is no train.jsonl"}
    begun = {"validation_id": "v", "status": "RUNNING", "reason": None}
    failed = {"validation_id": "v", "status": "FAILED", "reason": reason}
    with (
        serving(in_turn((202, begun), (200, begun), (200, failed))) as server,
        pytest.raises(ValidationFailed, match="InputMissing: there is no train.jsonl"),
    ):
        server.client().validate("s3://datasets/train.jsonl")


def test_a_validation_that_outlasts_the_time_is_said_to_go_on() -> None:
    clock = Clock()
    with pytest.raises(StillRunning, match="the check has not ended within 60 seconds"):
        waiting.until_done(looks(run()), what="the check", timeout=60, sleep=clock.sleep, now=clock.now)
    assert clock.seconds == 60
