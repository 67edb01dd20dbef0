"""The line where it is kept: one item of DynamoDB for each service, which every change replaces as a whole.

So two processes never give away one slot, and a process that is killed has changed everything or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from tunedrop import clock
from tunedrop.one_item import OneItem
from tunedrop.queue.line import Line, Rules
from tunedrop.queue.place import Place, place_of
from tunedrop.run.record import RunRecord

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from tunedrop.run.store import RunStore

_LOOKED_AT = 100
"""Most runs in the way that one look asks for: a slot of each of these is more than a service gives."""


class Turns:
    """The line of one service. `family` is that of the models which it trains."""

    def __init__(self, client: DynamoDBClient, table: str, family: str, rules: Rules, runs: RunStore) -> None:
        self._item = OneItem(client, table, f"queue/{family}")
        self._rules = rules
        self._runs = runs

    def take(self, run_id: str, team: str, priority: int) -> Place | None:
        """Take a slot for the run, if it is its turn: None then. Otherwise let it wait, and say where it stands.

        A run that has a slot keeps it. Runs in the way that have ended are taken out.

        Raises:
            ServiceBusy: other processes changed the line all the time.
        """

        def change(line: Line, now: str) -> Line:
            line = line.joined(run_id, team, priority, now).granted(run_id, self._rules, now)
            gone = self._gone(line.in_the_way(run_id, self._rules, now)[:_LOOKED_AT])
            return line.left(gone).granted(run_id, self._rules, now) if gone else line

        line, now = self._change(change)
        if run_id in line.slots:
            return None
        # Where a thousand wait already, it stands behind them all.
        beside = Place(len(line.waiting) + 1, len(line.waiting) + 1, now, None)
        return place_of(line, run_id, self._rules, now) or beside

    def leave(self, run_ids: Collection[str], *, well: bool = False) -> None:
        """Take runs out of the line. `well`: their job has just ended well, and tells how long jobs take."""
        self._change(lambda line, now: line.left(run_ids, now=now if well else None))

    def refused(self, run_id: str) -> None:
        """Put the run back where it waited: the service has no room for one job more."""
        self._change(lambda line, now: line.refused(run_id, now))

    def place(self, run_id: str) -> Place | None:
        """Where a run that waits stands now; None for any other. Changes nothing."""
        text, _ = self._item.load()
        return place_of(_line(text), run_id, self._rules, clock.now_text())

    def heal(self) -> int:
        """Take out every run that has ended, however it was left here; how many there were."""
        text, _ = self._item.load()
        line = _line(text)
        gone = self._gone([*line.slots, *line.waiting])
        if gone:
            self.leave(gone)
        return len(gone)

    def _gone(self, run_ids: Sequence[str]) -> set[str]:
        records = {record.run_id: record for record in self._runs.load_many(run_ids)} if run_ids else {}
        return {run_id for run_id in run_ids if run_id not in records or _needs_no_job(records[run_id])}

    def _change(self, change: Callable[[Line, str], Line]) -> tuple[Line, str]:
        """Replace the line by what `change` makes of it; the line as it is now, and the time of that."""

        def changed(text: str | None) -> tuple[str | None, tuple[Line, str]]:
            line, now = _line(text), clock.now_text()
            after = change(line, now)
            return (None if after == line else after.to_text()), (after, now)

        return self._item.change(changed)


def _line(text: str | None) -> Line:
    return Line() if text is None else Line.of_text(text)


def _needs_no_job(record: RunRecord) -> bool:
    """Whether the run has ended, or has its model."""
    return record.closed or "PlanEvaluation" in record.reached
