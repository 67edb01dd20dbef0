"""How a run begins: its record, owned by the execution that made it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunedrop import clock, identity
from tunedrop.outcomes import Status
from tunedrop.run.record import RunRecord


def new_record(run_id: str, execution_input: Mapping[str, Any], execution_arn: str, started_at: str) -> RunRecord:
    """The record of a run that an execution begins."""
    source: dict[str, Any]
    upload = identity.upload_of(execution_input)
    if upload is not None:
        name = identity.dataset_name(upload.key)
        source = {"kind": "upload", "bucket": upload.bucket, "key": upload.key, "version_id": upload.version_id}
    else:
        name = str(execution_input.get("name") or run_id)
        source = {"kind": "call"}
        for given in ("resumes", "recipe"):
            if execution_input.get(given):
                source[given] = execution_input[given]
    return RunRecord(
        run_id=run_id,
        name=name,
        execution_arn=execution_arn,
        status=Status.RUNNING,
        started_at=clock.text(clock.parse(started_at)),
        updated_at=clock.now_text(),
        source=source,
    )
