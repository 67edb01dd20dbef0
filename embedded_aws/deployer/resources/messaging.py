"""Topics, subscriptions and queues, with their policies."""

from __future__ import annotations

import json
from typing import Any

from embedded_aws.deployer.errors import NotHonoured
from embedded_aws.deployer.intrinsics import Created
from embedded_aws.deployer.resource_type import Stack, resource_type, tags, truth
from embedded_aws.permissions.conditions import ConditionUnknown
from embedded_aws.permissions.policy import statements

_PROTOCOLS = ("sqs", "lambda", "http", "https", "email")


def _attribute(value: Any) -> str:
    """An attribute's value as the API takes it: text, or a document as JSON."""
    if isinstance(value, dict | list):
        return json.dumps(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _check_protocol(logical_id: str, subscribed: dict[str, Any]) -> None:
    # An address is subscribed, and listed as AWS lists it; no mail leaves this machine.
    if subscribed["Protocol"] not in _PROTOCOLS:
        known = ", ".join(_PROTOCOLS)
        raise NotHonoured(f"{logical_id}: a subscription by {subscribed['Protocol']} is not honoured; by {known} it is")


def _check_policy(logical_id: str, properties: dict[str, Any]) -> None:
    try:
        statements(json.dumps(properties["PolicyDocument"]), logical_id)
    except ConditionUnknown as error:
        raise NotHonoured(f"{logical_id}: {error}") from error


@resource_type(
    "AWS::SNS::Topic",
    honoured=[
        "TopicName",
        "DisplayName",
        "KmsMasterKeyId",
        "Tags",
    ],
    without_effect={"TracingConfig": "X-Ray is not there on one machine"},
)
def topic(stack: Stack, logical_id: str, properties: dict[str, Any]) -> Created:
    sns = stack.aws.client("sns")
    attributes = {
        name: _attribute(properties[name]) for name in ("DisplayName", "KmsMasterKeyId") if name in properties
    }
    name = properties.get("TopicName") or stack.physical_name(logical_id, 256)
    arn = sns.create_topic(Name=name, Attributes=attributes, Tags=tags(properties))["TopicArn"]
    return Created(arn, {"TopicArn": arn, "TopicName": name})


@resource_type("AWS::SNS::TopicPolicy", honoured=["Topics", "PolicyDocument"])
def topic_policy(stack: Stack, logical_id: str, properties: dict[str, Any]) -> Created:
    _check_policy(logical_id, properties)
    for arn in properties["Topics"]:
        stack.aws.client("sns").set_topic_attributes(
            TopicArn=arn, AttributeName="Policy", AttributeValue=json.dumps(properties["PolicyDocument"])
        )
    return Created(stack.physical_name(logical_id))


@resource_type(
    "AWS::SNS::Subscription",
    honoured=["TopicArn", "Protocol", "Endpoint", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery"],
    without_effect={
        "RedrivePolicy": "what cannot be delivered is written into the log, and not tried again",
        "DeliveryPolicy": "each message is sent once",
        "Region": "there is one region on one machine",
    },
)
def subscription(stack: Stack, logical_id: str, properties: dict[str, Any]) -> Created:
    _check_protocol(logical_id, properties)
    attributes: dict[str, str] = {
        name: _attribute(properties[name]) for name in ("FilterPolicy", "FilterPolicyScope") if name in properties
    }
    if truth(properties.get("RawMessageDelivery", False)):
        attributes["RawMessageDelivery"] = "true"
    arn = stack.aws.client("sns").subscribe(
        TopicArn=properties["TopicArn"],
        Protocol=properties["Protocol"],
        Endpoint=properties["Endpoint"],
        Attributes=attributes,
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    return Created(arn, {"Arn": arn})


_QUEUE_ATTRIBUTES = (
    "VisibilityTimeout",
    "MessageRetentionPeriod",
    "MaximumMessageSize",
    "DelaySeconds",
    "ReceiveMessageWaitTimeSeconds",
    "RedrivePolicy",
    "RedriveAllowPolicy",
    "KmsMasterKeyId",
    "KmsDataKeyReusePeriodSeconds",
    "SqsManagedSseEnabled",
)


@resource_type("AWS::SQS::Queue", honoured=["QueueName", "Tags", *_QUEUE_ATTRIBUTES])
def queue(stack: Stack, logical_id: str, properties: dict[str, Any]) -> Created:
    sqs = stack.aws.client("sqs")
    name = properties.get("QueueName") or stack.physical_name(logical_id, 75)
    attributes = {key: _attribute(properties[key]) for key in _QUEUE_ATTRIBUTES if key in properties}
    labels = {tag["Key"]: str(tag["Value"]) for tag in properties.get("Tags", [])}
    url = sqs.create_queue(QueueName=name, Attributes=attributes, tags=labels)["QueueUrl"]
    return Created(url, {"Arn": stack.arn("sqs", name), "QueueName": name, "QueueUrl": url})


@resource_type("AWS::SQS::QueuePolicy", honoured=["Queues", "PolicyDocument"])
def queue_policy(stack: Stack, logical_id: str, properties: dict[str, Any]) -> Created:
    _check_policy(logical_id, properties)
    for url in properties["Queues"]:
        stack.aws.client("sqs").set_queue_attributes(
            QueueUrl=url, Attributes={"Policy": json.dumps(properties["PolicyDocument"])}
        )
    return Created(stack.physical_name(logical_id))
