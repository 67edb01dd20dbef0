"""What a run holds at the training service when it is over: deleted where it should be."""

from __future__ import annotations

import logging

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
