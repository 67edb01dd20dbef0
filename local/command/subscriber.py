"""A subscriber as any team would be one: an SQS queue on the notices topic, with a filter policy."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tunedrop.outcomes import Status

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True, slots=True)
class Received:
    """One notice as it came out of the queue. `attributes` are those that a filter policy can ask for."""

    subject: str
    attributes: Mapping[str, str]
    message: Mapping[str, Any]

    @property
    def status(self) -> str:
        return str(self.message["status"])


def subscribe(
    sqs: SQSClient, sns: SNSClient, topic_arn: str, queue_name: str, filter_policy: Mapping[str, Any] | None = None
) -> str:
    """A new queue that gets the notices which the filter policy lets through, all without one; its URL."""
    queue_url = sqs.create_queue(QueueName=queue_name)["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    # What SNS needs on AWS to reach a queue.
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
    }
    sqs.set_queue_attributes(
        QueueUrl=queue_url, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [allowed]})}
    )
    attributes = {"FilterPolicy": json.dumps(filter_policy)} if filter_policy else {}
    sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=queue_arn, Attributes=attributes)
    return queue_url


def messages_of(sqs: SQSClient, queue_url: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Take out what the queue holds: SNS's envelope and the notice in it."""
    while messages := sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages", []):
        for each in messages:
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=each["ReceiptHandle"])
            envelope = json.loads(each["Body"])
            yield envelope, json.loads(envelope["Message"])


class Subscriber:
    """Gets the terminal notices of the runs of one dataset's name."""

    def __init__(self, sqs: SQSClient, sns: SNSClient, topic_arn: str, name: str) -> None:
        self._sqs = sqs
        policy = {"name": [name], "status": [each.value for each in Status if each.terminal]}
        self._queue = subscribe(sqs, sns, topic_arn, "tunedrop-command", policy)

    def receive(self, run_id: str) -> Received | None:
        """The notice of `run_id` if it has come by now. Notices of other runs are taken out and passed over."""
        for envelope, message in messages_of(self._sqs, self._queue):
            if message.get("run_id") == run_id:
                attributes = envelope.get("MessageAttributes", {})
                return Received(
                    envelope.get("Subject", ""),
                    {name: attribute["Value"] for name, attribute in attributes.items()},
                    message,
                )
        return None
