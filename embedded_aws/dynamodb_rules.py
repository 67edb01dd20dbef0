"""What DynamoDB refuses to store and moto takes.

Source: docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

MOST_DIGITS = 38
LEAST, MOST = Decimal("1E-130"), Decimal("9.9999999999999999999999999999999999999E+125")

MOST_LEVELS = 32
"""A scalar in 31 maps is stored, one in 32 is not."""

MOST_ITEM_BYTES = 400 * 1024

TOO_LARGE = "Item size has exceeded the maximum allowed size"
TOO_LARGE_TO_UPDATE = "Item size to update has exceeded the maximum allowed size"


def problem(operation: str, request: Mapping[str, Any]) -> str | None:
    """Why DynamoDB would refuse a request, in its words; None when it would not. The size after an update is not known
    here, see `item_bytes`."""
    for item in _items(operation, request):
        found = problem_of_item(item)
        if found is not None:
            return found
    return _problem_of_values(request.get("ExpressionAttributeValues") or {})


def problem_of_item(item: Mapping[str, Any]) -> str | None:
    """Why a whole item would be refused."""
    return _problem_of_values(item) or (TOO_LARGE if item_bytes(item) > MOST_ITEM_BYTES else None)


def item_bytes(item: Mapping[str, Any]) -> int:
    """The size of an item: its names and its values, in UTF-8
    (docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html)."""
    return sum(len(name.encode()) + _bytes(value) for name, value in item.items())


def _items(operation: str, request: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if operation == "PutItem":
        yield request.get("Item") or {}
    elif operation == "BatchWriteItem":
        for writes in (request.get("RequestItems") or {}).values():
            yield from (write["PutRequest"]["Item"] for write in writes if "PutRequest" in write)
    elif operation == "TransactWriteItems":
        for write in request.get("TransactItems") or ():
            yield write.get("Put", {}).get("Item") or {}
            yield write.get("Update", {}).get("ExpressionAttributeValues") or {}


def _problem_of_values(values: Mapping[str, Any]) -> str | None:
    waiting = [(value, 1) for value in values.values()]
    while waiting:
        value, level = waiting.pop()
        if not isinstance(value, Mapping):
            continue
        if level > MOST_LEVELS:
            return (
                "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond "
                "supported limit"
            )
        for number in [value["N"]] if "N" in value else value.get("NS") or ():
            found = _problem_of_number(number)
            if found is not None:
                return found
        inner = value.get("M")
        waiting += [(each, level + 1) for each in (inner.values() if inner else value.get("L") or ())]
    return None


def _problem_of_number(text: Any) -> str | None:
    try:
        number = Decimal(str(text)).copy_abs()  # abs() rounds
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or str(text) != str(text).strip():
        return f"The parameter cannot be converted to a numeric value: {text}"
    if number > MOST:
        return "Number overflow. Attempting to store a number with magnitude larger than supported range"
    if number and number < LEAST:
        return "Number underflow. Attempting to store a number with magnitude smaller than supported range"
    if len("".join(map(str, number.as_tuple().digits)).strip("0")) > MOST_DIGITS:
        return "Attempting to store more than 38 significant digits in a Number"
    return None


def _bytes(value: Mapping[str, Any]) -> int:
    (kind, content), *_ = value.items()
    if kind in ("S", "N", "B"):
        return _SCALARS[kind](content)
    if kind == "M":
        return 3 + sum(len(name.encode()) + _bytes(each) + 1 for name, each in content.items())
    if kind == "L":
        return 3 + sum(_bytes(each) + 1 for each in content)
    if kind in ("SS", "NS", "BS"):
        return sum(_SCALARS[kind[0]](each) for each in content)
    return 1  # BOOL, NULL


_SCALARS: Mapping[str, Callable[[Any], int]] = {
    "S": lambda text: len(text.encode()),
    "N": lambda text: len(str(text).lstrip("-").replace(".", "").strip("0")) // 2 + 1,
    "B": lambda text: len(base64.b64decode(text)),
}
