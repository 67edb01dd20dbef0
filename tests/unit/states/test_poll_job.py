from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import boto3
import pytest

from tests.in_prove import in_prove
from tests.unit.states.simulated_service import RUN_ID, Clock, SimulatedService, once
from tests.unit.training.training_series import SICK as SICKNESSES
from tunedrop import clock as tunedrop_clock
from tunedrop.notices.publication import document_of
from tunedrop.outcomes import (
    BudgetExceeded,
    DeploymentFailed,
    RunReleased,
    ServiceBusy,
    TrainingCancelled,
    TrainingFailed,
    TrainingStuck,
    TrainingUnhealthy,
)
from tunedrop.recipe_resolution import resolve
from tunedrop.run.record import RunRecord
from tunedrop.run.record_parts import TrainingProgress
from tunedrop.run.store import RunStore
from tunedrop.states.poll_job import EAGER_MINUTES, Poll, Polling, wait_seconds
from tunedrop.training.backend import Busy, Checkpoint, Job, JobRequest, JobStatus, Refused, TrainingEvent, Unclear
from tunedrop.training.events import TrainingEvents
from tunedrop.training.health import Gradings


def step(number: int, reward: float, event_id: str | None = None, created_at: int | None = None) -> TrainingEvent:
    metrics = {"step": float(number), "total_steps": 67.0, "critic_rewards_mean": reward}
    return TrainingEvent(
        event_id or f"event-{number}", created_at or number, "info", f"Step {number}/67", number, metrics
    )


class Look(Protocol):
    """Polls once."""

    def __call__(self, told: Sequence[str] = ()) -> Poll: ...


class Watched(SimulatedService):
    """A service whose job has the events that a test gives it."""

    told: list[TrainingEvent]

    def events(self, job_id: str) -> Iterator[TrainingEvent]:
        for event in self.told:
            self.call("event", "before")
            yield event


def training_of(store: RunStore) -> TrainingProgress:
    """What the record says of the training."""
    return store.load(RUN_ID).training


def recipe_of(store: RunStore) -> Mapping[str, Any]:
    """The recipe in the record."""
    recipe = store.load(RUN_ID).recipe_document
    assert recipe is not None
    return recipe


@pytest.fixture
def service(clock: Clock) -> Watched:
    service = Watched(clock)
    service.told = []
    return service


@pytest.fixture
def events(training_events_table: str) -> TrainingEvents:
    return TrainingEvents(boto3.client("dynamodb"), training_events_table)


@pytest.fixture
def submitted(run: RunRecord, store: RunStore, service: Watched) -> RunRecord:
    job = service.create(JobRequest(RUN_ID, "m", "file-0", "arn", {}))
    return store.update(
        RUN_ID, {"job_id": job.id, "submitted_at": tunedrop_clock.now_text(), "training": {"simulated": True}}
    )


@pytest.fixture
def look(submitted: RunRecord, store: RunStore, events: TrainingEvents, service: Watched) -> Look:
    def look(told: Sequence[str] = ()) -> Poll:
        return Polling(store, events, service, first_poll=60, later_poll=300).poll(RUN_ID, told=told)

    return look


def test_a_running_job_is_waited_for_and_what_it_told_is_kept(look: Look, store: RunStore, service: Watched) -> None:
    service.told = [step(number, number / 10) for number in range(1, 8)]
    assert look() == Poll("running", "running", 60)
    training = training_of(store)
    assert (training.steps, training.total_steps) == (7, 67)
    assert training.reward_first == pytest.approx((1 + 2 + 3 + 4 + 5) / 50)
    assert training.reward_last == pytest.approx((3 + 4 + 5 + 6 + 7) / 50)
    assert training.simulated is True


def test_events_are_kept_once_each_in_whatever_order_and_however_often_they_come(
    look: Look, events: TrainingEvents, service: Watched
) -> None:
    service.told = [step(3, 0.3), step(2, 0.2)]
    look()
    service.told = [step(4, 0.4), step(3, 0.3), step(3, 0.3), step(2, 0.2), step(1, 0.1)]
    look()
    assert [each["step"] for each in events.metrics(RUN_ID)] == [1, 2, 3, 4]


def test_a_step_that_is_told_twice_counts_as_it_was_told_last(
    look: Look, events: TrainingEvents, service: Watched
) -> None:
    service.told = [step(1, 0.9, "late", created_at=9), step(1, 0.1, "early", created_at=1)]
    look()
    assert events.metrics(RUN_ID)[0]["critic_rewards_mean"] == pytest.approx(0.9)


def test_a_poll_that_dies_within_a_page_loses_and_doubles_nothing(
    look: Look, events: TrainingEvents, service: Watched
) -> None:
    service.told = [step(number, 0.5) for number in range(1, 61)]
    seen = []

    def fault(name: str, when: str) -> None:
        seen.append(name)
        if name == "event" and seen.count("event") == 40:
            raise Unclear("reset within a page")

    service.fault = fault
    assert look().decision == "running"
    assert events.metrics(RUN_ID) == []
    service.fault = lambda name, when: None
    look()
    assert [each["step"] for each in events.metrics(RUN_ID)] == list(range(1, 61))


@pytest.mark.parametrize("trouble", [Refused("HTTP 404"), Busy("HTTP 429"), Unclear("no list")])
@pytest.mark.parametrize("unread", ["events", in_prove("checkpoints")])
def test_no_list_of_a_job_ends_a_run_while_the_job_can_be_read(
    look: Look,
    store: RunStore,
    service: Watched,
    monkeypatch: pytest.MonkeyPatch,
    *,
    trouble: Exception,
    unread: str,
) -> None:
    clock = service.clock

    def refuse(job_id: str) -> None:
        raise trouble

    service.told = [step(1, 0.5)]
    monkeypatch.setattr(service, "checkpoints", lambda job_id: [Checkpoint("c", 1, "model-at-1")])
    look()
    monkeypatch.setattr(service, unread, refuse)
    clock.sleep(7 * 3600)  # longer than a job may stand still, if its steps could be told
    if unread == "checkpoints":
        service.told.append(step(2, 0.6))
    assert look().decision == "running"
    assert training_of(store).checkpoints == [{"step": 1, "model": "model-at-1"}]
    service.end("job-0", JobStatus.SUCCEEDED, tuned_model="tuned")
    if not isinstance(trouble, Refused):
        with pytest.raises(ServiceBusy, match="the latest events of job job-0 could not be read"):
            look()
        clock.sleep(1800)
    assert look().decision == "ready"


def test_an_older_job_is_looked_at_less_often(look: Look, clock: Clock, service: Watched) -> None:
    clock.sleep(EAGER_MINUTES * 60 - 1)
    assert look().wait_seconds == 60
    clock.sleep(2)
    assert look().wait_seconds == 300


def test_a_job_with_a_model_is_ready(look: Look, store: RunStore, service: Watched) -> None:
    service.end("job-0", JobStatus.SUCCEEDED, tuned_model="ft-1")
    assert look() == Poll("ready", "succeeded", 0)
    assert store.load(RUN_ID).tuned_model == "ft-1"


def test_a_status_that_nobody_documented_keeps_the_run_waiting(look: Look, service: Watched) -> None:
    service.jobs["job-0"] = replace(service.jobs["job-0"], status=JobStatus.UNKNOWN, service_status="paused")
    assert look() == Poll("unknown", "paused", 60)
    service.jobs["job-0"] = Job("job-0", JobStatus.SUCCEEDED, "succeeded", "file-0", None, None)
    assert look().decision == "unknown"


@pytest.mark.parametrize(
    ("status", "outcome"), [(JobStatus.FAILED, TrainingFailed), (JobStatus.CANCELLED, TrainingCancelled)]
)
def test_a_job_that_ended_without_a_model_ends_the_run_with_the_services_reason(
    look: Look, service: Watched, status: JobStatus, outcome: type[Exception]
) -> None:
    service.end("job-0", status, error="grader_error: the grader timed out")
    with pytest.raises(outcome, match="the grader timed out"):
        look()


def test_a_job_without_progress_is_stuck_and_one_with_progress_is_not(
    look: Look, clock: Clock, service: Watched
) -> None:
    service.told = [step(1, 0.5)]
    look()
    clock.sleep(5.9 * 3600)
    service.told.append(step(2, 0.5))
    look()
    clock.sleep(5.9 * 3600)
    look()
    clock.sleep(0.2 * 3600)
    with pytest.raises(TrainingStuck, match="no step in 6.1 hours"):
        look()


def test_a_job_beyond_its_hours_is_over_budget(look: Look, store: RunStore, clock: Clock, service: Watched) -> None:
    recipe = dict(recipe_of(store), budget={"hours": 2, "stuck_hours": 6})
    store.update(RUN_ID, {"recipe": recipe})
    clock.sleep(2.1 * 3600)
    with pytest.raises(BudgetExceeded, match="the recipe allows 2.*start a run with a higher `budget"):
        look()


SICK = [
    {"step": float(number), "critic_rewards_mean": 0.3, "critic_advantages_mean": 0.0, "actor_pg_loss": 0.0}
    for number in range(1, 45)
]


def tell(service: Watched, metrics: list[dict[str, float]]) -> None:
    service.told = [
        TrainingEvent(f"e{number}", number, "info", "", number, each) for number, each in enumerate(metrics, start=1)
    ]


def test_each_finding_is_warned_of_once_by_a_notice_of_its_own(look: Look, store: RunStore, service: Watched) -> None:
    tell(service, SICK)
    first = look()
    assert [each["name"] for each in training_of(store).findings or ()] == ["all_equal_groups", "reward_plateau"]
    second = look(told=first.told)
    third = look(told=second.told)
    assert (first.told, second.told) == (("all_equal_groups",), ("all_equal_groups", "reward_plateau"))
    assert third.warnings == ()
    notices = [*first.warnings, *second.warnings]
    assert len({document_of(each)["notice_id"] for each in notices}) == 2
    for each in notices:
        assert each["MessageAttributes"]["event"]["StringValue"] == "training_warning"
        assert document_of(each)["finding"]["advice"]


@pytest.mark.parametrize("name", SICKNESSES)
def test_each_sickness_of_a_training_is_seen_as_a_notice(look: Look, service: Watched, name: str) -> None:
    tell(service, SICKNESSES[name])
    (notice,) = look().warnings
    assert document_of(notice)["finding"]["name"] == name


def test_a_grader_that_fails_is_seen_as_a_notice(
    store: RunStore, events: TrainingEvents, service: Watched, submitted: RunRecord
) -> None:
    polling = Polling(store, events, service, first_poll=60, later_poll=300)
    (notice,) = polling.poll(RUN_ID, gradings=Gradings(answers=1000, errors=100)).warnings
    finding = document_of(notice)["finding"]
    assert (finding["name"], "100 of 1000" in finding["evidence"]) == ("grader_errors", True)


def test_a_poll_that_runs_again_has_the_same_notice(look: Look, service: Watched) -> None:
    tell(service, SICK)
    assert look().warnings[0] == look().warnings[0]


def test_a_finding_that_the_recipe_stops_on_ends_the_training(look: Look, store: RunStore, service: Watched) -> None:
    store.update(RUN_ID, {"recipe": dict(recipe_of(store), health={"stop_on": ["reward_plateau"]})})
    tell(service, SICK[:30])
    look()
    tell(service, SICK)
    for _ in range(2):
        with pytest.raises(TrainingUnhealthy, match="reward_plateau: Mean reward 0.300"):
            look()


def test_a_finding_stops_no_job_that_has_its_model(look: Look, store: RunStore, service: Watched) -> None:
    store.update(RUN_ID, {"recipe": dict(recipe_of(store), health={"stop_on": ["reward_plateau"]})})
    tell(service, SICK)
    service.end("job-0", JobStatus.SUCCEEDED, tuned_model="ft-1")
    assert look().decision == "ready"


# ------------------------------------------------------------------------------------------------- deployments


@pytest.fixture
def deploying(look: Look, store: RunStore, service: Watched) -> Look:
    """A Nova job that has just succeeded."""
    recipe = resolve({"model": "amazon.nova-2-lite-v1:0:256k"}, "us-east-1").model_dump(mode="json")
    store.update(RUN_ID, {"recipe": recipe})
    service.told = []
    service.deploys = True
    service.end("job-0", JobStatus.SUCCEEDED, tuned_model="model-arn")
    return look


def test_a_model_that_needs_a_deployment_is_running_until_it_can_be_asked(
    deploying: Look, store: RunStore, service: Watched, clock: Clock
) -> None:
    assert deploying() == Poll("running", "Deploying", 60)
    assert store.load(RUN_ID).asked_as is None
    clock.sleep(61)
    assert deploying().decision == "ready"
    assert store.load(RUN_ID).asked_as == f"deployment-{RUN_ID}"
    assert training_of(store).checkpoints is None


def test_a_deployment_that_is_throttled_is_waited_for_and_one_that_hangs_fails(
    deploying: Look, service: Watched, clock: Clock
) -> None:
    def throttled(call: str, when: str) -> None:
        if (call, when) == ("serve", "before"):
            raise Busy("quota")

    service.fault = throttled
    assert deploying().decision == "running"
    clock.sleep(2.1 * 3600)
    with pytest.raises(DeploymentFailed, match=r"2\.1 hours.*budget\.deployment_hours"):
        deploying()


@pytest.mark.parametrize(
    ("call", "error", "outcome"),
    [
        ("get", Busy("quota"), ServiceBusy),
        ("get", Unclear("reset"), ServiceBusy),
        ("get", Refused("gone"), TrainingFailed),
        ("serve", Unclear("reset"), ServiceBusy),
        ("serve", Refused("no room"), DeploymentFailed),
    ],
)
def test_what_the_service_refuses_ends_the_run_and_what_may_pass_is_tried_again(
    deploying: Look, service: Watched, call: str, error: Exception, outcome: type[Exception]
) -> None:
    if call == "serve":
        deploying()
    service.fault = once(call, "before", error)
    with pytest.raises(outcome, match=str(error)):
        deploying()


def test_a_deployment_made_while_the_run_is_stopped_is_deleted_again(
    deploying: Look, store: RunStore, service: Watched
) -> None:
    def stopped(call: str, when: str) -> None:
        if (call, when) == ("serve", "after"):
            store.update_if(RUN_ID, {"releasing_at": tunedrop_clock.now_text()}, "attribute_exists(run_id)")

    service.fault = stopped
    with pytest.raises(RunReleased):
        deploying()
    assert service.deployed == {}


def test_nova_s_hours_are_not_taken_for_being_stuck(
    look: Look, store: RunStore, service: Watched, clock: Clock
) -> None:
    recipe = resolve({"model": "amazon.nova-2-lite-v1:0:256k"}, "us-east-1").model_dump(mode="json")
    store.update(RUN_ID, {"recipe": recipe})
    service.told = []
    look()
    clock.sleep(20 * 3600)
    assert look().decision == "running"


def test_a_run_that_is_released_is_not_watched_any_more(look: Look, store: RunStore) -> None:
    store.update_if(RUN_ID, {"releasing_at": "now"}, "attribute_exists(run_id)")
    with pytest.raises(RunReleased):
        look()


@pytest.mark.parametrize(("first", "later"), [(60, 300), (1, 1), (600, 900), (1, 900)])
def test_the_longest_run_stays_below_four_fifths_of_the_history(first: int, later: int) -> None:
    longest_seconds, events_a_turn, history = 72 * 3600, 9, 25_000
    age = turns = 0
    while age < longest_seconds:
        age += wait_seconds(age, first, later)
        turns += 1
    assert turns * events_a_turn < 0.8 * history
