"""Buckets and their policies."""

from __future__ import annotations

import json
from typing import Any

from embedded_aws.deployer.intrinsics import Created
from embedded_aws.deployer.resource_type import Stack, resource_type, tags, truth


@resource_type(
    "AWS::S3::Bucket",
    honoured=[
        "BucketName",
        "BucketEncryption",
        "VersioningConfiguration",
        "PublicAccessBlockConfiguration",
        "OwnershipControls",
        "NotificationConfiguration.EventBridgeConfiguration",
        "LifecycleConfiguration.Rules[].Id",
        "LifecycleConfiguration.Rules[].Status",
        "LifecycleConfiguration.Rules[].NoncurrentVersionExpiration",
        "LifecycleConfiguration.Rules[].AbortIncompleteMultipartUpload",
        "Tags",
    ],
)
def bucket(stack: Stack, logical_id: str, properties: dict[str, Any]) -> Created:
    s3 = stack.aws.client("s3")
    name = properties.get("BucketName") or stack.physical_name(logical_id, 63).lower()
    region = stack.aws.region
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=name, **where)
    if "VersioningConfiguration" in properties:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=properties["VersioningConfiguration"])
    if "BucketEncryption" in properties:
        rules = [
            {
                "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"],
                **({"BucketKeyEnabled": truth(rule["BucketKeyEnabled"])} if "BucketKeyEnabled" in rule else {}),
            }
            for rule in properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        ]
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": rules})
    if "PublicAccessBlockConfiguration" in properties:
        blocked = {key: truth(value) for key, value in properties["PublicAccessBlockConfiguration"].items()}
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=blocked)
    if "OwnershipControls" in properties:
        s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls=properties["OwnershipControls"])
    if "LifecycleConfiguration" in properties:
        rules = [_lifecycle_rule(rule) for rule in properties["LifecycleConfiguration"]["Rules"]]
        s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})
    events = properties.get("NotificationConfiguration", {}).get("EventBridgeConfiguration")
    if events is not None and truth(events.get("EventBridgeEnabled", True)):
        s3.put_bucket_notification_configuration(
            Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
    if "Tags" in properties:
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags(properties)})
    return Created(
        name,
        {
            "Arn": f"arn:aws:s3:::{name}",
            "DomainName": f"{name}.s3.amazonaws.com",
            "RegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
        },
    )


@resource_type("AWS::S3::BucketPolicy", honoured=["Bucket", "PolicyDocument"])
def bucket_policy(stack: Stack, _: str, properties: dict[str, Any]) -> Created:
    document = properties["PolicyDocument"]
    kept = [statement for statement in document["Statement"] if not _is_about_tls(statement)]
    if kept:
        stack.aws.client("s3").put_bucket_policy(
            Bucket=properties["Bucket"], Policy=json.dumps({**document, "Statement": kept})
        )
    return Created(properties["Bucket"])


def _is_about_tls(statement: dict[str, Any]) -> bool:
    """Whether a statement denies what comes without TLS: nothing on loopback has it, so it would deny everything."""
    condition = {operator: dict(keys) for operator, keys in statement.get("Condition", {}).items()}
    return statement["Effect"] == "Deny" and condition == {"Bool": {"aws:SecureTransport": "false"}}


def _lifecycle_rule(rule: dict[str, Any]) -> dict[str, Any]:
    translated: dict[str, Any] = {"Status": rule["Status"], "Filter": {"Prefix": ""}}
    if "Id" in rule:
        translated["ID"] = rule["Id"]
    for name in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
        if name in rule:
            translated[name] = {key: int(value) for key, value in rule[name].items()}
    return translated
