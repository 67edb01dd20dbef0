"""Times of day, so that `3:30 PM` is 15:30, and not 3:30 AM."""

from __future__ import annotations

import re
from typing import NamedTuple

from tunedrop.graders.late_pattern import late

_TIME = late(
    r"\s*(?:at\s)?(?P<hour>\d{1,2})(?:[:.](?P<minute>\d{2}))?(?::00)?\s{0,3}(?:\\[,;: ]\s?)?"
    r"(?:\\(?:text|mathrm)\s?\{\s?)?"
    r"(?P<half>[ap])\.?\s?m\b\.?\s?\}?[\s.]*|\s*(?P<hours>\d{1,2}):(?P<minutes>\d{2})(?::00)?[\s.]*",
    re.IGNORECASE | re.ASCII,
)


class ClockTime(NamedTuple):
    """Minutes since midnight or noon, and which of the two, where the text says so."""

    minutes: int
    afternoon: bool | None


def clock_time(text: str) -> ClockTime | None:
    """The time of day that a text is: `3:30 PM`, `8 a.m.`, `15:30`; None for any other text."""
    found = _TIME.fullmatch(text) if len(text) <= 40 else None
    if found is None:
        return None
    hour, minute = int(found["hour"] or found["hours"]), int(found["minute"] or found["minutes"] or 0)
    if hour > 24 or minute > 59 or (found["half"] and not 1 <= hour <= 12):
        return None
    afternoon = found["half"].lower() == "p" if found["half"] else True if hour > 12 else None
    return ClockTime(60 * (hour % 12) + minute, afternoon)


def same_time(one: ClockTime, other: ClockTime) -> bool | None:
    """Whether two are the same time; None where neither says which half of the day, for `3:30` may be a ratio."""
    if one.afternoon is None and other.afternoon is None:
        return None
    return one.minutes == other.minutes and (
        None in (one.afternoon, other.afternoon) or one.afternoon == other.afternoon
    )
