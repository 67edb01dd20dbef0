"""A team's quota of active runs: a slot for each, taken once, given on when its run has ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from tunedrop.api.problems import Problem
from tunedrop.api.quota import Slots


@pytest.fixture
def client(aws: None) -> Any:
    client = boto3.client("dynamodb")
    client.create_table(
        TableName="api",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return client


class Runs:
    """The runs that there are: each active or closed; `dropped` more came by the inbox."""

    def __init__(self, dropped: int = 0) -> None:
        self.closed: dict[str, bool] = {}
        self.dropped = dropped

    def count_dropped(self, _: str) -> int:
        return self.dropped

    def load_many(self, run_ids: Iterable[str]) -> list[Any]:
        return [SimpleNamespace(run_id=each, closed=self.closed[each]) for each in run_ids if each in self.closed]


@pytest.fixture
def start(client: Any) -> Callable[..., None]:
    def start(runs: Runs, run_id: str, most: int = 2, team: str = "red") -> None:
        slots: Any = Slots(client, "api", runs)  # type: ignore[arg-type]  # all that it asks of the runs
        slots.take(team, run_id, most)
        runs.closed.setdefault(run_id, False)

    return start


def test_a_team_with_as_many_active_runs_as_it_may_have_is_refused_with_its_quota(start: Callable[..., None]) -> None:
    runs = Runs()
    start(runs, "a")
    start(runs, "b")
    with pytest.raises(Problem, match="Team red has 2 active runs and may have 2") as refused:
        start(runs, "c")
    assert (refused.value.kind, refused.value.status) == ("too-many-runs", 429)
    assert refused.value.more == {"active": 2, "quota": 2}
    start(runs, "c", team="blue")


def test_a_run_that_is_asked_for_again_has_its_slot_already(start: Callable[..., None]) -> None:
    runs = Runs()
    for run_id in ("a", "b", "a", "b"):
        start(runs, run_id)


def test_the_slot_of_an_ended_run_is_the_next_one_s(start: Callable[..., None]) -> None:
    runs = Runs()
    start(runs, "a")
    start(runs, "b")
    runs.closed["a"] = True
    start(runs, "c")
    with pytest.raises(Problem):
        start(runs, "d")


def test_runs_that_were_dropped_count_too(start: Callable[..., None]) -> None:
    with pytest.raises(Problem, match="has 2 active runs"):
        start(Runs(dropped=2), "a")
    runs = Runs(dropped=1)
    start(runs, "a")
    with pytest.raises(Problem, match="has 2 active runs"):
        start(runs, "b")


def test_a_slot_whose_run_never_began_is_free_after_a_quarter_of_an_hour(
    start: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = Runs()
    start(runs, "a", most=1)
    del runs.closed["a"]  # the request broke off
    with pytest.raises(Problem):
        start(runs, "b", most=1)
    later = time.time() + 901
    monkeypatch.setattr(time, "time", lambda: later)
    start(runs, "b", most=1)
