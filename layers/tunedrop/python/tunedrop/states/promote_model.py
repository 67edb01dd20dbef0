"""PromoteModel: writes the tuned model's id into the parameter that the recipe names, and keeps the replaced id.

Parameter Store has no conditional write, and others may write the parameter too: another run can write its model
between two calls of this state, and this state can be killed between any two. So it notes the parameter's version
before it writes. If it runs again, it reads the history after that version: if its model is there, it does not write it
again, even if another model has replaced it since.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from tunedrop import clock
from tunedrop.answer_members import member
from tunedrop.notices import of_run
from tunedrop.outcomes import ServiceBusy
from tunedrop.resources import Resources
from tunedrop.run.approval import approval_of
from tunedrop.run.promotion import deserved, wanted
from tunedrop.run.record import RunRecord
from tunedrop.run.store import ConditionNotMet
from tunedrop.service_faults import code_of, passes
from tunedrop.states.decision import Decision, for_the_handler

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

APPROVED = "approved"
ROLL_BACK = "roll_back"
_NO = ("rejected", "expired")
ENDS = frozenset({"done", "failed", "rejected", "expired", "rolled_back"})
"""What the record's `promotion` is once this state has worked."""

_ANSWER = "Parameter Store's GetParameterHistory"
_BUSY = "TooManyUpdates"
"""Parameter Store: "There are concurrent updates for a resource that supports one update at a time"."""


@dataclass(frozen=True, slots=True)
class Promoted(Decision):
    """How the promotion ended, one of ENDS or `nothing`; `notice` is the run's `run_ended`, as it is now.

    Of a roll-back also `replaced` (another model has the place) and `no_predecessor`; then nothing was changed.
    """

    notice: Mapping[str, Any] | None
    why_not: str = for_the_handler("")


@dataclass(frozen=True, slots=True)
class _Version:
    """A value that a parameter had."""

    number: int
    value: str


def run(event: Mapping[str, Any], resources: Resources) -> Promoted:
    """Promote the run's model, or note why it was not promoted. A second time, nothing changes.

    Input: `run_id`, and `word`: `approved`, `rejected` or `expired` if a person was asked; `roll_back` from the API.

    Raises:
        ServiceBusy: somebody else is writing the parameter.
    """
    record, word = resources.runs.load(event["run_id"]), event["word"]
    return _rolled_back(resources, record) if word == ROLL_BACK else _concluded(resources, record, word)


def _concluded(resources: Resources, record: RunRecord, word: str) -> Promoted:
    """Promote, if the recipe wants it, the verdict allows it, and nobody's word is against it."""
    if record.promotion in ENDS:
        return _told(resources, record)
    promotion = wanted(record)
    approval = approval_of(record)
    unasked = approval is not None and approval.asked and word not in (APPROVED, *_NO)
    if promotion is None or unasked or not deserved(record, record.status):
        return Promoted("nothing", record.notice)
    if word in _NO:
        return _ended(resources, record, word, "")
    why_not = _forbidden(record, promotion.parameter, resources)
    if why_not:
        return _ended(resources, record, "rejected", why_not)
    try:
        _promote(resources, record, promotion.parameter)
    except ClientError as error:
        if code_of(error) == _BUSY:
            raise ServiceBusy(f"{promotion.parameter} is being written by someone else: {error}") from error
        if passes(error):
            raise
        return _ended(resources, record, "failed", f"the parameter {promotion.parameter} could not be written: {error}")
    return _ended(resources, record, "done", "")


def _rolled_back(resources: Resources, record: RunRecord) -> Promoted:
    """Put back the model that the run's model replaced, if somebody asked for it and no other has the place since."""
    parameter = record.promotion_parameter
    if record.promotion == "rolled_back":
        return _told(resources, record)
    if record.roll_back is None or record.promotion != "done" or parameter is None:
        return Promoted("nothing", record.notice, "nobody asked for it through the API")
    why_not = _forbidden(record, parameter, resources)
    if why_not:
        return Promoted("nothing", record.notice, why_not)
    before = record.rolling_back_to or next(
        (each.value for each in reversed(_history(resources.ssm, f"{parameter}/previous"))), None
    )
    if before is None:
        return Promoted("no_predecessor", record.notice)
    # Noted before it is written: killed between the two, it is found as it was meant.
    record = resources.runs.update_if(record.run_id, {"rolling_back_to": before}, "attribute_exists(run_id)")
    there = next((each.value for each in reversed(_history(resources.ssm, parameter))), None)
    if there not in (record.tuned_model, before):
        return Promoted("replaced", record.notice)
    if there != before:
        _put(resources.ssm, parameter, before)
    changes = {"promotion": "rolled_back", "rolled_back_at": clock.now_text()}
    return _told(resources, _first(resources, record, changes, "promotion = :done", {":done": "done"}))


def _forbidden(record: RunRecord, parameter: str, resources: Resources) -> str:
    """Why the stack does not allow this promotion; "" if it does."""
    teams = resources.teams
    approval = approval_of(record)
    asked = approval is None or approval.asked
    if record.governed and asked and (record.approval or {}).get("approved") != "yes":
        return "nobody approved it through the API, and in this stack only named approvers may"
    if teams.mapped and not parameter.startswith(
        f"{teams.promotion_path(resources.settings.parameter_path, record.team)}/"
    ):
        return f"the parameter {parameter} is not one of team {record.team or 'none'}"
    return ""


def _promote(resources: Resources, record: RunRecord, parameter: str) -> None:
    """Write the model's id, unless it was written since this state first began."""
    model = record.tuned_model or ""
    history = _history(resources.ssm, parameter)
    began = _noted(resources, record, history[-1].number if history else 0)
    kept = None
    written = any(each.number > began and each.value == model for each in history)
    if not written and not (history and history[-1].value == model):
        if history:
            kept = history[-1].value
            _put(resources.ssm, f"{parameter}/previous", kept)
        _put(resources.ssm, parameter, model)
        history = _history(resources.ssm, parameter)
    # Another model can have come between the look and the write: then that one is what was replaced.
    ours = len(history) > 1 and history[-1].value == model and history[-1].number > began
    if ours and history[-2].value not in (model, kept):
        _put(resources.ssm, f"{parameter}/previous", history[-2].value)


def _noted(resources: Resources, record: RunRecord, version: int) -> int:
    """The parameter's version when this state first began for the run."""
    if record.promoting_from is not None:
        return int(record.promoting_from)
    first = "attribute_exists(run_id) AND attribute_not_exists(promoting_from)"
    try:
        resources.runs.update_if(record.run_id, {"promoting_from": str(version)}, first)
    except ConditionNotMet:
        return int(resources.runs.load(record.run_id).promoting_from or version)
    return version


def _history(ssm: SSMClient, parameter: str) -> list[_Version]:
    """All values that Parameter Store has of a parameter, the oldest first; none if there is no such parameter."""
    found = []
    try:
        for page in ssm.get_paginator("get_parameter_history").paginate(Name=parameter):
            for each in member(page, "Parameters", list, _ANSWER):
                found.append(_Version(member(each, "Version", int, _ANSWER), member(each, "Value", str, _ANSWER)))
    except ssm.exceptions.ParameterNotFound:
        return []
    return sorted(found, key=lambda each: each.number)


def _put(ssm: SSMClient, parameter: str, value: str) -> None:
    ssm.put_parameter(Name=parameter, Value=value, Type="String", Overwrite=True)


def _ended(resources: Resources, record: RunRecord, outcome: str, why_not: str) -> Promoted:
    """Note how it ended in the record, and in the notice if that is not published yet."""
    changes: dict[str, Any] = {
        "promotion": outcome,
        "approval_token": None,
        "promoted_at": clock.now_text(),
        "not_promoted": why_not or None,
    }
    if record.notice is not None and record.notified_at is None:
        changes["notice"] = of_run.with_promotion(record.notice, replace(record, **changes))
    first = "attribute_exists(run_id) AND attribute_not_exists(promoted_at)"
    return _told(resources, _first(resources, record, changes, first))


def _first(
    resources: Resources,
    record: RunRecord,
    changes: Mapping[str, Any],
    condition: str,
    values: Mapping[str, Any] | None = None,
) -> RunRecord:
    """Change the record if nobody has done so; the record, as it is then."""
    try:
        return resources.runs.update_if(record.run_id, changes, condition, values)
    except ConditionNotMet:
        return resources.runs.load(record.run_id)


def _told(resources: Resources, record: RunRecord) -> Promoted:
    """Tell the audit trail, the run's files and, if the run's own notice is out, the subscribers. Only what is missing.

    The record has it already: killed anywhere in here, the state or the next call of it goes on.
    """
    from tunedrop.reporting.decision import write_decision  # templates and all: half of the calls need none of it

    resources.audit.note(record)
    write_decision(resources.folder(record.run_id), resources.runs, record.run_id)
    if record.notified_at is not None and record.decision_told != record.promotion:
        resources.sns.publish(TopicArn=os.environ["NOTICES_TOPIC"], **of_run.promotion_decided(record))
        resources.runs.update_if(record.run_id, {"decision_told": record.promotion}, "attribute_exists(run_id)")
    return Promoted(str(record.promotion), record.notice, record.not_promoted or "")
