"""`tunedrop audit --month 2026-11`: who did what in a month, from the stack's audit trail."""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TextIO

from local.command import exits, which_stack
from local.command.help_text import Wrapped

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_DESCRIPTION = """\
Print who dropped, started, stopped, approved and promoted what in a month (UTC), when, and with which versions. The
trail is in S3, so this needs more rights than the API does: cloudformation:DescribeStackResource, and s3:ListBucket
and s3:GetObject on the bucket of the runs; with Encryption=customer kms:Decrypt, too."""

BUCKET = "RunsBucket"
"""The bucket with the trail, as the template names it."""

MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_AT_ONCE = 16
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def add_parser(subparsers: Any) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "audit",
        help="print who did what in a month",
        description=_DESCRIPTION,
        epilog=f"{which_stack.HELP}\n\n{exits.TEXT}",
        formatter_class=Wrapped,
    )
    parser.add_argument("--month", required=True, type=_month, metavar="YYYY-MM", help="the month, as in 2026-11")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="print CSV")
    form.add_argument("--json", action="store_true", help="print JSON lines, as without this option")
    which_stack.add_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the month's entries in the order of their time; 0 even if there are none."""
    import boto3

    from tunedrop_client.places import wanted

    what = wanted(stack=arguments.stack, api_url=arguments.api, profile=arguments.profile)
    if not what.stack:
        raise exits.UsageError("the trail is in S3; name the stack with --stack, not with its API's URL")
    session = boto3.Session(profile_name=what.aws_profile, region_name=what.region)
    described = session.client("cloudformation").describe_stack_resource(StackName=what.stack, LogicalResourceId=BUCKET)
    bucket = described["StackResourceDetail"]["PhysicalResourceId"]
    entries = of_month(session.client("s3"), bucket, arguments.month)
    if arguments.csv:
        write_csv(entries, sys.stdout)
    else:
        for entry in entries:
            print(json.dumps(entry, ensure_ascii=False))
    return exits.SUCCEEDED


def of_month(client: S3Client, bucket: str, month: str) -> Iterator[Mapping[str, str]]:
    """The trail's entries of a month (`2026-11`, UTC), in the order of their time."""
    from tunedrop.audit import PREFIX

    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix=f"{PREFIX}{month.replace('-', '/')}/"
    )
    keys = [each["Key"] for page in pages for each in page.get("Contents", [])]

    def read(key: str) -> Mapping[str, str]:
        entry: Mapping[str, str] = json.loads(client.get_object(Bucket=bucket, Key=key)["Body"].read())
        return entry

    with ThreadPoolExecutor(_AT_ONCE) as threads:  # S3 lists keys in their order, which is that of time
        yield from threads.map(read, keys)


def write_csv(entries: Iterable[Mapping[str, str]], to: TextIO) -> None:
    """Entries as CSV, a column for each field. A text that a spreadsheet would take for a formula begins with `'`."""
    from tunedrop.audit import Entry

    writer = csv.DictWriter(to, [field.name for field in fields(Entry)], extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for entry in entries:
        writer.writerow({name: f"'{text}" if text.startswith(_FORMULA) else text for name, text in entry.items()})


def _month(told: str) -> str:
    if MONTH.fullmatch(told) is None:
        raise argparse.ArgumentTypeError(f"expected a month as in 2026-11, got {told!r}")
    return told
