"""The subscriber gets the notice of its run through SNS and SQS, by a filter policy."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from local.command.subscriber import Subscriber


@pytest.fixture
def topic(aws: None) -> str:
    return boto3.client("sns").create_topic(Name="notices")["TopicArn"]


def _subscriber(topic: str) -> Subscriber:
    return Subscriber(boto3.client("sqs"), boto3.client("sns"), topic, "sums")


def _publish(topic: str, run_id: str, name: str, status: str = "SUCCEEDED") -> None:
    attributes: Any = {
        "name": {"DataType": "String", "StringValue": name},
        "status": {"DataType": "String", "StringValue": status},
    }
    message = json.dumps({"run_id": run_id, "status": status, "name": name})
    boto3.client("sns").publish(
        TopicArn=topic, Subject=f"Tunedrop {status}", Message=message, MessageAttributes=attributes
    )


@pytest.mark.parametrize("status", ["SUCCEEDED", "REJECTED", "FAILED", "CANCELLED"])
def test_the_notice_comes_with_subject_attributes_and_message(topic: str, status: str) -> None:
    subscriber = _subscriber(topic)
    assert subscriber.receive("sums-1") is None
    _publish(topic, "sums-1", "sums", status)
    received = subscriber.receive("sums-1")
    assert received is not None
    assert received.subject == f"Tunedrop {status}"
    assert received.attributes == {"name": "sums", "status": status}
    assert received.message == {"run_id": "sums-1", "status": status, "name": "sums"}
    assert received.status == status


def test_a_notice_is_found_behind_those_of_other_runs_of_the_name(topic: str) -> None:
    subscriber = _subscriber(topic)
    for number in range(15):
        _publish(topic, f"sums-{number}", "sums")
    received = subscriber.receive("sums-14")
    assert received is not None
    assert received.message["run_id"] == "sums-14"


def test_the_filter_policy_keeps_other_names_out_of_the_queue(topic: str) -> None:
    _subscriber(topic)
    _publish(topic, "other-1", "other")
    _publish(topic, "sums-1", "sums")
    sqs = boto3.client("sqs")
    queue = sqs.get_queue_url(QueueName="tunedrop-command")["QueueUrl"]
    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert [json.loads(json.loads(each["Body"])["Message"])["run_id"] for each in messages] == ["sums-1"]
