"""What is decided about a run from outside: stopping it, its promotion, and undoing that."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tunedrop import audit
from tunedrop.api.problems import Problem
from tunedrop.outcomes import Status
from tunedrop.resources import Resources
from tunedrop.run import promotion
from tunedrop.run.record import RunRecord
from tunedrop.teams import Team, principal_arn

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

    from tunedrop.audit import AuditTrail


def stop(record: RunRecord, client: SFNClient, trail: AuditTrail, *, by: str) -> None:
    """Stop the run's execution; the aftermath does the rest. A run that was stopped before is left as it is.

    Who asks for it is in the audit trail before anything is stopped.

    Raises:
        Problem: run-ended: it has ended otherwise; run-not-started: it has no execution yet.
    """
    if record.status is Status.CANCELLED:
        return
    if record.closed:
        raise Problem("run-ended", f"Run {record.run_id} has ended as {record.status}.", run_status=str(record.status))
    trail.append(audit.entry(record, "stop_asked", by=principal_arn(by)))
    try:
        client.stop_execution(executionArn=record.execution_arn, error="Stopped", cause=f"by {by} through the API")
    except client.exceptions.ExecutionDoesNotExist:
        raise Problem(
            "run-not-started", f"The execution of run {record.run_id} has not begun yet; try again in a minute."
        ) from None


def decide(record: RunRecord, resources: Resources, team: Team, *, approved: bool, by: str, reason: str) -> None:
    """Approve or reject what the run waits with, as `by` of the run's team says.

    Raises:
        Problem: no-approval-wanted: it waits with nothing (any more); approval-not-yours: `by` may not decide this.
    """
    person = principal_arn(by)
    if record.governed or team.approvers:
        if not team.lets_approve(by):
            raise Problem("approval-not-yours", f"{person} is not an approver of team {team.name}: ask one of them.")
        if record.source.get("by") == person:
            raise Problem("approval-not-yours", f"{person} started the run, so somebody else must decide.")
    try:
        said = promotion.note_word(record, resources.runs, approved=approved, by=person, reason=reason)
        resources.audit.note(said)
        promotion.decide(record, resources.stepfunctions, approved=approved, by=by)
    except promotion.NoApprovalWanted as refusal:
        raise Problem("no-approval-wanted", f"{refusal}.") from None


_NOT_ROLLED_BACK: Mapping[str, str] = {
    "replaced": "Another model has the place of run {run_id}'s; roll back the run that promoted it.",
    "no_predecessor": "The model of run {run_id} replaced none, so there is none to put back.",
}


def roll_back(record: RunRecord, resources: Resources, team: Team, function: str, *, by: str, reason: str) -> RunRecord:
    """Put back the model that the run's promotion replaced, as `by` of the run's team says. The record, as it is then.

    `function` is PromoteModel's, which alone may write parameters.

    Raises:
        Problem: nothing-to-roll-back: its model is not in the place, or replaced none; approval-not-yours: `by` may
            not decide this; unavailable: it could not be done now.
    """
    person = principal_arn(by)
    if (record.governed or team.approvers) and not team.lets_approve(by):
        raise Problem("approval-not-yours", f"{person} is not an approver of team {team.name}: ask one of them.")
    try:
        record = promotion.note_roll_back(record, resources.runs, by=person, reason=reason)
    except promotion.NothingToRollBack as refusal:
        raise Problem("nothing-to-roll-back", f"{refusal}.") from None
    resources.audit.note(record)
    asked = json.dumps({"run_id": record.run_id, "word": "roll_back"})
    answer = resources.functions.invoke(FunctionName=function, Payload=asked)
    told = json.loads(answer["Payload"].read())
    if answer.get("FunctionError"):
        raise Problem("unavailable", f"The roll-back of run {record.run_id} did not end; try again in a minute.")
    if told["decision"] != "rolled_back":
        why = _NOT_ROLLED_BACK.get(told["decision"], "Run {run_id} has no promotion that could be undone.")
        raise Problem("nothing-to-roll-back", why.format(run_id=record.run_id))
    return resources.runs.load(record.run_id)
