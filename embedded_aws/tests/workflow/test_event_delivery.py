"""Events reach the targets of the rules that the template made, at least once, and what cannot be delivered is kept."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from embedded_aws.calls import Call, CallRefused
from embedded_aws.events.dispatch import Delivery
from embedded_aws.tests.workflow.small_stack import SmallStack
from embedded_aws.waiting import until

# moto's serializer tells of errors that are not in a service's model, as throttling is not in that of Step Functions.
pytestmark = pytest.mark.filterwarnings("ignore:Exception.*does not match an error shape")


@pytest.fixture(autouse=True)
def _clean(stack: SmallStack) -> Iterator[None]:
    yield
    stack.aws.dispatch.faults.clear()
    stack.aws.calls.accept()
    stack.aws.dispatch.settle()
    for url in (stack.EndingsUrl, stack.DeadLettersUrl, stack.LongTextsUrl):
        stack.messages(url)


def _is_upload(event: Mapping[str, Any]) -> bool:
    return bool(event["detail-type"] == "Object Created")


def _key(event: Mapping[str, Any]) -> str | None:
    key: str | None = event.get("detail", {}).get("object", {}).get("key")
    return key


def _started(stack: SmallStack, key: str) -> list[str]:
    """The executions that the upload of the key has started."""
    inputs = {execution: json.loads(stack.describe(execution)["input"]) for execution in stack.executions()}
    return [execution for execution, given in inputs.items() if _key(given) == key]


def _events(stack: SmallStack, *keys: str) -> list[Mapping[str, Any]]:
    """The events about objects of these keys, the oldest first."""
    return [event for event in list(stack.aws.dispatch.events) if _key(event) in keys]


def _delivery(stack: SmallStack, key: str) -> Delivery:
    """The last delivery of an event about the key."""
    return next(delivery for delivery in reversed(stack.aws.dispatch.deliveries) if _key(delivery.event) == key)


def test_each_version_of_an_object_is_one_event_with_its_own_id_and_sequencer(stack: SmallStack) -> None:
    versions = [stack.upload("elsewhere/same.txt", text) for text in ("one", "two")]
    events = _events(stack, "elsewhere/same.txt")
    assert [event["detail"]["object"]["version-id"] for event in events] == versions
    assert len({event["id"] for event in events}) == 2
    first, second = (event["detail"]["object"]["sequencer"] for event in events)
    assert first < second
    assert events[0]["time"].endswith("Z")
    assert events[0]["resources"] == [f"arn:aws:s3:::{stack.InboxName}"]


def test_a_copy_and_a_multipart_upload_are_events_too(stack: SmallStack) -> None:
    s3, bucket = stack.aws.client("s3"), stack.InboxName
    stack.upload("elsewhere/from.txt", "text")
    s3.copy_object(Bucket=bucket, Key="elsewhere/to.txt", CopySource={"Bucket": bucket, "Key": "elsewhere/from.txt"})
    begun = s3.create_multipart_upload(Bucket=bucket, Key="elsewhere/parts.bin")["UploadId"]
    place = {"Bucket": bucket, "Key": "elsewhere/parts.bin", "UploadId": begun}
    part = s3.upload_part(PartNumber=1, Body=b"x" * 10, **place)
    s3.complete_multipart_upload(MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}, **place)
    events = _events(stack, "elsewhere/from.txt", "elsewhere/to.txt", "elsewhere/parts.bin")
    reasons = [event["detail"]["reason"] for event in events]
    assert reasons == ["PutObject", "CopyObject", "CompleteMultipartUpload"]


def test_an_event_delivered_three_times_starts_three_executions(stack: SmallStack) -> None:
    stack.aws.dispatch.faults.duplicate(_is_upload, copies=3)
    stack.upload("texts/thrice.txt", "a b")
    stack.aws.dispatch.settle()
    executions = _started(stack, "texts/thrice.txt")
    assert len(executions) == 3
    inputs = {stack.describe(execution)["input"] for execution in executions}
    assert len({json.loads(text)["id"] for text in inputs}) == 1
    for execution in executions:
        stack.end_of(execution)


def test_a_dropped_event_starts_nothing_and_can_be_replayed(stack: SmallStack) -> None:
    stack.aws.dispatch.faults.drop(_is_upload)
    stack.upload("texts/dropped.txt", "a b")
    stack.aws.dispatch.settle()
    assert _started(stack, "texts/dropped.txt") == []
    stack.aws.dispatch.replay(_events(stack, "texts/dropped.txt")[0])
    stack.aws.dispatch.settle()
    (execution,) = _started(stack, "texts/dropped.txt")
    stack.end_of(execution)


def test_a_held_event_comes_when_it_is_released(stack: SmallStack) -> None:
    held = stack.aws.dispatch.faults.hold(_is_upload)
    stack.upload("texts/held.txt", "a b")
    stack.aws.dispatch.settle()
    assert _started(stack, "texts/held.txt") == []
    assert [event["detail"]["object"]["key"] for event in held.events] == ["texts/held.txt"]
    assert held.release() == 1
    stack.aws.dispatch.settle()
    (execution,) = _started(stack, "texts/held.txt")
    stack.end_of(execution)


def test_a_target_that_fails_for_a_while_is_tried_again(stack: SmallStack) -> None:
    stack.aws.calls.refuse("states", "StartExecution", CallRefused("ThrottlingException", "slow down", 400), times=2)
    stack.upload("texts/retried.txt", "a b")
    stack.aws.dispatch.settle()
    assert _delivery(stack, "texts/retried.txt").attempts == 3
    (execution,) = _started(stack, "texts/retried.txt")
    stack.end_of(execution)


def test_after_the_last_retry_the_event_is_in_the_dead_letter_queue_with_the_reason(stack: SmallStack) -> None:
    stack.aws.calls.refuse("states", "StartExecution", CallRefused("ThrottlingException", "slow down", 400), times=3)
    stack.upload("texts/buried.txt", "a b")
    stack.aws.dispatch.settle()
    assert _started(stack, "texts/buried.txt") == []
    (message,) = stack.messages(stack.DeadLettersUrl)
    assert json.loads(message["Body"])["detail"]["object"]["key"] == "texts/buried.txt"
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert attributes["ERROR_CODE"] == "ThrottlingException"
    assert attributes["ERROR_MESSAGE"] == "slow down"
    assert attributes["EXHAUSTED_RETRY_CONDITION"] == "MaximumRetryAttempts"
    assert attributes["RETRY_ATTEMPTS"] == "2"
    assert attributes["TARGET_ARN"] == stack.MachineArn
    assert ":rule/small-Upload-" in attributes["RULE_ARN"]


def test_what_cannot_succeed_later_is_buried_at_once(stack: SmallStack) -> None:
    refusal = CallRefused("AccessDeniedException", "no", 400)
    stack.aws.calls.refuse("states", "StartExecution", refusal)
    stack.upload("texts/denied.txt", "a b")
    stack.aws.dispatch.settle()
    (message,) = stack.messages(stack.DeadLettersUrl)
    assert message["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "AccessDeniedException"
    assert message["MessageAttributes"]["RETRY_ATTEMPTS"]["StringValue"] == "0"


def test_a_queue_whose_policy_does_not_let_eventbridge_in_gets_nothing(stack: SmallStack) -> None:
    sqs = stack.aws.client("sqs")
    policy = sqs.get_queue_attributes(QueueUrl=stack.EndingsUrl, AttributeNames=["Policy"])["Attributes"]["Policy"]
    sqs.set_queue_attributes(QueueUrl=stack.EndingsUrl, Attributes={"Policy": ""})
    try:
        execution = stack.start(stack.MachineArn, {"bad": "input"})
        stack.end_of(execution)
        stack.aws.dispatch.settle()
        assert stack.messages(stack.EndingsUrl) == []
        (lost,) = [
            delivery
            for delivery in stack.aws.dispatch.deliveries
            if delivery.event["detail"].get("executionArn") == execution
        ]
        assert lost.problem is not None
        assert "does not let events.amazonaws.com do sqs:SendMessage" in lost.problem
        assert not lost.dead_lettered
    finally:
        sqs.set_queue_attributes(QueueUrl=stack.EndingsUrl, Attributes={"Policy": policy})


def test_put_events_reaches_rules_once(stack: SmallStack) -> None:
    events, sqs = stack.aws.client("events"), stack.aws.client("sqs")
    arn = sqs.get_queue_attributes(QueueUrl=stack.EndingsUrl, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="own", EventPattern=json.dumps({"source": ["own.source"]}))
    events.put_targets(Rule="own", Targets=[{"Id": "1", "Arn": arn}])
    entry = {"Source": "own.source", "DetailType": "Test", "Detail": json.dumps({"a": 1})}
    assert events.put_events(Entries=[entry])["FailedEntryCount"] == 0
    stack.aws.dispatch.settle()
    (message,) = stack.messages(stack.EndingsUrl)
    assert json.loads(message["Body"])["detail"] == {"a": 1}
    events.disable_rule(Name="own")
    events.put_events(Entries=[entry])
    stack.aws.dispatch.settle()
    assert stack.messages(stack.EndingsUrl) == []


def test_a_scheduled_function_runs_when_the_clock_is_stepped(stack: SmallStack) -> None:
    log: Path = stack.aws.functions.logs.path(stack.MisbehaveName)
    before = log.read_text().count("asked to note") if log.exists() else 0
    (rule,) = stack.aws.schedules.step(datetime.timedelta(minutes=60))
    assert rule.startswith("small-MisbehaveHourly")
    stack.aws.dispatch.settle()
    stack.aws.functions.settle()
    assert log.read_text().count("asked to note") == before + 1
    assert stack.aws.schedules.step(datetime.timedelta(minutes=59)) == []
    stack.aws.dispatch.fire(rule)
    stack.aws.dispatch.settle()
    stack.aws.functions.settle()
    assert log.read_text().count("asked to note") == before + 2


def test_a_call_can_be_refused_and_is_seen_with_its_caller(stack: SmallStack) -> None:
    seen: list[tuple[str, str, str, str]] = []

    def observe(call: Any) -> None:
        if call.caller is not None:
            seen.append((call.caller.role.rsplit("/", 1)[1].split("-")[1], call.service, call.action, call.path))

    stop = stack.aws.calls.observe(observe)
    stack.aws.calls.refuse("sns", "Publish", CallRefused("InternalError", "down", 500))
    try:
        stack.upload("texts/refused.txt", "a b c d")
        (execution,) = until(lambda: _started(stack, "texts/refused.txt"), "the upload has started an execution")
        ended = stack.end_of(execution)
    finally:
        stop()
    assert (ended["status"], ended["error"]) == ("FAILED", "SNS.InternalErrorException")
    actions = [(role, service, action) for role, service, action, _ in seen]
    assert ("StartMachine", "states", "StartExecution") in actions
    assert ("CountWordsRole", "s3", "GetObject") in actions
    assert ("MachineRole", "lambda", "Invoke") in actions
    assert ("MachineRole", "dynamodb", "PutItem") in actions
    assert ("MachineRole", "sns", "Publish") in actions
    assert any("refused.txt" in path for _, service, _, path in seen if service == "s3")


def test_an_event_whose_delivery_got_no_answer_is_delivered_again(stack: SmallStack) -> None:
    lost: list[str] = []

    def lose(call: Call) -> None:
        if call.action == "StartExecution" and not lost:
            lost.append(call.action)
            stack.aws.calls.lose_answer()
            raise CallRefused("InternalError", "never carried out", 500)

    stop = stack.aws.calls.observe(lose)
    stack.upload("texts/unanswered.txt", "a b")
    stack.aws.dispatch.settle()
    stop()
    assert lost
    (execution,) = _started(stack, "texts/unanswered.txt")
    stack.end_of(execution)
    assert _delivery(stack, "texts/unanswered.txt").attempts == 2
