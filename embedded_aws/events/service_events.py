"""The events that AWS services send by themselves, in their documented shapes: S3's objects, executions, schedules."""

from __future__ import annotations

import datetime
import itertools
import json
import time
import uuid
from typing import Any

OBJECT_REASONS = {
    "s3:ObjectCreated:Put": ("Object Created", "PutObject"),
    "s3:ObjectCreated:Post": ("Object Created", "POST Object"),
    "s3:ObjectCreated:Copy": ("Object Created", "CopyObject"),
    "s3:ObjectCreated:CompleteMultipartUpload": ("Object Created", "CompleteMultipartUpload"),
    "s3:ObjectRemoved:Delete": ("Object Deleted", "DeleteObject"),
}
"""moto's name of the event → detail-type and reason (docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html).

Changes of tags and access lists are not imitated: moto tells of them at each upload.
"""

_sequence = itertools.count()


def envelope(
    *, source: str, detail_type: str, account: str, region: str, resources: list[str], detail: dict[str, Any]
) -> dict[str, Any]:
    """An event as EventBridge delivers it, with an id of its own and the time of now."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": account,
        "time": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": resources,
        "detail": detail,
    }


def object_event(bucket: Any, event_name: str, key: Any, *, account: str, region: str) -> dict[str, Any] | None:
    """The event of a change of an object (moto's bucket and key), or None for a change that S3 sends nothing for.

    The key is as it is, not URL-encoded: that is S3's own notifications, not EventBridge's.
    """
    if event_name not in OBJECT_REASONS:
        return None
    detail_type, reason = OBJECT_REASONS[event_name]
    about: dict[str, Any] = {"key": key.name}
    if detail_type == "Object Created":
        about["size"] = key.size
    if getattr(key, "etag", None):
        about["etag"] = key.etag.strip('"')
    if bucket.is_versioned:
        about["version-id"] = str(key.version_id)
    about["sequencer"] = f"{time.time_ns() // 1000:014X}{next(_sequence) & 0xFFFF:04X}"
    detail: dict[str, Any] = {
        "version": "0",
        "bucket": {"name": bucket.name},
        "object": about,
        "request-id": uuid.uuid4().hex[:16].upper(),
        "requester": account,
        "source-ip-address": "127.0.0.1",
        "reason": reason,
    }
    if detail_type == "Object Deleted":
        detail["deletion-type"] = "Permanently Deleted"
    return envelope(
        source="aws.s3",
        detail_type=detail_type,
        account=account,
        region=region,
        resources=[f"arn:aws:s3:::{bucket.name}"],
        detail=detail,
    )


def execution_event(execution: Any, *, account: str, region: str) -> dict[str, Any]:
    """The event of a change of an execution's status (moto's execution).

    docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
    """
    status = execution.exec_status.value
    detail = {
        "executionArn": execution.exec_arn,
        "stateMachineArn": execution.state_machine_arn,
        "name": execution.name,
        "status": status,
        "startDate": _milliseconds(execution.start_date),
        "stopDate": _milliseconds(execution.stop_date) if execution.stop_date else None,
        "input": execution.execution_input,
        "inputDetails": {"included": True},
        "output": json.dumps(execution.output) if status == "SUCCEEDED" else None,
        "outputDetails": {"included": True} if status == "SUCCEEDED" else None,
        "error": execution.error,
        "cause": execution.cause,
    }
    return envelope(
        source="aws.states",
        detail_type="Step Functions Execution Status Change",
        account=account,
        region=region,
        resources=[execution.exec_arn],
        detail=detail,
    )


def scheduled_event(rule_arn: str, when: datetime.datetime, *, account: str, region: str) -> dict[str, Any]:
    """The event of a scheduled rule."""
    event = envelope(
        source="aws.events",
        detail_type="Scheduled Event",
        account=account,
        region=region,
        resources=[rule_arn],
        detail={},
    )
    event["time"] = when.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return event


def _milliseconds(moment: datetime.datetime) -> int:
    return int(moment.timestamp() * 1000)
