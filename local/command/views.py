"""What a user sees of a run while it runs: plain lines here, a live table in `live_view` where there is a terminal."""

from __future__ import annotations

import time
from typing import Protocol

from rich.console import Console
from rich.text import Text

from local.command.found import found
from local.command.progress import Progress, Span
from tunedrop.stages import STAGES

TRAINING_STEPS_A_LINE = 10
ANSWERS_A_LINE = 0.25
"""Share of all answers after which the plain view tells how far the evaluation is."""

SILENCE_SECONDS = 30.0
"""After so long without a line, the plain view tells what is waited for."""

NAME_WIDTH = max(len(stage.name) for stage in STAGES)


class View(Protocol):
    """Shows what happens. `close` leaves the screen as it should stay."""

    def tell(self, line: str) -> None:
        """Something that happened before or beside the run."""

    def show(self, progress: Progress) -> None:
        """The run as it is now."""

    def close(self) -> None:
        """Nothing more comes."""


class PlainView:
    """A line for each stage that is over, and some on the way of those that take long: for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = self._last_line = time.monotonic()
        self._told: set[str] = set()
        self._place = ""
        self._steps = 0
        self._share = 0.0

    def tell(self, line: str) -> None:
        self._line(line)

    def show(self, progress: Progress) -> None:
        for place, stage in enumerate(STAGES):
            span = progress.spans.get(stage.name)
            if span is None or stage.name in self._told:
                continue
            over = any(later.name in progress.spans for later in STAGES[place + 1 :])
            if not over and not progress.ended:
                self._on_the_way(progress, stage.name, found(stage.name, progress))
                continue
            self._told.add(stage.name)
            seen = found(stage.name, progress)
            if progress.failed_at == stage.name:
                self._stage(stage.name, f"ended the run: {progress.error or progress.execution_status}")
            else:
                self._stage(stage.name, f"{seen} ({duration(span)})" if seen else duration(span))
        if time.monotonic() - self._last_line > SILENCE_SECONDS and progress.last_stage and not progress.ended:
            self._stage(progress.last_stage, progress.failures or "still at work")

    def close(self) -> None:
        """Lines stay as they are."""

    def _on_the_way(self, progress: Progress, name: str, seen: str) -> None:
        if name == "AwaitTurn" and seen != self._place:
            self._stage(name, seen)
            self._place = seen
        elif name == "PollJob":
            steps = len(progress.metrics)
            if steps // TRAINING_STEPS_A_LINE > self._steps // TRAINING_STEPS_A_LINE:
                self._stage(name, seen)
            self._steps = steps
        elif name == "EvaluateShards":
            wanted = sum(each.wanted for each in progress.answers.values())
            share = sum(each.got for each in progress.answers.values()) / wanted if wanted else 0.0
            if share // ANSWERS_A_LINE > self._share // ANSWERS_A_LINE:
                self._stage(name, seen)
            self._share = share

    def _stage(self, name: str, found: str) -> None:
        self._line(f"{name:<{NAME_WIDTH}}  {found}")

    def _line(self, line: str) -> None:
        self._last_line = time.monotonic()
        # One line of text is one line of output, however wide the terminal is thought to be.
        self._console.print(Text(f"{time.monotonic() - self._began:6.1f} s  {line}"), soft_wrap=True)


def duration(span: Span) -> str:
    """How long a stage took, in seconds."""
    return f"{(span.left - span.entered).total_seconds():.1f} s" if span.left else "not finished"
