"""Who decided what about a promotion, when and why: it follows from the record alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tunedrop import clock
from tunedrop.run.approval import approval_of

if TYPE_CHECKING:
    from tunedrop.run.record import RunRecord

TUNEDROP = "Tunedrop"
"""Who decided where no person did: the stack by its rules, the time that ran out, or a service that refused."""

UNNAMED = "not named: the answer did not come through the API"
"""Who decided where a person answered the state machine; AWS does not tell the pipeline who it was."""


def decisions(record: RunRecord) -> list[dict[str, str]]:
    """Who decided what about the promotion, when and why, the first one first: `what`, `by`, `at`, `reason`.

    `what`: approved, rejected, promoted (nobody was asked), not_promoted (a rule of the stack), expired, failed or
    rolled_back. `by` is a person's ARN, TUNEDROP or UNNAMED.
    """
    told, said, at = [], record.approval, record.promoted_at
    if said is not None:
        what = "approved" if said.get("approved") == "yes" else "rejected"
        told.append(_decision(what, said.get("by", ""), said["at"], said.get("reason", "")))
    if at is not None:
        ended = _ended(record, at)
        told += [ended] if ended else []
    asked = record.roll_back
    if asked is not None and record.rolled_back_at is not None:
        told.append(_decision("rolled_back", asked["by"], record.rolled_back_at, asked.get("reason", "")))
    return told


def in_words(decision: Mapping[str, object]) -> str:
    """A decision for people: what, by whom, when and why, without a full stop."""
    what, reason = str(decision["what"]).replace("_", " ").capitalize(), " ".join(str(decision["reason"]).split())
    when = clock.for_people(str(decision["at"]))
    return f"{what} by {decision['by']}, {when}: {reason.rstrip('.') or 'no reason given'}"


def _ended(record: RunRecord, at: str) -> dict[str, str] | None:
    """How the promotion ended, where it was not the person's word of the record that ended it."""
    approval, why_not, word = approval_of(record), record.not_promoted, (record.approval or {}).get("approved")
    if record.promotion == "expired":
        return _decision("expired", TUNEDROP, at, f"nobody answered within {_hours(record)}")
    if record.promotion in ("failed", "rejected") and why_not:
        return _decision("failed" if record.promotion == "failed" else "not_promoted", TUNEDROP, at, why_not)
    if record.promotion == "rejected":
        return None if word == "no" else _decision("rejected", UNNAMED, at, "")
    if word == "yes":
        return None
    if approval is None or approval.asked:
        return _decision("approved", UNNAMED, at, "")
    return _decision("promoted", TUNEDROP, at, f"nobody was asked: {approval.why}")


def _decision(what: str, by: str, at: str, reason: str) -> dict[str, str]:
    return {"what": what, "by": by, "at": at, "reason": reason}


def _hours(record: RunRecord) -> str:
    hours = (record.promotion_wish or {}).get("approval_hours")
    return f"{hours:g} hours" if hours else "the time that was given"
