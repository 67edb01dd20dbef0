"""When scheduled rules fire: rate expressions, and a clock that tests can step.

docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
"""

from __future__ import annotations

import datetime
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from embedded_aws.events.dispatch import RuleView

_UNITS = {"minute": 60, "hour": 3600, "day": 86400}
POLL_SECONDS = 0.5
"""How exact the wall clock's schedules are; AWS's are within a minute."""


class ScheduleInvalid(Exception):
    """The schedule expression is not one that EventBridge takes, or uses what is not imitated here."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Every so many seconds."""

    seconds: int

    def next_after(self, moment: datetime.datetime) -> datetime.datetime:
        return moment + datetime.timedelta(seconds=self.seconds)


def parse(expression: str) -> Rate:
    """Reads `rate(15 minutes)`. Raises ScheduleInvalid."""
    rate = re.fullmatch(r"rate\((\d+) (minute|hour|day)(s?)\)", expression)
    if rate is None:
        raise ScheduleInvalid(f"{expression!r}: rate(value unit) is imitated on one machine, and nothing else")
    value = int(rate.group(1))
    if value < 1 or (value == 1) is bool(rate.group(3)):
        raise ScheduleInvalid(
            f"{expression}: a positive number, with the unit in the singular for 1 and else the plural"
        )
    return Rate(value * _UNITS[rate.group(2)])


class Schedules:
    """Fires scheduled rules when they are due: by the wall clock in a thread, or by `step` alone."""

    def __init__(
        self, *, rules: Callable[[], Iterable[RuleView]], fire: Callable[[str, datetime.datetime], None], stepped: bool
    ) -> None:
        self._rules = rules
        self._fire = fire
        self._stepped = stepped
        self._lock = threading.Lock()
        self._due: dict[tuple[str, str], datetime.datetime] = {}
        self._now = datetime.datetime.now(datetime.UTC)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="schedules")

    def start(self) -> None:
        if not self._stepped:
            self._thread.start()

    def close(self) -> None:
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()

    def step(self, by: datetime.timedelta) -> list[str]:
        """Moves a stepped clock on; the names of the rules that fired, in order.

        Raises RuntimeError when the schedules follow the wall clock.
        """
        if not self._stepped:
            raise RuntimeError(
                "the schedules follow the wall clock; start the embedded AWS with stepped schedules to step"
            )
        self._advance(self._now)  # rules made since the last step count from now on
        return self._advance(self._now + by)

    def _run(self) -> None:
        while not self._closing.wait(POLL_SECONDS):
            self._advance(datetime.datetime.now(datetime.UTC))

    def _advance(self, now: datetime.datetime) -> list[str]:
        fired: list[tuple[datetime.datetime, str]] = []
        with self._lock:
            current = {(rule.name, rule.schedule) for rule in self._rules() if rule.enabled and rule.schedule}
            self._due = {key: due for key, due in self._due.items() if key in current}
            for name, expression in sorted(current):
                schedule = parse(expression)
                if (name, expression) not in self._due:
                    self._due[name, expression] = schedule.next_after(self._now)
                due = self._due[name, expression]
                while due <= now:
                    fired.append((due, name))
                    due = schedule.next_after(due)
                self._due[name, expression] = due
            self._now = now
        for moment, name in sorted(fired):
            self._fire(name, moment)
        return [name for _, name in sorted(fired)]
