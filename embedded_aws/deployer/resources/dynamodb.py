"""Tables."""

from __future__ import annotations

from typing import Any

from embedded_aws.deployer.intrinsics import Created
from embedded_aws.deployer.resource_type import Stack, given, resource_type, tags, truth

_AS_THEY_ARE = (
    "AttributeDefinitions",
    "KeySchema",
    "BillingMode",
    "ProvisionedThroughput",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
)
"""Properties that CreateTable takes as the template has them."""


@resource_type(
    "AWS::DynamoDB::Table",
    honoured=[
        "TableName",
        *_AS_THEY_ARE,
        "TimeToLiveSpecification",
        "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled",
        "SSESpecification",
        "DeletionProtectionEnabled",
        "Tags",
    ],
    without_effect={"ContributorInsightsSpecification": "tells CloudWatch about keys; changes nothing in the table"},
)
def table(stack: Stack, logical_id: str, properties: dict[str, Any]) -> Created:
    dynamodb = stack.aws.client("dynamodb")
    name = properties.get("TableName") or stack.physical_name(logical_id, 255)
    arguments = given(properties, *_AS_THEY_ARE)
    if "SSESpecification" in properties:
        sse = dict(properties["SSESpecification"])
        sse["Enabled"] = truth(sse.pop("SSEEnabled"))
        arguments["SSESpecification"] = sse
    if "DeletionProtectionEnabled" in properties:
        arguments["DeletionProtectionEnabled"] = truth(properties["DeletionProtectionEnabled"])
    if "Tags" in properties:
        arguments["Tags"] = tags(properties)
    created = dynamodb.create_table(TableName=name, **arguments)["TableDescription"]
    if "TimeToLiveSpecification" in properties:
        ttl = properties["TimeToLiveSpecification"]
        dynamodb.update_time_to_live(
            TableName=name,
            TimeToLiveSpecification={"AttributeName": ttl["AttributeName"], "Enabled": truth(ttl["Enabled"])},
        )
    recovery = properties.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled")
    if recovery is not None:
        dynamodb.update_continuous_backups(
            TableName=name,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": truth(recovery)},
        )
    return Created(name, {"Arn": created["TableArn"], "TableId": created.get("TableId", name)})
