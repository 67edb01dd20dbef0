"""The one place where a run's attributes are made fit for DynamoDB, and are read back.

DynamoDB holds numbers of 38 digits from 1E-130 to 9.99E+125 and 32 levels of maps (docs.aws.amazon.com/amazondynamodb/
latest/developerguide/Constraints.html); a recipe has numbers beyond a double, and a p-value may be 1E-177. So what a
run is made of and what it found are kept as their exact JSON text, and everything else as text and maps of text.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

DOCUMENTS = frozenset({"source", "recipe", "dataset", "rehearsal", "turn", "training", "evaluation", "approval_rule"})
"""The attributes that are kept as JSON text."""

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_serializer = TypeSerializer()
_deserializer = TypeDeserializer()


def to_wire(attributes: Mapping[str, Any], documents: frozenset[str] = DOCUMENTS) -> dict[str, Any]:
    """Attributes in DynamoDB's form. `documents`: the names of those that are kept as JSON text.

    Never fails for what JSON can hold: a figure that is no finite number is null, since there is no such figure, and
    half of a surrogate pair in plain text is U+FFFD.
    """
    return {
        name: _serializer.serialize(text_of(value) if name in documents and value is not None else _plain(value))
        for name, value in attributes.items()
    }


def from_wire(item: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of an item in DynamoDB's form. A document that an earlier release kept as a map is read, too."""
    attributes = {}
    for name, value in item.items():
        plain = _unplain(_deserializer.deserialize(value))
        attributes[name] = json.loads(plain) if name in DOCUMENTS and isinstance(plain, str) else plain
    return attributes


def text_of(value: Any) -> str:
    """The exact JSON text of a document: every digit, at any depth; null for a figure that is not finite."""
    written = json.dumps(finite(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # Lone surrogates are no UTF-8; as escapes within JSON's strings they come back as they were.
    return _LONE_SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", written)


def finite(value: Any) -> Any:
    """`value` as JSON has it: keys are text, tuples are lists, and a number that is not finite is None."""
    if isinstance(value, Mapping):
        return {str(name): finite(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _plain(value: Any) -> Any:
    """Text, whole numbers (the bytes of a file), and lists and maps of these; any other number as its text."""
    if isinstance(value, Mapping):
        return {_plain(str(name)): _plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, str):
        return _LONE_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", str(value))
    if isinstance(value, (int, float)) and not isinstance(value, bool) and not _is_storable_integer(value):
        return str(value)
    return value


def _is_storable_integer(value: float) -> bool:
    return isinstance(value, int) and abs(value) < 10**38


def _unplain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _unplain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_unplain(inner) for inner in value]
    if isinstance(value, (str, bool)) or value is None:
        return value
    # Documents of an earlier release hold fractions.
    return int(value) if value == value.to_integral_value() else float(value)
