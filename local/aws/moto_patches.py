"""Everything that the embedded AWS changes inside moto (5.2.5), each change with its reason.

A change is here because moto lacks the behaviour, is kinder than AWS, or delivers to services that are ours. For each
there is a canary in tests/contract/moto_canaries, which fails on the day when moto no longer needs it. What the changes
do lies in the modules that they call; this one only ties them in, and takes them out again.
"""

from __future__ import annotations

import base64
import datetime
import functools
import json
import sys
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import moto.awslambda.models
import moto.awslambda.responses
import moto.core.responses
import moto.events.models
import moto.s3.notifications
import moto.s3.responses
import moto.sns.models
import moto.stepfunctions.models
import moto.stepfunctions.parser.asl.eval.environment
import moto.stepfunctions.parser.asl.eval.states
import moto.stepfunctions.parser.asl.eval.variable_store
import moto.stepfunctions.parser.asl.jsonata.jsonata as moto_jsonata
import moto.stepfunctions.parser.asl.jsonata.validations
import moto.stepfunctions.parser.asl.utils.boto_client
import moto.stepfunctions.parser.backend.execution
import moto.stepfunctions.parser.backend.execution_worker
import moto.stepfunctions.parser.models
import moto.stepfunctions.responses
import requests
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.dynamodb.responses import DynamoHandler
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend
from moto.sns.exceptions import InvalidParameterValue
from moto.stepfunctions.parser.api import ExecutionStatus, HistoryEventType, TaskFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.retry.jitter_strategy_decl import JitterStrategyDecl
from moto.stepfunctions.parser.asl.component.common.string import string_expression
from moto.stepfunctions.parser.asl.component.program.program import Program
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_api_gateway import (
    SfnGatewayException,
    StateTaskServiceApiGateway,
    TaskParameters,
)
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped, ProgramTimedOut

from local.aws import sns_rules
from local.aws.calls import CallRefused
from local.aws.jsonata_values import declare_variables, evaluate_jsonata, evaluation_failure
from local.aws.lambdas.errors import InvokeRefused
from local.aws.lambdas.service import Answer

STOP_NOTICED_SECONDS = 0.5
"""After how long a state that waits for its retry notices at the latest that its execution was stopped."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """What moto is tied to: the parts of the embedded AWS that take over."""

    client: Callable[[str, str], Any]
    """Service and role ARN → the boto3 client with which a state machine of that role calls."""
    call_api: Callable[[Mapping[str, Any], str], requests.Response]
    """A state's arguments for `apigateway:invoke` and its role's ARN → what the API answers."""
    invoke: Callable[[Any, str | None, Mapping[str, str], str | bytes], Answer]
    """moto's function, the qualifier, the request's headers, its body → the answer. Raises InvokeRefused."""
    invoke_later: Callable[[Any, str | bytes], None]
    object_event: Callable[[Any, str, Any], None]
    """moto's bucket, the event's name, moto's key."""
    rule_event: Callable[[Any, Mapping[str, Any]], None]
    """moto's rule, the event that PutEvents brought."""
    execution_changed: Callable[[Any], None]
    """moto's execution, whose status has just changed."""
    retry_delay_factor: float
    """What the delays before a state's retries are multiplied with."""
    wait_factor: float
    """What the seconds of Wait states are multiplied with."""
    watched: Callable[[], bool]
    called: Callable[[str, Any], None]
    """The action and moto's request. Raises CallRefused."""


class Patches:
    """Applies the changes and undoes them."""

    def __init__(self, hooks: Hooks) -> None:
        self._hooks = hooks
        self._undo: list[Callable[[], None]] = []

    def apply(self) -> None:
        self._evaluate_jsonata()
        self._declare_variables()
        self._name_jsonata_failures()
        self._name_unnamed_executions()
        self._end_executions_at_once()
        self._keep_executions_ended()
        self._stop_executions_for_a_reason()
        self._wait_for_retries()
        self._shorten_waits()
        self._describe_ends()
        self._call_as_the_machines_role()
        self._call_apis()
        self._invoke_functions()
        self._keep_logging_config()
        self._deliver_object_events()
        self._deliver_rule_events()
        self._refuse_what_sns_refuses()
        self._ask_queues_whether_sns_may_send()
        self._make_dynamodb_atomic()
        self._know_managed_policies()
        self._watch_calls()

    def undo(self) -> None:
        for undo in reversed(self._undo):
            undo()
        self._undo.clear()

    def _replace(self, owner: Any, name: str, value: Any) -> Any:
        """Puts `value` in the place of `owner.name`; returns what was there."""
        original = getattr(owner, name)
        setattr(owner, name, value)
        self._undo.append(lambda: setattr(owner, name, original))
        return original

    def _evaluate_jsonata(self) -> None:
        """moto's JSONata evaluator is None: https://github.com/getmoto/moto/issues/10105."""
        for module in (
            moto_jsonata,
            string_expression,
            moto.stepfunctions.parser.asl.jsonata.validations,
        ):
            self._replace(module, "eval_jsonata_expression", evaluate_jsonata)

    def _declare_variables(self) -> None:
        """moto puts strings between quotes without escaping them, so a quote or a backslash in a variable breaks every
        expression; the same issue as above."""
        for module in (
            moto_jsonata,
            moto.stepfunctions.parser.asl.eval.states,
            moto.stepfunctions.parser.asl.eval.variable_store,
        ):
            self._replace(module, "encode_jsonata_variable_declarations", declare_variables)

    def _name_jsonata_failures(self) -> None:
        """An expression that cannot be evaluated ends as States.Runtime in moto, in AWS as States.QueryEvaluationError
        (docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html)."""

        def evaluate(expression: Any, env: Any) -> None:
            try:
                original(expression, env)
            except FailureEventException:
                raise
            except Exception as error:
                raise evaluation_failure(env, expression.expression, error) from error

        original = self._replace(string_expression.StringJSONata, "_eval_body", evaluate)

    def _name_unnamed_executions(self) -> None:
        """StartExecution without a name makes an execution called "None" in moto; AWS makes up a UUID. Of two starts
        with one name at the same moment moto makes two executions, AWS one."""
        backend = moto.stepfunctions.parser.models.StepFunctionsParserBackend
        locks: defaultdict[tuple[str, str], threading.Lock] = defaultdict(threading.Lock)

        def start(self: Any, state_machine_arn: str, name: str | None = None, *args: Any, **kwargs: Any) -> Any:
            if not name:
                return original(self, state_machine_arn, str(uuid.uuid4()), *args, **kwargs)
            with locks[state_machine_arn, name]:
                return original(self, state_machine_arn, name, *args, **kwargs)

        original = self._replace(backend, "start_execution", start)

    def _end_executions_at_once(self) -> None:
        """In moto a stopped execution stays RUNNING until its current task returns, one that has only just started
        cannot be stopped, and no status change is told to anyone. AWS ends it at once and sends an event
        (docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html)."""
        changed = self._hooks.execution_changed
        lock = threading.RLock()
        execution_class = moto.stepfunctions.parser.backend.execution.Execution
        worker_class = moto.stepfunctions.parser.backend.execution_worker.ExecutionWorker
        communication = moto.stepfunctions.parser.backend.execution.BaseExecutionWorkerCommunication

        def environment_of(worker: Any) -> Any:
            with lock:  # made once, by whoever asks first: the machine's thread or StopExecution
                if worker.env is None:
                    worker.env = make_environment(worker)
                return worker.env

        make_environment = self._replace(worker_class, "_get_evaluation_environment", environment_of)

        def start(execution: Any) -> None:
            start_execution(execution)
            changed(execution)

        start_execution = self._replace(execution_class, "start", start)

        def stop(execution: Any, _: Any, error: str | None, cause: str | None) -> None:
            with lock:
                if execution.exec_status != ExecutionStatus.RUNNING:
                    return
                execution.exec_status = ExecutionStatus.ABORTED
                execution.stop_date = datetime.datetime.now(tz=datetime.UTC)
                execution.error, execution.cause = error or None, cause or None
            environment = environment_of(execution.exec_worker)
            if environment.program_state() is None:  # not begun yet: nothing of it must run
                environment._program_state = ProgramStopped(execution.stop_date, error, cause)
            else:
                environment.set_stop(stop_date=execution.stop_date, error=error, cause=cause)
            changed(execution)

        self._replace(execution_class, "stop", stop)

        def terminated(worker: Any) -> None:
            with lock:
                if worker.execution.exec_status != ExecutionStatus.RUNNING:
                    return
                worker._reflect_execution_status()
            changed(worker.execution)

        self._replace(communication, "terminated", terminated)

    def _keep_executions_ended(self) -> None:
        """In moto the error of a task that comes back late replaces a stop or a timeout, and an execution that is
        stopped before it has begun breaks its thread."""
        environment_class = moto.stepfunctions.parser.asl.eval.environment.Environment

        def set_error(environment: Any, error: Any) -> None:
            if not isinstance(environment._program_state, ProgramStopped | ProgramTimedOut):
                original_set_error(environment, error)

        original_set_error = self._replace(environment_class, "set_error", set_error)

        def evaluate(program: Any, environment: Any) -> None:
            try:
                original_evaluate(program, environment)
            except RuntimeError:  # it cannot begin when it has been stopped already
                if not isinstance(environment._program_state, ProgramStopped):
                    raise

        original_evaluate = self._replace(Program, "eval", evaluate)

    def _stop_executions_for_a_reason(self) -> None:
        """moto's StopExecution drops error and cause."""

        def stop_execution(response: Any) -> ActionResult:
            backend = response.stepfunction_backend
            execution = backend.describe_execution(response._get_param("executionArn"))
            execution.stop(None, response._get_param("error"), response._get_param("cause"))
            return ActionResult({"stopDate": execution.stop_date})

        self._replace(moto.stepfunctions.responses.StepFunctionResponse, "stop_execution", stop_execution)

    def _wait_for_retries(self) -> None:
        """moto sleeps through the delay before a retry, so that a stopped execution's thread goes on sleeping; nor can
        a test have it shorter."""
        factor = self._hooks.retry_delay_factor

        def jitter(strategy: Any, environment: Any) -> None:
            original(strategy, environment)
            until = time.monotonic() + environment.stack.pop() * factor
            while environment.is_running() and (remaining := until - time.monotonic()) > 0:
                environment.program_state_event.wait(min(remaining, STOP_NOTICED_SECONDS))
            environment.stack.append(0)  # which is left for moto to sleep

        # The last that is evaluated before the delay, with the delay on the stack.
        original = self._replace(JitterStrategyDecl, "_eval_body", jitter)

    def _shorten_waits(self) -> None:
        """moto waits in real time; a test of many runs steps through their Wait states."""
        factor = self._hooks.wait_factor

        def wait(_: Any, env: Any, wait_seconds: float) -> None:
            until = time.monotonic() + wait_seconds * factor
            while env.is_running() and (remaining := until - time.monotonic()) > 0:
                env.program_state_event.wait(min(remaining, STOP_NOTICED_SECONDS))

        if factor != 1.0:
            self._replace(WaitFunction, "_wait_interval", wait)

    def _describe_ends(self) -> None:
        """moto's DescribeExecution gives a text as output without its quotes, no output for null, and no stopDate for
        what timed out (docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html)."""

        def describe(response: Any) -> ActionResult:
            result: ActionResult = original(response)
            fields: Any = result.result
            execution = response.stepfunction_backend.describe_execution(response._get_param("executionArn"))
            if execution.exec_status != ExecutionStatus.RUNNING:
                fields["stopDate"] = execution.stop_date
            if execution.exec_status == ExecutionStatus.SUCCEEDED:
                fields["output"] = json.dumps(execution.output)
            return result

        original = self._replace(moto.stepfunctions.responses.StepFunctionResponse, "describe_execution", describe)

    def _call_as_the_machines_role(self) -> None:
        """moto makes a new client of a fixed port and a fixed key for each call of a state machine: slow, not safe
        among threads, and nobody can tell whose call it was."""
        hooks = self._hooks

        def client(service: str, state_credentials: Any = None, **_: Any) -> Any:
            return hooks.client(service, getattr(state_credentials, "role_arn", ""))

        original = moto.stepfunctions.parser.asl.utils.boto_client.boto_client_for
        for module in _modules_with("moto.stepfunctions.parser", "boto_client_for", original):
            self._replace(module, "boto_client_for", client)

    def _call_apis(self) -> None:
        """moto's `apigateway:invoke` keeps endpoint and method alone, asks an URL of LocalStack's, signs nothing, and
        takes a 201 or 202 for a failure
        (docs.aws.amazon.com/step-functions/latest/dg/connect-api-gateway.html)."""
        call_api = self._hooks.call_api

        def invoke(task: Any, *, env: Any, normalised_parameters: Any, state_credentials: Any, **_: Any) -> None:
            answer = call_api(normalised_parameters, state_credentials.role_arn)
            if answer.status_code >= 400:
                raise SfnGatewayException(parameters=normalised_parameters, response=answer)
            env.stack.append(task._invoke_output_of(answer))

        def failure(task: Any, env: Any, ex: Exception) -> FailureEvent:
            # moto's own makes its FailureEvent without its environment, which is an error of its own.
            name, cause = f"ApiGateway.{type(ex).__name__}", str(ex)
            if isinstance(ex, SfnGatewayException):
                name, cause = f"ApiGateway.{ex.response.status_code}", ex.response.text
            details = TaskFailedEventDetails(
                error=name, cause=cause, resource=task._get_sfn_resource(), resourceType=task._get_sfn_resource_type()
            )
            return FailureEvent(
                env=env,
                error_name=CustomErrorName(name),
                event_type=HistoryEventType.TaskFailed,
                event_details=EventDetails(taskFailedEventDetails=details),  # type: ignore[typeddict-item]  # one kind at a time
            )

        self._replace(StateTaskServiceApiGateway, "_eval_service_task", invoke)
        self._replace(StateTaskServiceApiGateway, "_from_error", failure)
        arguments = {"invoke": set(TaskParameters.__annotations__)}
        self._replace(StateTaskServiceApiGateway, "_SUPPORTED_API_PARAM_BINDINGS", arguments)

    def _invoke_functions(self) -> None:
        """moto runs functions in Docker, or echoes the payload: https://docs.getmoto.org/en/latest/docs/services/lambda.html.
        It ignores the client context, tells handled errors only, and has the response limit wrong by 291,556 bytes."""
        hooks = self._hooks

        def invoke(response: Any) -> tuple[int, dict[str, str], bytes]:
            name = unquote(response.path.rsplit("/", 2)[-2])
            qualifier = response.querystring.get("Qualifier", [None])[0]
            function = response.backend.get_function(name, qualifier)
            kind = response.headers.get("X-Amz-Invocation-Type", "RequestResponse")
            try:
                if kind == "DryRun":
                    return 204, {"status": "204"}, b""
                if kind == "Event":
                    hooks.invoke_later(function, response.body)
                    return 202, {"status": "202"}, b""
                answer = hooks.invoke(function, qualifier, response.headers, response.body)
            except InvokeRefused as refusal:
                return _refused_invocation(refusal)
            headers = {"content-type": "application/json", "x-amz-executed-version": answer.executed_version}
            if answer.is_error:
                headers["x-amz-function-error"] = "Unhandled"
            if response.headers.get("X-Amz-Log-Type") == "Tail":
                headers["x-amz-log-result"] = base64.b64encode(answer.log_tail).decode()
            return 200, headers, answer.payload

        def invoke_from_service(function: Any, body: str, _: Any, __: Any) -> bytes:
            hooks.invoke_later(function, body)  # what other services call, they call asynchronously
            return b""

        self._replace(moto.awslambda.responses.LambdaResponse, "invoke", invoke)
        self._replace(moto.awslambda.models.LambdaFunction, "invoke", invoke_from_service)

    def _keep_logging_config(self) -> None:
        """moto drops a function's LoggingConfig, its log group and format
        (docs.aws.amazon.com/lambda/latest/api/API_LoggingConfig.html)."""
        function_class = moto.awslambda.models.LambdaFunction

        def init(function: Any, account_id: str, spec: dict[str, Any], *args: Any, **kwargs: Any) -> None:
            original_init(function, account_id, spec, *args, **kwargs)
            function.logging_config = spec.get("LoggingConfig") or {}

        def update(function: Any, config_updates: dict[str, Any]) -> Any:
            if "LoggingConfig" in config_updates:
                function.logging_config = config_updates["LoggingConfig"]
            return original_update(function, config_updates)

        def configuration(function: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
            told: dict[str, Any] = original_configuration(function, *args, **kwargs)
            defaults = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{function.function_name}"}
            return {**told, "LoggingConfig": {**defaults, **function.logging_config}}

        original_init = self._replace(function_class, "__init__", init)
        original_update = self._replace(function_class, "update_configuration", update)
        original_configuration = self._replace(function_class, "get_configuration", configuration)

    def _deliver_object_events(self) -> None:
        """moto sends S3's events with one fixed id and sequencer, silently nowhere when a rule has a target other than
        its own five kinds, an "Object Tags Added" beside each upload, and a put beside each completed multipart
        upload."""
        hooks = self._hooks

        def send(_: str, bucket: Any, event_name: Any, key: Any) -> None:
            name = getattr(event_name, "value", event_name)
            if not (name == "s3:ObjectCreated:Put" and key.multipart is not None):
                hooks.object_event(bucket, name, key)

        self._replace(moto.s3.notifications, "_send_event_bridge_message", send)

    def _deliver_rule_events(self) -> None:
        """moto delivers to no state machine and no function, and has neither retries nor dead-letter queues."""
        hooks = self._hooks

        def send(rule: Any, original_event: Mapping[str, Any], **_: Any) -> None:
            hooks.rule_event(rule, original_event)

        self._replace(moto.events.models.Rule, "send_to_targets", send)

    def _refuse_what_sns_refuses(self) -> None:
        """moto takes any Subject up to 100 characters; AWS refuses what is not ASCII, has a line break or a control
        character, or 100 characters (docs.aws.amazon.com/sns/latest/api/API_Publish.html)."""

        def publish(backend: Any, message: str, arn: str | None, *args: Any, **kwargs: Any) -> str:
            problem = sns_rules.problem(message, kwargs.get("subject"), kwargs.get("message_attributes"))
            if problem is not None:
                raise InvalidParameterValue(problem)
            message_id: str = original(backend, message, arn, *args, **kwargs)
            return message_id

        original = self._replace(moto.sns.models.SNSBackend, "publish", publish)

    def _ask_queues_whether_sns_may_send(self) -> None:
        """moto's SNS sends to every subscribed queue; AWS's only to one whose policy lets it in, and else the message
        is lost (docs.aws.amazon.com/sns/latest/dg/subscribe-sqs-queue-to-sns-topic.html)."""

        def publish(subscription: Any, *args: Any, **kwargs: Any) -> None:
            if subscription.protocol != "sqs" or sns_rules.may_send(subscription):
                original(subscription, *args, **kwargs)

        original = self._replace(moto.sns.models.Subscription, "publish", publish)

    def _make_dynamodb_atomic(self) -> None:
        """moto checks a write's condition and then writes, so that of several conditional writes at the same moment
        more than one may succeed; and a reader may see half of an update. In DynamoDB each is one step
        (docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithItems.html)."""
        lock = threading.RLock()

        def call_action(response: Any) -> Any:
            if not isinstance(response, DynamoHandler):
                return original(response)
            with lock:
                return original(response)

        original = self._replace(moto.core.responses.BaseResponse, "call_action", call_action)

    def _know_managed_policies(self) -> None:
        """moto knows none of AWS's managed policies, or makes all 1,582 of them for each of 6 partitions at every start
        (1.4 s): https://docs.getmoto.org/en/latest/docs/configuration/index.html. Here each is made when it is
        attached."""

        def attach(backend: Any, policy_arn: str, role_name: str) -> None:
            name = policy_arn.rsplit("/", 1)[1]
            if policy_arn.startswith("arn:aws:iam::aws:policy/") and policy_arn not in backend.managed_policies:
                known = _managed_policies().get(name)
                if known is not None:
                    policy = AWSManagedPolicy.from_data(name, backend.account_id, backend.region_name, known)
                    backend.managed_policies[policy.arn] = policy
            original(backend, policy_arn, role_name)

        original = self._replace(IAMBackend, "attach_role_policy", attach)

    def _watch_calls(self) -> None:
        """moto has no place to observe calls or to make them fail. Its S3 has a way of its own for every call."""
        hooks = self._hooks

        def watched(original: Callable[..., Any]) -> Callable[..., Any]:
            def call(response: Any, *args: Any, **kwargs: Any) -> Any:
                if hooks.watched():
                    try:
                        hooks.called(_action(response), response)
                    except CallRefused as refusal:
                        return _refused_call(response, refusal)
                return original(response, *args, **kwargs)

            return call

        for owner, name in (
            (moto.core.responses.BaseResponse, "call_action"),
            (moto.s3.responses.S3Response, "_bucket_response"),
            (moto.s3.responses.S3Response, "_key_response"),
        ):
            self._replace(owner, name, watched(getattr(owner, name)))


@functools.cache
def _managed_policies() -> dict[str, dict[str, Any]]:
    """AWS's managed policies by name, as moto brings them."""
    policies: dict[str, dict[str, Any]] = json.loads(aws_managed_policies_data)
    return policies


def _action(response: Any) -> str:
    if isinstance(response, moto.s3.responses.S3Response):
        return response._get_action_from_method_and_request_uri(response.request) or ""
    return response._get_action() or ""


def _modules_with(prefix: str, name: str, value: Any) -> list[Any]:
    return [
        module
        for module_name, module in list(sys.modules.items())
        if module_name.startswith(prefix) and getattr(module, name, None) is value
    ]


def _refused_invocation(refusal: InvokeRefused) -> tuple[int, dict[str, str], bytes]:
    headers = {"status": str(refusal.status), "x-amzn-errortype": refusal.code, "content-type": "application/json"}
    return refusal.status, headers, json.dumps({"Type": "User", "message": refusal.message}).encode()


class _RefusedOnPurpose(ServiceException):
    """Of this module, not of moto's core: moto takes the service of an error from the module of its class."""


def _refused_call(response: Any, refusal: CallRefused) -> Any:
    error = _RefusedOnPurpose(refusal.message)
    error.code = refusal.code
    status, headers, body = response.serialized(ActionResult(error))
    status = refusal.status
    headers["status"] = status
    headers, body = response._enrich_response(headers, body)
    return status, headers, body
