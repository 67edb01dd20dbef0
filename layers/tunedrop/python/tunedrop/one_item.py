"""One item of DynamoDB that every change replaces as a whole.

A write names the version that it read, so that two processes never write over each other, and a process that is killed
has changed everything or nothing. Of those that write at once one always gets through; the others read again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from tunedrop.answer_members import member
from tunedrop.outcomes import ServiceBusy

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

T = TypeVar("T")

_TRIES = 40
"""Each further try has seen another process change the item meanwhile."""


class OneItem:
    """An item with a text, in a table whose key is `id`. `expires_at`: when DynamoDB may delete it, None for never."""

    def __init__(self, client: DynamoDBClient, table: str, name: str, *, expires_at: int | None = None) -> None:
        self._client = client
        self._table = table
        self._name = name
        self._expires_at = expires_at

    def load(self) -> tuple[str | None, int]:
        """The text, None where there is no item, and its version."""
        answer = self._client.get_item(TableName=self._table, Key={"id": {"S": self._name}}, ConsistentRead=True)
        if "Item" not in answer:
            return None, 0
        item = member(answer, "Item", dict, "DynamoDB's GetItem")
        return str(item["text"]["S"]), int(item["version"]["N"])

    def change(self, change: Callable[[str | None], tuple[str | None, T]]) -> T:
        """Replace the text by what `change` makes of it, None to leave it as it is; what `change` answers beside.

        Raises:
            ServiceBusy: others changed the item all the time.
        """
        for _ in range(_TRIES):
            text, version = self.load()
            changed, answer = change(text)
            if changed is None or changed == text or self._replaced(changed, version):
                return answer
        raise ServiceBusy(f"the item {self._name} was changed {_TRIES} times by others")

    def _replaced(self, text: str, version: int) -> bool:
        item: dict[str, Any] = {"id": {"S": self._name}, "text": {"S": text}, "version": {"N": str(version + 1)}}
        if self._expires_at is not None:
            item["expires_at"] = {"N": str(self._expires_at)}
        try:
            self._client.put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression="attribute_not_exists(id) OR version = :read",
                ExpressionAttributeValues={":read": {"N": str(version)}},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True
