"""The whole way: S3 → EventBridge → Step Functions → Lambda with layers → DynamoDB, SNS with a filter → SQS."""

from __future__ import annotations

import json

from embedded_aws.tests.workflow.small_stack import SmallStack
from embedded_aws.waiting import until

KEY = 'texts/some "quoted" näme.txt'


def test_an_upload_is_counted_recorded_and_announced_by_one_execution(stack: SmallStack) -> None:
    version = stack.upload(KEY, "one two three four")
    (execution,) = until(stack.executions, "the upload has started an execution")
    ended = stack.end_of(execution)
    assert ended["status"] == "SUCCEEDED", ended["cause"]
    assert json.loads(ended["output"]) == {"key": KEY, "words": 4, "size": "long"}

    event = json.loads(ended["input"])
    assert (event["source"], event["detail-type"]) == ("aws.s3", "Object Created")
    assert event["detail"]["object"]["key"] == KEY
    assert event["detail"]["object"]["version-id"] == version
    assert event["detail"]["object"]["size"] == 18
    assert event["detail"]["reason"] == "PutObject"

    item = stack.aws.client("dynamodb").get_item(TableName=stack.TableName, Key={"text_id": {"S": KEY}})["Item"]
    assert item["words"] == {"N": "4"}

    (message,) = stack.messages(stack.LongTextsUrl)
    envelope = json.loads(message["Body"])
    assert json.loads(envelope["Message"]) == {"key": KEY, "words": 4}
    assert envelope["MessageAttributes"]["size"]["Value"] == "long"

    stack.aws.dispatch.settle()
    (told,) = stack.messages(stack.EndingsUrl)
    told_detail = json.loads(told["Body"])["detail"]
    assert (told_detail["status"], told_detail["executionArn"]) == ("SUCCEEDED", execution)
    assert stack.executions() == [execution]


def test_a_text_that_the_filter_policy_leaves_out_is_not_announced_to_the_queue(stack: SmallStack) -> None:
    seen = set(stack.executions())
    stack.upload("texts/short.txt", "two words")
    (execution,) = until(lambda: set(stack.executions()) - seen, "the upload has started an execution")
    assert (ended := stack.end_of(execution))["status"] == "SUCCEEDED", ended["cause"]
    assert stack.messages(stack.LongTextsUrl) == []


def test_an_upload_that_the_pattern_does_not_name_starts_nothing(stack: SmallStack) -> None:
    seen = set(stack.executions())
    stack.upload("elsewhere/text.txt", "not ours")
    stack.aws.dispatch.settle()
    assert set(stack.executions()) == seen
    assert stack.aws.dispatch.events[-1]["detail"]["object"]["key"] == "elsewhere/text.txt"
