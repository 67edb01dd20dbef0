"""The notice of a run's end, as the API tells it beside the run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tunedrop.api.documents import RunDocument
from tunedrop.api.views import run_document
from tunedrop.notices import of_run
from tunedrop.outcomes import Status
from tunedrop.run.record import RunRecord
from tunedrop.settings import Settings

RECORD = RunRecord(
    run_id="sums-1",
    name="sums",
    execution_arn="arn:aws:states:us-west-2:123456789012:execution:pipeline:1",
    status=Status.RUNNING,
    started_at="2026-01-01T00:00:00.000Z",
    updated_at="2026-01-01T00:00:00.000Z",
)


NAMES = ("RUNS_TABLE", "TRAINING_EVENTS_TABLE", "DATASET_BUCKET", "RUNS_BUCKET", "PARAMETER_PATH")
TIMES = ("SETTLE_SECONDS", "FIRST_POLL_SECONDS", "LATER_POLL_SECONDS")
SETTINGS = Settings.from_environment(
    {**dict.fromkeys(NAMES, "x"), **dict.fromkeys(TIMES, "1"), "AWS_REGION": "us-west-2", "MANTLE_BASE_URL": ""}
)


def told(record: RunRecord) -> Any:
    return RunDocument.model_validate(run_document(record, [], SETTINGS)).notice


@pytest.mark.parametrize("published_at", [None, "2026-01-01T01:00:00.000Z"])
def test_a_run_that_has_ended_has_its_notice_and_whether_it_is_out(published_at: str | None) -> None:
    assert told(RECORD) is None
    reason = {"error": "DatasetInvalid", "message": "train.jsonl, line 2: no reference."}
    closed = replace(RECORD, **of_run.closing(RECORD, Status.REJECTED, reason, report_uri=None))
    notice = told(replace(closed, notified_at=published_at))
    assert notice.published_at == published_at
    assert closed.notice is not None
    assert notice.subject == closed.notice["Subject"]
    assert "line 2" in notice.headline
    assert notice.next
