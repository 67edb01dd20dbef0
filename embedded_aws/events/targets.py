"""The targets that a rule can have, each reached through its own API with the target's role."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from embedded_aws.permissions.enforcement import Permissions

EVENTS = "events.amazonaws.com"

Client = Callable[[str, str], Any]
"""Service and role ARN ('' for the service itself) → boto3 client."""

_FIELDS = {"Id", "Arn", "RoleArn", "DeadLetterConfig", "RetryPolicy"}

_LASTING = {
    "AccessDeniedException",
    "NotAuthorized",
    "ResourceNotFoundException",
    "StateMachineDoesNotExist",
    "AWS.SimpleQueueService.NonExistentQueue",
    "QueueDoesNotExist",
    "NotFound",
    "NotFoundException",
    "InvalidParameter",
    "InvalidExecutionInput",
    "ValidationException",
    "InvalidRequestContentException",
}


class DeliveryFailed(Exception):
    """A target did not take an event. `lasting`: trying again cannot help."""

    def __init__(self, code: str, message: str, *, lasting: bool) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.lasting = lasting


def kind_of(arn: str) -> str | None:
    """The kind of a target by its ARN: `states`, `lambda`, `sqs`; None for one that is not imitated."""
    parts = arn.split(":")
    service = parts[2] if len(parts) > 5 else ""
    if service == "states" and parts[5] != "stateMachine":
        return None
    return service if service in ("states", "lambda", "sqs") else None


def deliver(
    client: Client, permissions: Permissions, target: Mapping[str, Any], payload: str, *, rule_arn: str
) -> None:
    """Hands the payload to the target. Raises DeliveryFailed."""
    arn = target["Arn"]
    unknown = sorted(target.keys() - _FIELDS)
    if unknown:
        raise DeliveryFailed("UnknownTarget", f"{', '.join(unknown)} of a target is not imitated", lasting=True)
    role = target.get("RoleArn", "")
    if role and not permissions.may_assume(EVENTS, role, source_arn=rule_arn):
        raise DeliveryFailed("NO_PERMISSIONS", f"{EVENTS} may not assume {role} for {rule_arn}", lasting=True)
    try:
        match kind_of(arn):
            case "states":
                if not role:
                    raise DeliveryFailed("NO_PERMISSIONS", f"a role is needed to start {arn}", lasting=True)
                client("stepfunctions", role).start_execution(stateMachineArn=arn, input=payload)
            case "lambda":
                _permit(permissions, "lambda:InvokeFunction", arn, rule_arn)
                client("lambda", role).invoke(FunctionName=arn, InvocationType="Event", Payload=payload.encode())
            case "sqs":
                send_to_queue(client("sqs", role), permissions, arn, payload, rule_arn=rule_arn)
            case _:
                raise DeliveryFailed("UnknownTarget", f"no target like {arn} is imitated on one machine", lasting=True)
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        raise DeliveryFailed(code, message, lasting=code in _LASTING) from error
    except BotoCoreError as error:  # no answer came: perhaps it was taken, so it may come twice
        raise DeliveryFailed(type(error).__name__, str(error), lasting=False) from error


def send_to_queue(
    queues: Any,
    permissions: Permissions,
    arn: str,
    payload: str,
    *,
    rule_arn: str,
    attributes: Mapping[str, str] | None = None,
) -> None:
    """Sends to a queue, if its policy and its key let EventBridge do so. Raises DeliveryFailed or ClientError."""
    url = queues.get_queue_url(QueueName=arn.rsplit(":", 1)[1])["QueueUrl"]
    _permit(permissions, "sqs:SendMessage", arn, rule_arn)
    queues.send_message(
        QueueUrl=url,
        MessageBody=payload,
        MessageAttributes={
            name: {"DataType": "String", "StringValue": text} for name, text in (attributes or {}).items()
        },
    )


def _permit(permissions: Permissions, action: str, arn: str, rule_arn: str) -> None:
    if not permissions.service_may(EVENTS, action, arn, source_arn=rule_arn):
        raise DeliveryFailed(
            "NO_PERMISSIONS", f"the policy of {arn}, or of its key, does not let {EVENTS} do {action}", lasting=True
        )
