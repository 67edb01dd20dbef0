"""`tunedrop stop|approve|reject|rollback RUN`: decide about a run of a stack."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import Any

from local.command import exits, which_stack
from local.command.help_text import Wrapped
from local.command.printable import say

_HELP: Mapping[str, tuple[str, str]] = {
    "stop": ("stop a run", "Stop a run: its job is cancelled, and its notice says CANCELLED."),
    "approve": (
        "approve a promotion",
        "Approve the promotion that a run waits for: its model replaces the current one.",
    ),
    "reject": ("reject a promotion", "Reject the promotion that a run waits for: the current model stays."),
    "rollback": ("undo a promotion", "Put back the model that the promotion of a run replaced."),
}


def add_decision(subparsers: Any, word: str) -> None:
    """Add the sub-command `word`: stop, approve, reject or rollback."""
    short, description = _HELP[word]
    parser = subparsers.add_parser(
        word,
        help=short,
        description=description,
        epilog=f"{which_stack.HELP}\n\n{exits.TEXT}",
        formatter_class=Wrapped,
    )
    parser.add_argument("run_id", help="the run's id")
    which_stack.add_options(parser)
    if word != "stop":
        parser.add_argument("--reason", metavar="TEXT", default="", help="why; kept with who decided, and when")
    parser.add_argument("--json", action="store_true", help="print the run as one JSON line")
    parser.set_defaults(run=run, decision=word)


def run(arguments: argparse.Namespace) -> int:
    """Decide, and say where the run stands now."""
    client = which_stack.required(arguments)
    word, run_id = arguments.decision, arguments.run_id
    if word == "stop":
        decided = client.stop(run_id)
    else:
        decide = {"approve": client.approve, "reject": client.reject, "rollback": client.rollback}[word]
        decided = decide(run_id, reason=arguments.reason)
    if arguments.json:
        print(json.dumps(decided, ensure_ascii=False))
        return exits.SUCCEEDED
    asked = {
        "stop": "is being stopped",
        "approve": "is approved",
        "reject": "is rejected",
        "rollback": "is undone: the model before it is back in its place",
    }[word]
    what = "run" if word == "stop" else "promotion of run"
    say(f"The {what} {decided['run_id']} {asked}.")
    return exits.SUCCEEDED
