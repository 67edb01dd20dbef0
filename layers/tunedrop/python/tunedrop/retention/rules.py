"""The template's parameter `Retention`, and what is due by it. Pure.

    {"runs_days": 365, "datasets_days": 90, "training_files_days": 30, "models_days": 180, "notice_days": 7}

The days count from the end of a run. What has no figure is kept for ever; {} keeps everything. The record notes by kind
how far a deletion is: `announced` for a time, `deleting` since then, `deleted` at that time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tunedrop import clock
from tunedrop.catalog import Family, find
from tunedrop.outcomes import RecipeInvalid

if TYPE_CHECKING:
    from tunedrop.run.record import RunRecord

RUN = "run"
FIELDS = {"dataset": "datasets_days", "training_file": "training_files_days", "model": "models_days", RUN: "runs_days"}
"""What can be deleted, in the order in which it is, with the field of the parameter that says after how many days."""

LEAST_RUNS_DAYS = 30
"""Longer than a run can take, and than any event of its upload or its execution is delivered again."""

ANNOUNCED, DELETING, DELETED = "announced", "deleting", "deleted"
KEEP = "keep"
"""The label of a recipe, and the attribute of a record, by which nothing of a run is deleted."""

_USUAL_NOTICE_DAYS = 7
_MOST_DAYS = 36_500


class RetentionInvalid(Exception):
    """The parameter cannot be read; names the field."""


@dataclass(frozen=True, slots=True)
class Retention:
    """`days` by kind: how long it is kept after the end of its run. `notice_days`: how long before that it is told."""

    days: Mapping[str, float]
    notice_days: float = _USUAL_NOTICE_DAYS

    @classmethod
    def parse(cls, text: str) -> Retention:
        """What the parameter's JSON says. Raises RetentionInvalid."""
        try:
            told = json.loads(text or "{}")
        except ValueError as error:
            raise RetentionInvalid(f"Retention: expected JSON, got {text[:60]!r} ({error})") from None
        known = {*FIELDS.values(), "notice_days"}
        if not isinstance(told, Mapping) or not set(told) <= known:
            raise RetentionInvalid(
                f"Retention: expected an object with some of {', '.join(sorted(known))}, got {text[:200]!r}"
            )
        for name, value in told.items():
            least = LEAST_RUNS_DAYS if name == FIELDS[RUN] else 1
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not number or not least <= value <= _MOST_DAYS:
                raise RetentionInvalid(f"Retention.{name}: expected {least} to {_MOST_DAYS} days, got {value!r}")
        days = {kind: float(told[name]) for kind, name in FIELDS.items() if name in told}
        if RUN in days and not {"training_file", "model"} <= days.keys():
            raise RetentionInvalid(
                "Retention.runs_days: it needs `training_files_days` and `models_days`, as without its record nobody "
                "knows what a run has left at Bedrock"
            )
        for kind, figure in days.items():
            if figure > days.get(RUN, _MOST_DAYS):
                raise RetentionInvalid(
                    f"Retention.{FIELDS[kind]}: {figure:g} days are more than the {days[RUN]:g} of `runs_days`, and "
                    "without its record nobody knows what a run has left; make `runs_days` the greatest"
                )
        return cls(days, float(told.get("notice_days", _USUAL_NOTICE_DAYS)))

    def to_announce(self, record: RunRecord, now: datetime) -> dict[str, str]:
        """What is to be announced now, by kind, with the time from which on it may be deleted."""
        return {
            kind: clock.text(max(kept_until, now + timedelta(days=self.notice_days)))
            for kind, kept_until in self._of(record)
            if kind not in record.retention and now >= kept_until - timedelta(days=self.notice_days)
        }

    def to_delete(self, record: RunRecord, now: datetime) -> list[str]:
        """What may be deleted now, in the order in which it is: it was announced for now or before, or is half gone.

        The run itself goes last: without its record nobody would delete the rest.
        """
        due = []
        for kind, kept_until in self._of(record):
            state, at = standing(record, kind)
            if state == DELETING or (state == ANNOUNCED and clock.parse(at) <= now and kept_until <= now):
                due.append(kind)
        others = {kind for kind in record.retention if kind != RUN and standing(record, kind)[0] != DELETED}
        return due if others <= set(due) else [kind for kind in due if kind != RUN]

    def _of(self, record: RunRecord) -> Iterator[tuple[str, datetime]]:
        """Each kind of thing that the run left behind, with the time until which it is kept."""
        if record.finished_at is None or record.notified_at is None:
            return
        ended = clock.parse(record.finished_at)
        for kind in FIELDS:
            if kind in self.days and _left(record, kind):
                yield kind, ended + timedelta(days=self.days[kind])


def standing(record: RunRecord, kind: str) -> tuple[str, str]:
    """How far the deletion is, and its time; two empty texts where nothing was announced."""
    state, _, at = record.retention.get(kind, "").partition(" ")
    return state, at


def why_kept(record: RunRecord, promoted: frozenset[str]) -> str | None:
    """Why nothing of the run is deleted, whatever its age; None where nothing speaks for it. `promoted`: the values of
    all parameters below the stack's path, those named `/previous` too."""
    if record.keep or KEEP in record.labels:
        return "somebody wants it kept"
    if record.promotion == "waiting":
        return "its promotion waits for a person"
    if {record.tuned_model, record.asked_as} & promoted:
        return "its model is promoted, or is what a promoted one replaced"
    return None


def _left(record: RunRecord, kind: str) -> bool:
    source: Mapping[str, Any] = record.source
    if kind == "dataset":
        return source.get("kind") == "upload" and record.train is not None and bool(record.train.version_id)
    nova = _family(record) is Family.NOVA
    if kind == "training_file":
        return record.file_id is not None and record.file_id not in record.released and not nova
    if kind == "model":
        return record.tuned_model is not None and nova
    return True


def _family(record: RunRecord) -> Family | None:
    try:
        return find(record.base_model or "").family
    except RecipeInvalid:
        return None
