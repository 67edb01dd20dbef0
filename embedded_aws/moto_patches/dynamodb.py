"""DynamoDB's writes: each in one step, and none of what DynamoDB does not store."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from typing import Any

import moto.core.responses
from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.responses import DynamoHandler

from embedded_aws import dynamodb_rules
from embedded_aws.moto_patches.replacement import Replace


def make_atomic(replace: Replace) -> None:
    """moto checks a write's condition and then writes, so that of several conditional writes at the same moment
    more than one may succeed; and a reader may see half of an update. In DynamoDB each is one step
    (docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithItems.html)."""
    lock = threading.RLock()

    def call_action(response: Any) -> Any:
        if not isinstance(response, DynamoHandler):
            return original(response)
        with lock:
            return original(response)

    original = replace(moto.core.responses.BaseResponse, "call_action", call_action)


def refuse_what_aws_refuses(replace: Replace) -> None:
    """moto stores numbers of any length and values of any depth, and by an update numbers of any size and items of more
    than 400 KB (docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html)."""

    def checked(write: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def call(handler: Any) -> Any:
            problem = dynamodb_rules.problem(handler._get_action(), handler.body)
            if problem is not None:
                raise MockValidationException(problem)
            return write(handler)

        return call

    for name in ("put_item", "update_item", "batch_write_item", "transact_write_items"):
        replace(DynamoHandler, name, checked(getattr(DynamoHandler, name)))

    def update_item(backend: Any, table_name: str, key: Any, *args: Any, **kwargs: Any) -> Any:
        before = backend.get_item(table_name, key)
        kept = copy.deepcopy(before.attrs) if before is not None else None
        item = update(backend, table_name, key, *args, **kwargs)
        if dynamodb_rules.item_bytes(item.to_json()["Attributes"]) <= dynamodb_rules.MOST_ITEM_BYTES:
            return item
        if kept is None:
            backend.delete_item(table_name, key)
        else:
            item.attrs = kept
        raise MockValidationException(dynamodb_rules.TOO_LARGE_TO_UPDATE)

    update = replace(DynamoDBBackend, "update_item", update_item)
