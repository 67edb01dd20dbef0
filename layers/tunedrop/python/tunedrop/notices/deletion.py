"""The notice that says what of a team's old runs will be deleted, and when: before anything is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tunedrop import identity
from tunedrop.notices.actions import folders_link, keep_command
from tunedrop.notices.of_run import SCHEMA_VERSION
from tunedrop.notices.plain_text import count, short
from tunedrop.notices.publication import Publication, publication, subject_line
from tunedrop.notices.summary import summary
from tunedrop.run.record import RunRecord

_NAME_CHARACTERS = 80
"""Of a run's name: each of the 25 runs of a notice must have room in it."""

EVENT = "deletion_announced"


def announcement(
    team: str | None,
    records: Sequence[RunRecord],
    due: Mapping[str, Mapping[str, str]],
    *,
    runs_table: str,
    runs_bucket: str,
    region: str,
) -> Publication:
    """The notice about these runs of one team, ready to publish. `due`: by run and kind, from when on it is deleted.

    Its id is the same for the same deletions.
    """
    runs = [
        {
            "run_id": record.run_id,
            "name": short(record.name, _NAME_CHARACTERS),
            "finished_at": record.finished_at,
            "deletes": [{"what": kind, "at": at} for kind, at in due[record.run_id].items()],
        }
        for record in records
    ]
    document: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "notice_id": identity.deletion_notice_id(json.dumps([team, due], sort_keys=True)),
        "event": EVENT,
        "run_id": None,
        "name": count(len(runs), "old run"),
        "team": team,
        "runs": runs,
        "first_at": min(at for each in due.values() for at in each.values()),
        "links": [folders_link(runs_bucket, region)],
        "commands": [keep_command([record.run_id for record in records], runs_table, region)],
    }
    document |= summary(document)
    line = subject_line("Tunedrop DELETES SOON: ", document["name"], "old runs")
    return publication(document, line, {"event": EVENT, "name": document["name"], "team": team})
