"""One sweep over old runs: announces what is due to be deleted, and deletes what was announced long enough ago.

A pass goes through the whole table, some records a sweep. Where it stands, and what is being announced, is one item:
so a sweep that is killed is finished by the next one, with the same notice. Each deletion is noted in the record before
it begins and when it is done; one that was begun is finished by a later pass.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from tunedrop import audit, clock
from tunedrop.notices.deletion import announcement
from tunedrop.one_item import OneItem
from tunedrop.outcomes import ServiceBusy
from tunedrop.retention.deletion import Deletion
from tunedrop.retention.rules import ANNOUNCED, DELETED, DELETING, RUN, Retention, standing, why_kept
from tunedrop.run.store import ConditionNotMet
from tunedrop.training.backend import Busy, Refused, Unclear

if TYPE_CHECKING:
    from tunedrop.resources import Resources
    from tunedrop.run.record import RunRecord

PAGE, PAGES = 50, 10
"""Records that a sweep reads at once, and how many times: 48,000 a day at a sweep every 15 minutes."""

MOST_ANNOUNCED = 25
"""Runs in one sweep's notices: a notice has at most 64 KiB, in which these have room beside their names."""

MOST_DELETED = 20
"""Deletions in one sweep."""

MOST_SECONDS = 120.0
"""After which a sweep begins no other deletion; the function has 300 s."""

PASS_EVERY = timedelta(hours=6)
"""Between the end of a pass and the next one: nobody counts on the hour, and reading costs."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the pass stands: `after` which run it goes on. `ended_at`: of the last pass, None while one goes on.

    `announcing` is what is being announced since `at`: by run and kind, from when on it may be deleted.
    """

    after: str | None = None
    ended_at: str | None = None
    at: str = ""
    announcing: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


class RetentionSweep:
    """Needs `RetentionPolicy` of the template. `announced` and `deleted` count what this sweep did."""

    def __init__(self, retention: Retention, resources: Resources) -> None:
        self._retention = retention
        self._resources = resources
        self._item = OneItem(resources.dynamodb, resources.settings.api_table, "retention")
        self._deletion = Deletion(resources)
        self._troubles: list[str] = []
        self._until = time.monotonic() + MOST_SECONDS
        self.announced = 0
        self.deleted = 0

    def run(self) -> list[str]:
        """Do one sweep; what could not be done, to be tried again by a later pass."""
        text, _ = self._item.load()
        stands = _standing(text)
        if stands.announcing:
            self._announce(stands)
            text = self._moved(text, Standing(stands.after, stands.ended_at))
            stands = _standing(text)
        now = clock.now()
        if stands.ended_at is not None and now < clock.parse(stands.ended_at) + PASS_EVERY:
            return self._troubles
        after, announcing = self._look(stands.after, now)
        ended = clock.text(now) if after is None else None
        following = Standing(after, ended, clock.text(now) if announcing else "", announcing)
        text = self._moved(text, following)
        if announcing and text is not None:
            self._announce(following)
            self._moved(text, Standing(after, ended))
        return self._troubles

    def _moved(self, read: str | None, stands: Standing) -> str | None:
        """Note where the pass stands; None where another sweep has noted something else meanwhile."""
        told = json.dumps(asdict(stands))
        return self._item.change(lambda text: (told, told) if text == read else (None, None))

    def _look(self, after: str | None, now: datetime) -> tuple[str | None, dict[str, dict[str, str]]]:
        """Delete what is due, from the record behind `after` on; where to go on, and what is to be announced."""
        announcing: dict[str, dict[str, str]] = {}
        for _ in range(PAGES):
            records, following = self._resources.runs.page(after, limit=PAGE)
            for record in records:
                if len(announcing) == MOST_ANNOUNCED or self.deleted >= MOST_DELETED or time.monotonic() > self._until:
                    return after, announcing
                if due := self._look_at(record, now):
                    announcing[record.run_id] = due
                after = record.run_id
            after = following
            if after is None:
                break
        return after, announcing

    def _look_at(self, record: RunRecord, now: datetime) -> dict[str, str]:
        """Delete what of a run is due; what of it is to be announced."""
        due, ripe = self._retention.to_announce(record, now), self._retention.to_delete(record, now)
        if not (due or ripe) or not self._may_go(record):
            return {}
        for kind in ripe:
            if kind == RUN and any(standing(record, each)[0] == DELETING for each in record.retention if each != RUN):
                break
            record = self._tried(record, kind) or record
        return {kind: at for kind, at in due.items() if kind != "model" or self._made(record)}

    def _announce(self, stands: Standing) -> None:
        """Publish a notice for each team, and note in the records what it says."""
        by_team: dict[str | None, list[RunRecord]] = {}
        for record in self._resources.runs.load_many(list(stands.announcing)):
            by_team.setdefault(record.team, []).append(record)
        settings = self._resources.settings
        for team, records in by_team.items():
            told = {record.run_id: stands.announcing[record.run_id] for record in records}
            notice = announcement(
                *(team, records, told),
                runs_table=settings.runs_table,
                runs_bucket=settings.runs_bucket,
                region=settings.region,
            )
            self._resources.sns.publish(TopicArn=os.environ["NOTICES_TOPIC"], **notice)
            for record in records:
                self._note_announced(record, stands.at, told[record.run_id])
                self.announced += 1

    def _note_announced(self, record: RunRecord, at: str, told: Mapping[str, str]) -> None:
        reason = ", ".join(f"{kind} on {due[:10]}" for kind, due in told.items())
        self._resources.audit.write(audit.entry(record, "deletion_announced", at, reason=reason))
        # Told late, because a sweep was killed: then it is deleted later than the notice says.
        earliest = clock.text(clock.now() + timedelta(days=self._retention.notice_days))
        noted = {**{kind: f"{ANNOUNCED} {max(due, earliest)}" for kind, due in told.items()}, **record.retention}
        with suppress(ConditionNotMet):  # somebody has deleted the record by hand
            self._resources.runs.update_if(record.run_id, {"retention": noted}, "attribute_exists(run_id)")

    def _tried(self, record: RunRecord, kind: str) -> RunRecord | None:
        """Delete one thing; the record as it is then, None where it was not to be or could not be done."""
        try:
            return self._delete(record, kind)
        except ConditionNotMet:
            return None  # somebody wants it kept, or has begun to use it
        except (Busy, Refused, Unclear, ServiceBusy, ClientError) as trouble:
            self._troubles.append(f"the {kind} of run {record.run_id} could not be deleted: {trouble}")
            return None

    def _delete(self, record: RunRecord, kind: str) -> RunRecord:
        store, (state, at) = self._resources.runs, standing(record, kind)
        if state != DELETING:
            at = clock.now_text()
            # Whoever begins to use the run notes that in its record first and looks afterwards: one of the two sees it.
            unused = "attribute_not_exists(used_by)" if record.used_by is None else "used_by = :used"
            record = store.update_if(
                record.run_id,
                {"retention": {**record.retention, kind: f"{DELETING} {at}"}},
                f"attribute_not_exists(keep) AND retention = :seen AND {unused}",
                {
                    ":seen": dict(record.retention),
                    **({} if record.used_by is None else {":used": list(record.used_by)}),
                },
            )
        what = self._deletion.of(record, kind)
        if what is None:
            return record
        self._resources.audit.write(audit.entry(record, f"{kind}_deleted", at, reason=what))
        self.deleted += 1
        if kind == RUN:
            store.forget(record.run_id, "retention = :seen", {":seen": dict(record.retention)})
            return record
        noted = {**record.retention, kind: f"{DELETED} {at}"}
        return store.update_if(record.run_id, {"retention": noted}, "attribute_exists(run_id)")

    def _may_go(self, record: RunRecord) -> bool:
        """Whether nothing speaks for keeping the run, nor for keeping the one whose model it has taken over."""
        if why_kept(record, self._promoted) is not None:
            return False
        if record.used_by and self._resources.runs.load_many(record.used_by):
            return False
        shared = self._resources.runs.load_many([record.resumes]) if record.resumes else []
        return not any(why_kept(each, self._promoted) for each in shared)

    def _made(self, record: RunRecord) -> bool:
        """Whether the run itself made its model: one that was only tested is not its to delete."""
        maker = self._resources.models.maker(record.tuned_model or "")
        return maker is not None and maker.run_id == record.run_id

    @cached_property
    def _promoted(self) -> frozenset[str]:
        """The values of all parameters below the stack's path."""
        pages = self._resources.ssm.get_paginator("get_parameters_by_path").paginate(
            Path=self._resources.settings.parameter_path, Recursive=True
        )
        return frozenset(each["Value"] for page in pages for each in page["Parameters"])


def _standing(text: str | None) -> Standing:
    return Standing() if text is None else Standing(**json.loads(text))
