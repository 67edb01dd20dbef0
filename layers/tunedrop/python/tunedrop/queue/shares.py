"""How many of the tokens a minute each evaluation has, where several runs are evaluated at the same moment.

One item for each service names the runs that ask, each with a lease. A shard looks every 20 s, and renews its run's
lease when half of it is over: most looks only read. A lease that has run out does not count, so the share of a run that
has ended, or was killed, goes to the others by itself.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tunedrop import clock
from tunedrop.one_item import OneItem

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LEASE = timedelta(minutes=4)
"""How long a run keeps its share after its lease was renewed: a killed run keeps it no longer."""


class Shares:
    """The shares of `tokens_a_minute`, kept in an item of the table."""

    def __init__(self, client: DynamoDBClient, table: str, family: str, tokens_a_minute: float) -> None:
        self._item = OneItem(client, table, f"evaluating/{family}")
        self._tokens_a_minute = tokens_a_minute

    def of(self, run_id: str) -> float:
        """The tokens a minute that the run has now: as many as each other run that asks.

        Raises:
            ServiceBusy: others changed the item all the time.
        """
        now = clock.now()

        def renewed(text: str | None) -> tuple[str | None, dict[str, str]]:
            leases = _live(text, now)
            until = leases.get(run_id)
            if until is not None and clock.parse(until) - now > LEASE / 2:
                return None, leases
            leases[run_id] = clock.text(now + LEASE)
            return json.dumps(leases), leases

        return self._tokens_a_minute / len(self._item.change(renewed))


def _live(text: str | None, now: datetime) -> dict[str, str]:
    leases: dict[str, str] = json.loads(text) if text else {}
    return {run_id: until for run_id, until in leases.items() if clock.parse(until) > now}
