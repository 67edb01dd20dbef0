"""What a state machine's tasks call: as whom, and how they call an API."""

from __future__ import annotations

import sys
from typing import Any

import moto.stepfunctions.parser.asl.utils.boto_client
from moto.stepfunctions.parser.api import HistoryEventType, TaskFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_api_gateway import (
    SfnGatewayException,
    StateTaskServiceApiGateway,
    TaskParameters,
)
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

from embedded_aws.moto_patches.hooks import Hooks
from embedded_aws.moto_patches.replacement import Replace


def call_as_the_machines_role(replace: Replace, hooks: Hooks) -> None:
    """moto makes a new client of a fixed port and a fixed key for each call of a state machine: slow, not safe
    among threads, and nobody can tell whose call it was."""

    def client(service: str, state_credentials: Any = None, **_: Any) -> Any:
        return hooks.client(service, getattr(state_credentials, "role_arn", ""))

    original = moto.stepfunctions.parser.asl.utils.boto_client.boto_client_for
    for module in _modules_with("moto.stepfunctions.parser", "boto_client_for", original):
        replace(module, "boto_client_for", client)


def call_apis(replace: Replace, hooks: Hooks) -> None:
    """moto's `apigateway:invoke` keeps endpoint and method alone, asks an URL of LocalStack's, signs nothing, and
    takes a 201 or 202 for a failure
    (docs.aws.amazon.com/step-functions/latest/dg/connect-api-gateway.html)."""
    call_api = hooks.call_api

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

    replace(StateTaskServiceApiGateway, "_eval_service_task", invoke)
    replace(StateTaskServiceApiGateway, "_from_error", failure)
    arguments = {"invoke": set(TaskParameters.__annotations__)}
    replace(StateTaskServiceApiGateway, "_SUPPORTED_API_PARAM_BINDINGS", arguments)


def _modules_with(prefix: str, name: str, value: Any) -> list[Any]:
    return [
        module
        for module_name, module in list(sys.modules.items())
        if module_name.startswith(prefix) and getattr(module, name, None) is value
    ]
