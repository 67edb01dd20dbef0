"""What a team has used up and reserved in a month: the reservations of the runs that go on, and the sum of the others.

A run reserves the most that it may use, once, before it costs anything. Nobody need come back: whoever finds no
room looks which runs have ended, and counts what they really used.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tunedrop import clock
from tunedrop.limits.limits import Amounts, month_problem
from tunedrop.one_item import OneItem
from tunedrop.outcomes import LimitExceeded
from tunedrop.training.budget import dollars_of, gradings_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from tunedrop.run.record import RunRecord
    from tunedrop.run.store import RunStore

KEPT_SECONDS = 100 * 24 * 3600
"""Longer than the runs of a month go on."""


@dataclass(frozen=True, slots=True)
class Month:
    """`used` by the runs that have ended, and what each that goes on has `reserved`."""

    used: Amounts
    reserved: Mapping[str, Amounts] = field(default_factory=dict)

    @property
    def spent(self) -> Amounts:
        return sum(self.reserved.values(), self.used)

    def settled(self, ended: Mapping[str, Amounts]) -> Month:
        """With what the runs that have ended really used."""
        used = sum((amounts for run_id, amounts in ended.items() if run_id in self.reserved), self.used)
        return Month(used, {run_id: each for run_id, each in self.reserved.items() if run_id not in ended})

    def to_text(self) -> str:
        reserved = {run_id: each.to_json() for run_id, each in self.reserved.items()}
        return json.dumps({"used": self.used.to_json(), "reserved": reserved}, separators=(",", ":"))

    @classmethod
    def of_text(cls, text: str | None) -> Month:
        told: dict[str, Any] = json.loads(text) if text else {"used": {}, "reserved": {}}
        reserved = {run_id: Amounts(**each) for run_id, each in told["reserved"].items()}
        return cls(Amounts(**told["used"]), reserved)


class Months:
    """The months of all teams."""

    def __init__(self, client: DynamoDBClient, table: str, runs: RunStore) -> None:
        self._client = client
        self._table = table
        self._runs = runs

    def reserve(self, run_id: str, team: str, wanted: Amounts, most: Amounts) -> None:
        """Reserve what the run may use in this month; what it reserved before stands.

        Raises:
            LimitExceeded: the month has not so much left; names each figure. Nothing is reserved then.
            ServiceBusy: others changed the month all the time.
        """
        now = clock.now()
        name = f"{now:%Y-%m}"
        item = OneItem(
            self._client, self._table, f"month/{team}/{name}", expires_at=int(now.timestamp()) + KEPT_SECONDS
        )

        def change(text: str | None) -> tuple[str | None, str | None]:
            month = Month.of_text(text)
            if run_id in month.reserved:
                return None, None
            problem = month_problem(month.spent, wanted, most, team, name)
            if problem is not None:
                month = month.settled(self._ended(list(month.reserved)))
                problem = month_problem(month.spent, wanted, most, team, name)
            if problem is not None:
                return month.to_text(), problem
            return Month(month.used, {**month.reserved, run_id: wanted}).to_text(), None

        problem = item.change(change)
        if problem is not None:
            raise LimitExceeded(
                f"the limits of this stack (parameter `Limits`): {problem}. Ask for less, wait for the "
                "next month, or ask the stack's operator"
            )

    def _ended(self, run_ids: list[str]) -> dict[str, Amounts]:
        records = {record.run_id: record for record in self._runs.load_many(run_ids)}
        ended = {}
        for run_id in run_ids:
            record = records.get(run_id)
            if record is None:
                ended[run_id] = Amounts()
            elif record.closed:
                ended[run_id] = used_by(record)
        return ended


def used_by(record: RunRecord) -> Amounts:
    """What a run that has ended used up, as far as its record tells."""
    if not record.resolved:
        return Amounts()
    recipe = record.recipe
    tokens = 0.0
    if record.evaluation.document:
        answers = (record.dataset.test_rows or 0) * (2 + len(recipe.evaluation.reference_models))
        tokens = float(answers * recipe.evaluation.samples * recipe.evaluation.max_tokens)
    if not recipe.trains or record.submitted_at is None:
        return Amounts(answer_tokens=tokens)
    end = clock.parse(record.reached.get("PollJob", record.updated_at))
    hours = max(0.0, (end - clock.parse(record.submitted_at)).total_seconds() / 3600)
    steps = int(record.training.steps or 0)
    gradings = gradings_of(recipe, steps)
    dollars = dollars_of(recipe.budget, hours=hours, steps=steps, gradings=gradings)
    return Amounts(hours=hours, steps=steps, gradings=gradings, answer_tokens=tokens, dollars=dollars)
