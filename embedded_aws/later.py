"""Work in threads, now or later: what waits for its time holds no thread, and all that is under way can be awaited."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

LOG = logging.getLogger(__name__)

Work = Callable[[], float | None]
"""Something to do. It returns after how many seconds it is to be done again; None when it is done."""


class Later:
    """Does work in up to `workers` threads, again and again until it is done."""

    def __init__(self, name: str, workers: int) -> None:
        self._name = name
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix=name)
        self._changed = threading.Condition()
        self._waiting: list[tuple[float, int, Work]] = []
        self._order = itertools.count()
        self._pending = 0
        self._closed = False
        self._clock: threading.Thread | None = None

    def do(self, work: Work) -> None:
        """Begins the work soon. After `close` it is not done at all."""
        with self._changed:
            if self._closed:
                return
            self._pending += 1
            self._pool.submit(self._do, work)

    def settle(self, timeout_seconds: float = 30.0) -> None:
        """Waits until no work is under way or waiting. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._pending == 0, timeout_seconds):
                raise TimeoutError(f"{self._name}: {self._pending} still under way after {timeout_seconds} s")

    def close(self) -> None:
        """Waits for what is being done; what waits for its time is not done any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._pool.shutdown(wait=True, cancel_futures=True)
        if self._clock is not None:
            self._clock.join()

    @property
    def closed(self) -> bool:
        return self._closed

    def _do(self, work: Work) -> None:
        again = None
        try:
            again = work()
        except Exception:
            if not self._closed:
                LOG.exception("%s: the work broke", self._name)
        with self._changed:
            if again is None:
                self._pending -= 1
            else:
                heapq.heappush(self._waiting, (time.monotonic() + again, next(self._order), work))
                if self._clock is None and not self._closed:
                    self._clock = threading.Thread(target=self._tick, daemon=True, name=f"{self._name}-clock")
                    self._clock.start()
            self._changed.notify_all()

    def _tick(self) -> None:
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                while self._waiting and self._waiting[0][0] <= now:
                    self._pool.submit(self._do, heapq.heappop(self._waiting)[2])
                self._changed.wait(self._waiting[0][0] - now if self._waiting else None)
