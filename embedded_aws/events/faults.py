"""Delivery gone wrong on purpose: events that come twice, late, or not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Match = Callable[[Mapping[str, Any]], bool]
"""Which events a fault is for."""


@dataclass(slots=True)
class _Fault:
    match: Match
    kind: Literal["drop", "duplicate", "hold"]
    remaining: int
    copies: int = 1
    held: list[Mapping[str, Any]] = field(default_factory=list)


class Held:
    """Events that wait: `release` sends them on their way."""

    def __init__(self, fault: _Fault, lock: threading.Lock, deliver: Callable[[Mapping[str, Any]], None]) -> None:
        self._fault = fault
        self._lock = lock
        self._deliver = deliver

    @property
    def events(self) -> list[Mapping[str, Any]]:
        with self._lock:
            return list(self._fault.held)

    def release(self) -> int:
        """Delivers what was held, and holds nothing any more; the number of events."""
        with self._lock:
            self._fault.remaining = 0
            waiting, self._fault.held = self._fault.held, []
        for event in waiting:
            self._deliver(event)
        return len(waiting)


class EventFaults:
    """Faults wait for events that match them; each applies to the next `times` of them."""

    def __init__(self, deliver: Callable[[Mapping[str, Any]], None]) -> None:
        self._deliver = deliver
        self._lock = threading.Lock()
        self._faults: list[_Fault] = []

    def drop(self, match: Match, *, times: int = 1) -> None:
        """The event is lost."""
        self._add(_Fault(match, "drop", times))

    def duplicate(self, match: Match, *, copies: int = 2, times: int = 1) -> None:
        """The event is delivered `copies` times."""
        self._add(_Fault(match, "duplicate", times, copies))

    def hold(self, match: Match, *, times: int = 1) -> Held:
        """The event is late: it waits until it is released."""
        fault = _Fault(match, "hold", times)
        self._add(fault)
        return Held(fault, self._lock, self._deliver)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def copies(self, event: Mapping[str, Any]) -> int:
        """How many times the event is to be delivered now."""
        with self._lock:
            for fault in self._faults:
                if fault.remaining > 0 and fault.match(event):
                    fault.remaining -= 1
                    if fault.kind == "hold":
                        fault.held.append(event)
                    return fault.copies if fault.kind == "duplicate" else 0
        return 1

    def _add(self, fault: _Fault) -> None:
        with self._lock:
            self._faults.append(fault)
