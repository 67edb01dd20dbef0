"""Where moto alone is kinder or less exact than AWS, the embedded AWS is as AWS."""

from __future__ import annotations

import json
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.dynamodb.comparisons import get_filter_expression

from embedded_aws.tests.workflow.small_stack import SmallStack


def _publish(stack: SmallStack, **arguments: Any) -> Any:
    return stack.aws.client("sns").publish(TopicArn=stack.TopicArn, Message="m", **arguments)


@pytest.mark.parametrize("subject", ["für alle", "two\nlines", "x" * 100, "bell\x07"])
def test_a_bad_subject_is_refused(stack: SmallStack, subject: str) -> None:
    with pytest.raises(ClientError) as refused:
        _publish(stack, Subject=subject)
    error = refused.value.response["Error"]
    assert (error["Code"], error["Message"]) == ("InvalidParameter", "Invalid parameter: Subject")


def test_an_empty_attribute_is_refused(stack: SmallStack) -> None:
    with pytest.raises(ClientError) as refused:
        _publish(stack, MessageAttributes={"verdict": {"DataType": "String", "StringValue": ""}})
    assert refused.value.response["Error"]["Code"] in ("InvalidParameter", "InvalidParameterValue")
    assert "'verdict' must contain non-empty message attribute value" in refused.value.response["Error"]["Message"]


def test_a_batch_tells_which_entries_are_refused(stack: SmallStack) -> None:
    answer = stack.aws.client("sns").publish_batch(
        TopicArn=stack.TopicArn,
        PublishBatchRequestEntries=[
            {"Id": "good", "Message": "m", "Subject": "fine"},
            {"Id": "bad", "Message": "m", "Subject": "two\nlines"},
        ],
    )
    assert [entry["Id"] for entry in answer["Successful"]] == ["good"]
    assert [(entry["Id"], entry["Code"]) for entry in answer["Failed"]] == [("bad", "InvalidParameter")]


def test_a_queue_whose_policy_does_not_let_sns_in_gets_nothing(stack: SmallStack) -> None:
    sqs, sns = stack.aws.client("sqs"), stack.aws.client("sns")
    url = sqs.create_queue(QueueName="closed")["QueueUrl"]
    arn = f"arn:aws:sqs:{stack.aws.region}:{stack.aws.account}:closed"
    sns.subscribe(TopicArn=stack.TopicArn, Protocol="sqs", Endpoint=arn)
    _publish(stack)
    assert stack.messages(url) == []
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": stack.TopicArn}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    _publish(stack)
    assert len(stack.messages(url)) == 1


@pytest.mark.parametrize(
    ("scope", "policy", "takes"),
    [
        ("MessageAttributes", {"status": ["FAILED", "REJECTED"]}, ["b"]),
        ("MessageAttributes", {"status": [{"anything-but": "FAILED"}]}, ["a"]),
        ("MessageAttributes", {"status": [{"prefix": "SUC"}], "verdict": ["improved"]}, ["a"]),
        ("MessageAttributes", {"verdict": [{"exists": False}]}, ["b"]),
        ("MessageBody", {"reason": {"error": ["TrainingFailed"]}}, ["b"]),
        ("MessageBody", {"rows": [{"numeric": [">=", 100]}]}, ["a"]),
    ],
)
def test_a_filter_policy_decides_by_attributes_or_by_the_body(
    stack: SmallStack, scope: str, policy: dict[str, Any], takes: list[str]
) -> None:
    sqs, sns = stack.aws.client("sqs"), stack.aws.client("sns")
    name = f"filtered-{zlib.crc32(json.dumps(policy).encode())}"
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = f"arn:aws:sqs:{stack.aws.region}:{stack.aws.account}:{name}"
    allowed = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [{**allowed, "Resource": arn}]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": document})
    attributes = {"FilterPolicy": json.dumps(policy), "FilterPolicyScope": scope, "RawMessageDelivery": "true"}
    sns.subscribe(TopicArn=stack.TopicArn, Protocol="sqs", Endpoint=arn, Attributes=attributes)
    messages: list[tuple[dict[str, Any], dict[str, str]]] = [
        ({"id": "a", "rows": 100, "reason": None}, {"status": "SUCCEEDED", "verdict": "improved"}),
        ({"id": "b", "rows": 99, "reason": {"error": "TrainingFailed"}}, {"status": "FAILED"}),
    ]
    for body, labels in messages:
        sns.publish(
            TopicArn=stack.TopicArn,
            Message=json.dumps(body),
            MessageAttributes={key: {"DataType": "String", "StringValue": value} for key, value in labels.items()},
        )
    assert [json.loads(message["Body"])["id"] for message in stack.messages(url)] == takes


def test_of_many_conditional_writes_at_one_moment_one_succeeds(
    stack: SmallStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_slowly(*arguments: Any) -> Any:
        time.sleep(0.02)  # without a lock each writer would have looked before the first has written
        return get_filter_expression(*arguments)

    monkeypatch.setattr("moto.dynamodb.models.table.get_filter_expression", look_slowly)
    tables = stack.aws.client("dynamodb")

    def put(number: int) -> bool:
        try:
            tables.put_item(
                TableName=stack.TableName,
                Item={"text_id": {"S": "contested"}, "owner": {"N": str(number)}},
                ConditionExpression="attribute_not_exists(text_id)",
            )
        except tables.exceptions.ConditionalCheckFailedException:
            return False
        return True

    with ThreadPoolExecutor(8) as writers:
        won = [number for number, succeeded in enumerate(writers.map(put, range(8))) if succeeded]
    assert len(won) == 1
    item = tables.get_item(TableName=stack.TableName, Key={"text_id": {"S": "contested"}})["Item"]
    assert item["owner"] == {"N": str(won[0])}


def _nested(maps: int) -> dict[str, Any]:
    value: dict[str, Any] = {"N": "1"}
    for _ in range(maps):
        value = {"M": {"in": value}}
    return value


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"N": "1" * 39}, "Attempting to store more than 38 significant digits in a Number"),
        ({"M": {"p": {"N": "8.6E-177"}}}, "Number underflow"),
        ({"L": [{"N": "1E126"}]}, "Number overflow"),
        ({"NS": ["NaN"]}, "cannot be converted to a numeric value"),
        (_nested(32), "Nesting Levels have exceeded supported limits"),
        ({"S": "x" * 400 * 1024}, "has exceeded the maximum allowed size"),
    ],
)
def test_what_dynamodb_does_not_store_is_refused(stack: SmallStack, value: dict[str, Any], told: str) -> None:
    tables, key = stack.aws.client("dynamodb"), {"text_id": {"S": "strict"}}
    tables.put_item(TableName=stack.TableName, Item={**key, "kept": {"S": "as it was"}})
    writes: list[Any] = [
        lambda: tables.put_item(TableName=stack.TableName, Item={**key, "value": value}),
        lambda: tables.update_item(
            TableName=stack.TableName,
            Key=key,
            UpdateExpression="SET #value = :value",
            ExpressionAttributeNames={"#value": "value"},
            ExpressionAttributeValues={":value": value},
        ),
        lambda: tables.batch_write_item(
            RequestItems={stack.TableName: [{"PutRequest": {"Item": {**key, "value": value}}}]}
        ),
    ]
    for write in writes:
        with pytest.raises(ClientError) as refused:
            write()
        error = refused.value.response["Error"]
        assert error["Code"] == "ValidationException"
        assert told in error["Message"]
    assert tables.get_item(TableName=stack.TableName, Key=key)["Item"] == {**key, "kept": {"S": "as it was"}}


def test_what_dynamodb_just_stores_is_stored(stack: SmallStack) -> None:
    tables, key = stack.aws.client("dynamodb"), {"text_id": {"S": "edge"}}
    values = {"digits": {"N": "9" * 38}, "small": {"N": "1E-130"}, "deep": _nested(31), "long": {"S": "x" * 390 * 1024}}
    tables.put_item(TableName=stack.TableName, Item={**key, **values})
    assert set(tables.get_item(TableName=stack.TableName, Key=key)["Item"]) == {*key, *values}


def test_of_many_starts_with_one_name_one_execution_is_made(stack: SmallStack) -> None:
    machine = stack.make_machine(
        "contested", {"Only": {"Type": "Wait", "Seconds": 600, "Next": "No"}, "No": {"Type": "Succeed"}}
    )
    with ThreadPoolExecutor(8) as starters:
        started = set(starters.map(lambda _: stack.start(machine, {}, name="one"), range(8)))
    assert len(started) == 1
    assert stack.executions(machine) == list(started)


def test_the_caller_of_a_key_is_its_role(stack: SmallStack) -> None:
    client = stack.aws.client_as("sts", stack.role("MachineRole"))
    arn = client.get_caller_identity()["Arn"]
    role = stack.deployment.resources["MachineRole"].physical_id
    assert arn == f"arn:aws:sts::123456789012:assumed-role/{role}/sts"


def test_bedrock_is_refused_by_name_where_moto_has_a_stub(stack: SmallStack) -> None:
    with pytest.raises(ClientError) as refused:
        stack.aws.client("bedrock").list_custom_models()
    error = refused.value.response["Error"]
    assert error["Code"] == "NotImplementedException"
    assert "AWS_ENDPOINT_URL_BEDROCK" in error["Message"]
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
