"""What of a run stays at the training service when it is over: told, since it may cost money. Pure."""

from __future__ import annotations

from tunedrop.catalog import Family, find
from tunedrop.run.record import RunRecord


def left_behind(record: RunRecord) -> list[dict[str, str]]:
    """What of the run stays at Bedrock and may cost money, each with its id and why; prices are not published."""
    if record.base_model is None:
        return []
    model = find(record.base_model)
    left: list[dict[str, str]] = []

    def add(kind: str, name: str | None, why: str) -> None:
        if name is not None and name not in record.released:
            left.append({"kind": kind, "id": name, "why": why})

    if model.family is Family.NOVA:
        add("model", record.tuned_model, "stored, and perhaps charged, until somebody deletes it")
        deleted = "deployment deleted" in record.released.values()
        if record.deploying_at is not None and not deleted:
            add("deployment", record.asked_as or f"of {record.run_id}", "charged by the token when someone asks it")
    else:
        add(
            "training file",
            record.file_id,
            "kept until somebody deletes it; `cleanup.delete_files` deletes it when a run ends",
        )
    return left
