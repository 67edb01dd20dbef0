"""A team's quota of active runs: a slot for each, taken once, given on when its run has ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from tunedrop.limits.quota import Slots
from tunedrop.outcomes import TooManyRuns


@pytest.fixture
def client(api_table: str) -> Any:
    return boto3.client("dynamodb")


class Runs:
    """The runs that there are: each active or closed."""

    def __init__(self) -> None:
        self.closed: dict[str, bool] = {}

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
    with pytest.raises(TooManyRuns, match="Team red has 2 active runs and may have 2") as refused:
        start(runs, "c")
    assert (refused.value.active, refused.value.quota) == (2, 2)
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
    with pytest.raises(TooManyRuns):
        start(runs, "d")


def test_twenty_four_that_begin_at_once_get_five_slots_in_all(start: Callable[..., None]) -> None:
    runs = Runs()

    def begun(number: int) -> bool:
        try:
            start(runs, f"run-{number}", most=5)
        except TooManyRuns:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(begun, range(24))) == 5


class Overtaken:
    """A client whose first read comes after somebody else's `take`."""

    def __init__(self, client: Any, take: Callable[[], None]) -> None:
        self._client = client
        self._takes = [take]

    def get_item(self, **asked: Any) -> Any:
        if self._takes:
            self._takes.pop()()
        return self._client.get_item(**asked)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


@pytest.mark.parametrize("quota", [2, 3, 20])
def test_slots_that_another_run_has_just_freed_are_free(client: Any, start: Callable[..., None], quota: int) -> None:
    runs = Runs()
    for number in range(quota):
        start(runs, f"run-{number}", quota)
        runs.closed[f"run-{number}"] = True
    overtaken: Any = Overtaken(client, lambda: start(runs, "first", quota))
    slots: Any = Slots(overtaken, "api", runs)  # type: ignore[arg-type]  # all that it asks of the runs
    slots.take("red", "second", quota)
    for number in range(quota - 2):
        start(runs, f"later-{number}", quota)
    with pytest.raises(TooManyRuns, match=f"has {quota} active runs and may have {quota}"):
        start(runs, "one-too-many", quota)


def test_the_last_slot_that_another_run_took_first_is_refused(client: Any, start: Callable[..., None]) -> None:
    runs = Runs()
    start(runs, "a", 1)
    runs.closed["a"] = True
    slots: Any = Slots(Overtaken(client, lambda: start(runs, "b", 1)), "api", runs)  # type: ignore[arg-type]
    with pytest.raises(TooManyRuns, match="has 1 active run"):
        slots.take("red", "c", 1)


def test_a_slot_whose_run_never_began_is_free_after_a_quarter_of_an_hour(
    start: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = Runs()
    start(runs, "a", most=1)
    del runs.closed["a"]  # the request broke off
    with pytest.raises(TooManyRuns):
        start(runs, "b", most=1)
    later = time.time() + 901
    monkeypatch.setattr(time, "time", lambda: later)
    start(runs, "b", most=1)
