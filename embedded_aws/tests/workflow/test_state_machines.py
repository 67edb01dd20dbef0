"""State machines run as they run in Step Functions, where moto's interpreter alone would be kinder or stop later."""

from __future__ import annotations

import json
import re
import time
import uuid
import zlib
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.stepfunctions.parser.backend.execution import Execution
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker

from embedded_aws.calls import CallRefused
from embedded_aws.tests.workflow.small_stack import SmallStack
from embedded_aws.waiting import until

MISBEHAVE = (Path(__file__).parent / "stack/functions/misbehave/app.py").read_text()


def _task(function: str, payload: Any, **fields: Any) -> dict[str, Any]:
    arguments = {"FunctionName": function, "Payload": payload}
    task = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Arguments": arguments, "End": True}
    return {**task, **fields}


def _changes(stack: SmallStack, execution: str) -> list[str]:
    """The statuses that events have told of the execution."""
    return [
        event["detail"]["status"]
        for event in stack.aws.dispatch.events
        if event["source"] == "aws.states" and event["detail"]["executionArn"] == execution
    ]


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("{% $states.input.nothing %}", "returned nothing (undefined)"),
        ("{% $states.input.list[7] %}", "returned nothing (undefined)"),
        ("{% $number('seven') %}", "failed"),
        ("{% $undefined_function() %}", "failed"),
    ],
)
def test_an_expression_without_a_value_fails_the_execution(stack: SmallStack, expression: str, why: str) -> None:
    name = re.sub(r"\W+", "-", expression).strip("-")
    machine = stack.make_machine(name, {"Only": {"Type": "Pass", "Output": expression, "End": True}})
    ended = stack.run(machine, {"list": [1]})
    assert (ended["status"], ended["error"]) == ("FAILED", "States.QueryEvaluationError")
    assert why in ended["cause"]


def test_an_undefined_condition_argument_or_wait_fails_as_well(stack: SmallStack) -> None:
    states: dict[str, dict[str, Any]] = {
        "choice": {"Type": "Choice", "Choices": [{"Condition": "{% $states.input.no %}", "Next": "End"}]},
        "wait": {"Type": "Wait", "Seconds": "{% $states.input.no %}", "Next": "End"},
        "task": _task(stack.MisbehaveName, {"what": "{% $states.input.no %}"}),
        "assign": {"Type": "Pass", "Assign": {"x": "{% $states.input.no %}"}, "Next": "End"},
    }
    for name, state in states.items():
        machine = stack.make_machine(f"undefined-{name}", {"Only": state, "End": {"Type": "Succeed"}})
        ended = stack.run(machine, {})
        assert (name, ended["status"], ended["error"]) == (name, "FAILED", "States.QueryEvaluationError")


def test_null_is_a_value(stack: SmallStack) -> None:
    machine = stack.make_machine(
        "null-is-a-value", {"Only": {"Type": "Pass", "Output": "{% $states.input.none %}", "End": True}}
    )
    ended = stack.run(machine, {"none": None})
    assert (ended["status"], ended["output"]) == ("SUCCEEDED", "null")


@pytest.mark.parametrize(
    "value", ['a "quoted" \\ text\nwith lines', "ünïcode 漢字 😀", {"deep": [1, -2.5e-7, True, None, {}]}, [], ""]
)
def test_any_value_survives_variables_input_and_output(stack: SmallStack, value: Any) -> None:
    name = f"values-{zlib.crc32(repr(value).encode())}"
    machine = stack.make_machine(
        name,
        {
            "Keep": {"Type": "Pass", "Assign": {"kept": "{% $states.input.value %}"}, "Next": "Give"},
            "Give": {
                "Type": "Pass",
                "Output": {"kept": "{% $kept %}", "input": "{% $states.context.Execution.Input.value %}"},
                "End": True,
            },
        },
    )
    ended = stack.run(machine, {"value": value})
    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    assert json.loads(ended["output"]) == {"kept": value, "input": value}


def test_characters_outside_the_basic_plane_count_once(stack: SmallStack) -> None:
    machine = stack.make_machine(
        "lengths", {"Only": {"Type": "Pass", "Output": "{% $length($states.input) %}", "End": True}}
    )
    assert stack.run(machine, "😀!")["output"] == "2"


def test_a_failing_function_ends_the_execution_with_its_class_name_and_json(stack: SmallStack) -> None:
    machine = stack.make_machine("failing-task", {"Only": _task(stack.MisbehaveName, {"what": "fail"})})
    execution = stack.start(machine)
    ended = stack.end_of(execution)
    assert (ended["status"], ended["error"]) == ("FAILED", "OutOfTea")
    assert json.loads(ended["cause"])["errorMessage"] == "there is none left"
    assert _changes(stack, execution) == ["RUNNING", "FAILED"]


@pytest.mark.parametrize(
    ("event", "error"),
    [
        ({"what": "leave", "status": 1}, "Runtime.ExitError"),
        pytest.param({"what": "sleep", "child_file": "/dev/null"}, "Sandbox.Timedout", marks=pytest.mark.prove),
    ],
)
def test_lambdas_own_errors_can_be_caught_by_name(stack: SmallStack, event: dict[str, Any], error: str) -> None:
    states = {
        "Only": _task(stack.MisbehaveName, event, Catch=[{"ErrorEquals": [error], "Next": "Caught"}]),
        "Caught": {"Type": "Pass", "Output": "caught", "End": True},
    }
    ended = stack.run(stack.make_machine(f"catches-{error.replace('.', '-')}", states))
    assert (ended["status"], ended["output"]) == ("SUCCEEDED", '"caught"')


def test_a_task_is_retried_as_its_definition_says_and_never_by_the_client_below(
    stack: SmallStack, tmp_path: Path
) -> None:
    source = """
from pathlib import Path

def handler(event, context):
    path = Path(event["file"])
    tries = len(path.read_text()) + 1 if path.exists() else 1
    path.write_text("x" * tries)
    if tries < 3:
        raise ConnectionError("not yet")
    return tries
"""
    name = stack.make_function(tmp_path, "third-time-lucky", source)
    retry = {"ErrorEquals": ["ConnectionError"], "IntervalSeconds": 1, "MaxAttempts": 2, "BackoffRate": 1}
    task = _task(name, {"file": str(tmp_path / "tries")}, Retry=[retry], Output="{% $states.result.Payload %}")
    ended = stack.run(stack.make_machine("retries", {"Only": task}))
    assert (ended["status"], ended["output"]) == ("SUCCEEDED", "3")


def test_the_delays_before_retries_can_be_shortened(stack: SmallStack) -> None:
    retry = {"ErrorEquals": ["OutOfTea"], "IntervalSeconds": 20, "MaxAttempts": 3, "BackoffRate": 1}
    task = _task(stack.MisbehaveName, {"what": "fail"}, Retry=[retry])
    began = time.monotonic()
    assert stack.run(stack.make_machine("short-delays", {"Only": task}))["error"] == "OutOfTea"
    assert 0.6 <= time.monotonic() - began < 60


def test_stopping_ends_a_machine_that_waits_for_its_retry(stack: SmallStack) -> None:
    retry = {"ErrorEquals": ["OutOfTea"], "IntervalSeconds": 60_000, "MaxAttempts": 3}
    task = _task(stack.MisbehaveName, {"what": "fail"}, Retry=[retry])
    execution = stack.start(stack.make_machine("patient", {"Only": task}))
    machines = stack.aws.client("stepfunctions")

    def history() -> list[str]:
        return [entry["type"] for entry in machines.get_execution_history(executionArn=execution)["events"]]

    until(lambda: "TaskFailed" in history(), "the function has failed")
    machines.stop_execution(executionArn=execution)
    until(lambda: history()[-1] == "ExecutionAborted", "the machine has ended")


def test_stopping_ends_an_execution_at_once_though_its_function_runs_on(stack: SmallStack, tmp_path: Path) -> None:
    name = stack.make_function(tmp_path, "runs-on", MISBEHAVE)
    ready, go = tmp_path / "ready", tmp_path / "go"
    states = {
        "First": _task(name, {"what": "wait", "ready_file": str(ready), "go_file": str(go)}, Next="Second"),
        "Second": _task(name, {"what": "note"}),
    }
    del states["First"]["End"]
    execution = stack.start(stack.make_machine("stopped", states))
    until(ready.exists, "the function runs")
    stopped = stack.aws.client("stepfunctions").stop_execution(
        executionArn=execution, error="Stopped.ByHand", cause="enough"
    )
    described = stack.describe(execution)
    assert (described["status"], described["error"], described["cause"]) == ("ABORTED", "Stopped.ByHand", "enough")
    assert described["stopDate"] == stopped["stopDate"]
    assert _changes(stack, execution) == ["RUNNING", "ABORTED"]
    event = stack.aws.dispatch.events[-1]["detail"]
    assert (event["error"], event["cause"], event["output"]) == ("Stopped.ByHand", "enough", None)
    assert len(stack.aws.functions.pool.busy(name)) == 1

    go.touch()
    until(lambda: not stack.aws.functions.pool.busy(name), "the function has ended")
    history = stack.aws.client("stepfunctions")
    until(
        lambda: history.get_execution_history(executionArn=execution)["events"][-1]["type"] == "ExecutionAborted",
        "the history tells of the stop",
    )
    entered = [
        entry["stateEnteredEventDetails"]["name"]
        for entry in history.get_execution_history(executionArn=execution)["events"]
        if "stateEnteredEventDetails" in entry
    ]
    assert entered == ["First"]
    assert stack.describe(execution)["status"] == "ABORTED"
    assert _changes(stack, execution) == ["RUNNING", "ABORTED"]


def test_stopping_interrupts_a_wait(stack: SmallStack) -> None:
    machine = stack.make_machine(
        "waiting", {"Only": {"Type": "Wait", "Seconds": 600, "Next": "No"}, "No": {"Type": "Succeed"}}
    )
    execution = stack.start(machine)
    stack.aws.client("stepfunctions").stop_execution(executionArn=execution)
    assert stack.describe(execution)["status"] == "ABORTED"
    history = stack.aws.client("stepfunctions")
    until(
        lambda: (
            "ExecutionAborted"
            in [entry["type"] for entry in history.get_execution_history(executionArn=execution)["events"]]
        ),
        "the machine has stopped",
    )


def test_an_execution_can_be_stopped_right_after_its_start(stack: SmallStack) -> None:
    machine = stack.make_machine(
        "brief", {"Only": {"Type": "Wait", "Seconds": 600, "Next": "No"}, "No": {"Type": "Succeed"}}
    )
    for _ in range(20):
        execution = stack.start(machine)
        stack.aws.client("stepfunctions").stop_execution(executionArn=execution)
        assert stack.describe(execution)["status"] == "ABORTED"
        assert _changes(stack, execution) == ["RUNNING", "ABORTED"]


def test_an_execution_that_others_see_before_it_begins_runs_and_can_be_stopped(
    stack: SmallStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = stack.make_machine("just-known", {"Only": {"Type": "Wait", "Seconds": 600, "End": True}})
    machines = stack.aws.client("stepfunctions")
    seen: list[str] = []
    start = Execution.start

    def look_and_stop(execution: Any) -> None:
        running = machines.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]
        seen.extend(each["executionArn"] for each in running)
        machines.stop_execution(executionArn=execution.exec_arn)
        start(execution)

    monkeypatch.setattr(Execution, "start", look_and_stop)
    execution = stack.start(machine)
    assert seen == [execution]
    assert stack.describe(execution)["status"] == "ABORTED"


def test_an_execution_that_ends_at_once_is_told_as_running_first(
    stack: SmallStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = stack.make_machine("done-at-once", {"Only": {"Type": "Succeed"}})
    monkeypatch.setattr(ExecutionWorker, "start", ExecutionWorker._execution_logic)
    assert _changes(stack, stack.start(machine)) == ["RUNNING", "SUCCEEDED"]


def test_stopping_what_has_ended_changes_nothing(stack: SmallStack) -> None:
    machine = stack.make_machine("ended", {"Only": {"Type": "Succeed"}})
    execution = stack.start(machine)
    before = stack.end_of(execution)
    stopped = stack.aws.client("stepfunctions").stop_execution(executionArn=execution)
    assert stopped["stopDate"] == before["stopDate"]
    assert stack.describe(execution)["status"] == "SUCCEEDED"


def test_the_machines_timeout_ends_it_as_timed_out(stack: SmallStack) -> None:
    machine = stack.make_machine(
        "timing-out",
        {"Only": {"Type": "Wait", "Seconds": 600, "Next": "No"}, "No": {"Type": "Succeed"}},
        TimeoutSeconds=1,
    )
    execution = stack.start(machine)
    assert stack.end_of(execution)["status"] == "TIMED_OUT"
    until(lambda: _changes(stack, execution) == ["RUNNING", "TIMED_OUT"], "the events tell of it")


def test_executions_without_a_name_get_one_each(stack: SmallStack) -> None:
    machine = stack.make_machine("unnamed", {"Only": {"Type": "Succeed"}})
    names = {stack.end_of(stack.start(machine))["name"] for _ in range(3)}
    assert len(names) == 3
    assert all(re.fullmatch(r"[0-9a-f-]{36}", name) for name in names)


def test_a_named_execution_starts_once(stack: SmallStack) -> None:
    machine = stack.make_machine(
        "named", {"Only": {"Type": "Wait", "Seconds": 600, "Next": "No"}, "No": {"Type": "Succeed"}}
    )
    first = stack.start(machine, {"a": 1}, name="one")
    assert stack.start(machine, {"a": 1}, name="one") == first
    with pytest.raises(ClientError) as refused:
        stack.start(machine, {"a": 2}, name="one")
    assert refused.value.response["Error"]["Code"] == "ExecutionAlreadyExists"
    stack.aws.client("stepfunctions").stop_execution(executionArn=first)
    assert _changes(stack, first) == ["RUNNING", "ABORTED"]


def test_a_distributed_map_runs_a_function_for_each_item_of_a_file_several_at_once(
    stack: SmallStack, tmp_path: Path
) -> None:
    name = stack.make_function(tmp_path, "each", "def handler(event, context):\n    return event['number'] ** 2\n")
    stack.upload("lists/numbers.json", json.dumps([{"number": number} for number in range(20)]))
    each = {
        "Type": "Map",
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSON"},
            "Arguments": {"Bucket": stack.InboxName, "Key": "{% $states.input.key %}"},
        },
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "Square",
            "States": {"Square": _task(name, "{% $states.input %}", Output="{% $states.result.Payload %}")},
        },
        "MaxConcurrency": "{% $states.input.concurrency %}",
        "End": True,
    }
    ended = stack.run(stack.make_machine("squares", {"Each": each}), {"key": "lists/numbers.json", "concurrency": 4})
    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    assert json.loads(ended["output"]) == [number**2 for number in range(20)]
    assert 1 <= len(stack.aws.functions.pool.warm(name)) <= 4


def test_calls_of_a_machine_carry_its_roles_credentials(stack: SmallStack) -> None:
    roles: list[str] = []
    stop = stack.aws.calls.observe(
        lambda call: roles.append(call.caller.role) if call.caller and call.action == "Publish" else None
    )
    publish = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sns:publish",
        "Arguments": {"TopicArn": stack.TopicArn, "Message": "hello"},
        "End": True,
    }
    try:
        assert stack.run(stack.make_machine("publishing", {"Only": publish}))["status"] == "SUCCEEDED"
    finally:
        stop()
    assert roles == [stack.role("MachineRole")]


def test_a_map_whose_items_cannot_be_read_fails_by_that_name_or_tries_again(
    stack: SmallStack,
) -> None:
    stack.upload("lists/letters.json", json.dumps(["a", "b"]))
    each = {
        "Type": "Map",
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSON"},
            "Arguments": {"Bucket": stack.InboxName, "Key": "lists/letters.json"},
        },
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "Same",
            "States": {"Same": {"Type": "Pass", "End": True}},
        },
        "MaxConcurrency": 1,
        "End": True,
    }
    retry = {"ErrorEquals": ["States.ItemReaderFailed"], "IntervalSeconds": 1, "MaxAttempts": 1}
    failure = CallRefused("InternalError", "The service failed", 503)
    stack.aws.calls.refuse("s3", "GetObject", failure)
    ended = stack.run(stack.make_machine("unreadable", {"Each": each}))
    assert (ended["status"], ended["error"]) == ("FAILED", "States.ItemReaderFailed")
    assert "The service failed" in ended["cause"]
    stack.aws.calls.refuse("s3", "GetObject", failure)
    ended = stack.run(stack.make_machine("read-again", {"Each": {**each, "Retry": [retry]}}))
    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    assert json.loads(ended["output"]) == ["a", "b"]


@pytest.mark.parametrize(
    ("tolerated", "status"),
    [({}, "FAILED"), ({"ToleratedFailureCount": 1}, "SUCCEEDED"), ({"ToleratedFailurePercentage": 10.5}, "FAILED")],
    ids=["none", "one", "a tenth of them"],
)
def test_a_distributed_map_fails_by_one_name_when_too_many_children_failed(
    stack: SmallStack, tolerated: dict[str, Any], status: str
) -> None:
    each = {
        "Type": "Map",
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "Good?",
            "States": {
                "Good?": {
                    "Type": "Choice",
                    "Choices": [{"Condition": "{% $states.input.good %}", "Next": "Good"}],
                    "Default": "Bad",
                },
                "Good": {"Type": "Succeed"},
                "Bad": {"Type": "Fail", "Error": "OfTheChild"},
            },
        },
        "Items": [{"good": True}, {"good": False}, {"good": True}],
        **tolerated,
        "End": True,
    }
    ended = stack.run(stack.make_machine(f"failing-{uuid.uuid4().hex[:6]}", {"Each": each}))
    assert ended["status"] == status, ended.get("cause")
    assert ended.get("error") == (None if status == "SUCCEEDED" else "States.ExceedToleratedFailureThreshold")
