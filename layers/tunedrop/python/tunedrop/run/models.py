"""Which run made a tuned model: an item for each model, for promotions whose recipe names the model itself."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from tunedrop.outcomes import RunNotFound

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from tunedrop.run.record import RunRecord
    from tunedrop.run.store import RunStore


class Models:
    """The tuned models of a stack, by their ids."""

    def __init__(self, client: DynamoDBClient, table: str, runs: RunStore) -> None:
        self._client = client
        self._table = table
        self._runs = runs

    def made(self, model: str, run_id: str) -> None:
        """Note that the run made the model. Noted again, it is the same."""
        self._client.put_item(TableName=self._table, Item={**_id(model), "run_id": {"S": run_id}})

    def maker(self, model: str) -> RunRecord | None:
        """The run that made the model; None where no run of this stack did."""
        item = self._client.get_item(TableName=self._table, Key=_id(model), ConsistentRead=True).get("Item")
        if item is None:
            return None
        try:
            record = self._runs.load(item["run_id"]["S"])
        except RunNotFound:
            return None
        return record if record.tuned_model == model else None


def _id(model: str) -> dict[str, Any]:
    return {"id": {"S": f"model/{hashlib.sha256(model.encode()).hexdigest()}"}}
