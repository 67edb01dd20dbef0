"""Messages: SNS, SQS, EventBridge and alarms."""

from __future__ import annotations

import base64
import json
from typing import Any

import moto.backends
import moto.core.errors
import moto.core.responses
import moto.s3.notifications
import moto.s3.responses
import moto.stepfunctions.models
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from moto.events.models import Rule
from moto.sns.models import Subscription, sns_backends

from embedded_aws.moto_patches import (
    alarms,
    events,
    request_limits,
    sns,
)
from embedded_aws.tests.moto_canaries.moto_alone import ACCOUNT, REGION, canary_of, client, create_machine

pytestmark = pytest.mark.prove


@canary_of(events.deliver_object_events)
def test_motos_object_events_have_one_id_and_come_with_tags_and_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, Any]] = []
    names: list[str] = []
    monkeypatch.setattr(Rule, "send_to_targets", lambda rule, event, transform_input=True: sent.append(dict(event)))
    original = moto.s3.notifications._send_event_bridge_message

    def told(account_id: str, bucket: Any, event_name: Any, key: Any) -> None:
        names.append(event_name.value)
        original(account_id, bucket, event_name, key)

    monkeypatch.setattr(moto.s3.notifications, "_send_event_bridge_message", told)
    s3 = client("s3")
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_notification_configuration(
        Bucket="bucket", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    client("events").put_rule(Name="rule", EventPattern=json.dumps({"source": ["aws.s3"]}))
    s3.put_object(Bucket="bucket", Key="one", Body=b"1")
    assert names == ["s3:ObjectCreated:Put", "s3:ObjectTagging:Put"]
    assert sent[0]["detail"]["object"]["sequencer"] == "617f08299329d189"
    names.clear()
    begun = s3.create_multipart_upload(Bucket="bucket", Key="parts")["UploadId"]
    part = s3.upload_part(Bucket="bucket", Key="parts", UploadId=begun, PartNumber=1, Body=b"1")
    s3.complete_multipart_upload(
        Bucket="bucket",
        Key="parts",
        UploadId=begun,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
    )
    assert names[0] == "s3:ObjectCreated:Put"
    assert names[-1] == "s3:ObjectCreated:CompleteMultipartUpload"


@canary_of(events.deliver_rule_events)
def test_moto_delivers_to_no_state_machine() -> None:
    events = client("events")
    machine = create_machine(Only={"Type": "Succeed"})
    events.put_rule(Name="rule", EventPattern=json.dumps({"source": ["own"]}))
    events.put_targets(Rule="rule", Targets=[{"Id": "1", "Arn": machine, "RoleArn": "arn:aws:iam::1:role/r"}])
    with pytest.raises(NotImplementedError):
        events.put_events(Entries=[{"Source": "own", "DetailType": "t", "Detail": "{}"}])


@canary_of(sns.send_mail)
def test_moto_sends_no_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: Any, **__: Any) -> None:
        raise AssertionError("moto sent a mail")

    monkeypatch.setattr("smtplib.SMTP", connect)
    topic = client("sns").create_topic(Name="topic")["TopicArn"]
    client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="someone@example.org")
    assert "MessageId" in client("sns").publish(TopicArn=topic, Message="m")


@canary_of(sns.ask_subscribers)
def test_moto_sends_to_a_queue_without_a_policy() -> None:
    url = client("sqs").create_queue(QueueName="queue")["QueueUrl"]
    topic = client("sns").create_topic(Name="topic")["TopicArn"]
    client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:queue")
    client("sns").publish(TopicArn=topic, Message="m")
    assert len(client("sqs").receive_message(QueueUrl=url)["Messages"]) == 1


@canary_of(sns.sign_the_subject)
def test_moto_s_signature_leaves_the_subject_out() -> None:
    topic = client("sns").create_topic(Name="topic")["TopicArn"]
    subscribed = Subscription(ACCOUNT, sns_backends[ACCOUNT][REGION].topics[topic], "https://example.org/", "https")
    envelope = subscribed.get_post_data("m", "1", "the subject")
    members = ("Message", "MessageId", "Timestamp", "TopicArn", "Type")
    text = "".join(f"{name}\n{envelope[name]}\n" for name in members)
    signature = base64.b64decode(envelope["Signature"])
    key = subscribed.private_key().public_key()
    key.verify(signature, text.encode(), padding.PKCS1v15(), hashes.SHA256())  # raises where it is another's


@canary_of(sns.refuse_what_aws_refuses)
@pytest.mark.parametrize("subject", ["für alle", "two\nlines", "x" * 100])
def test_moto_takes_a_subject_that_sns_refuses(subject: str) -> None:
    topics = client("sns")
    topic = topics.create_topic(Name="topic")["TopicArn"]
    assert "MessageId" in topics.publish(TopicArn=topic, Message="m", Subject=subject)


@canary_of(request_limits.limit_messages)
def test_moto_s_queues_take_control_characters() -> None:
    url = client("sqs").create_queue(QueueName="queue")["QueueUrl"]
    assert "MessageId" in client("sqs").send_message(QueueUrl=url, MessageBody="\x07")


@canary_of(request_limits.limit_events)
def test_moto_takes_events_of_any_size() -> None:
    entry = {"Source": "x", "DetailType": "x", "Detail": json.dumps("x" * 300_000)}
    assert client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


@canary_of(alarms.tell_topics)
def test_an_alarm_that_is_set_off_tells_nobody_in_moto() -> None:
    topic, queue = client("sns").create_topic(Name="heard")["TopicArn"], client("sqs").create_queue(QueueName="ear")
    arn = client("sqs").get_queue_attributes(QueueUrl=queue["QueueUrl"], AttributeNames=["QueueArn"])
    client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["Attributes"]["QueueArn"])
    client("cloudwatch").put_metric_alarm(
        AlarmName="a",
        AlarmActions=[topic],
        MetricName="m",
        Namespace="n",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    client("cloudwatch").set_alarm_state(AlarmName="a", StateValue="ALARM", StateReason="tried")
    assert "Messages" not in client("sqs").receive_message(QueueUrl=queue["QueueUrl"])
