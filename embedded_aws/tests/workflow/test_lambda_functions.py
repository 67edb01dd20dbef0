"""Functions run in processes of their own, and end as they end in Lambda."""

from __future__ import annotations

import base64
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded_aws.lambdas.code import pack_folder
from embedded_aws.lambdas.errors import MAX_PAYLOAD_BYTES, InvokeRefused, failed
from embedded_aws.tests.processes import alive
from embedded_aws.tests.workflow.small_stack import SmallStack
from embedded_aws.waiting import until

pytestmark = pytest.mark.prove

MISBEHAVE = (Path(__file__).parent / "stack/functions/misbehave/app.py").read_text()
ECHO = "import os\n\ndef handler(event, context):\n    return {'event': event, 'pid': os.getpid()}\n"


def test_a_process_sees_its_code_its_layers_and_the_runtime_alone(
    stack: SmallStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THIS_MACHINE", "not for functions")
    seen, _ = stack.invoke(stack.CountVersionArn, {"probe": 1})
    outside = {str(Path(folder).resolve()) for folder in sys.path if "site-packages" in folder}
    assert outside.isdisjoint(seen["path"])
    own = [folder for folder in seen["path"] if not folder.startswith(sys.base_prefix)]
    assert len(own) == 4, own  # task root, two layers, runtime
    assert own[1].endswith("/python")
    assert own[2].endswith("/python")
    assert own[3].endswith("/runtime")
    environment = seen["environment"]
    assert "SECRET_OF_THIS_MACHINE" not in environment
    assert environment["GREETING"] == 'he said "hi"'
    assert environment["LIMIT"] == "3"
    assert environment["AWS_ENDPOINT_URL"] == stack.aws.endpoint
    assert environment["AWS_REGION"] == stack.aws.region
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == stack.CountName
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert Path(environment["TMPDIR"]).is_relative_to(stack.aws.folder)
    assert 0 < seen["remaining_ms"] <= 10_000


def test_a_function_may_not_change_its_code(stack: SmallStack) -> None:
    told, _ = stack.invoke(stack.MisbehaveName, {"what": "change_its_code"})
    assert list(told["refused"]) == told["asked"]
    assert all(error.startswith("[Errno 30] Read-only file system: ") for error in told["refused"].values())
    assert "def change_its_code" in Path(told["code"]).read_text()
    assert sorted(path.name for path in Path(told["code"]).parent.iterdir()) == ["__pycache__", "app.py"]


def test_boto3_is_the_layers_where_a_layer_has_it_and_else_the_runtimes(stack: SmallStack) -> None:
    without, _ = stack.invoke(stack.MisbehaveName, {"what": "sdk"})
    assert without["file"].endswith("/runtime/boto3/__init__.py")
    seen, _ = stack.invoke(stack.CountVersionArn, {"probe": 1})
    assert seen["boto3"].endswith("/dependencies/python/boto3/__init__.py")


def test_each_process_has_credentials_of_its_functions_role(stack: SmallStack) -> None:
    seen, _ = stack.invoke(stack.CountVersionArn, {"probe": 1})
    caller = stack.aws.identities.of(seen["environment"]["AWS_ACCESS_KEY_ID"])
    assert caller is not None
    assert caller.role == stack.role("CountWordsRole")
    assert caller.session == stack.CountName


def test_the_client_context_reaches_the_handler(stack: SmallStack) -> None:
    context = base64.b64encode(json.dumps({"custom": {"why": "für alle"}}).encode()).decode()
    seen, _ = stack.invoke(stack.CountVersionArn, {"probe": 1}, ClientContext=context)
    assert seen["custom"] == {"why": "für alle"}
    without, _ = stack.invoke(stack.CountVersionArn, {"probe": 1})
    assert without["custom"] is None


def test_an_exceptions_class_name_is_the_error_type(stack: SmallStack) -> None:
    payload, response = stack.invoke(stack.MisbehaveName, {"what": "fail"})
    assert response["FunctionError"] == "Unhandled"
    assert response["StatusCode"] == 200
    assert payload["errorType"] == "OutOfTea"
    assert payload["errorMessage"] == "there is none left"
    assert "raise OutOfTea" in "".join(payload["stackTrace"])


def test_a_timeout_kills_the_process_and_what_it_has_started(stack: SmallStack, tmp_path: Path) -> None:
    child_file = tmp_path / "child"
    payload, response = stack.invoke(stack.MisbehaveName, {"what": "sleep", "child_file": str(child_file)})
    assert response["FunctionError"] == "Unhandled"
    assert payload["errorType"] == "Sandbox.Timedout"
    assert payload["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")
    child = int(child_file.read_text())
    until(lambda: not alive(child), f"process {child}, which the handler had started, is gone")
    log = stack.aws.functions.logs.path(stack.MisbehaveName).read_text()
    assert "asked to sleep" in log
    assert "Task timed out after 1.00 seconds" in log


@pytest.mark.parametrize(
    ("event", "how"),
    [({"what": "leave", "status": 3}, "exit status 3"), ({"what": "die"}, "signal: killed")],
)
def test_a_process_that_ends_by_itself_is_an_exit_error(stack: SmallStack, event: dict[str, Any], how: str) -> None:
    payload, response = stack.invoke(stack.MisbehaveName, event)
    assert response["FunctionError"] == "Unhandled"
    assert payload["errorType"] == "Runtime.ExitError"
    assert payload["errorMessage"].endswith(f"Error: Runtime exited with error: {how}")
    noted, _ = stack.invoke(stack.MisbehaveName, {"what": "note"})
    assert noted["noted"] == {"what": "note"}


@pytest.mark.parametrize(
    ("source", "error_type", "message"),
    [
        ("import nowhere_to_be_found", "Runtime.ImportModuleError", "No module named 'nowhere_to_be_found'"),
        ("def other(event, context): ...", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'"),
        ("def handler(:", "Runtime.UserCodeSyntaxError", "Syntax error in module 'app'"),
        ("raise RuntimeError('bad start')", "RuntimeError", "bad start"),
        ("import sys\nsys.exit(7)", "Runtime.ExitError", "exit status 7"),
    ],
)
def test_a_handler_that_cannot_be_loaded_is_an_error_of_the_invocation(
    stack: SmallStack, tmp_path: Path, source: str, error_type: str, message: str
) -> None:
    name = stack.make_function(tmp_path, f"unloadable-{error_type.replace('.', '-')}", source)
    for _ in range(2):
        payload, response = stack.invoke(name, {})
        assert response["FunctionError"] == "Unhandled"
        assert payload["errorType"] == error_type
        assert message in payload["errorMessage"]


def test_a_published_version_keeps_its_code_and_configuration(stack: SmallStack, tmp_path: Path) -> None:
    source = (
        "import os\n\ndef handler(event, context):\n    return [WORD, os.environ['COLOUR'], context.function_version]\n"
    )
    name = stack.make_function(
        tmp_path, "pinned", "WORD = 'first'\n" + source, Environment={"Variables": {"COLOUR": "red"}}
    )
    functions = stack.aws.client("lambda")
    first = functions.publish_version(FunctionName=name)["FunctionArn"]
    stack.invoke(name, {})
    (tmp_path / name / "app.py").write_text("WORD = 'second'\n" + source)
    functions.update_function_code(FunctionName=name, ZipFile=pack_folder(tmp_path / name))
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": {"COLOUR": "blue"}})
    second = functions.publish_version(FunctionName=name)["FunctionArn"]
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")

    assert second == first[:-1] + "2"
    assert stack.invoke(first, {})[0] == ["first", "red", "1"]
    assert stack.invoke(second, {})[0] == ["second", "blue", "2"]
    assert stack.invoke(name, {})[0] == ["second", "blue", "$LATEST"]
    assert stack.invoke(name, {}, Qualifier="1")[0] == ["first", "red", "1"]
    through_alias, response = stack.invoke(f"{name}:live", {})
    assert through_alias == ["first", "red", "1"]
    assert response["ExecutedVersion"] == "1"


def test_a_response_may_be_as_large_as_lambda_lets_it_be_and_no_larger(stack: SmallStack) -> None:
    fits, _ = stack.invoke(stack.MisbehaveName, {"what": "answer_at_length", "size": MAX_PAYLOAD_BYTES})
    assert len(fits) == MAX_PAYLOAD_BYTES
    payload, response = stack.invoke(stack.MisbehaveName, {"what": "answer_at_length", "size": MAX_PAYLOAD_BYTES + 99})
    assert response["FunctionError"] == "Unhandled"
    assert payload == {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
    }


def test_a_request_larger_than_lambda_takes_is_refused(stack: SmallStack) -> None:
    with pytest.raises(ClientError) as refused:
        stack.invoke(stack.MisbehaveName, {"what": "note", "text": "x" * MAX_PAYLOAD_BYTES})
    assert refused.value.response["Error"]["Code"] == "RequestEntityTooLargeException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_a_body_that_is_no_json_is_refused(stack: SmallStack) -> None:
    with pytest.raises(ClientError) as refused:
        stack.aws.client("lambda").invoke(FunctionName=stack.MisbehaveName, Payload=b"{no json")
    assert refused.value.response["Error"]["Code"] == "InvalidRequestContentException"


def test_an_idle_process_is_used_again_and_each_concurrent_call_gets_its_own(stack: SmallStack, tmp_path: Path) -> None:
    name = stack.make_function(tmp_path, "echo", ECHO)
    pids = {stack.invoke(name, {})[0]["pid"] for _ in range(3)}
    assert len(pids) == 1
    go = tmp_path / "go"
    together = 4

    def wait(number: int) -> Any:
        event = {"what": "wait", "ready_file": str(tmp_path / f"ready-{number}"), "go_file": str(go)}
        return stack.invoke(waiting, event)[0]

    waiting = stack.make_function(tmp_path, "waiting", MISBEHAVE)
    with ThreadPoolExecutor(together) as callers:
        calls = [callers.submit(wait, number) for number in range(together)]
        until(lambda: len(stack.aws.functions.pool.busy(waiting)) == together, "all run at the same time")
        until(lambda: len(list(tmp_path.glob("ready-*"))) == together, "all have begun")
        assert len({path.read_text() for path in tmp_path.glob("ready-*")}) == together
        assert stack.invoke(name, {})[0]["pid"] in pids  # others are not held up
        go.touch()
        assert [call.result()["waited"] for call in calls] == [True] * together


def test_a_running_function_can_be_killed_by_its_name(stack: SmallStack, tmp_path: Path) -> None:
    name = stack.make_function(tmp_path, "killed", MISBEHAVE)
    ready = tmp_path / "ready"
    event = {"what": "wait", "ready_file": str(ready), "go_file": str(tmp_path / "never")}
    with ThreadPoolExecutor(1) as caller:
        call = caller.submit(stack.invoke, name, event)
        until(lambda: ready.exists() and ready.read_text(), "the handler runs")
        assert stack.aws.functions.kill(name) == 1
        payload, response = call.result()
    assert payload["errorType"] == "Runtime.ExitError"
    assert response["FunctionError"] == "Unhandled"
    assert stack.aws.functions.kill(name) == 0


def test_reserved_concurrency_is_a_limit(stack: SmallStack, tmp_path: Path) -> None:
    name = stack.make_function(tmp_path, "reserved", MISBEHAVE)
    stack.aws.client("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    go, ready = tmp_path / "go", tmp_path / "ready"
    with ThreadPoolExecutor(1) as caller:
        call = caller.submit(stack.invoke, name, {"what": "wait", "ready_file": str(ready), "go_file": str(go)})
        until(ready.exists, "the handler runs")
        with pytest.raises(ClientError) as refused:
            stack.invoke(name, {"what": "note"})
        go.touch()
        assert call.result()[0] == {"waited": True}
    assert refused.value.response["Error"]["Code"] == "TooManyRequestsException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429


def test_an_asynchronous_invocation_is_tried_three_times(stack: SmallStack, tmp_path: Path) -> None:
    source = """
from pathlib import Path

def handler(event, context):
    with Path(event["file"]).open("a") as file:
        file.write("tried\\n")
    raise ValueError("never")
"""
    name = stack.make_function(tmp_path, "failing", source)
    tried = tmp_path / "tried"
    _, response = stack.invoke(name, {"file": str(tried)}, InvocationType="Event")
    assert response["StatusCode"] == 202
    stack.aws.functions.settle()
    assert tried.read_text().splitlines() == ["tried"] * 3


def test_what_a_function_writes_is_in_its_file_in_cloudwatch_and_in_the_log_tail(stack: SmallStack) -> None:
    _, response = stack.invoke(stack.MisbehaveName, {"what": "note"}, LogType="Tail")
    tail = base64.b64decode(response["LogResult"]).decode().splitlines()
    assert tail[0].startswith("START RequestId: ")
    assert tail[1] == "asked to note"
    assert tail[2].startswith("END RequestId: ")
    assert tail[3].startswith("REPORT RequestId: ")
    assert stack.aws.functions.logs.path(stack.MisbehaveName).read_text().endswith("\n".join(tail) + "\n")
    events = stack.aws.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{stack.MisbehaveName}")["events"]
    assert tail[0] in [event["message"] for event in events]


def test_a_fault_refuses_invocations_or_loses_their_answers(stack: SmallStack, tmp_path: Path) -> None:
    name = stack.make_function(tmp_path, "faulty", ECHO)
    stack.aws.functions.faults.refuse(name, InvokeRefused("ServiceException", "out of order", 500))
    with pytest.raises(ClientError) as refused:
        stack.invoke(name, {})
    assert refused.value.response["Error"]["Code"] == "ServiceException"
    stack.aws.functions.faults.answer(name, failed("Lambda.Unknown", "lost"))
    payload, _ = stack.invoke(name, {})
    assert payload["errorType"] == "Lambda.Unknown"
    assert stack.invoke(name, {"fine": True})[0]["event"] == {"fine": True}


@pytest.mark.prove
def test_a_warm_invocation_takes_little_more_than_a_call_that_runs_nothing(stack: SmallStack, tmp_path: Path) -> None:
    name = stack.make_function(tmp_path, "quick", ECHO)
    functions = stack.aws.client("lambda")

    def seconds(call: Callable[[], object]) -> float:
        began = time.perf_counter()
        call()
        return time.perf_counter() - began

    def quickest_tenth(measured: Iterable[float]) -> float:
        """What the call itself takes, on a machine that does other things meanwhile."""
        return statistics.quantiles(measured, n=10)[0]

    # By turns, so that what slows the machine down slows both. The second bound is what an answer takes that waits for
    # a delayed acknowledgement of TCP: both would.
    pairs = [
        (
            seconds(lambda: functions.get_function_configuration(FunctionName=name)),
            seconds(lambda: stack.invoke(name, {})),
        )
        for _ in range(300)
    ]
    plain, invocation = (quickest_tenth(measured) for measured in zip(*pairs, strict=True))
    told = f"an invocation takes {invocation * 1000:.1f} ms, {invocation / plain:.2f} of a plain call"
    assert invocation < 3 * plain, told
    assert invocation < 0.040, told


def test_an_unknown_function_is_not_found(stack: SmallStack) -> None:
    with pytest.raises(ClientError) as refused:
        stack.invoke("nobody", {})
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"
