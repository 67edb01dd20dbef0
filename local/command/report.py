"""`tunedrop report RUN_ID`: opens the report of a run, or says where it lies."""

from __future__ import annotations

import argparse
import json
import os
import sys
import webbrowser
from typing import Any

from local.command import exits, kept_runs, places

_DESCRIPTION = """\
Open the report of a run in the browser where there is a screen, and say where it lies and what it says. Runs on this
machine leave theirs in build/runs/; one of a deployed stack is fetched from the bucket that the stack's output
RunsBucketName names, with the AWS credentials and the Region of the environment."""

_EXAMPLES = """\
examples:
  tunedrop report                                   the run that ended last
  tunedrop report gsm8k-37866e5aac893f84            that run; the beginning of its id will do
  tunedrop report gsm8k-37866e5aac893f84 --bucket tunedrop-dev-runsbucket-abc"""


def add_parser(subparsers: Any) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "report",
        help="open the report of a run",
        description=_DESCRIPTION,
        epilog=f"{_EXAMPLES}\n\n{exits.TEXT}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run_id", nargs="?", help="the run's id, its beginning, or its folder (default: the last run)")
    parser.add_argument("--bucket", help="fetch the run from this bucket first")
    parser.add_argument("--no-open", action="store_true", help="only say where it lies")
    parser.add_argument("--json", action="store_true", help="print where it lies and what it says as one JSON line")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Show where the report is; 0 whatever the run's verdict was."""
    if arguments.bucket:
        if not arguments.run_id:
            raise exits.UsageError("--bucket needs the id of a run")
        kept = kept_runs.fetch(arguments.bucket, arguments.run_id)
    else:
        kept = kept_runs.find(arguments.run_id) if arguments.run_id else kept_runs.latest()
    told = summary(kept)
    if arguments.json:
        print(json.dumps(told, ensure_ascii=False))
        return exits.SUCCEEDED
    print(told["sentence"])
    if told["simulated"]:
        print("Simulated: its numbers say nothing about a real model.")
    print(f"report   {told['report']}")
    print(f"folder   {told['folder']}")
    if not arguments.no_open and sys.stdout.isatty() and _has_screen():
        webbrowser.open(kept.page.resolve().as_uri())
    return exits.SUCCEEDED


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


def _has_screen() -> bool:
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
