"""A team's quota of active runs: each run has a slot, which a conditional write takes. No burst gets past it.

It counts every run, however it was started.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tunedrop.outcomes import TooManyRuns
from tunedrop.run.store import RunStore

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LOST_SECONDS = 900
"""A slot without a record, so long after the team last took one, is of a request that broke off."""

_TRIES = 20
"""To take a slot, and to take it again after the slots of ended runs are free. Each further try needs another run that
took what was free meanwhile, and has ended, too."""


class Slots:
    """The slots of all teams: an item for each team, with the set of its runs and the time when it took the last slot.

    Nobody gives a slot back when a run ends: whoever finds none free looks which runs have ended, and frees theirs. So
    there is no count that a lost event could spoil.
    """

    def __init__(self, client: DynamoDBClient, table: str, runs: RunStore) -> None:
        self._client = client
        self._table = table
        self._runs = runs

    def take(self, team: str, run_id: str, quota: int) -> None:
        """Take a slot for the run; one that it has already is its own.

        Raises:
            TooManyRuns: the team has as many active runs as it may have.
        """
        held: list[str] = []
        for _ in range(_TRIES):
            if self._taken(team, run_id, quota):
                return
            held, taken_at = self._held(team)
            ended = self._ended(held, taken_at)
            if ended:
                self._free(team, ended)
            elif len(held) >= quota:
                break
            # Otherwise another run has just freed the slots that this one found taken.
        raise TooManyRuns(team, active=len(held), quota=quota)

    def _taken(self, team: str, run_id: str, room: int) -> bool:
        values: dict[str, Any] = {
            ":now": {"N": str(int(time.time()))},
            ":run": {"SS": [run_id]},
            ":run_id": {"S": run_id},
            ":room": {"N": str(room)},
        }
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_id(team),
                UpdateExpression="SET taken_at = :now ADD runs :run",
                ConditionExpression="attribute_not_exists(runs) OR size(runs) < :room OR contains(runs, :run_id)",
                ExpressionAttributeValues=values,
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _held(self, team: str) -> tuple[list[str], int]:
        """The runs that have a slot, and when the last one was taken."""
        item = self._client.get_item(TableName=self._table, Key=_id(team), ConsistentRead=True).get("Item") or {}
        return list(item.get("runs", {}).get("SS", ())), int(item.get("taken_at", {}).get("N", "0"))

    def _ended(self, held: Sequence[str], taken_at: int) -> list[str]:
        """The runs that have ended, and those that never began."""
        records = {record.run_id: record for record in self._runs.load_many(held)}
        lost = taken_at < time.time() - LOST_SECONDS
        return [run_id for run_id in held if (records[run_id].closed if run_id in records else lost)]

    def _free(self, team: str, run_ids: list[str]) -> None:
        self._client.update_item(
            TableName=self._table,
            Key=_id(team),
            UpdateExpression="DELETE runs :runs",
            ExpressionAttributeValues={":runs": {"SS": run_ids}},
        )


def _id(team: str) -> dict[str, Any]:
    return {"id": {"S": f"slots/{team}"}}
