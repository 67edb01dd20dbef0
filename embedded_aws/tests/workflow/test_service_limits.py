"""What AWS refuses for its size, its name or its characters is refused here, in the service's words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded_aws import machine_limits
from embedded_aws.tests.workflow.small_stack import SmallStack

pytestmark = pytest.mark.prove

KIB = 1024
MANY = {f"a{number}": {"DataType": "String", "StringValue": "v"} for number in range(11)}


def refusal(call: Any, **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return refused.value.response["Error"]["Code"], refused.value.response["Error"]["Message"]


def test_an_attribute_with_a_control_character_is_refused(stack: SmallStack) -> None:
    attributes = {"label": {"DataType": "String", "StringValue": "bell\x07"}}
    call = stack.aws.client("sns").publish
    code, message = refusal(call, TopicArn=stack.TopicArn, Message="m", MessageAttributes=attributes)
    assert code == "InvalidParameter"
    assert "'label' has invalid characters" in message


def test_a_queue_that_takes_messages_raw_gets_none_with_more_than_ten_attributes(stack: SmallStack) -> None:
    sqs, sns = stack.aws.client("sqs"), stack.aws.client("sns")
    urls = {}
    for raw in ("true", "false"):
        url = urls[raw] = sqs.create_queue(QueueName=f"raw-{raw}")["QueueUrl"]
        arn = f"arn:aws:sqs:{stack.aws.region}:{stack.aws.account}:raw-{raw}"
        statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Statement": [statement]})})
        sns.subscribe(TopicArn=stack.TopicArn, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": raw})
    sns.publish(TopicArn=stack.TopicArn, Message="many", MessageAttributes=MANY)
    sns.publish(TopicArn=stack.TopicArn, Message="few", MessageAttributes=dict(list(MANY.items())[:10]))
    assert [message["Body"] for message in stack.messages(urls["true"])] == ["few"]
    assert [json.loads(message["Body"])["Message"] for message in stack.messages(urls["false"])] == ["many", "few"]


def test_a_queue_counts_the_bytes_of_body_and_attributes(stack: SmallStack) -> None:
    sqs = stack.aws.client("sqs")
    url = sqs.create_queue(QueueName="limited", Attributes={"MaximumMessageSize": "1024"})["QueueUrl"]
    assert "MessageId" in sqs.send_message(QueueUrl=url, MessageBody="x" * 1024)
    label = {"a": {"DataType": "String", "StringValue": "b"}}
    assert "MessageId" in sqs.send_message(QueueUrl=url, MessageBody="x" * 1016, MessageAttributes=label)
    for body, attributes in (("ü" * 513, {}), ("x" * 1017, label)):
        code, message = refusal(sqs.send_message, QueueUrl=url, MessageBody=body, MessageAttributes=attributes)
        assert code == "InvalidParameterValue"
        assert "Message must be shorter than 1024 bytes" in message
    assert (
        "exceeds the allowed maximum"
        in refusal(sqs.send_message, QueueUrl=url, MessageBody="m", MessageAttributes=MANY)[1]
    )
    assert refusal(sqs.send_message, QueueUrl=url, MessageBody="bell\x07")[0] == "InvalidMessageContents"


def test_events_are_256_kib_together(stack: SmallStack) -> None:
    entry = {"Source": "x", "DetailType": "x", "Detail": json.dumps("x" * (128 * KIB))}
    code, message = refusal(stack.aws.client("events").put_events, Entries=[entry, entry])
    assert (code, message) == ("ValidationException", "Total size of the entries in the request is over the limit.")


def test_a_parameter_is_as_long_as_its_tier_lets_it_be(stack: SmallStack) -> None:
    put = stack.aws.client("ssm").put_parameter
    put(Name="/limits/a", Type="String", Value="x" * 4096)
    put(Name="/limits/b", Type="String", Value="x" * 8192, Tier="Advanced")
    for value, tier in (("x" * 4097, "Standard"), ("x" * 8193, "Advanced")):
        code, message = refusal(put, Name="/limits/c", Type="String", Value=value, Tier=tier)
        assert code == "ValidationException"
        assert f"{tier} tier parameters support a maximum parameter value of {len(value) - 1} characters" in message


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"Timeout": 901}, "less than or equal to 900"),
        ({"MemorySize": 10_241}, "less than or equal to 10240"),
        ({"Environment": {"Variables": {"A": "x" * 4096}}}, "exceeded the 4KB limit"),
    ],
)
def test_a_function_keeps_lambda_s_limits(
    stack: SmallStack, tmp_path: Path, settings: dict[str, Any], told: str
) -> None:
    source = "def handler(event, context): return event"
    code, message = refusal(lambda: stack.make_function(tmp_path, "too-much", source, **settings))
    assert code == "InvalidParameterValueException"
    assert told in message
    update = stack.aws.client("lambda").update_function_configuration
    assert told in refusal(update, FunctionName=stack.MisbehaveName, **settings)[1]


def _machine(stack: SmallStack, name: str, **states: Any) -> str:
    return stack.make_machine(name, states)


def test_an_execution_begins_with_256_kib_and_a_plain_name(stack: SmallStack) -> None:
    machine = _machine(stack, "inputs", Only={"Type": "Pass", "Output": "", "End": True})
    start = stack.aws.client("stepfunctions").start_execution
    whole = json.dumps("x" * (machine_limits.MOST_BYTES - 2))
    assert "executionArn" in start(stateMachineArn=machine, name="n" * 80, input=whole)
    code, message = refusal(start, stateMachineArn=machine, input=f"{whole} ")
    assert code == "ValidationException"
    assert "'input' failed to satisfy constraint" in message
    for name in ("two words", "a/b", "n" * 81, "bell\x07", "a*"):
        assert refusal(start, stateMachineArn=machine, name=name)[0] == "InvalidName"


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("output", {"Type": "Pass", "Output": "{% $pad('x', 300000, 'x') %}", "End": True}),
        ("variables", {"Type": "Pass", "Assign": {"x": "{% $pad('x', 300000, 'x') %}"}, "Output": "", "End": True}),
        (
            "arguments",
            {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Arguments": {"FunctionName": "none", "Payload": "{% $pad('x', 300000, 'x') %}"},
                "End": True,
            },
        ),
    ],
)
def test_a_state_carries_no_more_than_256_kib(stack: SmallStack, name: str, state: dict[str, Any]) -> None:
    ended = stack.run(_machine(stack, f"too-large-{name}", Only=state))
    assert (ended["status"], ended["error"]) == ("FAILED", "States.DataLimitExceeded"), ended.get("cause")


def test_an_execution_fails_in_so_many_characters(stack: SmallStack) -> None:
    fail = {"Type": "Fail", "Error": "E" * 300, "Cause": "c" * 40_000}
    ended = stack.run(_machine(stack, "long-cause", Only=fail))
    assert (len(ended["error"]), len(ended["cause"])) == (256, 32_768)
    waits = _machine(stack, "waits", Only={"Type": "Wait", "Seconds": 600, "End": True})
    execution, stop = stack.start(waits), stack.aws.client("stepfunctions").stop_execution
    assert "'cause' failed to satisfy" in refusal(stop, executionArn=execution, cause="c" * 32_769)[1]
    assert "'error' failed to satisfy" in refusal(stop, executionArn=execution, error="e" * 257)[1]
    stop(executionArn=execution, error="e" * 256, cause="c" * 32_768)
    assert stack.end_of(execution)["status"] == "ABORTED"


def test_a_history_that_is_full_fails_its_execution(stack: SmallStack, monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine_limits.MOST_EVENTS == 25_000
    monkeypatch.setattr(machine_limits, "MOST_EVENTS", 100)
    again = {"One": {"Type": "Pass", "Next": "Two"}, "Two": {"Type": "Pass", "Next": "One"}}
    ended = stack.run(_machine(stack, "for-ever", **again))
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Runtime")
    assert "maximum number of history events (25000)" in ended["cause"]
