"""Roles and policies."""

from __future__ import annotations

import json
from typing import Any

from embedded_aws.deployer.intrinsics import Created
from embedded_aws.deployer.resource_type import Stack, given, resource_type, tags


@resource_type(
    "AWS::IAM::Role",
    honoured=[
        "RoleName",
        "Description",
        "Path",
        "AssumeRolePolicyDocument",
        "Policies",
        "ManagedPolicyArns",
        "MaxSessionDuration",
        "PermissionsBoundary",
        "Tags",
    ],
)
def role(stack: Stack, logical_id: str, properties: dict[str, Any]) -> Created:
    iam = stack.aws.client("iam")
    name = properties.get("RoleName") or stack.physical_name(logical_id)
    made = iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps(properties["AssumeRolePolicyDocument"]),
        Tags=tags(properties),
        **given(properties, "Description", "Path", "MaxSessionDuration", "PermissionsBoundary"),
    )["Role"]
    for policy in properties.get("Policies", []):
        iam.put_role_policy(
            RoleName=name, PolicyName=policy["PolicyName"], PolicyDocument=_document(policy["PolicyDocument"])
        )
    for arn in properties.get("ManagedPolicyArns", []):
        iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    return Created(name, {"Arn": made["Arn"], "RoleId": made["RoleId"]})


@resource_type("AWS::IAM::Policy", honoured=["PolicyName", "PolicyDocument", "Roles"])
def policy(stack: Stack, logical_id: str, properties: dict[str, Any]) -> Created:
    for name in properties["Roles"]:
        stack.aws.client("iam").put_role_policy(
            RoleName=name,
            PolicyName=properties["PolicyName"],
            PolicyDocument=_document(properties["PolicyDocument"]),
        )
    return Created(stack.physical_name(logical_id))


@resource_type(
    "AWS::IAM::ManagedPolicy", honoured=["ManagedPolicyName", "Description", "Path", "PolicyDocument", "Roles"]
)
def managed_policy(stack: Stack, logical_id: str, properties: dict[str, Any]) -> Created:
    iam = stack.aws.client("iam")
    arn = iam.create_policy(
        PolicyName=properties.get("ManagedPolicyName") or stack.physical_name(logical_id, 128),
        PolicyDocument=_document(properties["PolicyDocument"]),
        **given(properties, "Description", "Path"),
    )["Policy"]["Arn"]
    for name in properties.get("Roles", []):
        iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    return Created(arn, {"PolicyArn": arn})


def _document(policy: dict[str, Any]) -> str:
    """SAM's policy templates leave the version out, which AWS takes and moto does not."""
    return json.dumps({"Version": "2012-10-17", **policy})
