"""The same key and body is the same run for a day: an item a key, with a time to live."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tunedrop.api.problems import Problem

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SECONDS = 24 * 3600
"""How long a key stands for its run."""


class Claims:
    """The keys that teams have used. DynamoDB deletes an item some time after its end, so its end is looked at too."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def run_of(self, team: str, key: str, body: Mapping[str, Any]) -> str | None:
        """The run that the key stands for; None where it is new.

        Raises:
            Problem: idempotency-key-reused: it came with another body.
        """
        answer = self._client.get_item(TableName=self._table, Key=_id(team, key), ConsistentRead=True)
        item = answer.get("Item")
        if item is None or int(item["expires_at"]["N"]) <= time.time():
            return None
        run_id = item["run_id"]["S"]
        if item["body"]["S"] != _digest(body):
            raise Problem(
                "idempotency-key-reused",
                f"This key has already started run {run_id} with another body. Use a new key for a new run.",
                run_id=run_id,
            )
        return run_id

    def claim(self, team: str, key: str, body: Mapping[str, Any], run_id: str) -> str:
        """Let the key stand for `run_id`, or, where another request was faster, the run that it stands for already.

        Raises:
            Problem: idempotency-key-reused.
        """
        now = int(time.time())
        try:
            self._client.put_item(
                TableName=self._table,
                Item={
                    **_id(team, key),
                    "body": {"S": _digest(body)},
                    "run_id": {"S": run_id},
                    "expires_at": {"N": str(now + SECONDS)},
                },
                ConditionExpression="attribute_not_exists(id) OR expires_at <= :now",
                ExpressionAttributeValues={":now": {"N": str(now)}},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            # Between the two, the key may have come to its end: then it is new again.
            return self.run_of(team, key, body) or self.claim(team, key, body, run_id)
        return run_id


def _id(team: str, key: str) -> dict[str, Any]:
    return {"id": {"S": f"key/{team}/{hashlib.sha256(key.encode()).hexdigest()}"}}


def _digest(body: Mapping[str, Any]) -> str:
    """The same for the same document, however it was written."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
