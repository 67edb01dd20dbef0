"""When scheduled rules fire: rate and cron expressions, and a clock that tests can step.

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
_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_FIELDS = (
    ("minutes", 0, 59, None),
    ("hours", 0, 23, None),
    ("day-of-month", 1, 31, None),
    ("month", 1, 12, _MONTHS),
    ("day-of-week", 1, 7, _DAYS),
    ("year", 1970, 2199, None),
)
POLL_SECONDS = 0.5
"""How exact the wall clock's schedules are; AWS's are within a minute."""


class ScheduleInvalid(Exception):
    """The schedule expression is not one that EventBridge takes, or uses what is not imitated here."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Every so many seconds."""

    seconds: int

    def next_after(self, moment: datetime.datetime) -> datetime.datetime | None:
        return moment + datetime.timedelta(seconds=self.seconds)


@dataclass(frozen=True, slots=True)
class Cron:
    """At the minutes (UTC) whose parts are all in their fields; None for a field that is `?`."""

    fields: tuple[frozenset[int] | None, ...]

    def next_after(self, moment: datetime.datetime) -> datetime.datetime | None:
        minutes, hours, days, months, weekdays, years = self.fields
        candidate = moment.replace(second=0, microsecond=0) + datetime.timedelta(minutes=1)
        last = candidate + datetime.timedelta(days=366 * 5)
        while candidate < last:
            if (years is not None and candidate.year not in years) or (
                months is not None and candidate.month not in months
            ):
                candidate = _first_of_next_month(candidate)
            elif (days is not None and candidate.day not in days) or (
                weekdays is not None and candidate.isoweekday() % 7 + 1 not in weekdays
            ):
                candidate = candidate.replace(hour=0, minute=0) + datetime.timedelta(days=1)
            elif hours is not None and candidate.hour not in hours:
                candidate = candidate.replace(minute=0) + datetime.timedelta(hours=1)
            elif minutes is not None and candidate.minute not in minutes:
                candidate += datetime.timedelta(minutes=1)
            else:
                return candidate
        return None


def parse(expression: str) -> Rate | Cron:
    """Reads `rate(15 minutes)` or `cron(0 12 * * ? *)`. Raises ScheduleInvalid."""
    rate = re.fullmatch(r"rate\((\d+) (minute|hour|day)(s?)\)", expression)
    if rate:
        value = int(rate.group(1))
        if value < 1 or (value == 1) is bool(rate.group(3)):
            raise ScheduleInvalid(
                f"{expression}: a positive number, with the unit in the singular for 1 and else the plural"
            )
        return Rate(value * _UNITS[rate.group(2)])
    cron = re.fullmatch(r"cron\((.+)\)", expression)
    if cron is None:
        raise ScheduleInvalid(f"{expression!r}: expected rate(value unit) or cron(six fields)")
    parts = cron.group(1).split()
    if len(parts) != len(_FIELDS):
        raise ScheduleInvalid(f"{expression}: a cron expression has six fields, got {len(parts)}")
    if (parts[2] == "?") == (parts[4] == "?"):
        raise ScheduleInvalid(f"{expression}: exactly one of day-of-month and day-of-week must be ?")
    return Cron(tuple(_field(part, *field) for part, field in zip(parts, _FIELDS, strict=True)))


def _field(part: str, name: str, lowest: int, highest: int, words: list[str] | None) -> frozenset[int] | None:
    if part in ("*", "?"):
        return None
    values: set[int] = set()
    for piece in part.split(","):
        match = re.fullmatch(r"(\*|[A-Za-z0-9]+)(?:-([A-Za-z0-9]+))?(?:/(\d+))?", piece)
        if match is None:
            raise ScheduleInvalid(f"{name} {piece!r}: L, W and # are not imitated on one machine")
        start, end, step = match.groups()
        first = lowest if start == "*" else _number(start, name, words)
        last = _number(end, name, words) if end else highest if step or start == "*" else first
        if not lowest <= first <= last <= highest:
            raise ScheduleInvalid(f"{name} {piece!r}: expected {lowest} to {highest}")
        values.update(range(first, last + 1, int(step or 1)))
    return frozenset(values)


def _number(text: str, name: str, words: list[str] | None) -> int:
    if words and text.upper() in words:
        return words.index(text.upper()) + 1
    if not text.isdigit():
        raise ScheduleInvalid(f"{name} {text!r}: expected a number{' or a name' if words else ''}")
    return int(text)


def _first_of_next_month(moment: datetime.datetime) -> datetime.datetime:
    following = moment.replace(day=1, hour=0, minute=0) + datetime.timedelta(days=32)
    return following.replace(day=1)


class Schedules:
    """Fires scheduled rules when they are due: by the wall clock in a thread, or by `step` alone."""

    def __init__(
        self, *, rules: Callable[[], Iterable[RuleView]], fire: Callable[[str, datetime.datetime], None], stepped: bool
    ) -> None:
        self._rules = rules
        self._fire = fire
        self._stepped = stepped
        self._lock = threading.Lock()
        self._due: dict[tuple[str, str], datetime.datetime | None] = {}
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
                while due is not None and due <= now:
                    fired.append((due, name))
                    due = schedule.next_after(due)
                self._due[name, expression] = due
            self._now = now
        for moment, name in sorted(fired):
            self._fire(name, moment)
        return [name for _, name in sorted(fired)]
