"""A plan of faults, as the switch `fault_plan` takes it: which calls it befalls, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

When = Literal["before", "after"]
KINDS = ("429", "500", "503", "reset", "hang", "cut", "malformed")


class FaultPlanInvalid(ValueError):
    """A plan of faults that does not read as ACTION:before|after:KIND[:TIMES]."""


@dataclass(slots=True)
class PlannedFault:
    """A fault that befalls the next `times` calls of an action, before or after their side effect."""

    action: str
    when: When
    kind: str
    times: int


def parse_plan(text: str) -> list[PlannedFault]:
    """The planned faults of a comma-separated list. Raises FaultPlanInvalid."""
    planned = []
    for entry in filter(None, (part.strip() for part in text.split(","))):
        action, *rest = entry.split(":")
        times = rest.pop() if len(rest) == 3 else "1"
        if len(rest) != 2 or rest[0] not in ("before", "after") or rest[1] not in KINDS or not times.isdigit():
            kinds = ", ".join(KINDS)
            raise FaultPlanInvalid(f"expected ACTION:before|after:KIND[:TIMES] with a KIND of {kinds}, got {entry!r}")
        planned.append(PlannedFault(action, "before" if rest[0] == "before" else "after", rest[1], int(times)))
    return planned
