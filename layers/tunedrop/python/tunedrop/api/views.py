"""What the API tells of a run, its record in the words of a person and of a program; and of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from tunedrop import catalog, clock
from tunedrop.api.documents import ModelDocument
from tunedrop.catalog import who_trains
from tunedrop.outcomes import Status
from tunedrop.run.record import RunRecord
from tunedrop.run.record_parts import RehearsalResult
from tunedrop.settings import Settings
from tunedrop.stages import BY_NAME


def run_url(run_id: str) -> str:
    """The run's place below the API's own URL."""
    return f"/runs/{run_id}"


def summary(record: RunRecord, settings: Settings) -> dict[str, Any]:
    """A run in a list. `settings` say who trains and answers."""
    return {
        "run_id": record.run_id,
        "url": run_url(record.run_id),
        "name": record.name,
        "status": str(record.status),
        "state": record.stage,
        "started_at": record.started_at,
        "updated_at": record.updated_at,
        "finished_at": record.finished_at,
        "team": record.team or "",
        "labels": record.labels,
        "base_model": record.base_model,
        "tuned_model": record.tuned_model,
        "verdict": record.evaluation.verdict,
        "difference": record.evaluation.difference,
        "dollars": dollars(record),
        **who_trains(simulated=settings.simulated, weights=settings.weights),
    }


def trained(record: RunRecord, settings: Settings) -> dict[str, Any]:
    """Who trained the run's model: what its job said; before it has said anything, what trains for this stack."""
    if record.training.simulated is None:
        return who_trains(simulated=settings.simulated, weights=settings.weights)
    return who_trains(simulated=record.training.simulated, weights=record.training.weights)


def dollars(record: RunRecord) -> float | None:
    """What the run's training has cost by the prices of its recipe; None where it gives none.

    A list reads no recipe that gives no prices, and a recipe that is no longer valid takes nothing from the list.
    """
    prices = ((record.recipe_document or {}).get("budget") or {}).get("prices") or {}
    if not any(prices.values()):
        return None
    from pydantic import ValidationError

    from tunedrop.training.budget import training_cost

    try:
        cost = training_cost(record)
    except ValidationError:
        return None
    return None if cost is None else cost.dollars


def run_document(record: RunRecord, metrics: Sequence[Mapping[str, float]], settings: Settings) -> dict[str, Any]:
    """A run, whole. `metrics` are those of its training's steps."""
    training, dataset = record.training, record.dataset
    return {
        **summary(record, settings),
        "progress": progress(record),
        "reached": dict(record.reached),
        "grader": record.grader_kind,
        "dataset": {
            "uri": record.train.uri if record.train else _source_uri(record.source),
            "version": record.train.version_id if record.train else None,
            "test_uri": record.test.uri if record.test else None,
            "rows": dataset.rows,
            "test_rows": dataset.test_rows,
        },
        "rehearsal": _rehearsal(record.rehearsal),
        "turn": turn_of(record),
        "training": None
        if record.job_id is None
        else {
            "job_id": record.job_id,
            "status": record.job_status,
            "steps": training.steps,
            "total_steps": training.total_steps,
            "reward_first": training.reward_first,
            "reward_last": training.reward_last,
            "latest": dict(metrics[-1]) if metrics else None,
            **trained(record, settings),
        },
        "evaluation": dict(record.evaluation.document) or None,
        "promotion": _promotion(record),
        "findings": {
            "dataset": dataset.warnings,
            "rehearsal": _count(record.rehearsal.findings),
            "training": _count(training.findings),
        },
        "estimated_training_end": estimated_training_end(record),
        "reason": dict(record.reason) if record.reason else None,
        "notice": _notice(record),
        "report_uri": record.report_uri,
        "execution_arn": record.execution_arn,
    }


def progress(record: RunRecord) -> str:
    """Where the run stands, in one sentence."""
    if record.status.terminal:
        verdict = record.evaluation.verdict
        if record.status is Status.SUCCEEDED:
            return f"Ended: compared with its base, the tuned model is {verdict}." if verdict else "Ended."
        error = (record.reason or {}).get("error", "")
        return f"Ended as {record.status}" + (f" ({error})." if error else ".")
    if record.releasing_at is not None:
        return "Stopping: it releases what it holds at Bedrock."
    turn = turn_of(record)
    if turn is not None:
        when = f", expected at {turn['turn_at']}" if turn["turn_at"] else ""
        return f"Waiting for its turn to train: number {turn['place']} of {turn['waiting']}{when}."
    training = record.training
    if record.stage == "PollJob" and training.steps is not None:
        of = f" of {training.total_steps}" if training.total_steps else ""
        return f"Training: step {training.steps}{of}."
    stage = BY_NAME.get(record.stage)
    return (stage and stage.afterwards) or f"{record.stage} is done."


def turn_of(record: RunRecord) -> dict[str, Any] | None:
    """Where a run stands that waits for its turn; None for any other."""
    waits = record.status is Status.RUNNING and record.releasing_at is None and record.turn is not None
    return dict(record.turn or {}) if waits else None


def estimated_training_end(record: RunRecord) -> str | None:
    """When the training is over if its steps go on as they did since it was submitted; None while none is told."""
    training = record.training
    steps, total = training.steps, training.total_steps
    if record.status.terminal or record.submitted_at is None or not steps or not total:
        return None
    began, last = clock.parse(record.submitted_at), clock.parse(training.progress_at or record.updated_at)
    pace: timedelta = max(last - began, timedelta(0)) / int(steps)
    return clock.text(last + pace * max(int(total) - int(steps), 0))


def model_document(model: catalog.Model, region: str) -> ModelDocument:
    """A model that can be tuned, as seen from the stack's Region."""
    return ModelDocument(
        id=model.id,
        aliases=list(model.aliases),
        family=str(model.family),
        region=model.region,
        offered_here=model.region == region,
        max_prompt_tokens=model.max_prompt_tokens,
        gives_events=model.gives_events,
        gives_checkpoints=model.gives_checkpoints,
        hyperparameters={
            name: {
                "type": each.kind.__name__,
                "least": each.least,
                "most": each.most,
                "default": each.default,
                "choices": list(each.choices),
            }
            for name, each in model.hyperparameters.items()
        },
    )


def _source_uri(source: Mapping[str, Any]) -> str | None:
    return f"s3://{source['bucket']}/{source['key']}" if source.get("bucket") else None


def _promotion(record: RunRecord) -> dict[str, Any] | None:
    parameter = record.promotion_parameter
    if not parameter:
        return None
    from tunedrop.run.decisions import decisions  # only for a run that promotes

    word, asked = record.approval or {}, record.approval_asked or {}
    return {
        "parameter": parameter,
        "state": record.promotion,
        "decided_by": word.get("by"),
        "decided_at": word.get("at"),
        "decision_reason": word.get("reason") or None,
        "asked": asked["asked"] == "yes" if asked else None,
        "asked_why": asked.get("why"),
        "decisions": decisions(record),
    }


def _notice(record: RunRecord) -> dict[str, Any] | None:
    if record.notice is None:
        return None
    from tunedrop.notices.publication import document_of  # only for a run that has ended

    document = document_of(record.notice)
    told = {name: document.get(name, "") for name in ("headline", "next")}
    return {
        "id": document["notice_id"],
        "subject": record.notice["Subject"],
        **told,
        "published_at": record.notified_at,
    }


def _rehearsal(rehearsal: RehearsalResult) -> dict[str, Any] | None:
    if not rehearsal.document:
        return None
    return {"mean_reward": rehearsal.mean_reward, "groups_with_signal": rehearsal.groups_with_signal}


def _count(findings: Sequence[Any] | None) -> int | None:
    return None if findings is None else len(findings)
