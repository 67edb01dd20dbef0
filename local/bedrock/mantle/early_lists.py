"""Lists that the service may refuse: those of a job's checkpoints and events before there are any, by the switches.

AWS's own notebooks expect an error of the checkpoints before the training starts; status and body are UNCONFIRMED.
"""

from __future__ import annotations

from local.bedrock.errors import ApiError, invalid
from local.bedrock.mantle.jobs import CHECKPOINT
from local.bedrock.records import Document
from local.bedrock.service import Service

_NOT_STARTED = ("validating_files", "queued")


def refuse_early_list(service: Service, job: Document, kind: str) -> None:
    """Raises ApiError (400 or 404) where the switches have the list of this kind refused as yet."""
    switches = service.switches
    refusal = switches.early_checkpoints if kind == CHECKPOINT else switches.early_events
    if refusal == "empty":
        return
    early = job["status"] in _NOT_STARTED
    if switches.early_until == "first":
        page = service.records.page(kind, parent=job["id"], limit=1, after=None, newest_first=False)
        early = page is None or not page.documents
    if not early:
        return
    message = f"The {kind}s of job {job['id']} are only available after the job starts training."
    raise invalid(message) if refusal == "400" else ApiError(404, "not_found", message)
