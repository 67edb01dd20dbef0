"""What SNS refuses and moto does (docs.aws.amazon.com/sns/latest/api/API_Publish.html)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from moto.sqs.models import sqs_backends

from local.aws import resource_policy

LOG = logging.getLogger(__name__)

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


def may_send(subscription: Any) -> bool:
    """Whether the policy of the subscription's queue (moto's objects, both) lets SNS in for the topic."""
    arn = subscription.endpoint
    _, _, _, region, account, name = arn.split(":")
    allowed = resource_policy.allows(
        sqs_backends[account][region].get_queue(name).policy,
        service="sns.amazonaws.com",
        action="sqs:SendMessage",
        resource=arn,
        source_arn=subscription.topic.arn,
        account=account,
    )
    if not allowed:
        LOG.warning("a message is lost: the policy of %s does not let SNS in for %s", arn, subscription.topic.arn)
    return allowed


def _is_subject(subject: str) -> bool:
    """1 to 99 characters of ASCII without control characters, the first a letter, number or punctuation mark."""
    return (
        1 <= len(subject) <= MAX_SUBJECT_CHARACTERS
        and all(" " <= letter <= "~" for letter in subject)
        and subject[0] != " "
    )
