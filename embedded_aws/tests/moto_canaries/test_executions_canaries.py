"""Executions of state machines: their names, ends, waits and limits."""

from __future__ import annotations

import inspect
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import moto.backends
import moto.core.errors
import moto.core.responses
import moto.s3.notifications
import moto.s3.responses
import moto.stepfunctions.models
import pytest
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.state import CommonStateField
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventManager
from moto.stepfunctions.parser.backend.execution import Execution
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from embedded_aws.moto_patches import (
    execution_limits,
    executions,
    waits,
)
from embedded_aws.tests.moto_canaries.moto_alone import (
    ACCOUNT,
    REGION,
    canary_of,
    client,
    create_machine,
    end_of,
    start_execution,
)
from embedded_aws.waiting import until

pytestmark = pytest.mark.prove


@canary_of(executions.name_unnamed)
def test_moto_calls_an_execution_without_a_name_none() -> None:
    execution = start_execution(create_machine(Only={"Type": "Succeed"}))
    assert execution.endswith(":None")
    end_of(execution)


@canary_of(executions.name_unnamed)
def test_moto_makes_two_executions_of_two_starts_with_one_name_at_one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    both_have_looked = threading.Barrier(2, timeout=10)
    original = moto.stepfunctions.models.StateMachine._handle_name_input_idempotency

    def look(machine: Any, name: str, given: str) -> Any:
        found = original(machine, name, given)
        both_have_looked.wait()
        return found

    monkeypatch.setattr(moto.stepfunctions.models.StateMachine, "_handle_name_input_idempotency", look)
    machine = create_machine(Only={"Type": "Succeed"})
    with ThreadPoolExecutor(2) as starters:
        list(starters.map(lambda _: start_execution(machine, name="one"), range(2)))
    listed = client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
    assert [execution["name"] for execution in listed] == ["one", "one"]
    end_of(listed[0]["executionArn"])


@canary_of(executions.stop_for_a_reason)
def test_moto_drops_the_error_and_the_cause_of_a_stop() -> None:
    machine = create_machine(Only={"Type": "Wait", "Seconds": 60, "Next": "End"}, End={"Type": "Succeed"})
    execution = start_execution(machine, name="stopped")
    backend: Any = stepfunctions_parser_backends[ACCOUNT][REGION]
    worker = backend.describe_execution(execution).exec_worker
    until(lambda: worker.env is not None and worker.env.is_running(), "the machine runs")
    client("stepfunctions").stop_execution(executionArn=execution, error="Mine", cause="because")
    ended = end_of(execution)
    assert ended["status"] == "ABORTED"
    assert "error" not in ended
    assert "cause" not in ended


@canary_of(executions.end_at_once)
def test_moto_cannot_stop_an_execution_that_has_not_begun() -> None:
    machine = create_machine(Only={"Type": "Succeed"})
    execution = start_execution(machine, name="brief")
    end_of(execution)
    backend: Any = stepfunctions_parser_backends[ACCOUNT][REGION]
    described = backend.describe_execution(execution)
    described.exec_worker.env = None  # as it is until the machine's thread has read the definition
    with pytest.raises(AttributeError):
        client("stepfunctions").stop_execution(executionArn=execution)


@canary_of(executions.end_at_once)
def test_moto_gives_no_status_to_an_execution_that_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    statuses: list[Any] = []
    start = Execution.start

    def look(execution: Any) -> None:
        backend: Any = stepfunctions_parser_backends[ACCOUNT][REGION]
        statuses.append(backend.describe_execution(execution.exec_arn).exec_status)
        start(execution)

    monkeypatch.setattr(Execution, "start", look)
    end_of(start_execution(create_machine(Only={"Type": "Succeed"}), name="begins"))
    assert statuses == [None]


@canary_of(executions.keep_ended)
def test_moto_lets_a_later_error_replace_a_stop() -> None:
    backend: Any = stepfunctions_parser_backends[ACCOUNT][REGION]
    machine = create_machine(Only={"Type": "Wait", "Seconds": 60, "Next": "End"}, End={"Type": "Succeed"})
    execution = start_execution(machine, name="stopped-then-failed")
    worker = backend.describe_execution(execution).exec_worker
    until(lambda: worker.env is not None and worker.env.is_running(), "the machine runs")
    worker.env.set_stop(stop_date=None, cause=None, error=None)
    worker.env.set_error(error={"error": "Late", "cause": "a task came back"})
    assert type(worker.env.program_state()).__name__ == "ProgramError"
    end_of(execution)


@canary_of(executions.end_at_once)
def test_moto_tells_nobody_that_an_execution_has_ended() -> None:
    queue = client("sqs").create_queue(QueueName="queue")["QueueUrl"]
    events = client("events")
    events.put_rule(Name="rule", EventPattern=json.dumps({"source": ["aws.states"]}))
    events.put_targets(Rule="rule", Targets=[{"Id": "1", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:queue"}])
    end_of(start_execution(create_machine(Only={"Type": "Succeed"}), name="quiet"))
    assert "Messages" not in client("sqs").receive_message(QueueUrl=queue)


@canary_of(waits.wait_for_retries)
def test_moto_sleeps_through_the_delay_before_a_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(retrier_decl, "time", SimpleNamespace(sleep=slept.append))
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 7, "MaxAttempts": 2}]
    parameters = {"QueueUrl": "http://nowhere/queue", "MessageBody": "m"}
    missing = {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "Parameters": parameters, "End": True}
    execution = start_execution(create_machine(Only={**missing, "Retry": retry}), name="retried")
    end_of(execution)
    assert slept == [7, 14]


@canary_of(waits.shorten_waits)
def test_moto_waits_as_long_as_a_wait_state_says() -> None:
    waited: list[float] = []
    environment = SimpleNamespace(
        program_state_event=SimpleNamespace(wait=waited.append),
        is_running=lambda: False,  # afterwards: nothing of it is left to wait for
    )
    WaitFunction._wait_interval(SimpleNamespace(), environment, 7)  # type: ignore[arg-type]  # stand-ins
    assert waited == [7]


@canary_of(executions.describe_ends)
def test_moto_describes_a_text_without_quotes_and_a_timeout_without_its_date() -> None:
    machine = create_machine(Only={"Type": "Pass", "Result": "text", "End": True})
    assert end_of(start_execution(machine, name="text"))["output"] == "text"
    execution = start_execution(machine, name="late")
    end_of(execution)
    backend: Any = stepfunctions_parser_backends[ACCOUNT][REGION]
    described = backend.describe_execution(execution)
    described.exec_status = type(described.exec_status)("TIMED_OUT")
    assert "stopDate" not in client("stepfunctions").describe_execution(executionArn=execution)


@canary_of(execution_limits.limit_requests)
def test_moto_starts_executions_of_any_name() -> None:
    assert start_execution(create_machine(Only={"Type": "Pass", "End": True}), name="a name of two words").endswith(
        "words"
    )


@pytest.mark.prove
@canary_of(execution_limits.limit_payloads)
def test_moto_limits_no_variables() -> None:
    machine = create_machine(Only={"Type": "Pass", "Assign": {"x": "x" * 300_000}, "End": True})
    assert end_of(start_execution(machine))["status"] == "SUCCEEDED"


@canary_of(execution_limits.limit_failures)
def test_moto_tells_a_cause_of_any_length() -> None:
    assert (
        len(
            end_of(start_execution(create_machine(Only={"Type": "Fail", "Error": "E", "Cause": "x" * 40_000})))["cause"]
        )
        == 40_000
    )


@canary_of(execution_limits.limit_history)
def test_moto_s_histories_have_no_end() -> None:
    assert "25" not in inspect.getsource(EventManager)
    assert "25" not in inspect.getsource(CommonStateField)
