"""`tunedrop logs RUN`: what the functions logged about a run."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import Any

from local.command import exits, kept_runs, places, which_stack
from local.command.help_text import Wrapped
from local.command.printable import say

_DESCRIPTION = """\
Print what the functions logged about a run, in order of time. For a run on this machine, the logs come from
build/runs; for a run of a deployed stack, from CloudWatch Logs. This needs more rights than the API does:
cloudformation:DescribeStackResource and logs:FilterLogEvents."""

LOG_GROUP = "FunctionsLogGroup"
"""The functions' log group, as the template names it."""


def add_parser(subparsers: Any) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "logs",
        help="print what the functions logged about a run",
        description=_DESCRIPTION,
        epilog=f"{which_stack.HELP}\n\n{exits.TEXT}",
        formatter_class=Wrapped,
    )
    parser.add_argument(
        "run_id", help="the run's id; for a run on this machine also the start of its id, or its folder"
    )
    which_stack.add_options(parser)
    parser.add_argument("--json", action="store_true", help="print only the lines that are JSON, unchanged")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the lines; 0 even if there are none."""
    lines = _of_stack(arguments) if which_stack.named(arguments) else _of_this_machine(arguments.run_id)
    for line in lines:
        if arguments.json:
            if _is_json(line):
                print(line)
        else:
            say(line)
    return exits.SUCCEEDED


def _of_this_machine(name: str) -> Iterator[str]:
    from local.command.following import LOGS

    kept = kept_runs.find(name)
    found = []
    for path in sorted((kept.folder / LOGS).glob("*.log")):
        for line in path.read_text(errors="replace").splitlines():
            if kept.run_id in line:
                found.append((_moment(line), line))
    if not found:
        raise exits.CommandError(f"no function's log in {places.shown(kept.folder)} names run {kept.run_id}")
    for _, line in sorted(found, key=lambda each: each[0]):
        yield line


def _of_stack(arguments: argparse.Namespace) -> Iterator[str]:
    import boto3

    from tunedrop_client.places import wanted

    what = wanted(stack=arguments.stack, api_url=arguments.api, profile=arguments.profile)
    if not what.stack:
        raise exits.UsageError("the logs are in CloudWatch; name the stack with --stack, not with its API's URL")
    session = boto3.Session(profile_name=what.aws_profile, region_name=what.region)
    described = session.client("cloudformation").describe_stack_resource(
        StackName=what.stack, LogicalResourceId=LOG_GROUP
    )
    group = described["StackResourceDetail"]["PhysicalResourceId"]
    pages = session.client("logs").get_paginator("filter_log_events")
    for page in pages.paginate(logGroupName=group, filterPattern=f'"{arguments.run_id}"'):
        for event in page["events"]:
            yield event["message"].rstrip("\n")


def _moment(line: str) -> str:
    try:
        return str(json.loads(line).get("timestamp", ""))
    except (ValueError, AttributeError):
        return ""


def _is_json(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False
