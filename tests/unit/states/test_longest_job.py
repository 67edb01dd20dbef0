"""A job of 72 hours, watched by the stepped clock: what its history and its transitions come to."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest

from tests.unit.states.simulated_service import RUN_ID, Clock, SimulatedService
from tunedrop import clock as tunedrop_clock
from tunedrop.run.record import RunRecord
from tunedrop.run.store import RunStore
from tunedrop.states.poll_job import Polling, wait_seconds
from tunedrop.training.backend import JobRequest, JobStatus, TrainingEvent
from tunedrop.training.events import TrainingEvents

HOURS = 72
EVENTS_A_TURN, TRANSITIONS_A_TURN = 9, 3
DOLLARS_A_TRANSITION = 0.025 / 1000  # Standard workflows, us-east-1 and us-west-2


class SlowService(SimulatedService):
    """A step every two hours, and its metrics."""

    def events(self, job_id: str) -> Iterator[TrainingEvent]:
        hours = (self.clock.now() - self.made_at[job_id]).total_seconds() / 3600
        for step in range(1, int(hours / 2) + 1):
            metrics = {"step": float(step), "critic_rewards_mean": 0.9}
            yield TrainingEvent(f"event-{step}", step, "info", "", step, metrics)


@pytest.fixture
def service(run: RunRecord, store: RunStore, clock: Clock) -> SlowService:
    service = SlowService(clock)
    job = service.create(JobRequest(RUN_ID, "m", "file-0", "arn", {}))
    store.update(RUN_ID, {"job_id": job.id, "submitted_at": tunedrop_clock.now_text()})
    return service


@pytest.fixture
def events(training_events_table: str) -> TrainingEvents:
    return TrainingEvents(boto3.client("dynamodb"), training_events_table)


@pytest.mark.parametrize(
    "pace",
    [
        pytest.param((60, 300), id="as_deployed"),
        pytest.param((1, 1), id="as_fast_as_allowed"),
    ],
)
@pytest.mark.prove
def test_a_job_of_72_hours_stays_below_20000_events_of_history(
    store: RunStore, clock: Clock, service: SlowService, events: TrainingEvents, pace: tuple[int, int]
) -> None:
    first, later = pace
    polling = Polling(store, events, service, first_poll=first, later_poll=later)
    began, polls, waited = clock.now(), 0, first
    while True:
        clock.sleep(waited)
        polls += 1
        age = (clock.now() - began).total_seconds()
        if age >= HOURS * 3600 - 1000:
            service.end("job-0", JobStatus.SUCCEEDED, tuned_model="ft-1")
        waited = wait_seconds(age, first, later)
        # The waits depend on the job's age alone: every twentieth look is made by the real thing, and says the same.
        if polls % 20 == 0 or not service.training:
            seen = polling.poll(RUN_ID)
            if seen.decision == "ready":
                break
            assert seen.wait_seconds == waited
    history = polls * EVENTS_A_TURN
    dollars = polls * TRANSITIONS_A_TURN * DOLLARS_A_TRANSITION
    print(f"{HOURS} h: {polls} polls, {history} history events, ${dollars:.3f} in transitions")  # noqa: T201 - the measure
    assert history < 20_000
    assert events.metrics(RUN_ID)[-1]["step"] == pytest.approx(HOURS / 2, abs=1)
