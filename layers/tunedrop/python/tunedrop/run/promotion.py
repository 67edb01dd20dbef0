"""Promotion: whether the tuned model takes the place that the recipe names, and what a person has to say to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tunedrop.outcomes import Status
from tunedrop.recipe import Promotion, Recipe
from tunedrop.run.record import RunRecord

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_GONE = frozenset({"TaskDoesNotExist", "TaskTimedOut", "InvalidToken"})


class NoApprovalWanted(Exception):
    """The run waits for nobody's word: it never did, somebody gave it, or the time is up."""


def standing(record: RunRecord, status: Status) -> dict[str, Any]:
    """The terminal notice's `promotion`: `wanted` by the recipe, `done`, `why_not`, `parameter`.

    The notice is written before the parameter is, and published after it; where the writing fails, `not_promoted`
    puts it right.
    """
    promotion = _asked(record)
    why_not = None if promotion is None else _why_not(record, status, promotion)
    return {
        "wanted": promotion is not None,
        "done": promotion is not None and why_not is None,
        "why_not": why_not,
        "parameter": promotion.parameter if promotion else None,
    }


def deserved(record: RunRecord, status: Status) -> bool:
    """Whether the verdict earns the model the place that the recipe names."""
    return _asked(record) is not None and _gate(record, status) is None


def instructions(record: RunRecord) -> dict[str, Any]:
    """What the state machine does about it, once the run is closed with its notice.

    `wanted`: put `value` into `parameter`, with `approval` only after a person's word, for which `asking` is published
    and `wait_seconds` are given. `otherwise` is the terminal notice where that cannot be done.
    """
    from tunedrop.notices import of_run  # here, since a notice tells the standing

    promotion = _asked(record)
    if promotion is None or record.notice is None or not deserved(record, record.status):
        return {"wanted": False, "approval": False, "parameter": "", "value": ""}
    return {
        "wanted": True,
        "approval": promotion.approval,
        "parameter": promotion.parameter,
        "value": record.tuned_model or "",
        "wait_seconds": round(promotion.approval_hours * 3600),
        "asking": of_run.approval_wanted(record, promotion) if promotion.approval else {},
        "otherwise": _not_promoted(record.notice, promotion),
    }


def decide(record: RunRecord, client: SFNClient, *, approved: bool, by: str) -> None:
    """Give a person's word to a run that waits for it; the state machine does the rest.

    Raises:
        NoApprovalWanted: nobody is asked (any more).
    """
    from botocore.exceptions import ClientError

    from tunedrop.service_faults import code_of

    if record.approval_token is None:
        raise NoApprovalWanted(f"Run {record.run_id} waits for no approval")
    answer = json.dumps({"approved": approved, "by": by})
    try:
        client.send_task_success(taskToken=record.approval_token, output=answer)
    except ClientError as error:
        if code_of(error) in _GONE:
            raise NoApprovalWanted(f"Run {record.run_id} waits for no approval any more") from None
        raise


def _asked(record: RunRecord) -> Promotion | None:
    return Recipe.model_validate(record.recipe).promotion if record.recipe else None


def _why_not(record: RunRecord, status: Status, promotion: Promotion) -> str | None:
    stopped = _gate(record, status)
    if stopped is None and promotion.approval:
        return f"it waits for a person's approval, for {promotion.approval_hours:g} hours"
    return stopped


def _gate(record: RunRecord, status: Status) -> str | None:
    from tunedrop.evaluation.verdict import Verdict  # the API and each notice of a failure do without the statistics

    if status is not Status.SUCCEEDED:
        return f"the run ended as {status}"
    evaluation: Mapping[str, Any] = record.evaluation or {}
    if evaluation.get("suspected_reward_hacking"):
        return "the verdict is suspected reward hacking: what the grader does not see got worse"
    if evaluation.get("verdict") != Verdict.IMPROVED:
        return f"the verdict is {evaluation.get('verdict')}; only an improved model is promoted"
    return None


def _not_promoted(published: Mapping[str, Any], promotion: Promotion) -> dict[str, Any]:
    """The terminal notice with the truth of a promotion that failed."""
    from tunedrop.notices.publication import document_of, publication

    body = document_of(published)
    if body["promotion"]["done"]:
        why_not = f"the parameter {promotion.parameter} could not be written; the execution's history says why"
        body["promotion"] |= {"done": False, "why_not": why_not}
    made = publication(body, published["Subject"], {})
    return {**made, "MessageAttributes": published["MessageAttributes"]}
