"""The line of the runs that train with one service: those that wait, and those that have a slot. Pure.

A `Line` is a value: each function gives the line as it is afterwards, and doing a thing a second time changes nothing.
Order is told by counters, not by clocks, so that a clock that jumps lets nobody jump the queue. Times are text as
`tunedrop.clock` writes it, and serve the estimate and the limits of waiting alone.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from math import inf

from tunedrop import clock

MOST_WAITING = 1000
"""More runs wait beside the line, and join it as it gets shorter: an item of DynamoDB holds 400 KB, an entry takes 200
bytes."""

NEW_SHARE = 0.3
"""How much the last job counts in the typical job's length."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A run that waits since the time `since`. `arrived` counts the arrivals; a greater `priority` goes first."""

    team: str
    priority: int
    arrived: int
    since: str


@dataclass(frozen=True, slots=True)
class Slot:
    """A run that may have a job, since the time `since`. `waited` is what it was before.

    `turn` counts the turns of all teams; `turn_before` is the team's last one before it.
    """

    waited: Waiting
    since: str
    turn: int
    turn_before: int


@dataclass(frozen=True, slots=True)
class Full:
    """What a refusal of the service taught: with `slots` of ours taken it had no room, at the time `at`."""

    slots: int
    at: str


@dataclass(frozen=True, slots=True)
class Rules:
    """`jobs_at_once` are all that the operator lets train, 0 for as many as the service takes.

    `probe_seconds`: so long after a refusal one job more is tried, and so on.
    """

    jobs_at_once: int
    probe_seconds: float


@dataclass(frozen=True, slots=True)
class Line:
    """Who waits and who has a slot, by run id. `served`: the number of each team's last turn.

    A team's last turn stays known when it leaves the line: else a team that sends one run after the other would seem
    new each time and go before those that wait. Teams are those of the parameter `Teams`, so they are few.
    """

    waiting: Mapping[str, Waiting] = field(default_factory=dict)
    slots: Mapping[str, Slot] = field(default_factory=dict)
    served: Mapping[str, int] = field(default_factory=dict)
    arrivals: int = 0
    turns: int = 0
    full: Full | None = None
    job_seconds: float | None = None

    def free(self, rules: Rules, now: str) -> float:
        """How many more runs may have a slot now; infinite where nobody has set or learnt a limit."""
        most: float = rules.jobs_at_once or inf
        if self.full is not None:
            most = min(most, self.full.slots + max(0.0, _seconds(self.full.at, now)) // max(rules.probe_seconds, 1e-3))
        return max(0.0, most - len(self.slots))

    def joined(self, run_id: str, team: str, priority: int, now: str) -> Line:
        """With the run in it, behind all others; one that is in it already stays where it is."""
        if run_id in self.waiting or run_id in self.slots or len(self.waiting) >= MOST_WAITING:
            return self
        entry = Waiting(team, priority, self.arrivals + 1, now)
        return replace(self, waiting={**self.waiting, run_id: entry}, arrivals=entry.arrived)

    def next_ones(self, rules: Rules, now: str) -> list[str]:
        """The runs that wait and may have a slot at once, in their order."""
        free = int(min(self.free(rules, now), len(self.waiting)))
        return [run_id for run_id, _ in zip(self.in_order(), range(free), strict=False)]

    def granted(self, run_id: str, rules: Rules, now: str) -> Line:
        """With a slot for the run, if it is its turn; otherwise as it is."""
        entry = self.waiting.get(run_id)
        if entry is None or run_id not in self.next_ones(rules, now):
            return self
        turn = self.turns + 1
        slot = Slot(entry, now, turn, self.served.get(entry.team, 0))
        return replace(
            self,
            waiting={name: each for name, each in self.waiting.items() if name != run_id},
            slots={**self.slots, run_id: slot},
            served={**self.served, entry.team: turn},
            turns=turn,
        )

    def left(self, run_ids: Collection[str], *, now: str | None = None) -> Line:
        """Without these runs. `now`: their jobs went well until now, and tell how long a job takes."""
        if not any(run_id in self.waiting or run_id in self.slots for run_id in run_ids):
            return self
        typical = self.job_seconds
        for run_id in run_ids:
            slot = self.slots.get(run_id)
            if now is not None and slot is not None and (took := _seconds(slot.since, now)) > 0:
                typical = took if typical is None else (1 - NEW_SHARE) * typical + NEW_SHARE * took
        waiting = {name: each for name, each in self.waiting.items() if name not in run_ids}
        slots = {name: each for name, each in self.slots.items() if name not in run_ids}
        return replace(self, waiting=waiting, slots=slots, job_seconds=typical)

    def refused(self, run_id: str, now: str) -> Line:
        """With the run back where it waited, as the service had no room for its job."""
        slot = self.slots.get(run_id)
        if slot is None:
            return self
        slots = {name: each for name, each in self.slots.items() if name != run_id}
        team, served, full = slot.waited.team, dict(self.served), Full(len(slots), now)
        if served.get(team) == slot.turn:  # it was no turn: the team keeps its place among the teams
            served[team] = slot.turn_before
        return replace(self, waiting={**self.waiting, run_id: slot.waited}, slots=slots, served=served, full=full)

    def in_order(self) -> Iterator[str]:
        """The runs that wait, in the order in which they get their slots.

        The team with the fewest slots goes first; of several, the one whose last turn is the longest ago; of those that
        had none, the one that waits the longest. Within a team the greatest priority goes first, then the first comer.
        """
        lines: dict[str, list[tuple[int, int, str]]] = {}
        first: dict[str, int] = {}
        for run_id, each in self.waiting.items():
            lines.setdefault(each.team, []).append((-each.priority, each.arrived, run_id))
            first[each.team] = min(each.arrived, first.get(each.team, each.arrived))
        for entries in lines.values():
            entries.sort(reverse=True)
        held = Counter(each.waited.team for each in self.slots.values())
        served, turn = dict(self.served), self.turns
        while lines:
            team = min(lines, key=lambda each: (held[each], served.get(each, 0), first[each]))
            yield lines[team].pop()[2]
            held[team] += 1
            turn += 1
            served[team] = turn
            if not lines[team]:
                del lines[team]

    def in_the_way(self, run_id: str, rules: Rules, now: str) -> list[str]:
        """The runs without which this one might have a slot: those that have one, and those that are next."""
        if run_id not in self.waiting:
            return []
        return [*self.slots, *(each for each in self.next_ones(rules, now) if each != run_id)]

    def to_text(self) -> str:
        """The line as it is kept; `of_text` reads it."""
        return json.dumps(asdict(self), separators=(",", ":"), sort_keys=True)

    @classmethod
    def of_text(cls, text: str) -> Line:
        """The line that `to_text` wrote."""
        told = json.loads(text)
        slots = {name: Slot(Waiting(**each.pop("waited")), **each) for name, each in told["slots"].items()}
        waiting = {name: Waiting(**each) for name, each in told["waiting"].items()}
        full = None if told["full"] is None else Full(**told["full"])
        return cls(**{**told, "slots": slots, "waiting": waiting, "full": full})


def _seconds(since: str, until: str) -> float:
    return (clock.parse(until) - clock.parse(since)).total_seconds()
