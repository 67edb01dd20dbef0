"""What SNS refuses and moto does (docs.aws.amazon.com/sns/latest/api/API_Publish.html)."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from typing import Any

from embedded_aws.permissions.enforcement import Permissions
from embedded_aws.request_limits import attributes_bytes, wrong_characters

LOG = logging.getLogger(__name__)

MAX_SUBJECT_CHARACTERS = 99
"""The reference says: less than 100 characters long."""

MAX_MESSAGE_BYTES = 256 * 1024
"""Message and attributes together; moto counts characters."""


MAX_ATTRIBUTES_RAW = 10
"""With more, a message is never delivered raw to a queue
(docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html)."""

_ATTRIBUTE_NAME = re.compile(r"(?!AWS\.|Amazon\.)(?!\.)(?!.*\.\.)[A-Za-z0-9_.-]{1,256}(?<!\.)", re.IGNORECASE)


def problem(message: str, subject: str | None, attributes: Mapping[str, Mapping[str, Any]] | None) -> str | None:
    """Why SNS would refuse to publish, in its words; None when it would not.

    `attributes` are as moto has read them: name → Type, Value.
    """
    if not message:
        return "Invalid parameter: Empty message"
    if subject is not None and not _is_subject(subject):
        return "Invalid parameter: Subject"
    for name, attribute in (attributes or {}).items():
        wrong = _attribute_problem(name, str(attribute.get("Type")), attribute.get("Value"))
        if wrong is not None:
            return wrong
    size = len(message.encode(errors="replace")) + attributes_bytes(attributes or {})
    if size > MAX_MESSAGE_BYTES:
        return "Invalid parameter: Message too long"
    return None


def _attribute_problem(name: str, kind: str, value: Any) -> str | None:
    if _ATTRIBUTE_NAME.fullmatch(name) is None:
        return (
            f"Invalid parameter: MessageAttributes Reason: The message attribute name {name[:300]!r} may have letters, "
            "digits, '_', '-' and '.' (not first, last or twice in a row), 256 at the most, and begin neither with "
            "AWS. nor with Amazon."
        )
    if value in (None, "", b""):
        return (
            f"The message attribute '{name}' must contain non-empty message attribute value "
            f"for message attribute type '{kind}'."
        )
    if not kind.startswith("Binary") and wrong_characters(str(value)):
        return (
            f"The message attribute '{name}' has invalid characters. Valid unicode characters are #x9 | #xA | #xD | "
            "#x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF."
        )
    if kind == "String.Array":
        try:
            listed = json.loads(value)
        except ValueError:
            listed = None
        if not isinstance(listed, list):
            return f"The message attribute '{name}' must contain a JSON array for its type String.Array."
    return None


_ASKED = {"sqs": "sqs:SendMessage", "lambda": "lambda:InvokeFunction"}
"""What SNS needs to be allowed, by the protocol of a subscription; others need nothing."""


def may_send(permissions: Permissions, subscription: Any) -> bool:
    """Whether the policy of the subscription's queue or function (moto's object), and its key, let SNS in for the
    topic."""
    action = _ASKED.get(subscription.protocol)
    arn = subscription.endpoint
    allowed = action is None or permissions.service_may(
        "sns.amazonaws.com", action, arn, source_arn=subscription.topic.arn
    )
    if not allowed:
        LOG.warning(
            "a message is lost: the policy of %s, or of its key, does not let SNS in for %s",
            arn,
            subscription.topic.arn,
        )
    return allowed


def may_go_raw(subscription: Any, attributes: Mapping[str, Any] | None) -> bool:
    """Whether a message with so many attributes reaches a subscription that takes it without SNS's envelope."""
    if subscription.attributes.get("RawMessageDelivery") != "true" or len(attributes or {}) <= MAX_ATTRIBUTES_RAW:
        return True
    LOG.warning("a message is lost: %s takes at most %d attributes raw", subscription.endpoint, MAX_ATTRIBUTES_RAW)
    return False


def _is_subject(subject: str) -> bool:
    """1 to 99 characters of ASCII without control characters, the first a letter, number or punctuation mark."""
    return (
        1 <= len(subject) <= MAX_SUBJECT_CHARACTERS
        and all(" " <= letter <= "~" for letter in subject)
        and subject[0] != " "
    )
