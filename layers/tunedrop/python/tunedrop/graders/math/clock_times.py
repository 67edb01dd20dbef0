"""Times of day, so that `3:30 PM` is 15:30, and not 3:30 AM."""

from __future__ import annotations

import re
from typing import NamedTuple

from tunedrop.graders.late_pattern import late

_WORDS = (
    r"(?P<hour>\d{1,2})(?:[:.](?P<minute>\d{2}))?(?::00)?\s{0,3}(?:\\[,;: ]\s?)?(?:\\(?:text|mathrm)\s?\{\s?)?"
    r"(?:(?P<half>[ap])\.?\s?m\b\.?|(?P<clock>o['’]\s?clock\b))\s?\}?"
    r"|(?P<hours>\d{1,2}):(?P<minutes>\d{2})(?::00)?(?!\s?[:\d])"
)
_TIME = late(rf"\s*(?:at\s)?(?:{_WORDS})[\s.]*", re.IGNORECASE | re.ASCII)
_TIME_WITHIN = late(rf"(?<![\w:.,])(?:{_WORDS})", re.IGNORECASE | re.ASCII)
_ANOTHER = late(r"\s*(?:to|until|till|[-–—]|or)\s*", re.IGNORECASE)
"""Between two times of which neither is the answer: "9:00 to 10:30"."""


class ClockTime(NamedTuple):
    """Minutes since midnight or noon, and which of the two, where the text says so."""

    minutes: int
    afternoon: bool | None
    certain: bool = True
    """Whether the text can be nothing else: `3:30` may be a ratio."""


def clock_time(text: str) -> ClockTime | None:
    """The time of day that a text is: `3:30 PM`, `8 a.m.`, `3 o'clock`, `15:30`; None for any other text."""
    found = _TIME.fullmatch(text) if len(text) <= 40 else None
    return None if found is None else _time_of(found)


def last_time(sentence: str) -> ClockTime | None:
    """The time of day that a sentence ends up with ("The train leaves at 3:30 PM."); None where it tells none, or two
    of which either may be meant."""
    found = list(_TIME_WITHIN.finditer(sentence))
    if not found or (len(found) > 1 and _ANOTHER.fullmatch(sentence, found[-2].end(), found[-1].start())):
        return None
    return _time_of(found[-1])


def _time_of(found: re.Match[str]) -> ClockTime | None:
    hour, minute = int(found["hour"] or found["hours"]), int(found["minute"] or found["minutes"] or 0)
    if hour > 24 or minute > 59 or (found["half"] and not 1 <= hour <= 12):
        return None
    afternoon = found["half"].lower() == "p" if found["half"] else True if hour > 12 else None
    return ClockTime(60 * (hour % 12) + minute, afternoon, afternoon is not None or found["clock"] is not None)


def same_time(one: ClockTime, other: ClockTime) -> bool | None:
    """Whether two are the same time; None where both may be something else."""
    if not (one.certain or other.certain):
        return None
    return one.minutes == other.minutes and (
        None in (one.afternoon, other.afternoon) or one.afternoon == other.afternoon
    )
