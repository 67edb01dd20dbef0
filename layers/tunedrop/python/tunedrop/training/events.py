"""The events of all jobs, kept once each, however often and in whatever order the service tells them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tunedrop.answer_members import members
from tunedrop.run.storable import text_of
from tunedrop.training.backend import TrainingEvent

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_BATCH = 25  # items a BatchWriteItem, DynamoDB's limit


class TrainingEvents:
    """The events of all jobs, an item each by run and event: writing one twice changes nothing."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def keep(self, run_id: str, events: Iterable[TrainingEvent]) -> list[TrainingEvent]:
        """Write the events that are not kept yet; those."""
        known = {item["event_id"]["S"] for item in self._items(run_id, "event_id")}
        # By id: a list that grows while it is read may tell an event twice.
        new = list({event.id: event for event in events if event.id not in known}.values())
        for start in range(0, len(new), _BATCH):
            requests: Any = [
                {"PutRequest": {"Item": _event_item(run_id, event)}} for event in new[start : start + _BATCH]
            ]
            while requests:
                answer = self._client.batch_write_item(RequestItems={self._table: requests})
                requests = answer.get("UnprocessedItems", {}).get(self._table, [])
        return new

    def metrics(self, run_id: str) -> list[dict[str, float]]:
        """The metrics of every step, by step; where a step was told twice, the later one."""
        by_step: dict[int, tuple[int, dict[str, float]]] = {}
        for item in self._items(run_id, "event_id, created_at, step, metrics"):
            if "metrics" in item and "step" in item:
                step, created = int(item["step"]["N"]), int(item["created_at"]["N"])
                values = _metrics(item["metrics"])
                if step not in by_step or created >= by_step[step][0]:
                    by_step[step] = (created, values)
        return [by_step[step][1] for step in sorted(by_step)]

    def forget(self, run_id: str) -> None:
        """Delete all events of a run."""
        ids = [item["event_id"] for item in self._items(run_id, "event_id")]
        for start in range(0, len(ids), _BATCH):
            requests: Any = [
                {"DeleteRequest": {"Key": {"run_id": {"S": run_id}, "event_id": each}}}
                for each in ids[start : start + _BATCH]
            ]
            while requests:
                answer = self._client.batch_write_item(RequestItems={self._table: requests})
                requests = answer.get("UnprocessedItems", {}).get(self._table, [])

    def _items(self, run_id: str, attributes: str) -> Iterable[Mapping[str, Any]]:
        names = {f"#{name.strip()}": name.strip() for name in attributes.split(",")}
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="run_id = :run",
            ExpressionAttributeValues={":run": {"S": run_id}},
            ExpressionAttributeNames=names,
            ProjectionExpression=", ".join(names),
            ConsistentRead=True,
        )
        for page in pages:
            yield from members(page, "Items", "DynamoDB's Query")


def _event_item(run_id: str, event: TrainingEvent) -> dict[str, Any]:
    item: dict[str, Any] = {
        "run_id": {"S": run_id},
        "event_id": {"S": event.id},
        "created_at": {"N": str(event.created_at)},
        "level": {"S": event.level},
        "message": {"S": event.message},
    }
    if event.step is not None:
        item["step"] = {"N": str(event.step)}
    if event.metrics is not None:
        # As text: a metric may be smaller than any number of DynamoDB's, or no number at all.
        item["metrics"] = {"S": text_of(event.metrics)}
    return item


def _metrics(kept: Mapping[str, Any]) -> dict[str, float]:
    """The metrics that an item has, without those that were no finite number; an earlier release kept a map."""
    if "M" in kept:
        return {name: float(value["N"]) for name, value in kept["M"].items()}
    return {name: float(value) for name, value in json.loads(kept["S"]).items() if value is not None}
