"""DynamoDB's writes, each in one step."""

from __future__ import annotations

import threading
from typing import Any

import moto.core.responses
from moto.dynamodb.responses import DynamoHandler

from local.aws.moto_patches.replacement import Replace


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
