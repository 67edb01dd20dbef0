"""An alarm that is set off tells its topic, where the topic's policy lets CloudWatch publish."""

from __future__ import annotations

import json

import pytest

from embedded_aws import EmbeddedAws

pytestmark = pytest.mark.prove


@pytest.mark.parametrize(("principal", "heard"), [("cloudwatch.amazonaws.com", True), ("events.amazonaws.com", False)])
def test_an_alarm_is_heard_where_cloudwatch_may_publish(aws: EmbeddedAws, principal: str, heard: bool) -> None:
    sns, sqs, cloudwatch = (aws.client(service) for service in ("sns", "sqs", "cloudwatch"))
    name = f"operators-{heard}"
    topic = sns.create_topic(Name=name)["TopicArn"]
    allowed = {"Effect": "Allow", "Principal": {"Service": principal}, "Action": "sns:Publish", "Resource": topic}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    receive = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    queue_policy = {"Version": "2012-10-17", "Statement": [{**receive, "Resource": queue_arn}]}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(queue_policy)})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        AlarmActions=[topic],
        Namespace="Tests",
        MetricName="Failures",
        ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1,
        Period=60,
        Statistic="Sum",
        Threshold=1,
    )
    for state in ("ALARM", "ALARM", "OK"):
        cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="tried")
    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    told = [json.loads(json.loads(each["Body"])["Message"]) for each in messages]
    assert [(each["AlarmName"], each["OldStateValue"], each["NewStateValue"]) for each in told] == (
        [(name, "OK", "ALARM")] if heard else []
    )
