"""DynamoDB's writes: each in one step, and none of what DynamoDB does not store."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from typing import Any

import moto.core.responses
from moto.core.serialize import BaseJSONSerializer
from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
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


def send_values_as_they_are(replace: Replace) -> None:
    """moto looks in every value of an item for ten types under nine names each, which is a third of what a call costs.
    A value says its one type."""

    def serialize(serializer: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
        if shape.name == "AttributeValue" and key:
            try:
                serialized[key] = _sent(value)
                return
            except _Binary:
                pass
        original(serializer, serialized, value, shape, key)

    original = replace(BaseJSONSerializer, "_serialize_type_structure", serialize)


class _Binary(Exception):
    """A value holds bytes, which moto encodes."""


def _sent(value: DynamoType | dict[str, Any]) -> dict[str, Any]:
    """An attribute's value as DynamoDB sends it. Raises _Binary."""
    kind, held = (value.type, value.value) if isinstance(value, DynamoType) else next(iter(value.items()))
    match kind:
        case "M":
            return {"M": {name: _sent(each) for name, each in held.items()}}
        case "L":
            return {"L": [_sent(each) for each in held]}
        case "SS" | "NS":
            return {kind: [str(each) for each in held]}
        case "B" | "BS":
            raise _Binary
        case "S" | "N":
            return {kind: str(held)}
    return {kind: held}
