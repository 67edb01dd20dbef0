from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import pytest

from tests.in_prove import in_prove
from tests.unit.states.simulated_service import EXECUTION, REFUSAL, RUN_ID, Clock, Killed, SimulatedService, drawn, once
from tunedrop import clock as tunedrop_clock
from tunedrop.outcomes import JobRefused, RunReleased, ServiceBusy, SubmissionUnclear, Transient
from tunedrop.queue.place import Place
from tunedrop.recipe_resolution import resolve
from tunedrop.run.execution import PipelineExecution
from tunedrop.run.record import RunRecord
from tunedrop.run.store import RunStore
from tunedrop.states import submit_job
from tunedrop.states.release_run import Release, Releaser
from tunedrop.states.submit_job import Submission
from tunedrop.training.backend import Busy, Full, Unclear

LEASE_SECONDS = 120.0
LAG_SECONDS = 12.0
MOST_ATTEMPTS = 60
"""More than the state machine makes: what is shown holds however often the state is run again. Each of up to six deaths
leaves a lease that six tries find taken."""


class ProcessStore(RunStore):
    """The store as one process has it: it may die before or after a write, and a dead process writes no more."""

    def __init__(self, store: RunStore, service: SimulatedService) -> None:
        super().__init__(store._client, store._table)
        self._service = service
        self._died_before = service.deaths

    def update_if(self, *arguments: Any, **more: Any) -> RunRecord:
        self._unless_dead()
        self._service.call("update", "before")
        record = super().update_if(*arguments, **more)
        self._service.call("update", "after")
        return record

    def load(self, run_id: str) -> RunRecord:
        self._unless_dead()
        return super().load(run_id)

    def _unless_dead(self) -> None:
        if self._service.deaths > self._died_before:
            raise Killed


@dataclass
class Machine:
    """Runs SubmitJob as the state machine does: again after a transient fault or a death, with time passing between."""

    store: RunStore
    service: SimulatedService
    clock: Clock
    run_id: str = RUN_ID

    def attempt(self) -> RunRecord:
        submission = Submission(
            ProcessStore(self.store, self.service),
            self.service,
            lease_seconds=LEASE_SECONDS,
            list_lag_seconds=LAG_SECONDS,
            sleep=self.clock.sleep,
        )
        return submission.submit(self.run_id, lambda: io.BytesIO(b"{}\n"))

    def run(self) -> RunRecord:
        for _ in range(MOST_ATTEMPTS):
            try:
                return self.attempt()
            except Transient:
                self.clock.sleep(20)
            except Killed:
                self.clock.sleep(LEASE_SECONDS / 3)
        raise AssertionError("the state never came to an end")


@pytest.fixture
def machine(store: RunStore, run: RunRecord, clock: Clock) -> Machine:
    return Machine(store, SimulatedService(clock), clock)


def release(machine: Machine) -> Release:
    """The aftermath, as its state machine runs it."""
    ended = PipelineExecution(EXECUTION, "ABORTED", {"run_id": machine.run_id}, None, None, tunedrop_clock.now_text())
    for _ in range(3 * MOST_ATTEMPTS):
        store = ProcessStore(machine.store, machine.service)
        releaser = Releaser(store, lambda record: machine.service, list_lag_seconds=LAG_SECONDS)
        try:
            released = releaser.release(ended)
        except Transient:
            machine.clock.sleep(5)
        except Killed:
            machine.clock.sleep(5)
        else:
            if released.decision != "wait":
                return released
            assert released.wait_seconds is not None
            machine.clock.sleep(released.wait_seconds)
    raise AssertionError("the aftermath never came to an end")


def test_a_quiet_submission_uploads_once_creates_once_and_saves_the_job(machine: Machine) -> None:
    record = machine.run()
    assert record.job_id == "job-0"
    assert record.file_id == "file-0"
    assert list(machine.service.files_by_id.values()) == [f"tunedrop-{RUN_ID}.jsonl"]
    assert record.submission_lease_until is not None
    assert machine.store.load(RUN_ID).submission_lease_until is None


def test_a_state_that_runs_again_changes_nothing(machine: Machine) -> None:
    first = machine.run()
    assert machine.run().job_id == first.job_id
    assert len(machine.service.jobs) == len(machine.service.files_by_id) == 1


FAULTS = [
    (call, when, error)
    for call in ("find_files", "upload", "create")
    for when in ("before", "after")
    for error in (Unclear("connection reset"), Killed(), Busy("429"))
    if not (when == "after" and isinstance(error, Busy))  # a throttled call has no effect
]


@pytest.mark.parametrize(
    ("call", "when", "error"), FAULTS, ids=lambda each: each if isinstance(each, str) else type(each).__name__
)
@pytest.mark.parametrize("lag", [in_prove(0, id="list_current"), pytest.param(LAG_SECONDS - 1, id="list_stale")])
def test_whatever_happens_at_a_call_there_is_one_job(
    machine: Machine, call: str, when: str, error: BaseException, lag: float
) -> None:
    machine.service.fault = once(call, when, error)
    machine.service.lag = lag
    record = machine.run()
    assert [job.id for job in machine.service.training] == [record.job_id]
    assert len(machine.service.jobs) == 1
    assert len(machine.service.files_by_id) == 1


def test_a_refused_job_ends_the_run_and_is_not_tried_again(machine: Machine) -> None:
    machine.service.fault = once("create", "before", REFUSAL)
    with pytest.raises(JobRefused, match="HTTP 400"):
        machine.attempt()
    assert not machine.service.jobs


def test_while_another_process_may_be_submitting_nobody_else_does(machine: Machine) -> None:
    machine.service.fault = once("create", "before", Killed())
    with pytest.raises(Killed):
        machine.attempt()
    # The process is dead, but nobody can know: until its lease has run out its call may still be on the way.
    machine.store.update_if(
        RUN_ID, {"submission_lease_until": tunedrop_clock.seconds_from_now(60)}, "attribute_exists(run_id)"
    )
    with pytest.raises(SubmissionUnclear, match="another process"):
        machine.attempt()
    machine.clock.sleep(61)
    assert machine.attempt().job_id == "job-0"


def test_a_throttled_creation_is_told_as_such(machine: Machine) -> None:
    machine.service.fault = once("create", "before", Busy("HTTP 503"))
    with pytest.raises(ServiceBusy, match="503"):
        machine.attempt()


def test_a_service_without_room_is_told_as_such_once_no_job_is_to_be_found(machine: Machine) -> None:
    machine.service.fault = once("create", "before", Full("HTTP 429"))
    with pytest.raises(Full, match="429"):
        machine.attempt()
    assert not machine.service.jobs
    assert machine.run().job_id == "job-0"


def test_a_job_that_was_made_though_the_service_said_it_had_no_room_is_the_run_s(machine: Machine) -> None:
    machine.service.fault = once("create", "after", Full("HTTP 429"))
    assert machine.attempt().job_id == "job-0"
    assert len(machine.service.jobs) == 1


def test_a_run_that_is_stopped_before_submission_gets_no_job(machine: Machine) -> None:
    assert release(machine).decision == "publish"
    with pytest.raises(RunReleased):
        machine.attempt()
    assert not machine.service.jobs


def test_a_run_that_is_stopped_while_its_job_is_created_leaves_none_training(machine: Machine) -> None:
    def stopped_meanwhile(call: str, when: str) -> None:
        if (call, when) == ("create", "after"):
            machine.store.update_if(RUN_ID, {"releasing_at": tunedrop_clock.now_text()}, "attribute_exists(run_id)")

    machine.service.fault = stopped_meanwhile
    with pytest.raises(RunReleased):
        machine.attempt()
    assert len(machine.service.jobs) == 1
    assert not machine.service.training


def test_the_aftermath_of_a_killed_submission_finds_the_job_that_nobody_had_heard_of(machine: Machine) -> None:
    machine.service.fault = once("create", "after", Killed())
    machine.service.lag = LAG_SECONDS - 1
    with pytest.raises(Killed):
        machine.attempt()
    released = release(machine)
    assert released.decision == "publish"
    assert not machine.service.training
    assert machine.store.load(RUN_ID).job_id == "job-0"


def machines(machine: Machine, seeds: Iterable[int]) -> Iterator[tuple[int, Machine]]:
    """A run of its own for each seed, with the faults that the seed draws and a list more or less stale."""
    template = machine.store.load(RUN_ID)
    for seed in seeds:
        service = SimulatedService(machine.clock, drawn(seed), lag=(seed % 3) * (LAG_SECONDS - 1) / 2)
        run_id = f"run-{seed}"
        machine.store.register(replace(template, run_id=run_id))
        yield seed, Machine(machine.store, service, machine.clock, run_id)


@pytest.mark.parametrize("seeds", [range(8), pytest.param(range(8, 60), marks=pytest.mark.prove)], ids=["few", "many"])
def test_drawn_faults_make_one_job_a_run_and_leave_none_behind(machine: Machine, seeds: range) -> None:
    deaths = 0
    for seed, each in machines(machine, seeds):
        record = each.run()
        assert [job.id for job in each.service.training] == [record.job_id], f"seed {seed}"
        assert len(each.service.jobs) == 1, f"seed {seed}"
        deaths += each.service.deaths
    assert deaths > len(seeds) / 2, "the seeds kill too few processes to show anything"


def test_drawn_faults_and_a_stop_leave_no_job_training_and_one_notice(machine: Machine) -> None:
    for seed, each in machines(machine, range(1000, 1008)):
        for _ in range(seed % 4):
            try:
                each.attempt()
            except (Transient, Killed):
                each.clock.sleep(LEASE_SECONDS / 3)
        released = release(each)
        again = release(each)
        assert released.notice is not None, f"seed {seed}"
        assert again.notice == released.notice, f"seed {seed}"
        assert len(each.service.jobs) <= 1, f"seed {seed}"
        each.service.fault = lambda call, when: None
        with pytest.raises(RunReleased):
            each.attempt()
        assert not each.service.training, f"seed {seed}"


def resources(machine: Machine, place: Place | None = None) -> tuple[Any, list[str]]:
    """What the state has of the stack, and the runs that were put back into the line of those that wait."""
    refused: list[str] = []
    turns = SimpleNamespace(refused=refused.append, place=lambda _: place)
    made = SimpleNamespace(
        runs=machine.store,
        backend=lambda _: machine.service,
        seconds_left=lambda: LEASE_SECONDS,
        folder=lambda _: SimpleNamespace(open_training_file=lambda rows: io.BytesIO(b"{}\n")),
        turns=lambda _: turns,
        settings=SimpleNamespace(list_lag_seconds=0, first_poll_seconds=60),
    )
    return made, refused


@pytest.mark.parametrize(("waited", "wait"), [(None, 120), (0, 120), (3_600, 144), (500_000, 1800)])
def test_a_run_for_which_bedrock_has_no_room_waits_in_its_old_place(
    machine: Machine, waited: float | None, wait: int
) -> None:
    place = None if waited is None else Place(1, 4, tunedrop_clock.seconds_from_now(-waited), None)
    made, refused = resources(machine, place)
    machine.service.fault = once("create", "before", Full("HTTP 429"))
    full = submit_job.run({"run_id": RUN_ID}, made)
    assert (full.decision, full.wait_seconds, full.why) == ("full", wait, "HTTP 429")
    assert refused == [RUN_ID]
    assert submit_job.run({"run_id": RUN_ID}, made).decision == "submitted"


def test_a_given_model_is_taken_over_at_once_and_no_job_is_made(machine: Machine) -> None:
    document = resolve({"evaluate_only": "ft-9"}, "us-west-2").model_dump(mode="json")
    machine.store.update(RUN_ID, {"recipe": document})
    taken = submit_job.run({"run_id": RUN_ID}, resources(machine)[0])
    assert (taken.decision, taken.wait_seconds, taken.taken_over) == ("submitted", 0, True)
    assert (taken.job_id, taken.tuned_model) == (None, "ft-9")
    assert not machine.service.jobs


def test_of_two_jobs_of_a_run_the_one_that_the_record_does_not_name_is_cancelled(machine: Machine) -> None:
    def another(call: str, when: str) -> None:
        if (call, when) == ("create", "after"):
            machine.store.update_if(RUN_ID, {"job_id": "job-of-another"}, "attribute_exists(run_id)")

    machine.service.fault = another
    assert machine.attempt().job_id == "job-of-another"
    assert len(machine.service.jobs) == 1
    assert not machine.service.training
