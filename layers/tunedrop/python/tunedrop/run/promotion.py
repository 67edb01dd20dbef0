"""Promotion: whether the tuned model takes the place that the recipe names, and what a person has to say to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tunedrop import clock
from tunedrop.outcomes import Status
from tunedrop.run.approval import approval_of
from tunedrop.run.decisions import decisions
from tunedrop.run.record import RunRecord
from tunedrop.run.store import ConditionNotMet, RunStore

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

    from tunedrop.recipe import Promotion

_GONE = frozenset({"TaskDoesNotExist", "TaskTimedOut", "InvalidToken"})


AWAITS_APPROVAL = "it waits for a person's approval"
"""How `why_not` of a promotion begins that a person is asked about."""


class NothingToRollBack(Exception):
    """The run's model is not in the place that its recipe names, or it replaced none."""


class NoApprovalWanted(Exception):
    """The run waits for nobody's word: it never did, somebody gave it, or the time is up."""


def standing(record: RunRecord, status: Status) -> dict[str, Any]:
    """What notices, report, model card and manifest say of the promotion.

    `wanted` by the recipe, `done`, `why_not`, `parameter`; `approval`: whether a person is asked (`asked`) and `why`,
    null where the run's end allows no promotion; `decisions`: who decided what, when and why (`decisions`).

    The terminal notice is saved before the parameter is written, so it says that nothing was promoted; PromoteModel
    corrects it before it is published.
    """
    promotion = wanted(record)
    approval = approval_of(record) if deserved(record, status) else None
    return {
        "wanted": promotion is not None,
        "done": record.promotion == "done",
        "why_not": None if promotion is None else _why_not(record, status, promotion),
        "parameter": promotion.parameter if promotion else None,
        "approval": None if approval is None else {"asked": approval.asked, "why": approval.why},
        "decisions": decisions(record),
    }


def wanted(record: RunRecord) -> Promotion | None:
    """The promotion that the run's recipe asks for."""
    return record.recipe.promotion if record.resolved else None


def deserved(record: RunRecord, status: Status) -> bool:
    """Whether the verdict earns the model the place that the recipe names."""
    return wanted(record) is not None and _gate(record, status) is None


def note_word(record: RunRecord, store: RunStore, *, approved: bool, by: str, reason: str) -> RunRecord:
    """Note in the record who says what about the promotion, and when; the first word counts. The record, as it is then.

    Raises:
        NoApprovalWanted: nobody is asked (any more), or somebody has said something else.
    """
    word = {"approved": "yes" if approved else "no", "by": by, "at": clock.now_text(), "reason": reason}
    try:
        return store.update_if(
            record.run_id, {"approval": word}, "attribute_exists(approval_token) AND attribute_not_exists(approval)"
        )
    except ConditionNotMet:
        record = store.load(record.run_id)
        said = record.approval or {}
        if (said.get("approved"), said.get("by")) != (word["approved"], by):  # otherwise it is said once more
            waited = "no longer" if record.approval_token else "not"
            raise NoApprovalWanted(f"Run {record.run_id} is {waited} waiting for approval") from None
        return record


def note_roll_back(record: RunRecord, store: RunStore, *, by: str, reason: str) -> RunRecord:
    """Note in the record who asks to undo the promotion, when and why. The record, as it is then.

    Raises:
        NothingToRollBack: the run's model was not promoted.
    """
    asked = {"by": by, "at": clock.now_text(), "reason": reason}
    try:
        return store.update_if(record.run_id, {"roll_back": asked}, "promotion = :done", {":done": "done"})
    except ConditionNotMet:
        record = store.load(record.run_id)
        if record.promotion != "rolled_back":  # otherwise it is asked for once more
            raise NothingToRollBack(f"Run {record.run_id} has promoted no model") from None
        return record


def decide(record: RunRecord, client: SFNClient, *, approved: bool, by: str) -> None:
    """Give a person's word to a run that waits for it; the state machine does the rest.

    Raises:
        NoApprovalWanted: nobody is asked (any more).
    """
    from botocore.exceptions import ClientError

    from tunedrop.service_faults import code_of

    if record.approval_token is None:
        raise NoApprovalWanted(f"Run {record.run_id} is not waiting for approval")
    answer = json.dumps({"approved": approved, "by": by})
    try:
        client.send_task_success(taskToken=record.approval_token, output=answer)
    except ClientError as error:
        if code_of(error) in _GONE:
            raise NoApprovalWanted(f"Run {record.run_id} is no longer waiting for approval") from None
        raise


def _why_not(record: RunRecord, status: Status, promotion: Promotion) -> str | None:
    stopped = _gate(record, status)
    if stopped is not None:
        return stopped
    if record.promoted_at is not None:
        if record.promotion in ("done", "rolled_back"):
            return None if record.promotion == "done" else "it was rolled back"
        last = decisions(record)[-1]
        return record.not_promoted or f"{last['what']} by {last['by']}" + (
            f": {last['reason']}" if last["reason"] else ""
        )
    approval = approval_of(record)
    if approval is not None and approval.asked:
        return f"{AWAITS_APPROVAL}, for {promotion.approval_hours:g} hours"
    return f"the parameter {promotion.parameter} could not be written; the execution's history says why"


def _gate(record: RunRecord, status: Status) -> str | None:
    from tunedrop.evaluation.verdict import Verdict  # the API and each notice of a failure do without the statistics

    if status is not Status.SUCCEEDED:
        return f"the run ended as {status}"
    evaluation = record.evaluation
    if evaluation.suspected_reward_hacking:
        return "the verdict is suspected reward hacking: something that the grader does not measure got worse"
    if evaluation.verdict != Verdict.IMPROVED:
        return f"the verdict is {evaluation.verdict}, and Tunedrop promotes only an improved model"
    return None
