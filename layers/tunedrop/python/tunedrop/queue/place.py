"""Where a run stands in the line, and when its turn will be, at the pace of the jobs so far. Pure."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from datetime import timedelta
from math import isinf

from tunedrop import clock
from tunedrop.queue.line import Line, Rules


@dataclass(frozen=True, slots=True)
class Place:
    """`place` 1 is next, of `waiting` runs that wait; `since` is when it began to wait.

    `turn_at`: when its turn is expected; None where no job has told how long jobs take.
    """

    place: int
    waiting: int
    since: str
    turn_at: str | None


def place_of(line: Line, run_id: str, rules: Rules, now: str) -> Place | None:
    """Where a run that waits stands; None for any other."""
    entry = line.waiting.get(run_id)
    if entry is None:
        return None
    place = 1 + next(number for number, each in enumerate(line.in_order()) if each == run_id)
    return Place(place, len(line.waiting), entry.since, _turn_at(line, place, rules, now))


def _turn_at(line: Line, place: int, rules: Rules, now: str) -> str | None:
    """When the run at `place` gets its slot if each job takes as long as jobs took so far."""
    free = line.free(rules, now)
    moment = clock.parse(now)
    if isinf(free) or place <= free:
        return now
    if line.job_seconds is None:
        return None
    job = timedelta(seconds=line.job_seconds)
    ends = [max(moment, clock.parse(slot.since) + job) for slot in line.slots.values()]
    ends += [moment] * int(free)
    if not ends:  # no slot of ours is taken, and the service had no room: nobody can tell
        return None
    heapq.heapify(ends)
    for _ in range(place - 1):
        heapq.heappushpop(ends, ends[0] + job)
    return clock.text(ends[0])
