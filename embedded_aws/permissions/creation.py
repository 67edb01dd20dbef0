"""What services check when something is made that acts with a role, or is encrypted with a key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from embedded_aws.calls import Call, CallRefused

if TYPE_CHECKING:
    from embedded_aws.permissions.enforcement import Permissions

LOG_DELIVERY = (
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
)
"""docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html#cloudwatch-iam-policy"""

TRACES_OF_MACHINES = (
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
)
"""docs.aws.amazon.com/step-functions/latest/dg/concepts-xray-tracing.html"""

TRACES_OF_FUNCTIONS = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
"""docs.aws.amazon.com/lambda/latest/dg/services-xray.html"""

KEY_OF_LOGS = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey")
"""docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html"""


def problem(call: Call, permissions: Permissions) -> CallRefused | None:
    """Why the service would refuse to make this, in its words; None where it would not, and for every other call."""
    return next(_problems(call, permissions), None)


def _problems(call: Call, permissions: Permissions) -> Iterator[CallRefused]:
    match (call.service, call.action):
        case ("states", "CreateStateMachine" | "UpdateStateMachine") if "roleArn" in call.parameters:
            yield from _machine(call.parameters, permissions)
        case ("lambda", "CreateFunction"):
            yield from _function(call.parameters, permissions)
        case ("logs", "CreateLogGroup") if call.parameters.get("kmsKeyId"):
            yield from _log_group(call.parameters, permissions)


def _machine(asked: Mapping[str, Any], permissions: Permissions) -> Iterator[CallRefused]:
    role, where = str(asked["roleArn"]), permissions.resources
    source = f"arn:aws:states:{where.region}:{where.account}:stateMachine:{asked.get('name', 'updated')}"
    if not permissions.may_assume("states.amazonaws.com", role, source_arn=source):
        yield CallRefused(
            "AccessDeniedException",
            "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume "
            f"the provided role {role}.",
        )
    logs = (asked.get("loggingConfiguration") or {}).get("level", "OFF") != "OFF"
    if logs and not all(permissions.role_may(role, each, "*") for each in LOG_DELIVERY):
        message = f"The state machine IAM Role {role} is not authorized to access the Log Destination"
        yield CallRefused("AccessDeniedException", message)
    traces = (asked.get("tracingConfiguration") or {}).get("enabled") is True
    if traces and not all(permissions.role_may(role, each, "*") for each in TRACES_OF_MACHINES):
        yield CallRefused("AccessDeniedException", f"The state machine IAM Role {role} is not authorized to trace")


def _function(asked: Mapping[str, Any], permissions: Permissions) -> Iterator[CallRefused]:
    role, where = str(asked.get("Role")), permissions.resources
    source = f"arn:aws:lambda:{where.region}:{where.account}:function:{asked.get('FunctionName')}"
    if not permissions.may_assume("lambda.amazonaws.com", role, source_arn=source):
        message = f"The role {role} defined for the function cannot be assumed by Lambda."
        yield CallRefused("InvalidParameterValueException", message)
    traces = (asked.get("TracingConfig") or {}).get("Mode") == "Active"
    if traces and not all(permissions.role_may(role, each, "*") for each in TRACES_OF_FUNCTIONS):
        message = f"The provided execution role {role} does not have permissions to call PutTraceSegments on XRAY"
        yield CallRefused("InvalidParameterValueException", message)


def _log_group(asked: Mapping[str, Any], permissions: Permissions) -> Iterator[CallRefused]:
    where = permissions.resources
    key = where.key_arn(str(asked["kmsKeyId"]))
    if key is None:
        return
    group = f"arn:aws:logs:{where.region}:{where.account}:log-group:{asked.get('logGroupName')}"
    context = {"kms:encryptioncontext:aws:logs:arn": group}
    logs = f"logs.{where.region}.amazonaws.com"
    if not all(permissions.service_may(logs, each, key, source_arn=group, context=context) for each in KEY_OF_LOGS):
        yield CallRefused(
            "InvalidParameterException",
            "The specified KMS Key Id could not be found or the given key is not allowed to be used with Arn "
            f"'{group}'.",
        )
