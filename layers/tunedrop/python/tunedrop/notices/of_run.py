"""The notices of a run: its start, what its training shows, the question for approval, its end.

The terminal notice is an outbox: it is saved with the status that closes the record, then published, then marked as
published. events/schemas/notice.schema.json is the documents' schema, docs/notices.md says which state publishes which.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tunedrop import clock, identity, outcomes
from tunedrop.catalog import who_trains
from tunedrop.notices import actions
from tunedrop.notices.publication import Publication, document_of, publication, subject_line, with_document
from tunedrop.notices.summary import summary
from tunedrop.outcomes import Status
from tunedrop.recipe import Promotion
from tunedrop.run.approval import approval_of
from tunedrop.run.promotion import standing
from tunedrop.run.record import RunRecord
from tunedrop.training.budget import training_cost
from tunedrop.training.left_behind import left_behind

if TYPE_CHECKING:
    from tunedrop.queue.place import Place

SCHEMA_VERSION = "1.0"


def closing(
    record: RunRecord,
    status: Status,
    reason: Mapping[str, str] | None,
    *,
    report_uri: str | None,
    finished_at: str | None = None,
) -> dict[str, Any]:
    """The attributes that close `record`: its status, its reason, and its terminal notice, ready to publish."""
    finished_at = finished_at or clock.now_text()
    if reason is not None:
        reason = {"error": reason["error"], "message": outcomes.reason(reason["message"])}
    document = _end(record, status, reason, finished_at=finished_at, report_uri=report_uri)
    commands = [actions.report_command(record.run_id, report_uri)] if report_uri else []
    return {
        "status": status,
        "reason": reason,
        "finished_at": finished_at,
        "report_uri": report_uri,
        "notice": publication(
            _ready(document, record, commands),
            subject(record.name, record.run_id, status, _verdict(record)),
            attributes(record, status),
        ),
    }


def with_promotion(published: Mapping[str, Any], record: RunRecord) -> Publication:
    """The terminal notice with what came of the promotion."""
    document = document_of(published)
    document["promotion"] = standing(record, record.status)
    return with_document(published, {**document, **summary(document)})


def started(record: RunRecord) -> Publication:
    """The notice that a run has begun, with what was found beside its dataset. Its id is the same each time."""
    train = record.train
    document = {
        **_head(record, "run_started", identity.started_notice_id(record.run_id)),
        "grader": record.grader_kind,
        "dataset": None
        if train is None
        else {"uri": train.uri, "version": train.version_id, "bytes": train.bytes, "rows": None},
        "found": {
            name: None if found is None else {"uri": found.uri, "version": found.version_id}
            for name, found in (("test", record.test), ("recipe", record.recipe_file))
        },
        "has_recipe": bool(record.recipe_file or record.source.get("recipe") or record.source.get("resumes")),
        "legacy": record.legacy and dict(record.legacy),
        "execution_arn": record.execution_arn,
        "started_at": record.started_at,
    }
    line = subject_line("Tunedrop STARTED: ", record.name, record.run_id)
    return publication(_ready(document, record, [_stop(record)]), line, _attributes(record, "run_started"))


def warning(record: RunRecord, finding: Mapping[str, Any]) -> Publication:
    """The notice of one finding about a training that goes on, ready to publish. Its id is the same each time."""
    document = {
        **_head(record, "training_warning", identity.warning_notice_id(record.run_id, finding["name"])),
        "job_id": record.job_id,
        "finding": dict(finding),
        **_who(record),
        "execution_arn": record.execution_arn,
    }
    line = subject_line(f"Tunedrop WARNING: {finding['name']}, ", record.name, record.run_id)
    told = {**_attributes(record, "training_warning"), "finding": str(finding["name"])}
    return publication(_ready(document, record, [_stop(record)]), line, told)


def turn_awaited(record: RunRecord, place: Place) -> Publication:
    """The notice that a run waits long for its turn to train, ready to publish. Its id is the same each time."""
    document = {
        **_head(record, "turn_awaited", identity.turn_notice_id(record.run_id)),
        "place": place.place,
        "waiting": place.waiting,
        "waiting_since": place.since,
        "turn_expected_at": place.turn_at,
        "wait_hours": record.recipe.queue.wait_hours,
        "execution_arn": record.execution_arn,
    }
    line = subject_line(f"Tunedrop WAITING: number {place.place}, ", record.name, record.run_id)
    return publication(_ready(document, record, [_stop(record)]), line, _attributes(record, "turn_awaited"))


def approval_wanted(record: RunRecord, promotion: Promotion, *, runs_table: str) -> Publication:
    """The notice that asks a person to approve the promotion, ready to publish. Its id is the same each time."""
    asked = approval_of(record)
    document = {
        **_head(record, "approval_wanted", identity.approval_notice_id(record.run_id)),
        "tuned_model": record.tuned_model,
        "parameter": promotion.parameter,
        "hours": promotion.approval_hours,
        "verdict": record.evaluation.verdict,
        "difference": record.evaluation.difference,
        "why": asked.why if asked else "",
        **_who(record),
        "report_uri": record.report_uri,
        "execution_arn": record.execution_arn,
    }
    line = subject_line("Tunedrop APPROVAL WANTED: ", record.name, record.run_id)
    # Where the stack names the approvers, a word counts only through the API, which knows who says it.
    commands = [] if record.governed else actions.word_commands(record.run_id, runs_table, _region(record))
    told = {**_attributes(record, "approval_wanted"), "verdict": _verdict(record)}
    return publication(_ready(document, record, commands), line, told)


def promotion_decided(record: RunRecord) -> Publication:
    """The notice of a decision that came after the run's end: the word about the promotion, or its roll-back.

    Each of the two has an id of its own, which is the same each time.
    """
    promotion = standing(record, record.status)
    document = {
        **_head(record, "promotion_decided", identity.decision_notice_id(record.run_id, record.promotion or "")),
        "outcome": record.promotion,
        "tuned_model": record.tuned_model,
        "parameter": promotion["parameter"],
        "in_place": {"done": record.tuned_model, "rolled_back": record.rolling_back_to}.get(record.promotion or ""),
        "why_not": promotion["why_not"],
        "approval": promotion["approval"],
        "decisions": promotion["decisions"],
        **_who(record),
        "report_uri": record.report_uri,
        "execution_arn": record.execution_arn,
    }
    line = subject_line(f"Tunedrop PROMOTION {_OUTCOMES[str(record.promotion)]}: ", record.name, record.run_id)
    told = {**_attributes(record, "promotion_decided"), "verdict": _verdict(record)}
    return publication(_ready(document, record, []), line, told)


_OUTCOMES = {
    "done": "DONE",
    "rejected": "REJECTED",
    "expired": "EXPIRED",
    "failed": "FAILED",
    "rolled_back": "ROLLED BACK",
}


def attributes(record: RunRecord, status: Status) -> dict[str, str | None]:
    """What a filter policy can ask for; SNS gets those that have a value."""
    return {**_attributes(record, "run_ended"), "status": str(status), "verdict": _verdict(record)}


def _attributes(record: RunRecord, event: str) -> dict[str, str | None]:
    return {"event": event, "name": record.name, "team": record.team, "base_model": record.base_model}


def _head(record: RunRecord, event: str, notice_id: str) -> dict[str, Any]:
    """What the document of every notice about a run begins with."""
    return {
        "schema_version": SCHEMA_VERSION,
        "notice_id": notice_id,
        "event": event,
        "run_id": record.run_id,
        "name": record.name,
        "team": record.team,
        "status": str(record.status),
        "base_model": record.base_model,
        "labels": record.labels,
    }


def _ready(document: Mapping[str, Any], record: RunRecord, commands: list[actions.Action]) -> dict[str, Any]:
    """A document with all that its reader can act on."""
    return {
        **document,
        **summary({**document, "commands": commands}),
        "links": actions.links(document, _region(record)),
        "commands": commands,
    }


def _region(record: RunRecord) -> str:
    return record.execution_arn.split(":")[3]


def _stop(record: RunRecord) -> actions.Action:
    return actions.stop_command(record.execution_arn, _region(record))


def subject(name: str, run_id: str, status: Status, verdict: str | None) -> str:
    """The e-mail's subject, within what SNS takes: at most 99 printable ASCII characters, no space at the start."""
    return subject_line(f"Tunedrop {status}: " + (f"{verdict}, " if verdict else ""), name, run_id)


def _end(
    record: RunRecord, status: Status, reason: Mapping[str, str] | None, *, finished_at: str, report_uri: str | None
) -> dict[str, Any]:
    training, cost = record.training, training_cost(record)
    return {
        **_head(record, "run_ended", identity.terminal_notice_id(record.run_id)),
        "status": str(status),
        "reason": reason,
        "tuned_model": record.tuned_model,
        "dataset": _dataset(record),
        "training": None
        if record.job_id is None
        else {
            "job_id": record.job_id,
            "steps": training.steps,
            "reward_first": training.reward_first,
            "reward_last": training.reward_last,
            "findings": [finding["name"] for finding in training.findings or ()],
            **_who(record),
            "dollars": cost.dollars if cost else None,
        },
        "evaluation": record.evaluation.document or None,
        "promotion": standing(record, status),
        "released": [{"id": name, "how": how} for name, how in record.released.items()],
        "may_still_cost": left_behind(record),
        "report_uri": report_uri,
        "execution_arn": record.execution_arn,
        "started_at": record.started_at,
        "finished_at": finished_at,
    }


def _dataset(record: RunRecord) -> dict[str, Any]:
    if record.train is not None:
        uri, version = record.train.uri, record.train.version_id
    else:
        uri = f"s3://{record.source.get('bucket')}/{record.source.get('key')}"
        version = record.source.get("version_id", "")
    return {"uri": uri, "version": version, "rows": record.dataset.rows}


def _who(record: RunRecord) -> dict[str, Any]:
    return who_trains(simulated=bool(record.training.simulated), weights=record.training.weights)


def _verdict(record: RunRecord) -> str | None:
    return record.evaluation.verdict
