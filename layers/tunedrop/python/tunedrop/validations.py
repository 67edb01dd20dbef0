"""The validations of datasets that the API was asked for: an item each, and the findings in the bucket of the runs."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tunedrop import clock
from tunedrop.run.storable import text_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEPT_SECONDS = 7 * 24 * 3600
"""How long a validation can be asked for."""


class ValidationNotFound(Exception):
    """There is no validation of that id, or it belongs to another team."""


class Validations:
    """The validations that were asked for, an item each, with a time to live."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def ask(self, team: str, source: Mapping[str, Any]) -> str:
        """Note a new validation; its id."""
        validation_id = secrets.token_hex(16)
        self._client.put_item(
            TableName=self._table,
            Item={
                **_id(validation_id),
                "team": {"S": team},
                "source": {"S": text_of(source)},
                "asked_at": {"S": clock.now_text()},
                "expires_at": {"N": str(int(time.time()) + KEPT_SECONDS)},
            },
        )
        return validation_id

    def load(self, validation_id: str, team: str | None = None) -> dict[str, Any]:
        """What was asked for, and what came of it (`result`, None until it is there).

        Raises:
            ValidationNotFound: there is none, or it is not `team`'s, where that is given.
        """
        answer = self._client.get_item(TableName=self._table, Key=_id(validation_id), ConsistentRead=True)
        item = answer.get("Item")
        if item is None or (team is not None and item["team"]["S"] != team):
            raise ValidationNotFound(f"Your team has no validation {validation_id!r}; POST /validations begins one.")
        return {
            "source": json.loads(item["source"]["S"]),
            "asked_at": item["asked_at"]["S"],
            "result": json.loads(item["result"]["S"]) if "result" in item else None,
        }

    def finish(self, validation_id: str, result: Mapping[str, Any]) -> None:
        """Note what came of it."""
        self._client.update_item(
            TableName=self._table,
            Key=_id(validation_id),
            UpdateExpression="SET #result = :result",
            ConditionExpression="attribute_exists(id)",
            ExpressionAttributeNames={"#result": "result"},
            ExpressionAttributeValues={":result": {"S": text_of(result)}},
        )


def findings_key(validation_id: str) -> str:
    """Where all findings of a validation lie in the bucket of the runs."""
    return f"validations/{validation_id}/findings.json"


def _id(validation_id: str) -> dict[str, Any]:
    return {"id": {"S": f"validation/{validation_id}"}}
