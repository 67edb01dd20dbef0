"""A bounded warm pool of function processes: idle ones are used again, the least recently used are closed first."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator

from embedded_aws.lambdas.configuration import FunctionConfiguration
from embedded_aws.lambdas.errors import too_many_requests
from embedded_aws.lambdas.process import FunctionProcess

WARM_LIMIT = 16
"""Processes that are kept, busy ones counted: 16 of some 60-100 MB each is what a machine of 4 GB bears."""

CONCURRENCY_LIMIT = 100
"""Invocations at a time of all functions; beyond it the service refuses, as an account's concurrency limit does.

Busy processes may exceed the warm limit up to here: a function that waits for another one must never hold its place.
"""


class ProcessPool:
    """Lends processes to invocations. Safe for use by many threads."""

    def __init__(
        self,
        start: Callable[[FunctionConfiguration], FunctionProcess],
        *,
        warm_limit: int = WARM_LIMIT,
        concurrency_limit: int = CONCURRENCY_LIMIT,
    ) -> None:
        self._start = start
        self._warm_limit = warm_limit
        self._concurrency_limit = concurrency_limit
        self._lock = threading.Lock()
        self._idle: list[FunctionProcess] = []
        self._busy: set[FunctionProcess] = set()
        self._admitted: Counter[str] = Counter()
        self._closed = False

    @contextlib.contextmanager
    def lend(self, configuration: FunctionConfiguration) -> Iterator[FunctionProcess]:
        """A process of this very configuration for one invocation.

        Raises InvokeRefused (TooManyRequestsException) when no concurrency is left, RuntimeError after `close`.
        """
        self._admit(configuration)
        try:
            process = self._take_idle(configuration)
            if process is None:
                process = self._start(configuration)
                with self._lock:
                    self._busy.add(process)
                    closed = self._closed
                if closed:  # the stack ended while the process started
                    process.kill()
            try:
                yield process
            finally:
                self._give_back(process)
        finally:
            with self._lock:
                self._admitted[configuration.name] -= 1

    def busy(self, function_name: str) -> list[int]:
        """The ids of the processes in which the function runs now."""
        with self._lock:
            return [process.pid for process in self._busy if process.configuration.name == function_name]

    def warm(self, function_name: str) -> list[int]:
        """The ids of the function's idle processes."""
        with self._lock:
            return [process.pid for process in self._idle if process.configuration.name == function_name]

    def kill(self, function_name: str) -> int:
        """Kills the processes in which the function runs now; the number of them.

        Their callers get Runtime.ExitError.
        """
        with self._lock:
            victims = [process for process in self._busy if process.configuration.name == function_name]
        for process in victims:
            process.kill()
        return len(victims)

    def forget(self, function_name: str) -> None:
        """Closes the function's idle processes, so that the next invocation is a cold start."""
        with self._lock:
            gone = [process for process in self._idle if process.configuration.name == function_name]
            self._idle = [process for process in self._idle if process not in gone]
        for process in gone:
            process.close()

    def close(self) -> None:
        """Ends every process, busy ones too."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            busy = list(self._busy)
        for process in busy:
            process.kill()  # closed by the thread that invokes it
        for process in idle:
            process.close()

    def _admit(self, configuration: FunctionConfiguration) -> None:
        with self._lock:
            if self._closed:
                raise RuntimeError("the embedded AWS is closed: no function can be invoked any more")
            reserved = configuration.reserved_concurrency
            if reserved is not None and self._admitted[configuration.name] >= reserved:
                raise too_many_requests(configuration.name)
            if self._admitted.total() >= self._concurrency_limit:
                raise too_many_requests(configuration.name)
            self._admitted[configuration.name] += 1

    def _take_idle(self, configuration: FunctionConfiguration) -> FunctionProcess | None:
        outdated = []
        try:
            with self._lock:
                for process in reversed(self._idle):
                    if process.dead or _replaces(configuration, process.configuration):
                        outdated.append(process)
                        continue
                    if process.configuration == configuration:
                        self._idle.remove(process)
                        self._busy.add(process)
                        return process
                return None
        finally:
            with self._lock:
                self._idle = [process for process in self._idle if process not in outdated]
            for process in outdated:
                process.close()

    def _give_back(self, process: FunctionProcess) -> None:
        surplus = []
        with self._lock:
            self._busy.discard(process)
            if process.dead or self._closed:
                surplus.append(process)
            else:
                self._idle.append(process)
            while self._idle and len(self._idle) + len(self._busy) > self._warm_limit:
                surplus.append(self._idle.pop(0))  # given back longest ago
        for gone in surplus:
            gone.close()


def _replaces(new: FunctionConfiguration, old: FunctionConfiguration) -> bool:
    return new.name == old.name and new.version == old.version and new != old
