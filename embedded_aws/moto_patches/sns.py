"""What SNS refuses to publish, and which queues it may send to."""

from __future__ import annotations

import logging
from typing import Any

import moto.sns.models
from moto.sns.exceptions import InvalidParameterValue
from moto.sqs.exceptions import SQSException

from embedded_aws import sns_rules
from embedded_aws.moto_patches.hooks import Hooks
from embedded_aws.moto_patches.replacement import Replace

LOG = logging.getLogger(__name__)


def refuse_what_aws_refuses(replace: Replace) -> None:
    """moto takes any Subject up to 100 characters, and attributes of any name and value; AWS refuses a Subject that is
    not ASCII, has a line break or a control character, or 100 characters, and control characters in attributes
    (docs.aws.amazon.com/sns/latest/api/API_Publish.html)."""

    def publish(backend: Any, message: str, arn: str | None, *args: Any, **kwargs: Any) -> str:
        problem = sns_rules.problem(message, kwargs.get("subject"), kwargs.get("message_attributes"))
        if problem is not None:
            raise InvalidParameterValue(problem)
        message_id: str = original(backend, message, arn, *args, **kwargs)
        return message_id

    original = replace(moto.sns.models.SNSBackend, "publish", publish)


def ask_queues(replace: Replace, hooks: Hooks) -> None:
    """moto's SNS sends to every subscribed queue; AWS's only to one whose policy lets it in, and else the message
    is lost (docs.aws.amazon.com/sns/latest/dg/subscribe-sqs-queue-to-sns-topic.html)."""

    def publish(subscription: Any, *args: Any, **kwargs: Any) -> None:
        if subscription.protocol != "sqs":
            original(subscription, *args, **kwargs)
        elif sns_rules.may_send(hooks.permissions, subscription) and sns_rules.may_go_raw(
            subscription, kwargs.get("message_attributes")
        ):
            try:
                original(subscription, *args, **kwargs)
            except SQSException as refusal:  # nobody who publishes hears of it
                LOG.warning("a message is lost: %s did not take it: %s", subscription.endpoint, refusal)

    original = replace(moto.sns.models.Subscription, "publish", publish)
