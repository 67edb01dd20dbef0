"""The runs table. Every write is conditional, so that a state that runs twice changes nothing the second time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tunedrop import clock
from tunedrop.answer_members import member, members
from tunedrop.outcomes import RunNotFound, RunReleased
from tunedrop.run.record import RunRecord, kept
from tunedrop.run.storable import DOCUMENTS, from_wire, to_wire

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

UNFINISHED_INDEX = "unfinished"
TEAM_INDEX = "by_team"

LISTED = ("run_id", "name", "status", "stage", "started_at", "updated_at", "finished_at")
"""What the index `by_team` holds of a run, beside its team: a list is filtered by some of it."""

LOOKED_AT_ONCE, MOST_LOOKED_AT = 1000, 4000
"""Runs that a filtered list looks at in one query, and in all its queries. An item of the index has some 300 bytes."""

MOST_IN_A_BATCH = 100
"""Items that BatchGetItem takes."""

_NEW_DOCUMENTS = frozenset(f":new_{name}" for name in DOCUMENTS)
"""The documents' names among the values of an update's expression."""


class OwnedByAnother(Exception):
    """The run's record belongs to another execution."""


class ConditionNotMet(Exception):
    """The record was no longer as the write expected it to be; nothing was written."""


class RunStore:
    """Reads and writes run records.

    A write names the attributes that it sets; it never writes a whole record back, so that two writers of different
    attributes do not undo each other.
    """

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def register(self, record: RunRecord) -> RunRecord:
        """Make the record, or, where this execution made it before, return it as it is now.

        Raises:
            OwnedByAnother: the run belongs to another execution.
        """
        item = {**record.to_item(), "reached": {record.stage: record.updated_at}}
        try:
            self._client.put_item(
                TableName=self._table,
                Item=to_wire(item),
                ConditionExpression="attribute_not_exists(run_id)",
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            existing = self.load(record.run_id)
            if existing.execution_arn != record.execution_arn:
                raise OwnedByAnother(f"run {record.run_id} belongs to {existing.execution_arn}") from None
            return existing
        return record

    def load(self, run_id: str) -> RunRecord:
        """The record, read consistently.

        Raises:
            RunNotFound: there is none.
        """
        answer = self._client.get_item(TableName=self._table, Key={"run_id": {"S": run_id}}, ConsistentRead=True)
        if "Item" not in answer:
            raise RunNotFound(f"no run {run_id!r} is in the table {self._table}")
        return _record(member(answer, "Item", dict, "DynamoDB's GetItem"))

    def update(self, run_id: str, changes: Mapping[str, Any]) -> RunRecord:
        """Set attributes of a run that is neither closed nor being released (None removes), and return the record.

        A new `stage` is noted in `reached` with the time.

        Raises:
            RunReleased: the run is closed, being released, or gone.
        """
        try:
            return self.update_if(
                run_id,
                changes,
                "attribute_exists(run_id) AND attribute_not_exists(notice) AND attribute_not_exists(releasing_at)",
            )
        except ConditionNotMet:
            raise RunReleased(f"run {run_id} was stopped or has ended; nothing more is done for it") from None

    def update_if(
        self,
        run_id: str,
        changes: Mapping[str, Any],
        condition: str,
        values: Mapping[str, Any] | None = None,
    ) -> RunRecord:
        """Set attributes (None removes) where `condition` (a DynamoDB expression) holds, and return the record.

        Raises:
            ConditionNotMet: it does not hold.
        """
        changes = {name: kept(value) for name, value in {**changes, "updated_at": clock.now_text()}.items()}
        sets = {name: value for name, value in changes.items() if value is not None}
        removes = [name for name, value in changes.items() if value is None]
        names, new = {f"#{name}": name for name in changes}, {f":new_{name}": value for name, value in sets.items()}
        expression = "SET " + ", ".join(f"#{name} = :new_{name}" for name in sets)
        if changes.get("stage"):
            expression += ", reached.#reached_stage = :new_updated_at"
            names["#reached_stage"] = changes["stage"]
        if removes:
            expression += " REMOVE " + ", ".join(f"#{name}" for name in removes)
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key={"run_id": {"S": run_id}},
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeNames=names,
                ExpressionAttributeValues={**to_wire(new, _NEW_DOCUMENTS), **to_wire(values or {})},
                ReturnValues="ALL_NEW",
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            raise ConditionNotMet(f"run {run_id} does not meet: {condition}") from None
        return _record(member(answer, "Attributes", dict, "DynamoDB's UpdateItem"))

    def close(self, run_id: str, changes: Mapping[str, Any]) -> RunRecord:
        """Close the run with its terminal notice (in `changes`); where it is closed already, return it as it is."""
        try:
            return self.update_if(run_id, changes, "attribute_exists(run_id) AND attribute_not_exists(notice)")
        except ConditionNotMet:
            return self.load(run_id)

    def unfinished(self) -> Iterator[RunRecord]:
        """Every run that is not notified yet, the longest untouched first; the index may lag behind the table."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=UNFINISHED_INDEX,
            KeyConditionExpression="unfinished = :yes",
            ExpressionAttributeValues={":yes": {"S": "yes"}},
        )
        for page in pages:
            for item in members(page, "Items", "DynamoDB's Query"):
                yield _record(item)

    def page(self, after: str | None, *, limit: int) -> tuple[list[RunRecord], str | None]:
        """Some records of the whole table, and after which run the next page begins: None after the last one."""
        begin: dict[str, Any] = {} if after is None else {"ExclusiveStartKey": {"run_id": {"S": after}}}
        answer = self._client.scan(TableName=self._table, Limit=limit, **begin)
        last = answer.get("LastEvaluatedKey")
        records = [_record(item) for item in members(answer, "Items", "DynamoDB's Scan")]
        return records, None if last is None else last["run_id"]["S"]

    def forget(self, run_id: str, condition: str, values: Mapping[str, Any]) -> None:
        """Delete the record where `condition` (a DynamoDB expression) holds.

        Raises:
            ConditionNotMet: it does not hold.
        """
        try:
            self._client.delete_item(
                TableName=self._table,
                Key={"run_id": {"S": run_id}},
                ConditionExpression=condition,
                ExpressionAttributeValues=to_wire(values),
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            raise ConditionNotMet(f"run {run_id} does not meet: {condition}") from None

    def load_many(self, run_ids: Sequence[str]) -> list[RunRecord]:
        """The records of these runs that there are, in the same order, read consistently."""
        found: dict[str, RunRecord] = {}
        for begin in range(0, len(run_ids), MOST_IN_A_BATCH):
            keys = [{"run_id": {"S": run_id}} for run_id in run_ids[begin : begin + MOST_IN_A_BATCH]]
            asked: dict[str, Any] = {self._table: {"Keys": keys, "ConsistentRead": True}}
            while asked:  # DynamoDB leaves out what passes 16 MB or its throughput, and says so
                answer = self._client.batch_get_item(RequestItems=asked)
                for item in members(answer.get("Responses"), self._table, "DynamoDB's BatchGetItem"):
                    record = _record(item)
                    found[record.run_id] = record
                asked = dict(answer.get("UnprocessedKeys") or {})
        return [found[run_id] for run_id in run_ids if run_id in found]

    def page_of_team(
        self,
        team: str,
        equal: Mapping[str, str],
        *,
        limit: int,
        after: Mapping[str, Any] | None,
        name_part: str | None = None,
    ) -> tuple[list[str], Mapping[str, Any] | None]:
        """The ids of some of a team's runs, the youngest first, and where the next page begins.

        `equal`: attributes that they must have; `name_part`: what their name must contain; `after`: where the page
        before this one ended. With these filters it looks at MOST_LOOKED_AT runs and may find fewer than `limit`.
        """
        conditions = [f"#{name} = :{name}" for name in equal]
        values = {name: equal[name] for name in equal}
        if name_part is not None:
            conditions.append("contains(#name, :part)")
            values["part"] = name_part
        arguments: dict[str, Any] = {} if after is None else {"ExclusiveStartKey": dict(after)}
        if conditions:
            named = {*equal, *(["name"] if name_part is not None else [])}
            arguments["FilterExpression"] = " AND ".join(conditions)
            arguments["ExpressionAttributeNames"] = {f"#{name}": name for name in named}
        found: list[str] = []
        for _ in range(MOST_LOOKED_AT // LOOKED_AT_ONCE if conditions else 1):
            answer = self._client.query(
                TableName=self._table,
                IndexName=TEAM_INDEX,
                KeyConditionExpression="team = :of_team",
                ExpressionAttributeValues={
                    ":of_team": {"S": team},
                    **{f":{name}": {"S": value} for name, value in values.items()},
                },
                ScanIndexForward=False,
                Limit=LOOKED_AT_ONCE if conditions else limit,
                **arguments,
            )
            items = members(answer, "Items", "DynamoDB's Query")
            room = limit - len(found)
            found += [str(from_wire(item)["run_id"]) for item in items[:room]]
            if len(items) > room:
                return found, {name: items[room - 1][name] for name in ("team", "started_at", "run_id")}
            after = answer.get("LastEvaluatedKey")
            if after is None or len(found) == limit:
                break
            arguments["ExclusiveStartKey"] = after
        return found, after


def _record(item: Mapping[str, Any]) -> RunRecord:
    return RunRecord.from_item(from_wire(item))
