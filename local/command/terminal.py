"""Where a command writes to, and whether there is a terminal to draw on."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from local.command.printable import printable
from local.command.views import PlainView, View

FILE_WIDTH = 110
"""Columns of what is laid out for a file or a pipe."""


class TerminalConsole(Console):
    """rich's console, which sends no control characters but its own: those within a text are shown as escapes."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The segments of what is printed."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=printable(segment.text))


def open_view(*, to_stderr: bool, plain: bool) -> tuple[Console, View]:
    """The console for what people read (stderr where stdout is for a machine), and the view that suits it."""
    console = open_console(to_stderr=to_stderr)
    if plain or not console.is_terminal or console.is_dumb_terminal:
        return console, PlainView(console)
    from local.command.live_view import LiveView

    return console, LiveView(console)


def open_console(*, to_stderr: bool = False) -> Console:
    """The console for what people read."""
    stream = sys.stderr if to_stderr else sys.stdout
    if isinstance(stream, io.TextIOWrapper):
        # A terminal or a file that cannot show a block or an accent shows a "?"; that is no reason to end a run.
        stream.reconfigure(errors="replace")
    return TerminalConsole(file=stream, highlight=False, width=None if stream.isatty() else FILE_WIDTH)


def lay_out(console: Console, what: RenderableType) -> None:
    """Print something laid out; in a file without the spaces with which rich fills the lines up."""
    if console.is_terminal:
        console.print(what)
        return
    with console.capture() as captured:
        console.print(what)
    for line in captured.get().splitlines():
        console.print(line.rstrip(), markup=False, soft_wrap=True)
