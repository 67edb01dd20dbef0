"""What SNS refuses and moto takes (docs.aws.amazon.com/sns/latest/api/API_Publish.html)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAX_SUBJECT_CHARACTERS = 99
"""The reference says: less than 100 characters long."""

MAX_MESSAGE_BYTES = 256 * 1024
"""Message and attributes together; moto counts characters."""


def problem(message: str, subject: str | None, attributes: Mapping[str, Mapping[str, Any]] | None) -> str | None:
    """Why SNS would refuse to publish, in its words; None when it would not.

    `attributes` are as moto has read them: name → Type, Value.
    """
    if subject is not None and not _is_subject(subject):
        return "Invalid parameter: Subject"
    for name, attribute in (attributes or {}).items():
        if attribute.get("Value") in (None, "", b""):
            return (
                f"The message attribute '{name}' must contain non-empty message attribute value "
                f"for message attribute type '{attribute.get('Type')}'."
            )
    size = len(message.encode()) + sum(
        len(name.encode()) + len(str(attribute.get("Type")).encode()) + len(str(attribute.get("Value")).encode())
        for name, attribute in (attributes or {}).items()
    )
    if size > MAX_MESSAGE_BYTES:
        return "Invalid parameter: Message too long"
    return None


def _is_subject(subject: str) -> bool:
    """1 to 99 characters of ASCII without control characters, the first a letter, number or punctuation mark."""
    return (
        1 <= len(subject) <= MAX_SUBJECT_CHARACTERS
        and all(" " <= letter <= "~" for letter in subject)
        and subject[0] != " "
    )
