"""AwaitTurn: takes a slot for the run's training job, or says how long to wait until the run asks again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tunedrop.notices import of_run
from tunedrop.notices.publication import Publication
from tunedrop.outcomes import RunReleased, WaitedTooLong
from tunedrop.queue.pace import turn_wait_seconds, waited_seconds
from tunedrop.resources import Resources
from tunedrop.states.decision import Decision, for_the_handler

LONG_WAIT_SECONDS = 3600
"""A run that waits longer sends one notice about it."""

LONG_WAIT = "long_wait"
"""The name of that notice in `told`."""


@dataclass(frozen=True, slots=True)
class Turn(Decision):
    """`go`: the run has a slot, or needs none. `wait`: it asks again after `wait_seconds`.

    `warnings` has the notice of a long wait, if it is due and not published yet. `told` names the notices that this
    execution has published, and that one.
    """

    wait_seconds: int
    told: Sequence[str]
    warnings: Sequence[Publication] = ()
    place: str = for_the_handler("")


def run(event: Mapping[str, Any], resources: Resources) -> Turn:
    """Ask for the run's turn, once.

    Input: `run_id`, and `told`: the names of the notices that the execution has published so far.

    Raises:
        WaitedTooLong: the run has waited longer than its recipe allows.
        RunReleased: the run was stopped meanwhile; it is not in the queue.
        ServiceBusy: other runs changed the queue at each try.
    """
    run_id, told = event["run_id"], tuple(event.get("told", ()))
    record = resources.runs.load(run_id)
    if not record.recipe.trains:
        return Turn("go", 0, told)
    turns = resources.turns(record)
    place = turns.take(run_id, record.team or "", record.recipe.queue.priority)
    try:
        resources.runs.update(run_id, {"stage": "AwaitTurn", "turn": asdict(place) if place else None})
    except RunReleased:
        # Whoever stops the run marks its record and then takes it out of the queue: one of the two comes last.
        turns.leave([run_id])
        raise
    if place is None:
        return Turn("go", 0, told)
    waited = waited_seconds(place.since)
    hours = record.recipe.queue.wait_hours
    if waited > hours * 3600:
        raise WaitedTooLong(
            f"run {run_id} waited {waited / 3600:.1f} hours for its turn to train and was number {place.place} of "
            f"{place.waiting}; the recipe allows {hours:g} (`queue.wait_hours`). Nothing was trained: drop the dataset "
            "again, with more hours, or when fewer runs wait"
        )
    stands = f"{place.place} of {place.waiting}"
    wait = turn_wait_seconds(waited, resources.settings.first_poll_seconds)
    if waited < LONG_WAIT_SECONDS or LONG_WAIT in told:
        return Turn("wait", wait, told, place=stands)
    return Turn("wait", wait, (*told, LONG_WAIT), (of_run.turn_awaited(record, place),), place=stands)
