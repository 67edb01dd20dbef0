"""How often a run that waits asks for its turn. Pure."""

from __future__ import annotations

from math import ceil

from tunedrop import clock

WAITED_SHARE = 1 / 50
"""The next look as a share of the time waited so far: who waits for hours is in no hurry of seconds."""

LONGEST_WAIT_SECONDS = 900
"""The longest wait, so that a free slot is not left idle for long.

With the first wait at 1 s, 168 hours are 50 looks until the wait is 1 s by its share, some 50 ln(900) until it is 900 s
after 12.5 hours, and 622 in the rest: 995, or 8,955 of the 25,000 events of an execution, at 9 events a turn. With the
first wait at 60 s they are 809."""


def waited_seconds(since: str) -> float:
    """How long a run waits that waits since `since`."""
    return max(0.0, (clock.now() - clock.parse(since)).total_seconds())


def turn_wait_seconds(waited: float, first: int) -> int:
    """How long a run that has waited `waited` seconds waits until it asks again; `first` at the least."""
    return max(first, min(LONGEST_WAIT_SECONDS, ceil(waited * WAITED_SHARE)))
