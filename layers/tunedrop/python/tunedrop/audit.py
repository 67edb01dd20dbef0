"""The audit trail: who dropped, started, stopped, approved and promoted what, when, and with which versions.

One object for each entry, `audit/YYYY/MM/DD/TIME-RUN-WHAT.json` in the bucket of the runs. It is written once
(`If-None-Match: *`); no role can read or delete it, and the bucket's policy denies its deletion to everyone.

What the record tells has a key that is derived from the record: each state that comes by writes what is not there yet.
So a process that dies between the record and the trail leaves no gap: the next state closes it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

import tunedrop
from tunedrop import clock
from tunedrop.service_faults import code_of, passes

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from tunedrop.run.record import PinnedObject, RunRecord

PREFIX = "audit/"
SCHEMA_VERSION = "1.0"

_THERE = frozenset({"PreconditionFailed", "412"})
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened to a run. What does not apply is empty.

    `what`: dropped, started, submitted, stop_asked, approved, rejected, ended, promoted, not_promoted, roll_back_asked,
    rolled_back, deletion_announced, dataset_deleted, training_file_deleted, model_deleted or run_deleted. `at` as
    `tunedrop.clock` writes it. `by`: an ARN of IAM, where Tunedrop learns who it was: S3's event does not name the
    person who uploads. `train`, `test` and `recipe_file` are `s3://bucket/key?versionId=…`; `grader` and `tunedrop` the
    versions of the grader's function and of this package.
    """

    at: str
    run_id: str
    what: str
    by: str = ""
    reason: str = ""
    team: str = ""
    name: str = ""
    status: str = ""
    verdict: str = ""
    base_model: str = ""
    tuned_model: str = ""
    parameter: str = ""
    job_id: str = ""
    train: str = ""
    test: str = ""
    recipe_file: str = ""
    grader: str = ""
    tunedrop: str = ""

    @property
    def key(self) -> str:
        """The object's key."""
        year, month, day = self.at[:10].split("-")
        return f"{PREFIX}{year}/{month}/{day}/{self.at.replace(':', '')}-{self.run_id}-{self.what}.json"


class AuditTrail:
    """The trail in a bucket. `write` needs s3:PutObject below PREFIX, and nothing else."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def note(self, record: RunRecord) -> None:
        """Write what the record tells and the trail has not yet. A refusal is logged as an error, as it ends no run.

        Raises:
            ClientError: a fault of S3 that may pass.
        """
        for entry in told_by(record):
            self.append(entry)

    def append(self, entry: Entry) -> None:
        """Write an entry; a refusal is logged as an error, so that it keeps nobody from stopping a run.

        Raises:
            ClientError: a fault of S3 that may pass.
        """
        try:
            self.write(entry)
        except ClientError as error:
            if passes(error):
                raise
            _log.error("the audit trail has no entry %s: %s", entry.key, error)

    def write(self, entry: Entry) -> None:
        """Write an entry, if it is not there yet.

        Raises:
            ClientError: S3 refuses it.
        """
        body = json.dumps({"schema_version": SCHEMA_VERSION, **asdict(entry)}, ensure_ascii=False).encode()
        try:
            self._client.put_object(
                Bucket=self._bucket, Key=entry.key, Body=body, IfNoneMatch="*", ContentType="application/json"
            )
        except ClientError as error:
            if code_of(error) not in _THERE:
                raise


def told_by(record: RunRecord) -> Iterator[Entry]:
    """The entries that follow from a record, each with the time at which it happened."""
    source = record.source
    dropped = source.get("kind") == "upload"
    pinned = {name: _version(getattr(record, name)) for name in ("train", "test", "recipe_file")}
    if dropped and not pinned["train"]:
        pinned["train"] = _address(source.get("bucket"), source.get("key"), source.get("version_id"))
    yield entry(
        record,
        "dropped" if dropped else "started",
        record.started_at,
        by=str(source.get("by") or ""),
        **pinned,
        grader=record.grader_arn or "",
        tunedrop=tunedrop.__version__,
    )
    if record.submitted_at is not None:
        yield entry(record, "submitted", record.submitted_at, job_id=record.job_id or "")
    said = record.approval
    if said is not None:
        what = "approved" if said.get("approved") == "yes" else "rejected"
        yield entry(record, what, said["at"], by=said.get("by", ""), reason=said.get("reason", ""), **_place(record))
    if record.finished_at is not None:
        told = record.reason or {}
        reason = ": ".join(filter(None, (told.get("error"), told.get("message"))))
        yield entry(record, "ended", record.finished_at, reason=reason, status=str(record.status), **_result(record))
    if record.promoted_at is not None:
        what = "promoted" if record.promotion in ("done", "rolled_back") else "not_promoted"
        reason = "" if what == "promoted" else str(record.promotion)
        yield entry(record, what, record.promoted_at, reason=reason, **_place(record), **_result(record))
    asked = record.roll_back
    if asked is not None:
        yield entry(
            record, "roll_back_asked", asked["at"], by=asked["by"], reason=asked.get("reason", ""), **_place(record)
        )
        if record.rolled_back_at is not None:
            model = record.rolling_back_to or ""
            yield entry(record, "rolled_back", record.rolled_back_at, tuned_model=model, **_place(record))


def entry(record: RunRecord, what: str, at: str = "", **told: str) -> Entry:
    """An entry about a run, of now if `at` does not say when."""
    return Entry(
        at=at or clock.now_text(),
        run_id=record.run_id,
        what=what,
        team=record.team or "",
        name=record.name,
        base_model=record.base_model or "",
        **told,
    )


def _result(record: RunRecord) -> Mapping[str, str]:
    return {"tuned_model": record.tuned_model or "", "verdict": record.evaluation.verdict or ""}


def _place(record: RunRecord) -> Mapping[str, str]:
    return {"parameter": record.promotion_parameter or ""}


def _version(pinned: PinnedObject | None) -> str:
    return "" if pinned is None else _address(pinned.bucket, pinned.key, pinned.version_id)


def _address(bucket: object, key: object, version: object) -> str:
    return f"s3://{bucket}/{key}" + (f"?versionId={version}" if version else "")
