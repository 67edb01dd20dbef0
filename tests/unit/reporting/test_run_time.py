from __future__ import annotations

from typing import Any

import boto3
import pytest

from tunedrop import recipe_resolution
from tunedrop.outcomes import Status
from tunedrop.reporting.report_files import write_report
from tunedrop.reporting.run_time import cost, stages
from tunedrop.run.folder import RunFolder
from tunedrop.run.record import RunRecord
from tunedrop.run.record_parts import TrainingProgress
from tunedrop.run.store import RunStore
from tunedrop.settings import Settings

PRICES = {"hour": 2.0, "step": 0.1, "grading": 0.001}


def record(document: dict[str, Any] | None = None, **more: Any) -> RunRecord:
    return RunRecord(
        run_id="gsm8k-1",
        name="gsm8k",
        execution_arn="arn",
        status=Status.RUNNING,
        started_at="2026-01-01T00:00:00.000Z",
        updated_at="2026-01-01T00:00:01.000Z",
        recipe_document=recipe_resolution.resolve(document or {}, "us-west-2").model_dump(mode="json"),
        **more,
    )


def test_the_store_notes_when_each_state_had_worked(runs_table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter(f"2026-01-01T00:0{minute}:00.000Z" for minute in range(1, 10))
    monkeypatch.setattr("tunedrop.run.store.clock.now_text", lambda: next(times))
    store = RunStore(boto3.client("dynamodb"), runs_table)
    store.register(record())
    store.update("gsm8k-1", {"stage": "SubmitJob"})
    store.update("gsm8k-1", {"stage": "PollJob"})
    store.update("gsm8k-1", {"job_id": "job"})
    assert store.update("gsm8k-1", {"stage": "PollJob"}).reached == {
        "RegisterRun": "2026-01-01T00:00:01.000Z",
        "SubmitJob": "2026-01-01T00:01:00.000Z",
        "PollJob": "2026-01-01T00:04:00.000Z",
    }


def test_each_state_has_the_time_since_the_one_before_and_the_sum_is_the_whole_run() -> None:
    reached = {
        "PollJob": "2026-01-01T01:00:03.000Z",
        "RegisterRun": "2026-01-01T00:00:01.000Z",
        "SubmitJob": "2026-01-01T00:00:03.000Z",
    }
    assert stages(record(reached=reached), "2026-01-01T01:00:05.500Z") == [
        {"name": "Registering", "seconds": 1},
        {"name": "Submitting the job", "seconds": 2},
        {"name": "Training", "seconds": 3600},
        {"name": "Ending", "seconds": 2.5},
    ]


def test_the_training_costs_what_the_recipes_prices_say() -> None:
    trained: dict[str, Any] = {
        "submitted_at": "2026-01-01T00:00:00.000Z",
        "reached": {"PollJob": "2026-01-01T00:30:00.000Z"},
        "training": TrainingProgress(steps=10),
    }
    # Half an hour, 10 steps, 10 batches of 4 prompts with 8 rollouts each: 1.00 + 1.00 + 0.32.
    assert cost(record({"budget": {"prices": PRICES}}, **trained)) == {
        "training": "$2.32 by the recipe's prices",
        "counted": "0.50 hours, 10 steps, 320 gradings",
    }
    assert cost(record(**trained)) == {}
    assert cost(record({"budget": {"prices": PRICES}})) == {}, "no job was submitted"


@pytest.fixture
def run_folder(aws: None) -> RunFolder:
    client = boto3.client("s3")
    client.create_bucket(Bucket="runs", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    return RunFolder(client, "runs", "gsm8k-1")


def settings(*, simulated: bool) -> Settings:
    variables = dict.fromkeys(
        ("RUNS_TABLE", "TRAINING_EVENTS_TABLE", "DATASET_BUCKET", "RUNS_BUCKET", "PARAMETER_PATH"), "x"
    )
    times = dict.fromkeys(("SETTLE_SECONDS", "FIRST_POLL_SECONDS", "LATER_POLL_SECONDS"), "1")
    url = "http://127.0.0.1:1/v1" if simulated else ""
    return Settings.from_environment({**variables, **times, "AWS_REGION": "us-west-2", "MANTLE_BASE_URL": url})


def write(run_folder: RunFolder, run: RunRecord, *, simulated: bool) -> dict[str, Any]:
    write_report(
        run_folder,
        run,
        status=Status.FAILED,
        reason={"error": "NoSignal", "message": "nothing to learn"},
        finished_at="2026-01-01T02:00:00.000Z",
        metrics=[{"step": step, "critic_rewards_mean": 0.5, "actor_grad_norm": 0.1} for step in range(1, 31)],
        settings=settings(simulated=simulated),
    )
    report: dict[str, Any] = run_folder.read_json("report.json")
    return report


def test_a_run_without_a_training_says_that_it_is_simulated(run_folder: RunFolder) -> None:
    assert write(run_folder, record(), simulated=True)["simulated"]
    assert b"<strong>Simulated.</strong>" in run_folder.read("report.html")
    assert not write(run_folder, record(), simulated=False)["simulated"]
    assert b"<strong>Simulated.</strong>" not in run_folder.read("report.html")


def test_what_was_found_in_the_training_is_marked_on_its_curve_at_its_step(run_folder: RunFolder) -> None:
    finding = {"name": "exploding_gradients", "step": 23, "evidence": "Gradient norm 9.1.", "advice": "Learn slower."}
    run = record(job_id="job", training=TrainingProgress(steps=30, findings=[finding]))
    (health,) = write(run_folder, run, simulated=True)["training"]["health"]
    assert (health["rule"], health["step"], health["message"]) == ("exploding_gradients", 23, "Gradient norm 9.1.")
    page = run_folder.read("report.html").decode()
    data = page.partition('<script type="application/json" id="data">')[2].partition("</script>")[0]
    assert '"health": [{"step": 23, "message": "Gradient norm 9.1.", "value": 0.1}]' in data
    assert data.count("Gradient norm 9.1.") == 1, "marked on its own curve alone"
    assert "exploding gradients" in page
