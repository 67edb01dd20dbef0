"""AwaitTurn: who waits is told, and does not wait for ever; who needs no slot takes none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.states.simulated_service import RUN_ID, Clock
from tunedrop import clock as tunedrop_clock
from tunedrop.notices.publication import document_of
from tunedrop.outcomes import RunReleased, WaitedTooLong
from tunedrop.queue.place import Place
from tunedrop.recipe_resolution import resolve
from tunedrop.run.record import RunRecord
from tunedrop.run.store import RunStore
from tunedrop.states import await_turn
from tunedrop.states.await_turn import LONG_WAIT


class Line:
    """A line in which the run always stands at number 2 of 3, since the test began."""

    def __init__(self) -> None:
        self.place = Place(2, 3, tunedrop_clock.now_text(), None)
        self.taken: list[str] = []

    def take(self, run_id: str, team: str, priority: int) -> Place:
        self.taken.append(run_id)
        return self.place

    def leave(self, run_ids: list[str]) -> None:
        for run_id in run_ids:
            self.taken.remove(run_id)


@pytest.fixture
def line(clock: Clock) -> Line:
    return Line()


@pytest.fixture
def resources(store: RunStore, line: Line) -> Any:
    return SimpleNamespace(runs=store, turns=lambda _: line, settings=SimpleNamespace(first_poll_seconds=60))


def test_a_long_wait_is_told_once_and_an_endless_one_ends_the_run(resources: Any, run: RunRecord, clock: Clock) -> None:
    recipe = resolve({"queue": {"wait_hours": 2}}, "us-west-2").model_dump(mode="json")
    resources.runs.update(RUN_ID, {"recipe": recipe})
    first = await_turn.run({"run_id": RUN_ID}, resources)
    assert (first.decision, first.place, first.told, first.warnings) == ("wait", "2 of 3", (), ())
    clock.sleep(3700)
    told = await_turn.run({"run_id": RUN_ID, "told": first.told}, resources)
    assert told.told == (LONG_WAIT,)
    assert (told.wait_seconds, document_of(told.warnings[0])["place"]) == (74, 2)
    again = await_turn.run({"run_id": RUN_ID, "told": told.told}, resources)
    assert (again.decision, again.told, again.warnings) == ("wait", (LONG_WAIT,), ())
    clock.sleep(3600)
    with pytest.raises(WaitedTooLong, match=r"waited 2\.0 hours .* number 2 of 3; the recipe allows 2 .*wait_hours"):
        await_turn.run({"run_id": RUN_ID, "told": told.told}, resources)


def test_a_run_that_is_stopped_while_it_asks_is_not_left_in_the_line(
    resources: Any, run: RunRecord, line: Line
) -> None:
    resources.runs.update_if(RUN_ID, {"releasing_at": tunedrop_clock.now_text()}, "attribute_exists(run_id)")
    with pytest.raises(RunReleased):
        await_turn.run({"run_id": RUN_ID}, resources)
    assert line.taken == []


def test_a_run_that_trains_nothing_takes_no_slot_from_those_that_do(resources: Any, run: RunRecord, line: Line) -> None:
    recipe = resolve({"evaluate_only": "ft-9"}, "us-west-2").model_dump(mode="json")
    resources.runs.update(RUN_ID, {"recipe": recipe})
    assert await_turn.run({"run_id": RUN_ID}, resources).decision == "go"
    assert line.taken == []
