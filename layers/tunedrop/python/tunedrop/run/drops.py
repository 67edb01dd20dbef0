"""The same drop again: the same files with the same bytes, in the same folder, as a client that tries again sends them.

Whichever run claims a drop first goes on; the others equal it, while it stands. The API's runs have keys of their own
for this (`api.idempotency`).
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from tunedrop import clock
from tunedrop.answer_members import member
from tunedrop.outcomes import ServiceBusy, Status
from tunedrop.run.record import PinnedObject, RunRecord

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MINUTES_AFTER_END: Final = 15
"""How long after a run that ended well its drop still counts as the same."""
KEPT_SECONDS: Final = 15 * 24 * 3600
"""A claim is kept for longer than a run can take (336 hours)."""
_TRIES: Final = 5
"""Each further try has seen another run take the claim meanwhile."""


class Drops:
    """Which run each drop is: an item a drop, with a time to live."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def claim(self, drop: str, run_id: str, stands: Callable[[str], bool]) -> str:
        """The run that a drop is: `run_id`, unless an earlier run claimed it that `stands` for it still.

        Raises ServiceBusy where other runs keep taking the claim.
        """
        holder = ""
        for _ in range(_TRIES):
            if self._put(drop, run_id, instead_of=holder):
                return run_id
            answer = self._client.get_item(TableName=self._table, Key=_id(drop), ConsistentRead=True)
            if "Item" not in answer:
                continue
            holder = str(member(answer, "Item", dict, "DynamoDB's GetItem")["run_id"]["S"])
            if stands(holder):
                return holder
        raise ServiceBusy(f"the claim of run {run_id} on its drop was taken {_TRIES} times by others")

    def _put(self, drop: str, run_id: str, *, instead_of: str) -> bool:
        now = int(time.time())
        try:
            self._client.put_item(
                TableName=self._table,
                Item={**_id(drop), "run_id": {"S": run_id}, "expires_at": {"N": str(now + KEPT_SECONDS)}},
                ConditionExpression="attribute_not_exists(id) OR expires_at <= :now OR run_id IN (:own, :ended)",
                ExpressionAttributeValues={
                    ":now": {"N": str(now)},
                    ":own": {"S": run_id},
                    ":ended": {"S": instead_of or run_id},
                },
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True


def drop_of(train: PinnedObject, *others: PinnedObject | None) -> str:
    """What tells a drop from any other: its place, and the name, size and content of each of its files."""
    folder = f"{train.bucket}/{train.key.rpartition('/')[0]}"
    files = [(each.key.rpartition("/")[2], each.bytes, each.content) for each in (train, *others) if each is not None]
    return hashlib.sha256(json.dumps([folder, *files]).encode()).hexdigest()


def repeats(holder: str, *files: PinnedObject) -> str:
    """What the notice of a drop says that equals the one of the run `holder`, which stands for it."""
    names = ", ".join(each.key.rpartition("/")[2] for each in files)
    return (
        f"Nothing was started: this drop ({names}) equals, byte for byte, that of run {holder}, which is under way or "
        f"succeeded less than {MINUTES_AFTER_END} minutes ago. To start another run, change recipe.yaml (for example, "
        "add `labels: {attempt: second}`), or use another folder."
    )


def stands_for_its_drop(record: RunRecord) -> bool:
    """Whether an equal drop needs no run of its own: this one is under way, or ended well a short while ago."""
    if not record.status.terminal:
        return record.releasing_at is None
    if record.status is not Status.SUCCEEDED or record.finished_at is None:
        return False
    return clock.now() - clock.parse(record.finished_at) < timedelta(minutes=MINUTES_AFTER_END)


def _id(drop: str) -> dict[str, dict[str, str]]:
    return {"id": {"S": f"drop/{drop}"}}
