from __future__ import annotations

import boto3
import pytest

from tunedrop.outcomes import RunNotFound, RunReleased, Status
from tunedrop.run.record import RunRecord
from tunedrop.run.record_parts import CheckedDataset, TrainingProgress
from tunedrop.run.store import ConditionNotMet, OwnedByAnother, RunStore

MINE = "arn:aws:states:us-west-2:123456789012:execution:pipeline:mine"


@pytest.fixture
def store(runs_table: str) -> RunStore:
    return RunStore(boto3.client("dynamodb"), runs_table)


def record(run_id: str = "gsm8k-1", execution_arn: str = MINE, **more: object) -> RunRecord:
    return RunRecord(
        run_id=run_id,
        name="gsm8k",
        execution_arn=execution_arn,
        status=Status.RUNNING,
        started_at="2026-01-01T00:00:00.000Z",
        updated_at="2026-01-01T00:00:00.000Z",
        **more,  # type: ignore[arg-type] # whatever a test sets
    )


def test_the_first_execution_owns_the_run_and_may_register_it_twice(store: RunStore) -> None:
    store.register(record())
    store.update("gsm8k-1", {"stage": "ValidateDataset"})
    assert store.register(record()).stage == "ValidateDataset"
    with pytest.raises(OwnedByAnother, match="mine"):
        store.register(record(execution_arn="another"))
    assert store.load("gsm8k-1").execution_arn == MINE


def test_what_is_written_comes_back_as_it_was(store: RunStore) -> None:
    store.register(record())
    source = {"rows": 300, "mean": 0.1 + 0.2, "big": 12.5, "list": [1, {"a": None}], "text": "é", "yes": True}
    dataset, training = CheckedDataset(rows=300), TrainingProgress(steps=7, reward_last=0.1 + 0.2)
    loaded = store.update("gsm8k-1", {"source": source, "dataset": dataset, "training": training})
    assert (loaded.source, loaded.dataset, loaded.training) == (source, dataset, training)
    assert store.load("gsm8k-1") == loaded


def test_none_takes_an_attribute_away(store: RunStore) -> None:
    store.register(record())
    store.update("gsm8k-1", {"file_id": "f"})
    assert store.update("gsm8k-1", {"file_id": None}).file_id is None


def test_a_run_that_is_being_released_takes_no_more_work(store: RunStore) -> None:
    store.register(record())
    store.update_if("gsm8k-1", {"releasing_at": "now"}, "attribute_exists(run_id)")
    with pytest.raises(RunReleased):
        store.update("gsm8k-1", {"stage": "PollJob"})


def test_nothing_is_written_for_a_run_that_does_not_exist(store: RunStore) -> None:
    with pytest.raises(RunReleased):
        store.update("ghost", {"stage": "PollJob"})
    with pytest.raises(RunNotFound, match="ghost"):
        store.load("ghost")


def test_only_the_first_closing_counts(store: RunStore) -> None:
    store.register(record())
    first = store.close("gsm8k-1", {"status": Status.SUCCEEDED, "notice": {"notice_id": "1"}})
    second = store.close("gsm8k-1", {"status": Status.FAILED, "notice": {"notice_id": "2"}})
    assert second == first
    assert second.status is Status.SUCCEEDED


def test_a_condition_that_does_not_hold_writes_nothing(store: RunStore) -> None:
    store.register(record())
    with pytest.raises(ConditionNotMet):
        store.update_if("gsm8k-1", {"stage": "PollJob"}, "attribute_exists(job_id)")
    assert store.load("gsm8k-1").stage == "RegisterRun"


def test_the_unfinished_are_found_until_they_are_notified(store: RunStore) -> None:
    store.register(record())
    store.register(record("gsm8k-2"))
    store.update_if("gsm8k-2", {"unfinished": None, "notified_at": "now"}, "attribute_exists(run_id)")
    assert [each.run_id for each in store.unfinished()] == ["gsm8k-1"]


def test_a_record_is_forgotten_only_while_its_condition_holds(store: RunStore) -> None:
    store.register(record())
    with pytest.raises(ConditionNotMet, match="run gsm8k-1 does not meet"):
        store.forget("gsm8k-1", "execution_arn = :arn", {":arn": "another"})
    assert store.load("gsm8k-1").execution_arn == MINE
    store.forget("gsm8k-1", "execution_arn = :arn", {":arn": MINE})
    with pytest.raises(RunNotFound):
        store.load("gsm8k-1")
