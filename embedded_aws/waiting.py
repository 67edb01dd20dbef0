"""To wait for what happens in other threads and processes: no longer than needed, and not for ever."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

PATIENCE_SECONDS = 300.0
"""How long `until` waits if its caller does not say it: long enough for a machine that does much else."""

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, GROWTH = 0.03, 0.2, 1.2
"""The pauses between two looks get longer: what comes soon is seen at once, what takes long is asked for seldom."""


def until(
    condition: Callable[[], Any], what: str, seconds: float = PATIENCE_SECONDS, longest: float = LONGEST_PAUSE_SECONDS
) -> Any:
    """What `condition` gives once it is true. It is asked for `seconds` at most, with pauses of `longest` at most.

    Raises:
        AssertionError: it was not true within `seconds`; it names `what` was waited for.
    """
    deadline = time.monotonic() + seconds
    pause = min(FIRST_PAUSE_SECONDS, longest)
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(pause)
        pause = min(pause * GROWTH, longest)
    raise AssertionError(f"{what}: not within {seconds:.0f} s")
