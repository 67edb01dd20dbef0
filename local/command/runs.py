"""`tunedrop runs`: the runs of a stack, or those that this machine keeps."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping
from typing import Any

from local.command import exits, kept_runs, which_stack
from local.command.help_text import Wrapped

_DESCRIPTION = """\
List runs, the newest first: status, verdict, difference of mean reward, model and labels. Without a stack, it lists
the ended runs in build/runs."""

STATUSES = ("RUNNING", "SUCCEEDED", "REJECTED", "FAILED", "CANCELLED")
SHOWN = 20

COLUMNS = ("run", "outcome", "difference", "model", "labels", "started")
WIDE = 100
"""Columns of a terminal that has room for all of them."""


def add_parser(subparsers: Any) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "runs",
        help="list the runs of a stack",
        description=_DESCRIPTION,
        epilog=f"{which_stack.HELP}\n\n{exits.TEXT}",
        formatter_class=Wrapped,
    )
    which_stack.add_options(parser)
    parser.add_argument("--name", help="only runs of this name")
    parser.add_argument("--search", metavar="TEXT", help="only runs with this text in their names")
    parser.add_argument(
        "--status",
        type=str.upper,
        choices=STATUSES,
        metavar="STATUS",
        help=f"only runs with this status: {', '.join(STATUSES)}",
    )
    parser.add_argument("--most", type=int, default=SHOWN, metavar="N", help=f"at most N runs (default: {SHOWN})")
    parser.add_argument("--json", action="store_true", help="print the runs as one JSON line")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """List the runs."""
    client = which_stack.chosen(arguments)
    if client is not None:
        found: list[Mapping[str, Any]] = list(
            client.runs(name=arguments.name, status=arguments.status, search=arguments.search, most=arguments.most)
        )
    else:
        kept = (_summary(each) for each in kept_runs.newest_first())
        wanted = {"name": arguments.name, "status": arguments.status}
        found = [each for each in kept if all(value in (None, each[name]) for name, value in wanted.items())]
        found = [each for each in found if (arguments.search or "") in each["name"]][: arguments.most]
    if arguments.json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        _show(found)
    return exits.SUCCEEDED


def _summary(kept: kept_runs.KeptRun) -> Mapping[str, Any]:
    """An ended run as the API lists it, as far as its report says."""
    report = kept.report
    evaluation = report["evaluation"] or {}
    comparison = (evaluation.get("comparison") or {}).get("reward") or {}
    recipe = report["recipe"] or {}
    return {
        "run_id": kept.run_id,
        "name": report["name"],
        "status": report["status"],
        "verdict": evaluation.get("verdict"),
        "difference": comparison.get("difference"),
        "base_model": recipe.get("model"),
        "tuned_model": report["tuned_model"],
        "labels": recipe.get("labels") or {},
        "started_at": report.get("started_at"),
        "finished_at": report.get("finished_at"),
        "simulated": report["simulated"],
    }


def _show(found: Iterable[Mapping[str, Any]]) -> None:
    from rich.table import Table
    from rich.text import Text

    from local.command.terminal import lay_out, open_console

    console = open_console()
    columns = COLUMNS if console.width >= WIDE else COLUMNS[:3]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        # An id is copied whole.
        table.add_column(column, overflow="fold", header_style="dim", no_wrap=column == "run")
    listed = list(found)
    for each in listed:
        difference = each["difference"]
        labels = ", ".join(f"{name}={value}" for name, value in each["labels"].items())
        outcome = each["verdict"] or each.get("state") if each["status"] in ("SUCCEEDED", "RUNNING") else each["status"]
        cells = (
            each["run_id"],
            str(outcome or each["status"]),
            "" if difference is None else f"{difference:+.3f}",
            each["base_model"] or "",
            labels,
            (each["started_at"] or "")[:16].replace("T", " "),
        )
        table.add_row(*(Text(cell) for cell in cells[: len(columns)]))
    if not listed:
        console.print("no runs")
        return
    lay_out(console, table)
    if any(each["simulated"] for each in listed):
        console.print("Simulated: these figures say nothing about real models.", style="dim italic")
