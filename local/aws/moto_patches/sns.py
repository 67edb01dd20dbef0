"""What SNS refuses to publish, and which queues it may send to."""

from __future__ import annotations

from typing import Any

import moto.sns.models
from moto.sns.exceptions import InvalidParameterValue

from local.aws import sns_rules
from local.aws.moto_patches.replacement import Replace


def refuse_what_aws_refuses(replace: Replace) -> None:
    """moto takes any Subject up to 100 characters; AWS refuses what is not ASCII, has a line break or a control
    character, or 100 characters (docs.aws.amazon.com/sns/latest/api/API_Publish.html)."""

    def publish(backend: Any, message: str, arn: str | None, *args: Any, **kwargs: Any) -> str:
        problem = sns_rules.problem(message, kwargs.get("subject"), kwargs.get("message_attributes"))
        if problem is not None:
            raise InvalidParameterValue(problem)
        message_id: str = original(backend, message, arn, *args, **kwargs)
        return message_id

    original = replace(moto.sns.models.SNSBackend, "publish", publish)


def ask_queues(replace: Replace) -> None:
    """moto's SNS sends to every subscribed queue; AWS's only to one whose policy lets it in, and else the message
    is lost (docs.aws.amazon.com/sns/latest/dg/subscribe-sqs-queue-to-sns-topic.html)."""

    def publish(subscription: Any, *args: Any, **kwargs: Any) -> None:
        if subscription.protocol != "sqs" or sns_rules.may_send(subscription):
            original(subscription, *args, **kwargs)

    original = replace(moto.sns.models.Subscription, "publish", publish)
