"""How much an execution may be given, carry along, and say when it fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import moto.stepfunctions.parser.asl.component.common.error_name.failure_event
import moto.stepfunctions.parser.models
import moto.stepfunctions.responses
from moto.core.exceptions import ServiceException
from moto.stepfunctions.parser.api import (
    ExecutionFailedEventDetails,
    HistoryEventType,
    TaskFailedEventDetails,
)
from moto.stepfunctions.parser.asl.component.common.assign.assign_decl import AssignDecl
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task import StateTask
from moto.stepfunctions.parser.asl.component.state.state import CommonStateField
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str

from embedded_aws import machine_limits
from embedded_aws.moto_patches.replacement import Replace


def limit_requests(replace: Replace) -> None:
    """moto starts an execution with any name and an input of any size, and takes any error and cause
    (docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html)."""
    backend = moto.stepfunctions.parser.models.StepFunctionsParserBackend

    def start(self: Any, state_machine_arn: str, name: str | None = None, *args: Any, **kwargs: Any) -> Any:
        given = kwargs.get("execution_input", args[0] if args else None) or ""
        if len(given.encode()) > machine_limits.MOST_BYTES:
            raise _refused("ValidationException", machine_limits.too_long("input", machine_limits.MOST_BYTES))
        if name and not machine_limits.is_name(name):
            raise _refused("InvalidName", f"Invalid Name: '{name}'")
        return original_start(self, state_machine_arn, name, *args, **kwargs)

    def limited(original: Any) -> Any:
        def respond(response: Any) -> Any:
            for field, most in (
                ("error", machine_limits.MOST_ERROR_CHARACTERS),
                ("cause", machine_limits.MOST_CAUSE_CHARACTERS),
            ):
                if len(response._get_param(field) or "") > most:
                    raise _refused("ValidationException", machine_limits.too_long(field, most))
            return original(response)

        return respond

    original_start = replace(backend, "start_execution", start)
    responses = moto.stepfunctions.responses.StepFunctionResponse
    for name in ("stop_execution", "send_task_failure"):
        replace(responses, name, limited(getattr(responses, name)))


def limit_payloads(replace: Replace) -> None:
    """moto limits the output of states alone; in AWS a task's arguments and what Assign keeps are limited alike
    (docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html)."""

    def parameters(task: Any, env: Any) -> Any:
        evaluated = original_parameters(task, env)
        _require_size(env, evaluated, f"The state/task '{task.name}' was given an input")
        return evaluated

    def assign(declaration: Any, env: Any) -> None:
        original_assign(declaration, env)
        store = env.variable_store
        kept = {name: store.get(name) for name in store._declaration_tracing}
        _require_size(env, kept, f"The Assign of the state '{env.next_state_name}' has variables")

    original_parameters = replace(StateTask, "_eval_parameters", parameters)
    original_assign = replace(AssignDecl, "_eval_body", assign)


def limit_failures(replace: Replace) -> None:
    """moto tells an error and its cause whole, in AWS they have so many characters at the most
    (docs.aws.amazon.com/step-functions/latest/apireference/API_TaskFailedEventDetails.html)."""

    def init(event: Any, env: Any, error_name: Any, event_type: Any, event_details: Any = None) -> None:
        cut = {kind: _cut(details) for kind, details in (event_details or {}).items()}
        original(event, env, error_name, event_type, cut or event_details)

    original = replace(FailureEvent, "__init__", init)


def limit_history(replace: Replace) -> None:
    """moto's histories grow for ever; AWS fails an execution whose history is full
    (docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html)."""

    def enter(state: Any, env: Any) -> None:
        if env.event_manager._event_id_gen._next_id >= machine_limits.MOST_EVENTS:
            env.set_error(
                ExecutionFailedEventDetails(
                    error=StatesErrorNameType.StatesRuntime.to_name(), cause=machine_limits.TOO_MANY_EVENTS
                )
            )
            return
        original(state, env)

    original = replace(CommonStateField, "_eval_body", enter)


class _Refused(ServiceException):
    """A request that Step Functions refuses."""


def _refused(code: str, message: str) -> _Refused:
    error = _Refused(message)
    error.code = code
    return error


def _require_size(env: Any, value: Any, what: str) -> None:
    if len(to_json_str(value, separators=(",", ":")).encode()) <= machine_limits.MOST_BYTES:
        return
    kind = StatesErrorNameType.StatesStatesDataLimitExceeded
    cause = f"{what} with a size exceeding the maximum number of bytes service limit."
    details: Any = {"taskFailedEventDetails": TaskFailedEventDetails(error=kind.to_name(), cause=cause)}
    raise FailureEventException(
        FailureEvent(
            env=env,
            error_name=StatesErrorName(typ=kind),
            event_type=HistoryEventType.TaskFailed,
            event_details=details,
        )
    )


def _cut(details: Any) -> Any:
    if not isinstance(details, Mapping):
        return details
    most = {"error": machine_limits.MOST_ERROR_CHARACTERS, "cause": machine_limits.MOST_CAUSE_CHARACTERS}
    return {
        name: value[: most[name]] if name in most and isinstance(value, str) else value
        for name, value in details.items()
    }
