"""How a Map state reads its items, and starts its children."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.state.exec.state_map.item_reader.eval.resource_eval_s3 import (
    ResourceEvalS3,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.distributed_iteration_component import (
    DistributedIterationComponent,
)

from local.aws.moto_patches.hooks import Hooks
from local.aws.moto_patches.replacement import Replace


def name_reader_failures(replace: Replace) -> None:
    """Items that cannot be read end a Map as States.Runtime in moto, which nothing retries; in AWS as
    States.ItemReaderFailed (docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html)."""

    def read(reader: Any, env: Any) -> None:
        try:
            original(reader, env)
        except (BotoCoreError, ClientError) as error:
            name = StatesErrorName(typ=StatesErrorNameType.StatesItemReaderFailed)
            details: Any = {"mapRunFailedEventDetails": {"error": name.error_name, "cause": str(error)}}
            raise FailureEventException(
                FailureEvent(env=env, error_name=name, event_type=HistoryEventType.MapRunFailed, event_details=details)
            ) from error

    original = replace(ResourceEvalS3, "eval_resource", read)


def start_children_as_the_machines_role(replace: Replace, hooks: Hooks) -> None:
    """The children of a Distributed Map are executions that the machine's role starts, watches and stops:
    docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html. In moto they are threads."""

    def map_run(component: Any, env: Any, eval_input: Any) -> None:
        machine = env.states.context_object.context_object_data["StateMachine"]["Id"]
        role = env.states.context_object.context_object_data["Execution"]["RoleArn"]
        child = f"{machine.replace(':stateMachine:', ':execution:')}/{eval_input.label or 'map'}:child"
        needed = {
            "states:StartExecution": machine,
            "states:DescribeExecution": child,
            "states:StopExecution": child,
        }
        for action, resource in needed.items():
            if not hooks.permissions.role_may(role, action, resource):
                name = StatesErrorName(typ=StatesErrorNameType.StatesPermissions)
                cause = f"{role} is not authorized to perform: {action} on resource: {resource}"
                details: Any = {"mapRunFailedEventDetails": {"error": name.error_name, "cause": cause}}
                failed = HistoryEventType.MapRunFailed
                event = FailureEvent(env=env, error_name=name, event_type=failed, event_details=details)
                raise FailureEventException(event)
        original(component, env, eval_input)

    original = replace(DistributedIterationComponent, "_map_run", map_run)
