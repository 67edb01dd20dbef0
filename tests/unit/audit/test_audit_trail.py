"""The audit trail: each thing that happened is there once, whoever notes it and however often; a month reconciles."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.command.audit import of_month, write_csv
from tunedrop import audit
from tunedrop.api.stopping import stop
from tunedrop.audit import AuditTrail, told_by
from tunedrop.outcomes import Status
from tunedrop.run.record import PinnedObject, RunRecord
from tunedrop.run.record_parts import EvaluationResult

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LEAD = "arn:aws:iam::123456789012:role/red-lead"
ENDS = (Status.SUCCEEDED, Status.REJECTED, Status.FAILED, Status.CANCELLED)


@pytest.fixture
def client(aws: None) -> S3Client:
    made = boto3.client("s3")
    made.create_bucket(Bucket="runs", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    return made


def moment(chance: random.Random, *, day: int | None = None) -> str:
    """A time of October, November or December, so that a month's edges are crossed."""
    month, second = chance.choice((10, 11, 11, 11, 12)), chance.randrange(86_400)
    hours, minutes = divmod(second // 60, 60)
    return f"2026-{month}-{day or chance.randrange(1, 31):02d}T{hours:02d}:{minutes:02d}:{second % 60:02d}.000Z"


def a_run(number: int, chance: random.Random) -> RunRecord:
    """A run as it ended, or as it still is, with whatever can have happened to it."""
    status = chance.choice((*ENDS, Status.RUNNING))
    called = chance.random() < 0.4
    said = chance.random() < 0.3
    record = RunRecord(
        run_id=f"run-{number}",
        name=f"set-{number}",
        execution_arn="arn:aws:states:us-west-2:123456789012:execution:pipeline:1",
        status=status,
        started_at=moment(chance),
        updated_at=moment(chance),
        team=chance.choice(("red", "blue", None)),
        source={"kind": "call", "by": LEAD} if called else {"kind": "upload", "bucket": "drop", "key": "inbox/train"},
        train=PinnedObject("drop", "inbox/train", f"version-{number}", 1),
        recipe_document={"model": "openai.gpt-oss-20b", "promotion": {"parameter": "/tunedrop/dev/red/model"}},
        submitted_at=moment(chance) if chance.random() < 0.6 else None,
        job_id=f"ftjob-{number}",
    )
    if status is Status.RUNNING:
        return record
    reason = None if status is Status.SUCCEEDED else {"error": "Stopped", "message": "=by someone"}
    record = replace(record, finished_at=moment(chance), reason=reason, notice={})
    if status is Status.SUCCEEDED:
        record = replace(record, tuned_model=f"model-{number}", evaluation=EvaluationResult({"verdict": "improved"}))
        if said:
            word = {"approved": chance.choice(("yes", "no")), "by": LEAD, "at": moment(chance), "reason": "because"}
            done = "done" if word["approved"] == "yes" else "rejected"
            record = replace(record, approval=word, promotion=done, promoted_at=moment(chance))
    return record


def rows_of(client: S3Client, month: str) -> list[dict[str, str]]:
    told = io.StringIO()
    write_csv(of_month(client, "runs", month), told)
    return list(csv.DictReader(io.StringIO(told.getvalue())))


def expected(records: list[RunRecord], month: str) -> dict[str, list[str]]:
    """The runs to which each thing happened in the month, from the records alone."""
    found: dict[str, list[str]] = {}

    def add(what: str, record: RunRecord, at: str | None) -> None:
        if at is not None and at.startswith(month):
            found.setdefault(what, []).append(record.run_id)

    for record in records:
        add("started" if record.source["kind"] == "call" else "dropped", record, record.started_at)
        add("submitted", record, record.submitted_at)
        add("ended", record, record.finished_at)
        if record.approval:
            add("approved" if record.approval["approved"] == "yes" else "rejected", record, record.approval["at"])
            add("promoted" if record.promotion == "done" else "not_promoted", record, record.promoted_at)
    return {what: sorted(runs) for what, runs in found.items()}


@pytest.mark.parametrize("runs", [15, pytest.param(200, marks=pytest.mark.prove)])
def test_the_export_of_a_month_is_what_the_runs_records_say(client: S3Client, runs: int) -> None:
    chance = random.Random(19)
    trail = AuditTrail(client, "runs")
    records = [a_run(number, chance) for number in range(runs)]
    for record in records:
        trail.note(replace(record, finished_at=None, approval=None, promoted_at=None))  # as it once was
        for _ in range(chance.randrange(3)):  # states run twice
            trail.note(record)
        trail.note(record)
    exported = []
    for month in ("2026-10", "2026-11", "2026-12"):
        rows = rows_of(client, month)
        found: dict[str, list[str]] = {}
        for row in rows:
            found.setdefault(row["what"], []).append(row["run_id"])
        assert {what: sorted(runs) for what, runs in found.items()} == expected(records, month)
        assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)
        exported += rows
    by_id = {record.run_id: record for record in records}
    for row in exported:
        record = by_id[row["run_id"]]
        assert (row["team"], row["name"], row["base_model"]) == (record.team or "", record.name, "openai.gpt-oss-20b")
        if row["what"] == "ended":
            assert row["status"] == str(record.status)
            assert row["reason"] == ("" if record.reason is None else "Stopped: =by someone")
        if row["what"] in ("started", "dropped"):
            assert row["train"] == f"s3://drop/inbox/train?versionId=version-{record.run_id[4:]}"
            assert row["by"] == (LEAD if row["what"] == "started" else "")
        if row["what"] in ("approved", "rejected"):
            assert (row["by"], row["reason"], row["parameter"]) == (LEAD, "because", "/tunedrop/dev/red/model")


def test_an_entry_is_never_replaced(client: S3Client) -> None:
    trail = AuditTrail(client, "runs")
    record = a_run(1, random.Random(1))
    trail.note(record)
    trail.note(replace(record, team="another", source={**record.source, "by": "somebody else"}))
    kept = [each for month in ("2026-10", "2026-11", "2026-12") for each in of_month(client, "runs", month)]
    assert {each["team"] for each in kept} == {record.team or ""}
    versions = client.list_object_versions(Bucket="runs")["Versions"]
    assert len(versions) == len(kept)


@pytest.fixture
def refusing(client: S3Client) -> Callable[[str, int], AuditTrail]:
    """A trail whose bucket answers each write with an error of this code and status."""

    def trail(code: str, status: int) -> AuditTrail:
        def refuse(**_: Any) -> None:
            answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
            raise ClientError(answer, "PutObject")

        client.meta.events.register("before-call.s3.PutObject", refuse)
        return AuditTrail(client, "runs")

    return trail


def test_a_fault_that_passes_is_raised_so_that_the_state_tries_again(
    refusing: Callable[[str, int], AuditTrail],
) -> None:
    with pytest.raises(ClientError):
        refusing("SlowDown", 503).note(a_run(1, random.Random(1)))


def test_a_refusal_ends_no_run_and_is_an_error_in_the_log(
    refusing: Callable[[str, int], AuditTrail], caplog: pytest.LogCaptureFixture
) -> None:
    record = a_run(1, random.Random(1))
    refusing("AccessDenied", 403).note(record)
    assert [each.levelname for each in caplog.records] == ["ERROR"] * len(list(audit.told_by(record)))


def test_a_run_is_stopped_though_the_trail_refuses_the_entry(
    refusing: Callable[[str, int], AuditTrail], caplog: pytest.LogCaptureFixture
) -> None:
    stopped: list[Any] = []
    machines: Any = SimpleNamespace(
        stop_execution=lambda **asked: stopped.append(asked),
        exceptions=SimpleNamespace(ExecutionDoesNotExist=KeyError),
    )
    record = replace(a_run(1, random.Random(1)), status=Status.RUNNING, finished_at=None, reason=None, notice=None)
    stop(record, machines, refusing("AccessDenied", 403), by=LEAD)
    assert [each["executionArn"] for each in stopped] == [record.execution_arn]
    assert [each.levelname for each in caplog.records] == ["ERROR"]


def test_a_text_that_a_spreadsheet_would_calculate_is_exported_as_text() -> None:
    told = io.StringIO()
    entry = audit.Entry("2026-11-01T00:00:00.000Z", "run", "rejected", reason='=HYPERLINK("http://x")', name="-1")
    write_csv([{name: getattr(entry, name) for name in ("at", "run_id", "what", "reason", "name")}], told)
    (row,) = csv.DictReader(io.StringIO(told.getvalue()))
    assert (row["reason"], row["name"]) == ('\'=HYPERLINK("http://x")', "'-1")


def test_a_drop_that_was_never_pinned_is_told_by_its_event() -> None:
    record = a_run(0, random.Random(1))
    source = {"kind": "upload", "bucket": "drop", "key": "inbox/ants/train.jsonl", "version_id": "v1"}
    first = next(told_by(replace(record, source=source, train=None)))
    assert (first.what, first.train) == ("dropped", "s3://drop/inbox/ants/train.jsonl?versionId=v1")
