"""What the API spends on a page of the list of runs, which the console shows: with 10,000 runs as much as with 100.

    .venv/bin/python -m pytest -s tests/bench/bench_list_of_runs.py

Clients ask the deployed Api over HTTP. The runs are copies of one that the pipeline has just taken to its end, with all
that its record holds. What counts is the processor's time of the Api function, and how often it asks DynamoDB: the
embedded DynamoDB is no measure of Amazon's, as it looks at every item of the table for each question.
"""

from __future__ import annotations

import datetime
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from moto.dynamodb.models import dynamodb_backends

from embedded_aws.calls import Call
from local.command.subscriber import subscribe
from local.stack import LocalStack
from tests.bench.benchmark_page import Note
from tests.workflow.api.clients import Client, Service
from tests.workflow.pipeline.application import QUICK, Application
from tunedrop.api.paging import token_of
from tunedrop.run.store import LOOKED_AT_ONCE, MOST_LOOKED_AT

FEW, MANY = 100, 10_000
TURNS = 12
LEAST_RATIO = 0.67
MOST_QUERIES = MOST_LOOKED_AT // LOOKED_AT_ONCE
BEGAN = datetime.datetime(2026, 1, 1)

Pages = dict[str, tuple[float, Counter[str]]]
"""Of each page the Api function's milliseconds, the least of some turns, and its calls by action."""


def copies(item: Mapping[str, Any], numbers: range) -> Iterator[dict[str, Any]]:
    """A record again and again, each run a minute younger than the one before it."""
    for number in numbers:
        started = f"{(BEGAN + datetime.timedelta(minutes=number)).isoformat()}.000Z"
        own = {"run_id": f"copy-{number:016x}", "name": f"copy-{number}", "started_at": started}
        yield {**item, **{name: {"S": value} for name, value in own.items()}}


def pages(stack: LocalStack, client: Client, middle: Mapping[str, Any]) -> Pages:
    """The first page, the one after the run `middle`, and an answer to a search that finds nothing."""

    def spent() -> float:
        (pid,) = stack.aws.functions.pool.warm(stack.resources["Api"])
        threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
        return sum(int(each.read_text().split()[0]) for each in threads) / 1e6

    calls: Counter[str] = Counter()

    def count(call: Call) -> None:
        if call.caller is not None:  # the function, and not this test
            calls[call.action] += 1

    found = {}
    asked = {"first": "", "middle": f"?page={token_of(middle)}", "search": "?search=needle"}
    for name, query in asked.items():
        rows = len(client.get(f"/runs{query}")["runs"])
        assert rows == (0 if name == "search" else 50), rows
        stop = stack.aws.calls.observe(count)
        turns = []
        for _ in range(TURNS):
            calls.clear()
            before = spent()
            client.get(f"/runs{query}")
            turns.append(spent() - before)
        stop()
        found[name] = min(turns), calls.copy()
    return found


@pytest.fixture(scope="module")
def found() -> Iterator[dict[int, Pages]]:
    """The pages by how many runs there are."""
    with LocalStack(switches=QUICK, stepped_schedules=True, wait_factor=0.0, parameters={"SettleSeconds": 0}) as stack:
        clients = stack.aws.client("sqs"), stack.aws.client("sns")
        application = Application(stack, subscribe(*clients, stack.outputs["NoticesTopicArn"], "subscriber"))
        run_id = application.end(application.drop())["run_id"]
        table = stack.outputs["RunsTableName"]
        item = stack.aws.client("dynamodb").get_item(TableName=table, Key={"run_id": {"S": run_id}})["Item"]
        client = Service(stack, application.queue_url).client("reader")
        backend = dynamodb_backends[stack.aws.account][stack.region]
        made: dict[int, Pages] = {}
        for begin, count in ((0, FEW), (FEW, MANY)):
            for copy in copies(item, range(begin, count)):
                backend.put_item(table, copy)  # BatchWriteItem takes minutes here
            (middle,) = copies(item, range(count // 2, count // 2 + 1))
            made[count] = pages(stack, client, middle)
        yield made


@pytest.mark.timeout(900)
@pytest.mark.parametrize("page", ["first", "middle"])
def test_a_page_of_ten_thousand_runs_costs_what_one_of_a_hundred_does(
    found: dict[int, Pages], note: Note, page: str
) -> None:
    (few, few_calls), (many, many_calls) = (found[count][page] for count in (FEW, MANY))
    sys.stdout.write(f"the {page} page: {many:.1f} ms of the Api with {MANY:,} runs, {few:.1f} ms with {FEW}\n")
    note(
        f"the {page} page of 50 among {MANY:,} runs, processor time of the Api",
        many,
        "ms",
        versus=f"among {FEW} runs",
        ratio=few / many,
        bound=f"at least {LEAST_RATIO:g}x, with the same two calls",
    )
    assert many_calls == few_calls == {"Query": 1, "BatchGetItem": 1}
    assert few / many >= LEAST_RATIO


def test_a_search_looks_at_no_more_runs_than_it_says(found: dict[int, Pages], note: Note) -> None:
    milliseconds, calls = found[MANY]["search"]
    note(
        f"an answer to a search of {MANY:,} runs, processor time of the Api",
        milliseconds,
        "ms",
        bound=f"at most {MOST_QUERIES} queries",
    )
    assert calls == {"Query": MOST_QUERIES}
