"""Going on from what is trained already: an earlier run's job, or a model. Nothing is trained twice."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from tunedrop import clock
from tunedrop.outcomes import RecipeInvalid, RunNotFound, ServiceBusy
from tunedrop.run.record import RunRecord
from tunedrop.run.record_parts import TrainingProgress
from tunedrop.training.backend import Busy, JobStatus, Refused, TrainingBackend, Unclear

if TYPE_CHECKING:
    from tunedrop.run.store import RunStore


def earlier_run(store: RunStore, run_id: str, team: str | None) -> RunRecord:
    """The run of the team that is resumed.

    Raises:
        RecipeInvalid: the team has none of that id (nobody learns of another team's), it has not ended, or it has
            neither a job nor a model.
    """
    earlier: RunRecord | None = None
    with contextlib.suppress(RunNotFound):
        earlier = store.load(run_id)
    if earlier is None or earlier.team != team:
        raise RecipeInvalid(
            f"recipe field `resumes`: this stack has no run {run_id!r} of your team; give the id "
            "of a run that `tunedrop runs` lists"
        )
    if not earlier.closed:
        raise RecipeInvalid(
            f"recipe field `resumes`: run {run_id} has not ended ({earlier.status}, {earlier.stage}); "
            "wait for its notice, or stop its execution"
        )
    if earlier.job_id is None and earlier.tuned_model is None:
        raise RecipeInvalid(
            f"recipe field `resumes`: run {run_id} ended as {earlier.status} before it had a job or a model; "
            "there is nothing to take over; leave `resumes` out"
        )
    return earlier


def take_over(record: RunRecord, store: RunStore, backend: TrainingBackend) -> RunRecord | None:
    """Give the run the job or model that its recipe names; None where the recipe has it train one of its own.

    Raises:
        RecipeInvalid: the earlier job made no model, or trained on other rows.
        ServiceBusy: the service could not be asked this time.
    """
    recipe = record.recipe
    if recipe.trains:
        return None
    if recipe.evaluate_only:
        changes = {
            "tuned_model": recipe.evaluate_only,
            "training": _untrained(backend),
        }
        return store.update(record.run_id, {**changes, "stage": "SubmitJob"})
    earlier = earlier_run(store, recipe.resumes, record.team)
    trained_on, dropped = (str(each.dataset.sha256) for each in (earlier, record))
    if trained_on != dropped:
        raise RecipeInvalid(
            f"recipe field `resumes`: run {earlier.run_id} trained on other rows (train.jsonl has the SHA-256 "
            f"{dropped[:12]}…, not {trained_on[:12]}…); drop the same train.jsonl, so that Tunedrop can keep the "
            "test set apart from it"
        )
    if earlier.job_id is not None:
        _require_model(earlier, backend)
    return store.update(
        record.run_id,
        {
            "job_id": earlier.job_id,
            "tuned_model": earlier.tuned_model,
            "submitted_at": earlier.submitted_at or clock.now_text(),
            "training": _untrained(backend),
            "stage": "SubmitJob",
        },
    )


def _untrained(backend: TrainingBackend) -> TrainingProgress:
    return TrainingProgress(simulated=backend.simulated, weights=backend.weights)


def _require_model(earlier: RunRecord, backend: TrainingBackend) -> None:
    try:
        job = backend.get(earlier.job_id or "")
    except (Busy, Unclear) as trouble:
        raise ServiceBusy(f"job {earlier.job_id} could not be looked at: {trouble}") from trouble
    except Refused as refusal:
        raise RecipeInvalid(
            f"recipe field `resumes`: Bedrock does not show job {earlier.job_id}: {refusal}; "
            "leave `resumes` out to train again"
        ) from None
    if job.status is not JobStatus.SUCCEEDED:
        raise RecipeInvalid(
            f"recipe field `resumes`: job {job.id} of run {earlier.run_id} ended as {job.service_status}, without a "
            "model; leave `resumes` out to train again"
        )
