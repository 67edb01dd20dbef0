"""The notices of a run, as JSON documents with a text for e-mail: its start, what its training shows, its end.

The terminal notice is an outbox: it is saved with the status that closes the record, then published, then marked as
published. events/schemas/notice.schema.json is the documents' schema, docs/notices.md says which state publishes which.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from tunedrop import clock, identity, notice_email, outcomes
from tunedrop.outcomes import Status
from tunedrop.recipe import Promotion
from tunedrop.run.promotion import standing
from tunedrop.run.record import RunRecord
from tunedrop.training.holdings import left_behind

SCHEMA_VERSION = "1.0"

_LATIN = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "œ": "oe", "ł": "l", "Ł": "L", "đ": "d", "þ": "th"}
)
"""Latin letters that are no letter with an accent."""

_NOT_IN_ATTRIBUTES = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
"""SNS, Publish: "Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to
#x10FFFF"."""

SUBJECT_LENGTH = 99
"""SNS refuses a Subject of 100 characters or more (API reference of Publish: "up to 100 characters long")."""

MESSAGE_BYTES = 256 * 1024
"""SNS's limit for message and attributes together. A reason is cut well before it, see `outcomes.reason`."""


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
    body = _body(record, status, reason, finished_at=finished_at, report_uri=report_uri)
    return {
        "status": status,
        "reason": reason,
        "finished_at": finished_at,
        "report_uri": report_uri,
        "notice": publishable(
            body, subject(record.name, record.run_id, status, _verdict(record)), attributes(record, status)
        ),
    }


def started(record: RunRecord) -> dict[str, Any]:
    """The notice that a run has begun, with what was found beside its dataset. Its id is the same each time."""
    train, recipe = record.train, record.recipe or {}
    body = {
        **_head(record, "run_started", identity.started_notice_id(record.run_id)),
        "grader": (recipe.get("grader") or {}).get("kind"),
        "dataset": None
        if train is None
        else {"uri": train.uri, "version": train.version_id, "bytes": train.bytes, "rows": None},
        "found": {
            name: None if found is None else {"uri": found.uri, "version": found.version_id}
            for name, found in (("test", record.test), ("recipe", record.recipe_file))
        },
        "execution_arn": record.execution_arn,
        "started_at": record.started_at,
    }
    return publishable(
        body, subject_line("Tunedrop STARTED: ", record.name, record.run_id), _attributes(record, "run_started")
    )


def publishable(body: Mapping[str, Any], line: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """A notice as the state machines publish it: the JSON document for programs, the text for e-mail."""
    return {
        "notice_id": body["notice_id"],
        "subject": line,
        "message": json.dumps(body, ensure_ascii=False, allow_nan=False),
        "email": notice_email.text_of(body),
        "attributes": dict(told),
    }


def attribute_values(values: Mapping[str, str | None]) -> dict[str, Any]:
    """SNS's MessageAttributes of `values`; left out where there is no value.

    A folder may have any name, and SNS refuses a notice whose attribute has a character that XML does not hold: it is
    a question mark there. The document has the name as it is.
    """
    return {
        name: {"DataType": "String", "StringValue": _NOT_IN_ATTRIBUTES.sub("?", value)}
        for name, value in values.items()
        if value
    }


def warning(record: RunRecord, finding: Mapping[str, Any]) -> dict[str, Any]:
    """The notice of one finding about a training that goes on, ready to publish. Its id is the same each time."""
    body = {
        **_head(record, "training_warning", identity.warning_notice_id(record.run_id, finding["name"])),
        "job_id": record.job_id,
        "finding": dict(finding),
        "simulated": bool((record.training or {}).get("simulated", False)),
        "execution_arn": record.execution_arn,
    }
    told = {**_attributes(record, "training_warning"), **attribute_values({"finding": str(finding["name"])})}
    return publishable(body, subject_line(f"Tunedrop WARNING: {finding['name']}, ", record.name, record.run_id), told)


def approval_wanted(record: RunRecord, promotion: Promotion) -> dict[str, Any]:
    """The notice that asks a person to approve the promotion, ready to publish. Its id is the same each time."""
    evaluation = record.evaluation or {}
    body = {
        **_head(record, "approval_wanted", identity.approval_notice_id(record.run_id)),
        "tuned_model": record.tuned_model,
        "parameter": promotion.parameter,
        "hours": promotion.approval_hours,
        "verdict": evaluation.get("verdict"),
        "difference": evaluation.get("difference"),
        "simulated": bool((record.training or {}).get("simulated", False)),
        "report_uri": record.report_uri,
        "execution_arn": record.execution_arn,
    }
    told = {**_attributes(record, "approval_wanted"), **attribute_values({"verdict": _verdict(record)})}
    return publishable(body, subject_line("Tunedrop APPROVAL WANTED: ", record.name, record.run_id), told)


def attributes(record: RunRecord, status: Status) -> dict[str, Any]:
    """What a filter policy can ask for, in the form of SNS's MessageAttributes; left out where there is no value."""
    ending = {"status": str(status), "verdict": _verdict(record)}
    return {**_attributes(record, "run_ended"), **attribute_values(ending)}


def _attributes(record: RunRecord, event: str) -> dict[str, Any]:
    told = {"event": event, "name": record.name, "team": record.team, "base_model": _base_model(record)}
    return attribute_values(told)


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
        "base_model": _base_model(record),
    }


def subject(name: str, run_id: str, status: Status, verdict: str | None) -> str:
    """The e-mail's subject, within what SNS takes: at most 99 printable ASCII characters, no space at the start."""
    return subject_line(f"Tunedrop {status}: " + (f"{verdict}, " if verdict else ""), name, run_id)


def subject_line(told: str, name: str, instead: str) -> str:
    """`told` and as much of `name` as SNS takes: at most 99 printable ASCII characters in all.

    `instead`, in printable ASCII, stands for a name that ASCII cannot write.
    """
    plain = _in_ascii(name) or instead
    room = SUBJECT_LENGTH - len(told)
    return told + (plain if len(plain) <= room else plain[: room - 3] + "...")


def _in_ascii(name: str) -> str | None:
    """A name in printable ASCII, accents left off; None where it has other letters, or control characters."""
    folded = unicodedata.normalize("NFKD", name.translate(_LATIN))
    plain = "".join(each for each in folded if not unicodedata.combining(each))
    return plain if all(" " <= each <= "~" for each in plain) and plain.strip() else None


def _body(
    record: RunRecord, status: Status, reason: Mapping[str, str] | None, *, finished_at: str, report_uri: str | None
) -> dict[str, Any]:
    training = record.training or {}
    dataset = record.dataset or {}
    return {
        **_head(record, "run_ended", identity.terminal_notice_id(record.run_id)),
        "status": str(status),
        "reason": reason,
        "tuned_model": record.tuned_model,
        "dataset": _dataset(record, dataset),
        "training": None
        if record.job_id is None
        else {
            "job_id": record.job_id,
            "steps": training.get("steps"),
            "reward_first": training.get("reward_first"),
            "reward_last": training.get("reward_last"),
            "findings": [finding["name"] for finding in training.get("findings") or ()],
            "simulated": bool(training.get("simulated", False)),
        },
        "evaluation": record.evaluation,
        "promotion": standing(record, status),
        "released": [{"id": name, "how": how} for name, how in record.released.items()],
        "may_still_cost": left_behind(record),
        "report_uri": report_uri,
        "execution_arn": record.execution_arn,
        "started_at": record.started_at,
        "finished_at": finished_at,
    }


def _dataset(record: RunRecord, dataset: Mapping[str, Any]) -> dict[str, Any]:
    if record.train is not None:
        uri, version = record.train.uri, record.train.version_id
    else:
        uri = f"s3://{record.source.get('bucket')}/{record.source.get('key')}"
        version = record.source.get("version_id", "")
    return {"uri": uri, "version": version, "rows": dataset.get("rows")}


def _verdict(record: RunRecord) -> str | None:
    return (record.evaluation or {}).get("verdict")


def _base_model(record: RunRecord) -> str | None:
    return (record.recipe or {}).get("model") or None
