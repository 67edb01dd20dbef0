"""Faults that are asked for: planned ones at a named call, and shares of all calls."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass

from local.bedrock.fault_plan import PlannedFault, When, parse_plan
from local.bedrock.switches import Switches

_SHARES = {"throttle_share": "429", "error_share": "500", "reset_share": "reset", "malformed_share": "malformed"}
_BEFORE = {"429", "500", "503", "reset"}


@dataclass(frozen=True, slots=True)
class Fault:
    """What befalls one call."""

    when: When
    kind: str


class Faults:
    """Draws what befalls each call, by the switches; the shares by a generator of its own, so that runs repeat."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self._chance = random.Random(0)
        self._planned: list[PlannedFault] = []
        self.befallen: Counter[str] = Counter()
        """How often which kind of fault befell which action, as `ACTION:before:KIND`."""
        self.replan()

    def replan(self) -> None:
        """Take the plan from its switch anew, with all its counts."""
        self._planned = parse_plan(self._switches.fault_plan)

    def draw(self, action: str) -> Fault | None:
        """What befalls this call of an action, if anything."""
        for planned in self._planned:
            if planned.action in (action, "*") and planned.times > 0:
                planned.times -= 1
                return self._counted(action, Fault(planned.when, planned.kind))
        if self.afflicted(action):
            for share, kind in _SHARES.items():
                if self._happens(getattr(self._switches, share)):
                    return self._counted(action, Fault("before" if kind in _BEFORE else "after", kind))
        return None

    def _counted(self, action: str, fault: Fault) -> Fault:
        self.befallen[f"{action}:{fault.when}:{fault.kind}"] += 1
        return fault

    def delay(self, action: str) -> float:
        """Seconds for which this call is held back."""
        slow = self.afflicted(action) and self._happens(self._switches.slow_share)
        return self._switches.latency_seconds + (self._switches.slow_seconds if slow else 0.0)

    def afflicted(self, action: str) -> bool:
        """Whether the shares are about this action."""
        return self._switches.fault_actions == "*" or action in named(self._switches.fault_actions)

    def _happens(self, share: float) -> bool:
        return share > 0 and self._chance.random() < share


def named(actions: str) -> set[str]:
    """The actions of a comma-separated list."""
    return {action.strip() for action in actions.split(",") if action.strip()}
