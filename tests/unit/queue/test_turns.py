"""The queue where it is kept: no slot is doubled or lost by those who write at once, are killed, or end silently."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import boto3
import pytest

from tunedrop.outcomes import Status
from tunedrop.queue.line import Line, Rules
from tunedrop.queue.turns import Turns
from tunedrop.run.record import RunRecord
from tunedrop.run.store import RunStore

TWO = Rules(jobs_at_once=2, probe_seconds=600)


class Killed(BaseException):
    """The process is gone."""


class Client:
    """DynamoDB as one process has it: `before` and `after` are called around each write."""

    def __init__(self, before: Callable[[], object] = bool, after: Callable[[], object] = bool) -> None:
        self._client = boto3.client("dynamodb")
        self.before, self.after = before, after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def put_item(self, **arguments: Any) -> Any:
        self.before()
        answer = self._client.put_item(**arguments)
        self.after()
        return answer


@pytest.fixture
def store(runs_table: str) -> RunStore:
    return RunStore(boto3.client("dynamodb"), runs_table)


def turns_of(store: RunStore, client: Client | None = None, rules: Rules = TWO) -> Turns:
    dynamodb: Any = client or Client()
    return Turns(dynamodb, "api", "open_weight", rules, store)


@pytest.fixture
def turns(store: RunStore, api_table: str) -> Turns:
    return turns_of(store)


def begin(store: RunStore, *names: str, **more: Any) -> None:
    for name in names:
        record = RunRecord(name, name, f"arn:aws:states:us-west-2:123456789012:execution:p:{name}", Status.RUNNING,
                           "2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.000Z")  # fmt: skip
        store.register(replace(record, **more))


def close(store: RunStore, name: str) -> None:
    store.close(name, {"status": Status.FAILED, "notice": {"Message": "over"}})


def line() -> Line:
    item = boto3.client("dynamodb").get_item(TableName="api", Key={"id": {"S": "queue/open_weight"}})["Item"]
    return Line.of_text(item["text"]["S"])


def test_two_train_and_the_third_is_told_where_it_stands(turns: Turns, store: RunStore) -> None:
    begin(store, "a", "b", "c")
    assert turns.take("a", "red", 0) is None
    assert turns.take("b", "red", 0) is None
    place = turns.take("c", "red", 0)
    assert place is not None
    assert (place.place, place.waiting) == (1, 1)
    assert turns.place("c") == place
    assert turns.take("a", "red", 0) is None, "who has a slot keeps it"
    turns.leave(["a"], well=True)
    assert turns.place("c") is not None, "whose turn it is must ask"
    assert turns.take("c", "red", 0) is None
    assert sorted(line().slots) == ["b", "c"]


@pytest.mark.parametrize("left_behind", ["closed", "trained"])
def test_the_slot_of_a_run_that_left_without_a_word_is_taken_by_the_next(
    turns: Turns, store: RunStore, left_behind: str
) -> None:
    begin(store, "a", "b", "c")
    for name in ("a", "b", "c"):
        turns.take(name, "red", 0)
    if left_behind == "closed":
        close(store, "a")
    else:
        store.update("a", {"stage": "PlanEvaluation"})
    assert turns.take("c", "red", 0) is None
    assert sorted(line().slots) == ["b", "c"]


def test_a_run_that_is_no_more_and_was_next_holds_nobody_up(turns: Turns, store: RunStore) -> None:
    begin(store, "a", "b", "next", "mine")
    for name in ("a", "b", "next", "mine"):
        turns.take(name, "red", 0)
    close(store, "next")
    turns.leave(["a"])
    assert turns.take("mine", "red", 0) is None
    assert line().waiting == {}


def test_the_sweeper_takes_out_all_that_have_ended(turns: Turns, store: RunStore) -> None:
    begin(store, "a", "b", "c", "d")
    for name in ("a", "b", "c", "d", "unknown"):
        turns.take(name, "red", 0)
    close(store, "a")
    close(store, "d")
    assert turns.heal() == 3
    assert turns.heal() == 0
    assert [*line().slots, *line().waiting] == ["b", "c"]


@pytest.mark.parametrize("runs", [10, pytest.param(30, marks=pytest.mark.prove)])
def test_all_that_ask_at_once_get_two_slots_in_all(turns: Turns, store: RunStore, runs: int) -> None:
    names = [f"run-{number}" for number in range(runs)]
    begin(store, *names)
    with ThreadPoolExecutor(8) as threads:
        places = list(threads.map(lambda name: turns_of(store).take(name, name[-1], 0), names))
    assert places.count(None) == 2
    assert len(line().slots) == 2
    assert len(line().waiting) == runs - 2
    turns.leave(list(line().slots))
    with ThreadPoolExecutor(8) as threads:
        again = list(threads.map(lambda name: turns_of(store).take(name, name[-1], 0), list(line().waiting)))
    assert again.count(None) == 2


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_process_that_is_killed_at_its_write_loses_and_doubles_nothing(
    turns: Turns, store: RunStore, moment: str
) -> None:
    def die() -> None:
        raise Killed

    begin(store, "a", "b", "c")
    turns.take("a", "red", 0)
    dying = Client(**{moment: die})
    with pytest.raises(Killed):
        turns_of(store, dying).take("b", "red", 0)
    assert ("b" in line().slots) == (moment == "after")
    assert turns.take("b", "red", 0) is None
    assert turns.take("c", "red", 0) is not None
    with pytest.raises(Killed):
        turns_of(store, dying).leave(["a"])
    assert ("a" in line().slots) == (moment == "before")
    turns.leave(["a"])
    assert turns.take("c", "red", 0) is None
    assert sorted(line().slots) == ["b", "c"]


def test_a_write_that_another_was_faster_than_is_made_again_on_what_it_wrote(turns: Turns, store: RunStore) -> None:
    begin(store, "a", "b", "c")
    turns.take("a", "red", 0)
    client = Client()

    def another() -> None:
        client.before = bool
        assert turns.take("b", "blue", 0) is None

    client.before = another
    place = turns_of(store, client).take("c", "red", 0)
    assert place is not None, "the last slot went to the faster one"
    assert sorted(line().slots) == ["a", "b"]


def test_a_refusal_keeps_the_run_where_it_waited(turns: Turns, store: RunStore) -> None:
    begin(store, "a", "b", "c")
    for name in ("a", "b", "c"):
        turns.take(name, "red", 0)
    turns.refused("b")
    assert [*line().in_order()] == ["b", "c"]
    place = turns.take("b", "red", 0)
    assert place is not None, "one slot is all that the service takes at the moment"
    assert place.place == 1
