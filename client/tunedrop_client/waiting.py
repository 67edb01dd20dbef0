"""Waiting for hours: a look now and then, through failures that pass."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from tunedrop_client.connection import passes
from tunedrop_client.documents import RunDocument, Validation
from tunedrop_client.errors import Problem, StillRunning, Unreachable

SHORTEST_SECONDS = 2.0
LONGEST_SECONDS = 30.0
SLOWER = 1.15
"""A look every 2 seconds at first; after 20 looks, which take some 3 minutes, every 30 seconds."""

PATIENCE_SECONDS = 3600.0
"""How long the API may fail without a break before a waiter gives up: a closed laptop, an outage."""

Clock = Callable[[], float]
OnFailure = Callable[[Exception, float], None]
"""Is called with each failure that may pass and the seconds since the last answer. What it raises ends the wait."""
Seen = TypeVar("Seen")


def follow(
    look: Callable[[], RunDocument],
    run_id: str,
    *,
    timeout: float | None,
    every: float | None,
    on_failure: OnFailure | None = None,
    sleep: Callable[[float], None] = time.sleep,
    now: Clock = time.monotonic,
) -> Iterator[RunDocument]:
    """The run each time that it has changed, and at last as it ended. Raises StillRunning."""
    last: RunDocument | None = None
    for run in _looks(look, timeout=timeout, every=every, on_failure=on_failure, sleep=sleep, now=now):
        if run is None:
            raise StillRunning(f"run {run_id} has not ended within {timeout:g} seconds", last)
        if run != last:
            yield run
        if run["status"] != "RUNNING":
            return
        last = run


def until_done(
    look: Callable[[], Validation],
    *,
    what: str,
    timeout: float,
    sleep: Callable[[float], None] = time.sleep,
    now: Clock = time.monotonic,
) -> Validation:
    """The validation once it is over. Raises StillRunning."""
    for validation in _looks(look, timeout=timeout, every=None, sleep=sleep, now=now):
        if validation is None:
            break
        if validation["status"] != "RUNNING":
            return validation
    raise StillRunning(f"{what} has not ended within {timeout:g} seconds", None)


def _looks(
    look: Callable[[], Seen],
    *,
    timeout: float | None,
    every: float | None,
    sleep: Callable[[float], None],
    now: Clock,
    on_failure: OnFailure | None = None,
) -> Iterator[Seen | None]:
    """What each look sees; None at last, if the time is over. Failures that pass are passed over."""
    began = seen_at = now()
    pause = SHORTEST_SECONDS
    while True:
        try:
            seen = look()
        except (Problem, Unreachable) as error:
            if not passes(error) or now() - seen_at > PATIENCE_SECONDS:
                raise
            if on_failure is not None:
                on_failure(error, now() - seen_at)
        else:
            seen_at = now()
            yield seen
        left = None if timeout is None else timeout - (now() - began)
        if left is not None and left <= 0:
            yield None
            return
        wanted = every if every is not None else pause * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
        sleep(wanted if left is None else min(wanted, left))
        pause = min(LONGEST_SECONDS, pause * SLOWER)
