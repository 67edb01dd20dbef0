"""To wait for what happens in other threads and processes: no longer than needed, and not for ever."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

PATIENCE_SECONDS = 300.0
"""How long `until` waits if its caller does not say it: long enough for a machine that does much else."""

LOOK_EVERY_SECONDS = 0.05


def until(
    condition: Callable[[], Any], what: str, seconds: float = PATIENCE_SECONDS, every: float = LOOK_EVERY_SECONDS
) -> Any:
    """What `condition` gives once it is true. `seconds`: how long at most; `every`: how long it waits before it asks
    again, which is worth more than the least where the question costs much.

    Raises:
        AssertionError: it was not true within `seconds`; it names `what` was waited for.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(every)
    raise AssertionError(f"{what}: not within {seconds:.0f} s")
