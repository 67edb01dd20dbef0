"""How a Map state reads its items, and starts its children."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.state.exec.state_map.item_reader.item_reader_decl import ItemReader
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.distributed_iteration_component import (
    DistributedIterationComponent,
)

from embedded_aws.moto_patches.hooks import Hooks
from embedded_aws.moto_patches.replacement import Replace


def name_reader_failures(replace: Replace) -> None:
    """Items that cannot be read end a Map as States.Runtime in moto, which nothing retries; in AWS as
    States.ItemReaderFailed (docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html)."""

    def read(reader: Any, env: Any) -> None:
        try:
            original(reader, env)
        except (BotoCoreError, ClientError, ValueError) as error:
            raise _map_failure(env, StatesErrorNameType.StatesItemReaderFailed, str(error)) from error

    original = replace(ItemReader, "_eval_body", read)


def fail_by_one_name(replace: Replace) -> None:
    """A Distributed Map tells nothing of the child that failed: it ends as States.ExceedToleratedFailureThreshold.

    In moto it goes on as if no child had failed. By default no failed child is tolerated:
    docs.aws.amazon.com/step-functions/latest/dg/maprun-fail-threshold.html.
    """

    def map_run(component: Any, env: Any, eval_input: Any) -> None:
        original(component, env, eval_input)
        counts = eval_input.map_run_record.item_counter.describe()
        failed = counts["failed"] + counts["timedOut"]
        share = eval_input.tolerated_failure_percentage / 100 * counts["total"]
        tolerated = min((most for most in (eval_input.tolerated_failure_count, share) if most), default=0)
        if failed > tolerated:
            name = StatesErrorNameType.StatesExceedToleratedFailureThreshold
            raise _map_failure(env, name, "The specified tolerated failure threshold was exceeded")

    original = replace(DistributedIterationComponent, "_map_run", map_run)


def _map_failure(env: Any, kind: StatesErrorNameType, cause: str) -> FailureEventException:
    name = StatesErrorName(typ=kind)
    details: Any = {"mapRunFailedEventDetails": {"error": name.error_name, "cause": cause}}
    failed = HistoryEventType.MapRunFailed
    return FailureEventException(FailureEvent(env=env, error_name=name, event_type=failed, event_details=details))


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
                cause = f"{role} is not authorized to perform: {action} on resource: {resource}"
                raise _map_failure(env, StatesErrorNameType.StatesPermissions, cause)
        original(component, env, eval_input)

    original = replace(DistributedIterationComponent, "_map_run", map_run)
