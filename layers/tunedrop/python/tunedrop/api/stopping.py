"""Ending a run from outside: stopping its execution, and deciding what it waits with."""

from __future__ import annotations

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
    trail.write(audit.entry(record, "stop_asked", by=principal_arn(by)))
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
            raise Problem("approval-not-yours", f"{person} is not an approver of team {team.name}.")
        if record.source.get("by") == person:
            raise Problem("approval-not-yours", f"{person} started the run, so somebody else must decide.")
    try:
        said = promotion.note_word(record, resources.runs, approved=approved, by=person, reason=reason)
        resources.audit.note(said)
        promotion.decide(record, resources.stepfunctions, approved=approved, by=by)
    except promotion.NoApprovalWanted as refusal:
        raise Problem("no-approval-wanted", f"{refusal}.") from None
