"""Who trains a run's model, as the API tells it before and after its job has said anything."""

from __future__ import annotations

import pytest

from tunedrop.api.views import trained
from tunedrop.outcomes import Status
from tunedrop.run.record import RunRecord
from tunedrop.run.record_parts import TrainingProgress
from tunedrop.settings import Settings

_NEEDED = (
    *("AWS_REGION", "RUNS_TABLE", "TRAINING_EVENTS_TABLE", "DATASET_BUCKET", "RUNS_BUCKET", "PARAMETER_PATH"),
    *("SETTLE_SECONDS", "FIRST_POLL_SECONDS", "LATER_POLL_SECONDS"),
)


@pytest.mark.parametrize("simulates", [True, False])
@pytest.mark.parametrize("said", [None, True, False])
def test_a_run_that_has_not_trained_tells_what_trains_for_its_stack(simulates: bool, said: bool | None) -> None:
    record = RunRecord(
        run_id="sums-1",
        name="sums",
        execution_arn="arn",
        status=Status.REJECTED,
        started_at="2026-01-01T00:00:00.000Z",
        updated_at="2026-01-01T00:00:00.000Z",
        training=TrainingProgress(simulated=said),
    )
    url = "http://127.0.0.1:4000/v1" if simulates else "https://bedrock-mantle.us-west-2.api.aws/v1"
    settings = Settings.from_environment({**dict.fromkeys(_NEEDED, "0"), "MANTLE_BASE_URL": url})
    assert trained(record, settings)["simulated"] is (simulates if said is None else said)
