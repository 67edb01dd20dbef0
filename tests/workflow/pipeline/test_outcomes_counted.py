"""Runs are counted by their outcome, once each, and what they measured is where the dashboard looks."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.workflow.pipeline.application import TEST, Application
from tunedrop.notices.publication import document_of

STACK = "tunedrop"  # the name that the embedded AWS deploys it under


def told(application: Application, metric: str, **dimensions: str) -> float:
    """The sum of a metric of ours that CloudWatch has by now: of all runs of the stack."""
    client = application.stack.aws.client("cloudwatch")
    now = datetime.now(UTC)
    points = client.get_metric_statistics(
        Namespace="Tunedrop",
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in {"service": STACK, **dimensions}.items()],
        StartTime=now - timedelta(days=1),
        EndTime=now + timedelta(minutes=1),
        Period=3600,
        Statistics=["Sum"],
    )["Datapoints"]
    return float(sum(point["Sum"] for point in points))


def again(application: Application, function: str, event: dict[str, Any]) -> dict[str, Any]:
    """Invoke a function of a state once more, as a retry does."""
    answer = application.stack.aws.client("lambda").invoke(
        FunctionName=application.function(function), Payload=json.dumps(event).encode()
    )
    assert "FunctionError" not in answer
    document: dict[str, Any] = json.loads(answer["Payload"].read())
    return document


@pytest.mark.prove
def test_a_run_counts_once_by_its_outcome_however_often_its_last_state_runs(application: Application) -> None:
    metrics: list[dict[str, Any]] = [
        {"metric": "RunsEnded", "status": "SUCCEEDED"},
        {"metric": "RunsEnded", "status": "REJECTED"},
        {"metric": "EvaluationDifference"},
    ]
    before = [told(application, **each) for each in metrics]
    well, rejected = application.drop(), application.drop({"test.jsonl": TEST, "train.jsonl": b"{}\n"})
    notice = application.end(well)
    end = application.end(rejected)
    assert (notice["status"], end["status"]) == ("SUCCEEDED", "REJECTED")

    concluded = again(application, "ConcludeRun", {"run_id": notice["run_id"]})
    assert document_of(concluded["notice"])["notice_id"] == notice["notice_id"]
    assert concluded.keys() == {"decision", "verdict", "promotion", "notice"}
    again(application, "ReleaseRun", {"input": {"execution_arn": end["execution_arn"], "run_id": end["run_id"]}})

    more = [told(application, **each) - earlier for each, earlier in zip(metrics, before, strict=True)]
    assert more == [1, 1, pytest.approx(notice["evaluation"]["difference"])]
