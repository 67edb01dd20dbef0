"""What the canaries share: clients of moto without its patches, and the mark that says what a test is the canary of."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import boto3

from embedded_aws.waiting import until

REGION = "us-west-2"
ACCOUNT = "123456789012"

Test = TypeVar("Test", bound=Callable[..., None])


def canary_of(change: Callable[..., None]) -> Callable[[Test], Test]:
    """Says which change of moto_patches the test is the canary of; test_all_changes_have_canaries.py reads it."""
    del change
    return lambda test: test


def client(service: str) -> Any:
    return boto3.client(service, region_name=REGION)  # type: ignore[call-overload]  # the stubs know literal names only


def create_machine(*, query_language: str = "JSONPath", **states: Any) -> str:
    definition = {"QueryLanguage": query_language, "StartAt": next(iter(states)), "States": states}
    made = client("stepfunctions").create_state_machine(
        name="machine", definition=json.dumps(definition), roleArn=f"arn:aws:iam::{ACCOUNT}:role/any"
    )
    return str(made["stateMachineArn"])


def start_execution(machine: str, **arguments: str) -> str:
    return str(client("stepfunctions").start_execution(stateMachineArn=machine, **arguments)["executionArn"])


def end_of(execution: str) -> dict[str, Any]:
    machines = client("stepfunctions")

    def ended() -> dict[str, Any] | None:
        described: dict[str, Any] = machines.describe_execution(executionArn=execution)
        return described if described["status"] != "RUNNING" else None

    described: dict[str, Any] = until(ended, "the execution has ended")
    return described


def create_role() -> str:
    role = client("iam").create_role(RoleName="role", AssumeRolePolicyDocument="{}")["Role"]
    return str(role["Arn"])


def create_bucket() -> Any:
    s3 = client("s3")
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
    return s3
