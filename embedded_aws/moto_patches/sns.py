"""What SNS refuses to publish, and which queues it may send to."""

from __future__ import annotations

import base64
import logging
from typing import Any

import moto.sns.models
import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
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


def sign_the_subject(replace: Replace) -> None:
    """moto's signature leaves the Subject out, which SNS signs
    (docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html)."""

    def get_post_data(subscription: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        envelope: dict[str, Any] = original(subscription, *args, **kwargs)
        members = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
        text = "".join(f"{name}\n{envelope[name]}\n" for name in members if name in envelope)
        signature = subscription.private_key().sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return {**envelope, "Signature": base64.b64encode(signature).decode()}

    original = replace(moto.sns.models.Subscription, "get_post_data", get_post_data)


def send_mail(replace: Replace, hooks: Hooks) -> None:
    """moto sends no e-mail. AWS's SNS sends the text for that protocol, under the message's subject
    (docs.aws.amazon.com/sns/latest/dg/sns-email-notifications.html)."""

    def publish(subscription: Any, message: str, *args: Any, **kwargs: Any) -> None:
        if subscription.protocol != "email":
            original(subscription, message, *args, **kwargs)
            return
        wanted = subscription._filter_policy_matcher
        if wanted is not None and not wanted.matches(kwargs.get("message_attributes"), message):
            return
        if kwargs.get("message_structure") == "json":
            message = subscription._parse_message_structure(message, subscription.protocol)
        hooks.mail.send(subscription.endpoint, kwargs.get("subject") or "AWS Notification Message", message)

    original = replace(moto.sns.models.Subscription, "publish", publish)


def ask_subscribers(replace: Replace, hooks: Hooks) -> None:
    """moto's SNS sends to every subscribed queue and function; AWS's only to one whose policy lets it in, and else the
    message is lost (docs.aws.amazon.com/sns/latest/dg/subscribe-sqs-queue-to-sns-topic.html). Who publishes hears
    nothing of a subscriber that does not take a message."""

    def publish(subscription: Any, *args: Any, **kwargs: Any) -> None:
        attributes = kwargs.get("message_attributes")
        if not sns_rules.may_send(hooks.permissions, subscription) or not sns_rules.may_go_raw(
            subscription, attributes
        ):
            return
        try:
            original(subscription, *args, **kwargs)
        except (SQSException, requests.RequestException) as refusal:
            LOG.warning("a message is lost: %s did not take it: %s", subscription.endpoint, refusal)

    original = replace(moto.sns.models.Subscription, "publish", publish)
