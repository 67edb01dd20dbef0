"""To wait for what happens in other threads and processes: no longer than needed, and not for ever."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

patience_seconds: float = 90
"""How long `until` waits if its caller does not say it."""


def until(condition: Callable[[], Any], what: str, seconds: float | None = None) -> Any:
    """What `condition` gives once it is true. `seconds`: how long at most; `patience_seconds` where it is None.

    Raises:
        AssertionError: it was not true within `seconds`; it names `what` was waited for.
    """
    seconds = patience_seconds if seconds is None else seconds
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {seconds:.0f} s")
