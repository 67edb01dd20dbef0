"""What operates a stack: log groups, keys, alarms and dashboards."""

from __future__ import annotations

import json
from typing import Any

from embedded_aws.deployer.intrinsics import Created
from embedded_aws.deployer.resource_type import Stack, given, resource_type, tags, truth


@resource_type("AWS::Logs::LogGroup", honoured=["LogGroupName", "RetentionInDays", "KmsKeyId", "LogGroupClass", "Tags"])
def log_group(stack: Stack, logical_id: str, properties: dict[str, Any]) -> Created:
    logs = stack.aws.client("logs")
    name = properties.get("LogGroupName") or stack.physical_name(logical_id, 512)
    labels = {tag["Key"]: str(tag["Value"]) for tag in properties.get("Tags", [])}
    optional = {"kmsKeyId": properties["KmsKeyId"]} if "KmsKeyId" in properties else {}
    logs.create_log_group(logGroupName=name, tags=labels, **optional)
    if "RetentionInDays" in properties:
        logs.put_retention_policy(logGroupName=name, retentionInDays=int(properties["RetentionInDays"]))
    return Created(name, {"Arn": stack.arn("logs", f"log-group:{name}:*")})


@resource_type(
    "AWS::KMS::Key",
    honoured=["Description", "KeyPolicy", "EnableKeyRotation", "KeyUsage", "KeySpec", "Tags"],
    without_effect={"PendingWindowInDays": "nothing is deleted on one machine"},
)
def kms_key(stack: Stack, _: str, properties: dict[str, Any]) -> Created:
    kms = stack.aws.client("kms")
    made = kms.create_key(
        Policy=json.dumps(properties["KeyPolicy"]),
        Tags=tags(properties, key="TagKey", value="TagValue"),
        **given(properties, "Description", "KeyUsage", "KeySpec"),
    )["KeyMetadata"]
    if truth(properties.get("EnableKeyRotation", False)):
        kms.enable_key_rotation(KeyId=made["KeyId"])
    return Created(made["KeyId"], {"Arn": made["Arn"], "KeyId": made["KeyId"]})


_ALARM = (
    "ActionsEnabled",
    "AlarmActions",
    "AlarmDescription",
    "ComparisonOperator",
    "DatapointsToAlarm",
    "Dimensions",
    "EvaluateLowSampleCountPercentile",
    "EvaluationPeriods",
    "ExtendedStatistic",
    "InsufficientDataActions",
    "MetricName",
    "Metrics",
    "Namespace",
    "OKActions",
    "Period",
    "Statistic",
    "Threshold",
    "TreatMissingData",
    "Unit",
)


@resource_type("AWS::CloudWatch::Alarm", honoured=["AlarmName", "Tags", *_ALARM])
def alarm(stack: Stack, logical_id: str, properties: dict[str, Any]) -> Created:
    """Made as it is described; no metric is evaluated on one machine, so it never goes off by itself."""
    name = properties.get("AlarmName") or stack.physical_name(logical_id, 255)
    arguments = given(properties, *_ALARM)
    for number in ("EvaluationPeriods", "DatapointsToAlarm", "Period"):
        if number in arguments:
            arguments[number] = int(arguments[number])
    if "Threshold" in arguments:
        arguments["Threshold"] = float(arguments["Threshold"])
    stack.aws.client("cloudwatch").put_metric_alarm(AlarmName=name, Tags=tags(properties), **arguments)
    return Created(name, {"Arn": stack.arn("cloudwatch", f"alarm:{name}")})


@resource_type("AWS::CloudWatch::Dashboard", honoured=["DashboardName", "DashboardBody"])
def dashboard(stack: Stack, logical_id: str, properties: dict[str, Any]) -> Created:
    name = properties.get("DashboardName") or stack.physical_name(logical_id, 255)
    stack.aws.client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=properties["DashboardBody"])
    return Created(name)


@resource_type(
    "AWS::Logs::QueryDefinition",
    honoured=["Name"],
    without_effect={
        "LogGroupNames": "a saved query is run by a person in the console, which one machine has not",
        "QueryString": "as LogGroupNames",
    },
)
def query_definition(_: Stack, __: str, properties: dict[str, Any]) -> Created:
    return Created(properties["Name"])
