"""The run as a table that is drawn anew while it goes: what each state found, and how the training rises."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from local.command.found import found
from local.command.progress import Progress, Span
from local.command.sparkline import sparkline
from local.command.views import NAME_WIDTH
from tunedrop.graders.reward_range import UNIT
from tunedrop.stages import STAGES, Stage

_REFRESHES_A_SECOND = 8
_BAR_WIDTH = 36


class LiveView:
    """Draws the stages of a run: done, at work, to come. What was drawn last stays on the screen."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        # One spinner for all drawings, so that it turns and does not begin anew with each.
        self._spinner = Spinner("dots", style="cyan")

    def tell(self, line: str) -> None:
        self._console.print(Text(line, style="dim"))

    def show(self, progress: Progress) -> None:
        if self._live is None:
            self._live = Live(
                console=self._console, refresh_per_second=_REFRESHES_A_SECOND, vertical_overflow="visible"
            )
            self._live.start()
        self._live.update(self._table(progress))

    def close(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _table(self, progress: Progress) -> RenderableType:
        table = Table.grid(padding=(0, 1))
        table.add_column(width=1)
        table.add_column(width=NAME_WIDTH, no_wrap=True)
        table.add_column(justify="right", width=6, no_wrap=True)
        table.add_column(ratio=1)
        # Between two states the last one that worked still counts as working.
        working = None if progress.ended else progress.last_stage
        for stage in STAGES:
            span = progress.spans.get(stage.name)
            if span is None:
                if not stage.optional:
                    table.add_row(Text("·", style="dim"), Text(stage.name, style="dim"), "", "")
                continue
            table.add_row(*self._row(progress, stage, span, working == stage.name))
        if progress.failed_at is not None:
            table.add_row(
                Text("✓", style="green") if progress.notified else self._spinner,
                Text("Aftermath"),
                "",
                Text(_aftermath(progress)),
            )
        return table

    def _row(self, progress: Progress, stage: Stage, span: Span, working: bool) -> list[RenderableType]:
        until = datetime.now(UTC) if working else span.left or span.entered
        seconds = Text(f"{(until - span.entered).total_seconds():.1f} s", style="dim")
        failed = progress.failed_at == stage.name
        mark: RenderableType = Text("✗", style="bold red") if failed else Text("✓", style="green")
        name = Text(stage.name, style="red" if failed else "")
        if working:
            mark, name = self._spinner, Text(stage.name, style="bold cyan")
        return [mark, name, seconds, Group(*_lines(progress, stage, working))]


def _lines(progress: Progress, stage: Stage, working: bool) -> list[RenderableType]:
    """What stands beside the stage: what it found, and how far it is while that is worth a line of its own."""
    lines: list[RenderableType] = [Text(found(stage.name, progress))]
    if working and progress.failures:
        lines.append(Text(progress.failures, style="yellow"))
    if stage.name == "PollJob" and progress.metrics:
        rewards = [each["critic_rewards_mean"] for each in progress.metrics if "critic_rewards_mean" in each]
        low, high = _reward_range(progress)
        curve = Text(sparkline(rewards, _BAR_WIDTH, low=low, high=high), style="green")
        curve.append(f"  reward, {low:g} to {high:g}", style="dim")
        lines.append(curve)
    if stage.name == "EvaluateShards" and working and progress.answers:
        wanted = sum(each.wanted for each in progress.answers.values())
        got = sum(each.got for each in progress.answers.values())
        lines.append(ProgressBar(total=wanted, completed=got, width=_BAR_WIDTH, complete_style="cyan"))
    return lines


def _reward_range(progress: Progress) -> tuple[float, float]:
    return progress.record.reward_range if progress.record else UNIT


def _aftermath(progress: Progress) -> str:
    """What the second state machine makes of an execution that failed or was stopped."""
    told = progress.error or progress.execution_status
    status = progress.record.status if progress.record else "RUNNING"
    return f"{told}: closed as {status}, notice published" if progress.notified else f"{told}: closing the run"
