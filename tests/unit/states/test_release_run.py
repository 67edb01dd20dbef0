"""ReleaseRun ends the run of an execution that is over, even one that never had a record, and no other run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.states.simulated_service import EXECUTION, RUN_ID, Clock, SimulatedService
from tunedrop import clock as tunedrop_clock
from tunedrop.outcomes import RunNotFound, Status
from tunedrop.run.execution import PipelineExecution
from tunedrop.run.record import RunRecord
from tunedrop.run.store import RunStore
from tunedrop.states.release_run import UNREGISTERED_GRACE_SECONDS, Releaser
from tunedrop.training.backend import JobRequest

UNREGISTERED = "ants-fedcba9876543210"


@pytest.fixture
def releaser(store: RunStore, clock: Clock) -> Releaser:
    return Releaser(store, lambda record: SimulatedService(clock), list_lag_seconds=0)


def ended(run_id: str = RUN_ID, status: str = "ABORTED") -> PipelineExecution:
    return PipelineExecution(EXECUTION, status, {"run_id": run_id}, None, None, tunedrop_clock.now_text())


@pytest.mark.parametrize("status", ["RUNNING", "PENDING_REDRIVE"])
def test_an_execution_that_goes_on_keeps_its_run(
    releaser: Releaser, store: RunStore, run: RunRecord, status: str
) -> None:
    before = store.load(RUN_ID)
    assert releaser.release(ended(status=status)).decision == "nothing"
    assert store.load(RUN_ID) == before


def test_another_executions_run_is_left_alone(releaser: Releaser, store: RunStore, run: RunRecord) -> None:
    before = store.load(RUN_ID)
    assert releaser.release(replace(ended(), arn=f"{EXECUTION}-2")).decision == "nothing"
    assert store.load(RUN_ID) == before


def test_a_run_that_ended_before_it_had_a_record_gets_one_and_a_notice(
    releaser: Releaser, store: RunStore, clock: Clock
) -> None:
    execution = ended(UNREGISTERED)
    waiting = releaser.release(execution)
    assert (waiting.decision, waiting.wait_seconds) == ("wait", UNREGISTERED_GRACE_SECONDS)
    clock.moment += timedelta(seconds=UNREGISTERED_GRACE_SECONDS)
    released = releaser.release(execution)
    record = store.load(UNREGISTERED)
    assert (released.decision, record.status, record.source) == ("publish", Status.CANCELLED, {"kind": "call"})
    assert released.notice == record.notice
    assert releaser.release(execution).notice == record.notice


def test_a_report_that_cannot_be_written_keeps_back_no_notice(store: RunStore, clock: Clock, run: RunRecord) -> None:
    def broken(record: RunRecord, *, status: Status, reason: Mapping[str, str] | None, finished_at: str) -> str:
        raise OSError("the disk is full")

    releaser = Releaser(store, lambda record: SimulatedService(clock), list_lag_seconds=0, write_report=broken)
    assert releaser.release(ended()).decision == "publish"
    record = store.load(RUN_ID)
    assert (record.status, record.report_uri) == (Status.CANCELLED, None)
    assert record.closed


def test_a_run_that_two_executions_register_is_the_first_one_s(
    releaser: Releaser, store: RunStore, clock: Clock, run: RunRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: Iterator[RunNotFound | RunRecord] = iter([RunNotFound("not yet"), run, run])

    def load(_: str) -> RunRecord:
        record = next(found)
        if isinstance(record, RunNotFound):
            raise record
        return record

    execution = replace(ended(), arn=f"{EXECUTION}-2")
    clock.moment += timedelta(seconds=UNREGISTERED_GRACE_SECONDS)
    monkeypatch.setattr(store, "load", load)
    assert releaser.release(execution).decision == "nothing"
    assert next(found, None) is None, "the other execution registered the run between the look and the write"


def test_a_run_that_another_process_closed_meanwhile_is_told_by_its_own_notice(
    releaser: Releaser, store: RunStore, run: RunRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_record = store.load(RUN_ID)
    store.close(RUN_ID, {"status": Status.SUCCEEDED, "notice": {"notice_id": "1"}})
    real, looks = store.load, iter([open_record])
    monkeypatch.setattr(store, "load", lambda run_id: next(looks, None) or real(run_id))
    released = releaser.release(ended())
    assert (released.decision, released.notice, released.closed_now) == ("publish", {"notice_id": "1"}, False)
    assert store.load(RUN_ID).status is Status.SUCCEEDED


def test_of_two_jobs_that_nobody_had_heard_of_none_goes_on_and_a_list_may_lag(
    store: RunStore, clock: Clock, run: RunRecord
) -> None:
    service = SimulatedService(clock, lag=10)
    releaser = Releaser(store, lambda record: service, list_lag_seconds=12)
    store.update(RUN_ID, {"file_id": "file-0", "submitting_at": tunedrop_clock.now_text()})
    for _ in range(2):
        service.create(JobRequest(RUN_ID, "m", "file-0", "arn", {}))
    waiting = releaser.release(ended())
    assert (waiting.decision, waiting.wait_seconds) == ("wait", 12)
    clock.sleep(12)
    assert releaser.release(ended()).decision == "publish"
    assert len(service.jobs) == 2
    assert not service.training
