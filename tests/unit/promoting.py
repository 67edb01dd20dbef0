"""What PromoteModel needs beside a record: the run's report in its folder, and a topic that keeps what it is told."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import boto3
import pytest

from tunedrop.audit import AuditTrail
from tunedrop.notices.publication import document_of
from tunedrop.outcomes import Status
from tunedrop.reporting.report_files import write_report
from tunedrop.resources import Resources
from tunedrop.run.record import RunRecord
from tunedrop.run.store import RunStore

BUCKET, TOPIC, STACK = "runs", "arn:aws:sns:us-west-2:123456789012:notices", "/tunedrop/dev"
FINISHED = "2026-01-01T01:00:00.000Z"


def promoting(runs_table: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Resources, list[dict[str, Any]]]:
    """The resources of a stack, and the notices that it publishes, as their documents."""
    made, sent = Resources(), list[dict[str, Any]]()
    made.dynamodb, made.ssm, made.s3 = boto3.client("dynamodb"), boto3.client("ssm"), boto3.client("s3")
    made.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    made.audit = AuditTrail(made.s3, BUCKET)
    made.runs = RunStore(made.dynamodb, runs_table)
    told = {"parameter_path": STACK, "runs_bucket": BUCKET, "simulated": True, "weights": None}
    made.settings = cast(Any, SimpleNamespace(**told))
    made.sns = cast(Any, SimpleNamespace(publish=lambda **given: sent.append(document_of(given))))
    monkeypatch.setenv("NOTICES_TOPIC", TOPIC)
    return made, sent


def report(resources: Resources, record: RunRecord) -> None:
    """Write the run's report, as ConcludeRun does."""
    folder = resources.folder(record.run_id)
    write_report(
        folder, record, status=Status.SUCCEEDED, reason=None, finished_at=FINISHED, settings=resources.settings
    )
