"""How far a file is read, on a terminal, for what takes longer than two seconds."""

from __future__ import annotations

import sys
import time
from types import TracebackType

PATIENCE_SECONDS = 2.0
"""What is over sooner needs no bar."""


class ByteProgress:
    """Call it with the number of bytes after each read. Draws on standard error, and only where that is a terminal."""

    def __init__(self, what: str, total: int | None) -> None:
        """`total` in bytes; None where it is not known."""
        self._what = what
        self._total = total
        self._done = 0
        self._wanted = sys.stderr.isatty()
        self._started = time.monotonic()
        self._bar: object | None = None

    def __enter__(self) -> ByteProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        from rich.progress import Progress

        if isinstance(self._bar, Progress):
            self._bar.stop()

    def __call__(self, count: int) -> None:
        self._done += count
        if not self._wanted or time.monotonic() - self._started < PATIENCE_SECONDS:
            return
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

        from local.command.terminal import open_console

        if not isinstance(self._bar, Progress):
            columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=open_console(to_stderr=True), transient=True)
            self._bar.add_task(self._what, total=self._total)
            self._bar.start()
        self._bar.update(self._bar.task_ids[0], completed=self._done)
