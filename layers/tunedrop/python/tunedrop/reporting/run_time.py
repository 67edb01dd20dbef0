"""Where the time of a run went, and what its training cost by the recipe's prices."""

from __future__ import annotations

from typing import Any

from tunedrop import clock
from tunedrop.run.record import RunRecord
from tunedrop.stages import BY_NAME
from tunedrop.training.budget import training_cost


def stages(record: RunRecord, finished_at: str) -> list[dict[str, Any]]:
    """Each state that worked, in that order, with the seconds since the one before: its own time and its wait.

    What came after the last of them is the run's ending: its report, or the winding up after a failure.
    """
    told = []
    since = clock.parse(record.started_at)
    for state, at in sorted(record.reached.items(), key=lambda each: each[1]):
        reached = clock.parse(at)
        told.append({"name": _title(state), "seconds": max(0.0, (reached - since).total_seconds())})
        since = max(since, reached)
    rest = (clock.parse(finished_at) - since).total_seconds()
    if rest >= 0.05:  # less is not worth a line
        told.append({"name": "Ending", "seconds": rest})
    return told


def _title(stage: str) -> str:
    return BY_NAME[stage].title if stage in BY_NAME else stage


def cost(record: RunRecord) -> dict[str, str]:
    """What the training cost by the prices that the recipe gives, and what was counted; empty without prices."""
    known = training_cost(record)
    if known is None:
        return {}
    return {
        "training": f"${known.dollars:,.2f} by the recipe's prices",
        "counted": f"{known.hours:.2f} hours, {known.steps:,} steps, {known.gradings:,} gradings",
    }
