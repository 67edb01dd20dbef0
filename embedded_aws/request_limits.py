"""What SQS, EventBridge, Parameter Store and Lambda refuse for its size or its characters, and moto takes.

Each function answers why the request would be refused, in the service's words; None where it would not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

MOST_ENTRY_BYTES = 256 * 1024
"""All entries of a PutEvents together (docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html)."""

MOST_STANDARD_CHARACTERS = 4096
MOST_ADVANCED_CHARACTERS = 8192
"""A parameter's value by its tier
(docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html)."""

MOST_TIMEOUT_SECONDS = 900
MEMORY_MB = (128, 10_240)
MOST_ENVIRONMENT_BYTES = 4 * 1024
"""docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def wrong_characters(text: str) -> bool:
    """Whether a text has characters that SQS and SNS refuse, as XML does: control characters and half pairs.

    docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
    """
    return _NOT_XML.search(text) is not None


def attributes_bytes(attributes: Mapping[str, Mapping[str, Any]]) -> int:
    """What message attributes add to a message: names, types and values."""
    return sum(
        len(name.encode(errors="replace"))
        + sum(len(str(part).encode(errors="replace")) for part in attribute.values() if part is not None)
        for name, attribute in attributes.items()
    )


def queue_problem(body: str, attributes: Mapping[str, Mapping[str, Any]], most_bytes: int) -> tuple[str, str] | None:
    """Code and message with which SQS refuses a message; `most_bytes` is the queue's own MaximumMessageSize."""
    texts = [body, *(str(each["StringValue"]) for each in attributes.values() if each.get("StringValue") is not None)]
    if any(wrong_characters(text) for text in texts):
        return (
            "InvalidMessageContents",
            "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to "
            "#xFFFD | #x10000 to #x10FFFF",
        )
    if len(attributes) > 10:
        told = f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum [10]."
        return "InvalidParameterValue", told
    if len(body.encode()) + attributes_bytes(attributes) > most_bytes:
        reason = f"Message must be shorter than {most_bytes} bytes."
        return "InvalidParameterValue", f"One or more parameters are invalid. Reason: {reason}"
    return None


def events_problem(entries: Iterable[Mapping[str, Any]]) -> str | None:
    """14 bytes for a time, and source, type, detail and resources as UTF-8."""
    size = sum(
        (14 if entry.get("Time") else 0)
        + sum(len(str(entry.get(name) or "").encode()) for name in ("Source", "DetailType", "Detail"))
        + sum(len(str(resource).encode()) for resource in entry.get("Resources") or [])
        for entry in entries
    )
    return "Total size of the entries in the request is over the limit." if size > MOST_ENTRY_BYTES else None


def parameter_problem(value: str, tier: str | None) -> str | None:
    if tier in (None, "Standard") and len(value) > MOST_STANDARD_CHARACTERS:
        return (
            f"Standard tier parameters support a maximum parameter value of {MOST_STANDARD_CHARACTERS} characters. To "
            "create a larger parameter value, upgrade the parameter to use the advanced-parameter tier."
        )
    if len(value) > MOST_ADVANCED_CHARACTERS:
        return f"Advanced tier parameters support a maximum parameter value of {MOST_ADVANCED_CHARACTERS} characters."
    return None


def function_problem(settings: Mapping[str, Any]) -> str | None:
    """Of what CreateFunction or UpdateFunctionConfiguration asks for."""
    timeout = settings.get("Timeout")
    if timeout is not None and not 1 <= int(timeout) <= MOST_TIMEOUT_SECONDS:
        return _out_of_range(timeout, "timeout", (1, MOST_TIMEOUT_SECONDS))
    memory = settings.get("MemorySize")
    if memory is not None and not MEMORY_MB[0] <= int(memory) <= MEMORY_MB[1]:
        return _out_of_range(memory, "memorySize", MEMORY_MB)
    variables = (settings.get("Environment") or {}).get("Variables") or {}
    if sum(len(str(part).encode()) for pair in variables.items() for part in pair) > MOST_ENVIRONMENT_BYTES:
        return (
            "Lambda was unable to configure your environment variables because the environment variables you have "
            f"provided exceeded the 4KB limit. String measured: {json.dumps(variables)[:200]}"
        )
    return None


def _out_of_range(value: Any, field: str, bounds: tuple[int, int]) -> str:
    side = f"greater than or equal to {bounds[0]}" if int(value) < bounds[0] else f"less than or equal to {bounds[1]}"
    return f"Value '{value}' at '{field}' failed to satisfy constraint: Member must have value {side}"
