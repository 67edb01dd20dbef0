"""Where a command writes to, and whether there is a terminal to draw on."""

from __future__ import annotations

import sys

from rich.console import Console

from local.command.views import PlainView, View


def open_view(*, to_stderr: bool, plain: bool) -> tuple[Console, View]:
    """The console for what people read (stderr where stdout is for a machine), and the view that suits it."""
    console = Console(file=sys.stderr if to_stderr else sys.stdout, highlight=False)
    if plain or not console.is_terminal or console.is_dumb_terminal:
        return console, PlainView(console)
    from local.command.live_view import LiveView

    return console, LiveView(console)
