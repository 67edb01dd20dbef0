"""`tunedrop watch RUN`: follow a run of a stack to its end."""

from __future__ import annotations

import argparse
from typing import Any

from local.command import exits, which_stack
from local.command.help_text import Wrapped

_DESCRIPTION = """\
Follow a run with the live view until it ends, fetch its report into build/runs, and show its result. Ctrl-C ends
the command, but not the run."""


def add_parser(subparsers: Any) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "watch",
        help="follow a run of a stack to its end",
        description=_DESCRIPTION,
        epilog=f"{which_stack.HELP}\n\n{exits.TEXT}",
        formatter_class=Wrapped,
    )
    parser.add_argument("run_id", help="the run's id, or its name: the latest run of it")
    which_stack.add_options(parser)
    parser.add_argument("--json", action="store_true", help="print only the run, as the last line on stdout")
    parser.add_argument("--plain", action="store_true", help="plain lines instead of the live view")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Follow the run; the exit code that its status has."""
    client = which_stack.required(arguments)

    from local.command.api_run import follow_and_tell, run_id_of
    from local.command.terminal import open_view

    run_id = run_id_of(client, arguments.run_id)
    console, view = open_view(to_stderr=arguments.json, plain=arguments.plain)
    return follow_and_tell(client, run_id, console, view, as_json=arguments.json)
