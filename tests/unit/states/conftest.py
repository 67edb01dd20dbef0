from __future__ import annotations

from dataclasses import replace

import boto3
import pytest

from tests.unit.states.simulated_service import EXECUTION, RUN_ID, Clock
from tunedrop import clock as tunedrop_clock
from tunedrop.outcomes import Status
from tunedrop.recipe_resolution import resolve
from tunedrop.run.record import RunRecord
from tunedrop.run.store import RunStore


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    stepped = Clock()
    monkeypatch.setattr(tunedrop_clock, "now", stepped.now)
    return stepped


@pytest.fixture
def store(runs_table: str) -> RunStore:
    return RunStore(boto3.client("dynamodb"), runs_table)


@pytest.fixture
def run(store: RunStore, clock: Clock) -> RunRecord:
    """A run that is ready to submit its job."""
    record = RunRecord(
        run_id=RUN_ID,
        name="gsm8k",
        execution_arn=EXECUTION,
        status=Status.RUNNING,
        started_at=tunedrop_clock.now_text(),
        updated_at=tunedrop_clock.now_text(),
        recipe_document=resolve({}, "us-west-2").model_dump(mode="json"),
        grader_arn="arn:aws:lambda:us-west-2:123456789012:function:grader:1",
    )
    return store.register(replace(record))
