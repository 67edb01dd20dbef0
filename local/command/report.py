"""`tunedrop report RUN_ID`: opens the report of a run, or says where it lies."""

from __future__ import annotations

import argparse
import json
import os
import sys
import webbrowser
from typing import Any

from local.command import exits, kept_runs, places, which_stack
from local.command.help_text import Wrapped
from local.command.printable import say

_DESCRIPTION = """\
Open the report of a run in the browser, if there is a screen, and print where it is and what it says. The reports of
runs on this machine are in build/runs/. With --stack, the report comes from the stack's API. With --bucket, all files
of the run come from the bucket that the stack's output RunsBucketName names."""

_EXAMPLES = """\
examples:
  tunedrop report                                   the run that ended last
  tunedrop report gsm8k-37866e5aac893f84            that run; the start of its id is enough
  tunedrop report gsm8k-37866e5aac893f84 --stack tunedrop-dev
  tunedrop report gsm8k-37866e5aac893f84 --bucket tunedrop-dev-runsbucket-abc"""


def add_parser(subparsers: Any) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "report",
        help="open the report of a run",
        description=_DESCRIPTION,
        epilog=f"{_EXAMPLES}\n\n{which_stack.HELP_OF_KEPT}\n\n{exits.TEXT}",
        formatter_class=Wrapped,
    )
    parser.add_argument(
        "run_id",
        nargs="?",
        help="the run's id, its beginning, its folder, or its name: the latest run of it (default: the last run)",
    )
    which_stack.add_options(parser)
    parser.add_argument("--bucket", help="fetch the run from this bucket first")
    parser.add_argument("--no-open", action="store_true", help="only say where the report is")
    parser.add_argument(
        "--json", action="store_true", help="print where the report is and what it says as one JSON line"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Show where the report is; 0 whatever the run's verdict was."""
    if arguments.bucket:
        if not arguments.run_id:
            raise exits.UsageError("--bucket needs the id of a run")
        kept = kept_runs.fetch(arguments.bucket, arguments.run_id)
    elif arguments.run_id and which_stack.named(arguments):
        kept = _fetched(arguments)
    else:
        kept = kept_runs.find(arguments.run_id) if arguments.run_id else kept_runs.latest()
    told = summary(kept)
    if arguments.json:
        print(json.dumps(told, ensure_ascii=False))
        return exits.SUCCEEDED
    say(told["sentence"])
    if told["simulated"]:
        say("Simulated: its numbers say nothing about a real model.")
    say(f"report   {told['report']}")
    say(f"folder   {told['folder']}")
    if not arguments.no_open and sys.stdout.isatty() and has_screen():
        webbrowser.open(kept.page.resolve().as_uri())
    return exits.SUCCEEDED


def _fetched(arguments: argparse.Namespace) -> kept_runs.KeptRun:
    """The run with its report, fetched by the stack's API. Raises CommandError if it has none yet."""
    from local.command.api_run import fetch_report, run_id_of

    client = which_stack.required(arguments)
    run_id = run_id_of(client, arguments.run_id)
    folder = fetch_report(client, run_id)
    if folder is None:
        raise exits.CommandError(f"run {run_id} has no report yet; follow it with `tunedrop watch`")
    return kept_runs.find(str(folder))


def summary(kept: kept_runs.KeptRun) -> dict[str, Any]:
    """What the command prints of a run."""
    report = kept.report
    return {
        "run_id": kept.run_id,
        "name": report["name"],
        "status": report["status"],
        "verdict": (report["evaluation"] or {}).get("verdict"),
        "sentence": report["sentence"],
        "simulated": report["simulated"],
        "report": places.shown(kept.page),
        "folder": f"{places.shown(kept.folder)}/",
    }


def has_screen() -> bool:
    """Whether a browser that is started here would be seen."""
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
