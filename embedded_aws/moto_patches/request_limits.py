"""Requests that are too large, or have characters that their service does not take."""

from __future__ import annotations

from typing import Any

import moto.awslambda.exceptions
import moto.awslambda.models
import moto.events.exceptions
import moto.events.models
import moto.sqs.exceptions
import moto.sqs.models
import moto.ssm.exceptions
import moto.ssm.models

from embedded_aws import request_limits
from embedded_aws.moto_patches.replacement import Replace


def limit_messages(replace: Replace) -> None:
    """moto's SQS counts the characters of the body alone, and takes control characters
    (docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html)."""

    def send(backend: Any, queue_name: str, message_body: str, *args: Any, **kwargs: Any) -> Any:
        attributes = kwargs.get("message_attributes", args[0] if args else None) or {}
        most = int(backend.get_queue(queue_name).maximum_message_size)
        problem = request_limits.queue_problem(message_body, attributes, most)
        if problem is not None:
            raise moto.sqs.exceptions.SQSException(*problem)
        return original(backend, queue_name, message_body, *args, **kwargs)

    original = replace(moto.sqs.models.SQSBackend, "send_message", send)


def limit_events(replace: Replace) -> None:
    """moto takes events of any size (docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html)."""

    def put(backend: Any, events: list[dict[str, Any]]) -> Any:
        problem = request_limits.events_problem(events)
        if problem is not None:
            raise moto.events.exceptions.ValidationException(problem)
        return original(backend, events)

    original = replace(moto.events.models.EventsBackend, "put_events", put)


def limit_parameters(replace: Replace) -> None:
    """moto keeps values of any length
    (docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html)."""

    def put(backend: Any, *args: Any, **kwargs: Any) -> Any:
        value = kwargs.get("value", args[2] if len(args) > 2 else "")
        tier = kwargs.get("tier", args[10] if len(args) > 10 else None)
        problem = request_limits.parameter_problem(value or "", tier)
        if problem is not None:
            raise moto.ssm.exceptions.ValidationException(problem)
        return original(backend, *args, **kwargs)

    original = replace(moto.ssm.models.SimpleSystemManagerBackend, "put_parameter", put)


def limit_functions(replace: Replace) -> None:
    """moto makes functions of any timeout, memory and environment
    (docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)."""
    backend = moto.awslambda.models.LambdaBackend

    def create(self: Any, spec: dict[str, Any]) -> Any:
        _require(spec)
        return original_create(self, spec)

    def update(self: Any, name: str, qualifier: str, body: dict[str, Any]) -> Any:
        _require(body)
        return original_update(self, name, qualifier, body)

    original_create = replace(backend, "create_function", create)
    original_update = replace(backend, "update_function_configuration", update)


def _require(settings: dict[str, Any]) -> None:
    problem = request_limits.function_problem(settings)
    if problem is not None:
        raise moto.awslambda.exceptions.InvalidParameterValueException(problem)
