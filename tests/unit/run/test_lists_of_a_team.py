"""A team's runs page by page: none is left out and none comes twice, whatever the filter leaves over."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import boto3
import pytest

from tunedrop.run import store
from tunedrop.run.store import RunStore

COUNT = 24


@pytest.fixture
def runs(aws: None, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    """24 runs of red, each third of them named sums, each second failed, and some of blue."""
    monkeypatch.setattr(store, "LOOKED_AT_ONCE", 5)
    monkeypatch.setattr(store, "MOST_LOOKED_AT", 10)
    client = boto3.client("dynamodb")
    client.create_table(
        TableName="runs",
        KeySchema=[{"AttributeName": "run_id", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("run_id", "team", "started_at")
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": store.TEAM_INDEX,
                "KeySchema": [
                    {"AttributeName": "team", "KeyType": "HASH"},
                    {"AttributeName": "started_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    for team in ("red", "blue"):
        for number in range(COUNT):
            item = {
                "run_id": f"{team}-{number:02}",
                "team": team,
                "started_at": f"2026-01-01T00:{number:02}:00Z",
                "name": f"night-sums-{number}" if number % 3 == 0 else f"code-{number}",
                "status": "FAILED" if number % 2 == 0 else "SUCCEEDED",
            }
            client.put_item(TableName="runs", Item={name: {"S": value} for name, value in item.items()})
    return RunStore(client, "runs")


def pages(runs: RunStore, equal: Mapping[str, str], part: str | None, limit: int) -> list[list[str]]:
    found: list[list[str]] = []
    after: Mapping[str, Any] | None = None
    while True:
        ids, after = runs.page_of_team("red", equal, limit=limit, after=after, name_part=part)
        found.append(ids)
        if after is None:
            return found


def wanted(number: int, equal: Mapping[str, str], part: str) -> bool:
    name = f"night-sums-{number}" if number % 3 == 0 else f"code-{number}"
    status = "FAILED" if number % 2 == 0 else "SUCCEEDED"
    return part in name and equal.get("status", status) == status and equal.get("name", name) == name


def test_all_pages_together_are_the_list(runs: RunStore) -> None:
    filters: tuple[Mapping[str, str], ...] = ({}, {"status": "FAILED"}, {"name": "code-7"})
    for equal, part, limit in itertools.product(filters, (None, "sums", "none"), (3, 7, 100)):
        found = pages(runs, equal, part, limit)
        assert [run_id for page in found for run_id in page] == [
            f"red-{number:02}" for number in reversed(range(COUNT)) if wanted(number, equal, part or "")
        ]
        assert max(len(page) for page in found) <= limit
        # One request looks at so many runs, and at no more.
        assert len(found) >= (COUNT / 10 if equal or part else COUNT / limit)
