"""What a run holds at the training service when it is over: deleted where it should be, told where it stays."""

from __future__ import annotations

import logging

from tunedrop.catalog import Family, find
from tunedrop.run.record import RunRecord
from tunedrop.training.backend import Busy, Refused, TrainingBackend, Unclear

_log = logging.getLogger(__name__)


def delete_holdings(record: RunRecord, backend: TrainingBackend, *, keep_deployment: bool) -> dict[str, str]:
    """Delete the run's deployment, and its training file where the recipe says so; what was deleted, by its id.

    Never fails: what could not be deleted is told in the notice, and the sweeper tries again.
    """
    released: dict[str, str] = {}
    if record.deploying_at is not None and not keep_deployment:
        try:
            # Where none is found any more, an earlier try has deleted it and died before it could note that.
            deployment = backend.undeploy(record.run_id) or record.asked_as
            if deployment is not None:
                released[deployment] = "deployment deleted"
        except (Busy, Unclear, Refused) as trouble:
            _log.warning("the deployment of run %s could not be deleted: %s", record.run_id, trouble)
    if record.file_id is not None and record.recipe.cleanup.delete_files:
        try:
            if backend.delete_file(record.file_id):
                released[record.file_id] = "training file deleted"
        except (Busy, Unclear, Refused) as trouble:
            _log.warning("file %s of run %s could not be deleted: %s", record.file_id, record.run_id, trouble)
    return released


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
