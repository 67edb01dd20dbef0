"""One test for each change in embedded_aws/moto_patches: moto without it, still as it was when the change was made.

A failure here is good news: moto has learned what the change was for. Take the change out, and its canary.
"""

from __future__ import annotations

import base64
import importlib
import inspect
import json
import pkgutil
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import boto3
import jsonata
import moto.backends
import moto.core.errors
import moto.core.responses
import moto.s3.notifications
import moto.s3.responses
import moto.stepfunctions.models
import pytest
import requests
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from moto import mock_aws
from moto.dynamodb.comparisons import get_filter_expression
from moto.events.models import Rule
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.sns.models import Subscription, sns_backends
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.common.string import string_expression
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_api_gateway import (
    StateTaskServiceApiGateway,
)
from moto.stepfunctions.parser.asl.component.state.state import CommonStateField
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventManager
from moto.stepfunctions.parser.asl.jsonata.jsonata import encode_jsonata_variable_declarations, eval_jsonata_expression
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.utils.boto_client import boto_client_for
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from embedded_aws import moto_patches
from embedded_aws.lambdas.code import pack_folder
from embedded_aws.moto_patches import (
    alarms,
    calls,
    cloudformation,
    dynamodb,
    events,
    execution_limits,
    executions,
    expressions,
    functions,
    iam,
    maps,
    remembered,
    request_limits,
    s3,
    sns,
    tasks,
    waits,
)
from embedded_aws.waiting import until

REGION = "us-west-2"
ACCOUNT = "123456789012"

Test = TypeVar("Test", bound=Callable[..., None])

_watched_over: set[Callable[..., None]] = set()


def canary_of(change: Callable[..., None]) -> Callable[[Test], Test]:
    """Says which change the test is the canary of."""
    _watched_over.add(change)
    return lambda test: test


@pytest.fixture(autouse=True)
def _moto_alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": False}}):
        yield


def _client(service: str) -> Any:
    return boto3.client(service, region_name=REGION)  # type: ignore[call-overload]  # the stubs know literal names only


def _machine(*, query_language: str = "JSONPath", **states: Any) -> str:
    definition = {"QueryLanguage": query_language, "StartAt": next(iter(states)), "States": states}
    made = _client("stepfunctions").create_state_machine(
        name="machine", definition=json.dumps(definition), roleArn=f"arn:aws:iam::{ACCOUNT}:role/any"
    )
    return str(made["stateMachineArn"])


def _start(machine: str, **arguments: str) -> str:
    return str(_client("stepfunctions").start_execution(stateMachineArn=machine, **arguments)["executionArn"])


def _ended(execution: str) -> dict[str, Any]:
    machines = _client("stepfunctions")

    def ended() -> dict[str, Any] | None:
        described: dict[str, Any] = machines.describe_execution(executionArn=execution)
        return described if described["status"] != "RUNNING" else None

    described: dict[str, Any] = until(ended, "the execution has ended")
    return described


def _role() -> str:
    role = _client("iam").create_role(RoleName="role", AssumeRolePolicyDocument="{}")["Role"]
    return str(role["Arn"])


@canary_of(expressions.bring_evaluator)
def test_motos_jsonata_evaluator_is_none() -> None:
    with pytest.raises(TypeError, match="'NoneType' object is not callable"):
        eval_jsonata_expression("1")


@canary_of(expressions.escape_variables)
def test_moto_does_not_escape_texts_in_variables() -> None:
    declared = encode_jsonata_variable_declarations({"$x": 'a "quoted" text'})
    with pytest.raises(Exception, match="quoted"):
        jsonata.Jsonata(f"({declared}$x)").evaluate(None)


@canary_of(expressions.name_failures)
def test_moto_calls_an_expression_that_fails_a_runtime_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> None:
        raise ValueError("cannot be evaluated")

    monkeypatch.setattr(string_expression, "eval_jsonata_expression", fail)
    machine = _machine(query_language="JSONata", Only={"Type": "Pass", "Output": "{% $number('x') %}", "End": True})
    assert _ended(_start(machine))["error"] == "States.Runtime"


@canary_of(maps.name_reader_failures)
def test_moto_calls_items_that_cannot_be_read_a_runtime_error() -> None:
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON"},
        "Arguments": {"Bucket": "none", "Key": "none"},
    }
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Same",
        "States": {"Same": {"Type": "Pass", "End": True}},
    }
    each = {"Type": "Map", "ItemReader": reader, "ItemProcessor": processor, "End": True}
    assert _ended(_start(_machine(query_language="JSONata", Each=each)))["error"] == "States.Runtime"


@canary_of(executions.name_unnamed)
def test_moto_calls_an_execution_without_a_name_none() -> None:
    execution = _start(_machine(Only={"Type": "Succeed"}))
    assert execution.endswith(":None")
    _ended(execution)


@canary_of(executions.name_unnamed)
def test_moto_makes_two_executions_of_two_starts_with_one_name_at_one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    both_have_looked = threading.Barrier(2, timeout=10)
    original = moto.stepfunctions.models.StateMachine._handle_name_input_idempotency

    def look(machine: Any, name: str, given: str) -> Any:
        found = original(machine, name, given)
        both_have_looked.wait()
        return found

    monkeypatch.setattr(moto.stepfunctions.models.StateMachine, "_handle_name_input_idempotency", look)
    machine = _machine(Only={"Type": "Succeed"})
    with ThreadPoolExecutor(2) as starters:
        list(starters.map(lambda _: _start(machine, name="one"), range(2)))
    listed = _client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
    assert [execution["name"] for execution in listed] == ["one", "one"]
    _ended(listed[0]["executionArn"])


@canary_of(executions.stop_for_a_reason)
def test_moto_drops_the_error_and_the_cause_of_a_stop() -> None:
    machine = _machine(Only={"Type": "Wait", "Seconds": 60, "Next": "End"}, End={"Type": "Succeed"})
    execution = _start(machine, name="stopped")
    backend: Any = stepfunctions_parser_backends[ACCOUNT][REGION]
    worker = backend.describe_execution(execution).exec_worker
    until(lambda: worker.env is not None and worker.env.is_running(), "the machine runs")
    _client("stepfunctions").stop_execution(executionArn=execution, error="Mine", cause="because")
    ended = _ended(execution)
    assert ended["status"] == "ABORTED"
    assert "error" not in ended
    assert "cause" not in ended


@canary_of(executions.end_at_once)
def test_moto_cannot_stop_an_execution_that_has_not_begun() -> None:
    machine = _machine(Only={"Type": "Succeed"})
    execution = _start(machine, name="brief")
    _ended(execution)
    backend: Any = stepfunctions_parser_backends[ACCOUNT][REGION]
    described = backend.describe_execution(execution)
    described.exec_worker.env = None  # as it is until the machine's thread has read the definition
    with pytest.raises(AttributeError):
        _client("stepfunctions").stop_execution(executionArn=execution)


@canary_of(executions.keep_ended)
def test_moto_lets_a_later_error_replace_a_stop() -> None:
    backend: Any = stepfunctions_parser_backends[ACCOUNT][REGION]
    machine = _machine(Only={"Type": "Wait", "Seconds": 60, "Next": "End"}, End={"Type": "Succeed"})
    execution = _start(machine, name="stopped-then-failed")
    worker = backend.describe_execution(execution).exec_worker
    until(lambda: worker.env is not None and worker.env.is_running(), "the machine runs")
    worker.env.set_stop(stop_date=None, cause=None, error=None)
    worker.env.set_error(error={"error": "Late", "cause": "a task came back"})
    assert type(worker.env.program_state()).__name__ == "ProgramError"
    _ended(execution)


@canary_of(executions.end_at_once)
def test_moto_tells_nobody_that_an_execution_has_ended() -> None:
    queue = _client("sqs").create_queue(QueueName="queue")["QueueUrl"]
    events = _client("events")
    events.put_rule(Name="rule", EventPattern=json.dumps({"source": ["aws.states"]}))
    events.put_targets(Rule="rule", Targets=[{"Id": "1", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:queue"}])
    _ended(_start(_machine(Only={"Type": "Succeed"}), name="quiet"))
    assert "Messages" not in _client("sqs").receive_message(QueueUrl=queue)


@canary_of(waits.wait_for_retries)
def test_moto_sleeps_through_the_delay_before_a_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(retrier_decl, "time", SimpleNamespace(sleep=slept.append))
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 7, "MaxAttempts": 2}]
    parameters = {"QueueUrl": "http://nowhere/queue", "MessageBody": "m"}
    missing = {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "Parameters": parameters, "End": True}
    execution = _start(_machine(Only={**missing, "Retry": retry}), name="retried")
    _ended(execution)
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
    machine = _machine(Only={"Type": "Pass", "Result": "text", "End": True})
    assert _ended(_start(machine, name="text"))["output"] == "text"
    execution = _start(machine, name="late")
    _ended(execution)
    backend: Any = stepfunctions_parser_backends[ACCOUNT][REGION]
    described = backend.describe_execution(execution)
    described.exec_status = type(described.exec_status)("TIMED_OUT")
    assert "stopDate" not in _client("stepfunctions").describe_execution(executionArn=execution)


@canary_of(tasks.call_as_the_machines_role)
def test_moto_makes_a_new_client_with_a_fixed_key_for_each_call_of_a_machine() -> None:
    clients: list[Any] = [boto_client_for(region=REGION, service="sns") for _ in range(2)]
    assert clients[0] is not clients[1]
    assert clients[0]._get_credentials().access_key == "ak"


@canary_of(functions.run)
def test_moto_runs_no_function() -> None:
    functions = _client("lambda")
    archive = b"PK\x05\x06" + bytes(18)
    functions.create_function(
        FunctionName="f", Role=_role(), Handler="app.handler", Runtime="python3.13", Code={"ZipFile": archive}
    )
    answer = functions.invoke(FunctionName="f", Payload=b'{"a": 1}')
    assert json.loads(answer["Payload"].read()) == {"a": 1}  # the payload, though there is no handler


@canary_of(functions.keep_logging_config)
def test_moto_drops_the_logging_config() -> None:
    made = _client("lambda").create_function(
        FunctionName="f",
        Role=_role(),
        Handler="app.handler",
        Runtime="python3.13",
        Code={"ZipFile": b"PK\x05\x06" + bytes(18)},
        LoggingConfig={"LogFormat": "JSON", "LogGroup": "own"},
    )
    assert "LoggingConfig" not in made


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
    s3 = _client("s3")
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_notification_configuration(
        Bucket="bucket", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    _client("events").put_rule(Name="rule", EventPattern=json.dumps({"source": ["aws.s3"]}))
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
    events = _client("events")
    machine = _machine(Only={"Type": "Succeed"})
    events.put_rule(Name="rule", EventPattern=json.dumps({"source": ["own"]}))
    events.put_targets(Rule="rule", Targets=[{"Id": "1", "Arn": machine, "RoleArn": "arn:aws:iam::1:role/r"}])
    with pytest.raises(NotImplementedError):
        events.put_events(Entries=[{"Source": "own", "DetailType": "t", "Detail": "{}"}])


@canary_of(dynamodb.make_atomic)
def test_moto_lets_two_conditional_writes_at_one_moment_succeed(monkeypatch: pytest.MonkeyPatch) -> None:
    both_have_looked = threading.Barrier(2, timeout=10)

    def look(*arguments: Any) -> Any:
        both_have_looked.wait()
        return get_filter_expression(*arguments)

    monkeypatch.setattr("moto.dynamodb.models.table.get_filter_expression", look)
    tables = _client("dynamodb")
    tables.create_table(
        TableName="table",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )

    def put(_: int) -> None:
        tables.put_item(TableName="table", Item={"id": {"S": "1"}}, ConditionExpression="attribute_not_exists(id)")

    with ThreadPoolExecutor(2) as writers:
        assert list(writers.map(put, range(2))) == [None, None]


@canary_of(dynamodb.refuse_what_aws_refuses)
def test_moto_stores_numbers_and_depths_that_dynamodb_refuses() -> None:
    tables = _client("dynamodb")
    tables.create_table(
        TableName="table",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    deep: dict[str, Any] = {"S": "x"}
    for _ in range(40):
        deep = {"M": {"in": deep}}
    tables.put_item(TableName="table", Item={"id": {"S": "1"}, "long": {"N": "1" * 40}, "deep": deep})
    tables.update_item(
        TableName="table",
        Key={"id": {"S": "1"}},
        UpdateExpression="SET small = :small",
        ExpressionAttributeValues={":small": {"N": "1E-131"}},
    )
    item = tables.get_item(TableName="table", Key={"id": {"S": "1"}})["Item"]
    assert set(item) == {"id", "long", "deep", "small"}


@canary_of(sns.send_mail)
def test_moto_sends_no_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: Any, **__: Any) -> None:
        raise AssertionError("moto sent a mail")

    monkeypatch.setattr("smtplib.SMTP", connect)
    topic = _client("sns").create_topic(Name="topic")["TopicArn"]
    _client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="someone@example.org")
    assert "MessageId" in _client("sns").publish(TopicArn=topic, Message="m")


@canary_of(sns.ask_subscribers)
def test_moto_sends_to_a_queue_without_a_policy() -> None:
    url = _client("sqs").create_queue(QueueName="queue")["QueueUrl"]
    topic = _client("sns").create_topic(Name="topic")["TopicArn"]
    _client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:queue")
    _client("sns").publish(TopicArn=topic, Message="m")
    assert len(_client("sqs").receive_message(QueueUrl=url)["Messages"]) == 1


@canary_of(sns.sign_the_subject)
def test_moto_s_signature_leaves_the_subject_out() -> None:
    topic = _client("sns").create_topic(Name="topic")["TopicArn"]
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
    topics = _client("sns")
    topic = topics.create_topic(Name="topic")["TopicArn"]
    assert "MessageId" in topics.publish(TopicArn=topic, Message="m", Subject=subject)


@canary_of(request_limits.limit_messages)
def test_moto_s_queues_take_control_characters() -> None:
    url = _client("sqs").create_queue(QueueName="queue")["QueueUrl"]
    assert "MessageId" in _client("sqs").send_message(QueueUrl=url, MessageBody="\x07")


@canary_of(request_limits.limit_events)
def test_moto_takes_events_of_any_size() -> None:
    entry = {"Source": "x", "DetailType": "x", "Detail": json.dumps("x" * 300_000)}
    assert _client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


@canary_of(request_limits.limit_parameters)
def test_moto_keeps_parameters_of_any_length() -> None:
    assert _client("ssm").put_parameter(Name="/name", Value="x" * 9000, Type="String")["Version"] == 1


@canary_of(request_limits.limit_functions)
def test_moto_makes_functions_of_any_timeout() -> None:
    code = {"ZipFile": pack_folder(Path(__file__).parent)}
    made = _client("lambda").create_function(FunctionName="f", Role=_role(), Code=code, Timeout=901, Handler="a.b")
    assert made["Timeout"] == 901


@canary_of(execution_limits.limit_requests)
def test_moto_starts_executions_of_any_name() -> None:
    assert _start(_machine(Only={"Type": "Pass", "End": True}), name="a name of two words").endswith("words")


@canary_of(execution_limits.limit_payloads)
def test_moto_limits_no_variables() -> None:
    machine = _machine(Only={"Type": "Pass", "Assign": {"x": "x" * 300_000}, "End": True})
    assert _ended(_start(machine))["status"] == "SUCCEEDED"


@canary_of(execution_limits.limit_failures)
def test_moto_tells_a_cause_of_any_length() -> None:
    assert len(_ended(_start(_machine(Only={"Type": "Fail", "Error": "E", "Cause": "x" * 40_000})))["cause"]) == 40_000


@canary_of(execution_limits.limit_history)
def test_moto_s_histories_have_no_end() -> None:
    assert "25" not in inspect.getsource(EventManager)
    assert "25" not in inspect.getsource(CommonStateField)


@canary_of(remembered.services_of_hosts)
def test_moto_looks_for_a_host_s_service_in_its_folder_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def look() -> list[str]:
        looked.append("looked")
        return []

    monkeypatch.setattr(moto.backends, "list_of_moto_modules", look)
    dispatcher = DomainDispatcherApplication(create_backend_app)
    assert [dispatcher.get_backend_for_host("sqs.us-west-2.amazonaws.com") for _ in range(2)] == ["sqs", "sqs"]
    assert len(looked) == 2


@canary_of(remembered.syntax_of_machines)
def test_moto_parses_a_machine_s_definition_each_time() -> None:
    definition = json.dumps({"StartAt": "Only", "States": {"Only": {"Type": "Succeed"}}})
    first, second = (AmazonStateLanguageParser.parse(definition)[1] for _ in range(2))
    assert first is not second


@canary_of(cloudformation.tell_of_stacks)
def test_moto_creates_a_stack_without_what_it_does_not_know() -> None:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    resources = {
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Policy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {"Queues": [{"Ref": "Queue"}], "PolicyDocument": {"Statement": [statement]}},
        },
    }
    stacks = _client("cloudformation")
    stacks.create_stack(StackName="stack", TemplateBody=json.dumps({"Resources": resources}))
    listed = stacks.list_stack_resources(StackName="stack")["StackResourceSummaries"]
    assert "Policy" not in [each["LogicalResourceId"] for each in listed]
    assert stacks.describe_stacks(StackName="stack")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"


def _bucket() -> Any:
    client = _client("s3")
    client.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
    return client


@canary_of(s3.check_links)
def test_moto_takes_a_link_with_any_signature() -> None:
    client = _bucket()
    client.put_object(Bucket="bucket", Key="key", Body=b"content")
    link = client.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": "key"})
    forged = re.sub("Signature=[^&]+", "Signature=forged", link)
    assert requests.get(forged, timeout=10).text == "content"


@canary_of(s3.check_forms)
def test_moto_takes_a_form_for_another_key() -> None:
    form = _bucket().generate_presigned_post("bucket", "key")
    files = {"file": ("name", b"content")}
    answer = requests.post(form["url"], data={**form["fields"], "key": "other"}, files=files, timeout=10)
    assert answer.status_code == 204


@canary_of(calls.watch)
def test_every_call_still_goes_through_the_places_that_are_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def watch(owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def call(response: Any, *args: Any) -> Any:
            seen.append(name)
            return original(response, *args)

        monkeypatch.setattr(owner, name, call)

    watch(moto.core.responses.BaseResponse, "call_action")
    watch(moto.s3.responses.S3Response, "_bucket_response")
    watch(moto.s3.responses.S3Response, "_key_response")
    _bucket().put_object(Bucket="bucket", Key="key", Body=b"")
    _client("sqs").list_queues()
    _client("dynamodb").list_tables()
    _client("iam").list_roles()
    _client("lambda").list_functions()
    assert seen == ["_bucket_response", "_key_response", *["call_action"] * 4]


@canary_of(s3.leave_policies_to_permissions)
def test_moto_denies_whatever_a_bucket_s_policy_denies_under_a_condition() -> None:
    denial = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::bucket/*",
        "Condition": {"Null": {"s3:if-none-match": "true"}},
    }
    client = _bucket()
    client.put_bucket_policy(Bucket="bucket", Policy=json.dumps({"Version": "2012-10-17", "Statement": [denial]}))
    with pytest.raises(ClientError, match="Forbidden"):
        client.put_object(Bucket="bucket", Key="key", Body=b"", IfNoneMatch="*")


@canary_of(maps.start_children_as_the_machines_role)
def test_moto_starts_the_children_of_a_map_with_nobody_s_rights() -> None:
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Item",
        "States": {"Item": {"Type": "Pass", "End": True}},
    }
    machine = _machine(Each={"Type": "Map", "ItemProcessor": processor, "End": True})  # its role is not even there
    assert _ended(_start(machine, input="[1]"))["status"] == "SUCCEEDED"


@canary_of(maps.fail_by_one_name)
def test_moto_lets_a_distributed_map_go_on_when_a_child_failed() -> None:
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Item",
        "States": {"Item": {"Type": "Fail", "Error": "OfTheChild"}},
    }
    machine = _machine(Each={"Type": "Map", "ItemProcessor": processor, "End": True})
    assert _ended(_start(machine, input="[1]"))["status"] == "SUCCEEDED"


@canary_of(alarms.tell_topics)
def test_an_alarm_that_is_set_off_tells_nobody_in_moto() -> None:
    topic, queue = _client("sns").create_topic(Name="heard")["TopicArn"], _client("sqs").create_queue(QueueName="ear")
    arn = _client("sqs").get_queue_attributes(QueueUrl=queue["QueueUrl"], AttributeNames=["QueueArn"])
    _client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["Attributes"]["QueueArn"])
    _client("cloudwatch").put_metric_alarm(
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
    _client("cloudwatch").set_alarm_state(AlarmName="a", StateValue="ALARM", StateReason="tried")
    assert "Messages" not in _client("sqs").receive_message(QueueUrl=queue["QueueUrl"])


@canary_of(calls.watch)
def test_moto_takes_a_refusal_for_an_error_that_no_service_has() -> None:
    assert not {"AccessDenied", "AccessDeniedException"} & set(moto.core.errors.COMMON_ERROR_CODES)


@canary_of(iam.know_managed_policies)
def test_moto_knows_none_of_awss_managed_policies() -> None:
    role = _role().rsplit("/", 1)[1]
    with pytest.raises(ClientError, match="does not exist or is not attachable"):
        _client("iam").attach_role_policy(RoleName=role, PolicyArn="arn:aws:iam::aws:policy/AWSLambda_FullAccess")


@canary_of(tasks.call_apis)
def test_invoking_an_api_from_a_state_asks_an_url_that_aws_does_not_have() -> None:
    url = StateTaskServiceApiGateway._invoke_url_of(
        {"ApiEndpoint": "http://api", "Stage": "v1", "Path": "runs"}  # type: ignore[typeddict-item]  # what is used
    )
    assert url == "http://api/v1/_user_request_/runs/"


@canary_of(tasks.call_apis)
def test_a_state_that_calls_an_api_keeps_two_arguments_and_breaks_on_an_error() -> None:
    assert {"invoke": {"ApiEndpoint", "Method"}} == StateTaskServiceApiGateway._SUPPORTED_API_PARAM_BINDINGS
    task = SimpleNamespace(_get_sfn_resource=lambda: "invoke", _get_sfn_resource_type=lambda: "apigateway")
    with pytest.raises(TypeError, match="env"):
        StateTaskServiceApiGateway._from_error(task, None, ValueError("no answer"))  # type: ignore[arg-type]  # stand-ins


def test_every_change_has_its_canary() -> None:
    modules = [
        importlib.import_module(f"{moto_patches.__name__}.{each.name}")
        for each in pkgutil.iter_modules(moto_patches.__path__)
    ]
    changes = {
        function
        for module in modules
        for _, function in inspect.getmembers(module, inspect.isfunction)
        if "replace" in inspect.signature(function).parameters
    }
    assert changes == _watched_over
