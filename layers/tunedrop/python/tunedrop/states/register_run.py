"""RegisterRun: creates the run's record before anything else, so that one event starts one run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tunedrop import identity
from tunedrop.resources import Resources
from tunedrop.run.registration import new_record
from tunedrop.run.store import OwnedByAnother
from tunedrop.states.decision import Decision


@dataclass(frozen=True, slots=True)
class Registered(Decision):
    """The run is `registered`, or this execution is a `duplicate` of the one that owns it."""

    run_id: str
    settle_seconds: int


def run(event: Mapping[str, Any], resources: Resources) -> Registered:
    """Create a run's record, owned by the execution that asks for it.

    Input: `input` (the input of the execution), `execution_arn` and `started_at`.
    """
    run_id = identity.run_id_of(event["input"])
    new = new_record(run_id, event["input"], event["execution_arn"], event["started_at"], resources.teams)
    # The API wrote the record of its run before it started this execution, which then finds it as its own.
    settle_seconds = resources.settings.settle_seconds if new.source["kind"] == "upload" else 0
    try:
        resources.runs.register(new)
    except OwnedByAnother:
        return Registered("duplicate", run_id, settle_seconds)
    return Registered("registered", run_id, settle_seconds)
