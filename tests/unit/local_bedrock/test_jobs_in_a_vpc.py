"""What a job in a VPC needs of its role, decided by the statements of the template."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest

from checks import sam_template
from embedded_aws.deployer.intrinsics import Resolver
from embedded_aws.permissions.policy import Principal, Request, decide, statements
from local.bedrock.native.jobs import CustomizationFailed, CustomizationJobs
from local.bedrock.native.network import network_needs

ACCOUNT, REGION = "123456789012", "us-east-1"
ROLE = Principal(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:role/training", f"arn:aws:sts::{ACCOUNT}:assumed-role/training/job")
SUBNETS, GROUPS = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"], ["sg-01234567", "sg-0123456789abcdef0"]


def job(subnets: list[str], groups: list[str]) -> dict[str, Any]:
    arn = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:model-customization-job/amazon.nova/one"
    return {"arn": arn, "vpc": {"subnetIds": subnets, "securityGroupIds": groups}}


@pytest.fixture(scope="module")
def allowed() -> list[dict[str, Any]]:
    """The statements that the template has for a VPC of two subnets and two groups."""
    pseudo = {"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": ACCOUNT}
    parameters = {"NovaVpc": f"{','.join(SUBNETS)};{','.join(GROUPS)}"}
    document = sam_template.read()["Resources"]["NovaVpcPolicy"]["Properties"]["PolicyDocument"]
    resolved = Resolver(parameters=parameters, pseudo=pseudo, conditions={}).resolve(document)
    found: list[dict[str, Any]] = resolved["Statement"]
    return found


def refused(job: dict[str, Any], allowed: list[dict[str, Any]]) -> list[tuple[str, str]]:
    policy = statements(json.dumps({"Statement": allowed}), "policy")
    return [
        (action, resource)
        for action, resource, context in network_needs(job)
        if not decide(Request(ROLE, action, resource, context), identity=policy).allowed
    ]


def test_the_template_allows_what_a_job_in_its_vpc_needs(allowed: list[dict[str, Any]]) -> None:
    assert refused(job(SUBNETS, GROUPS), allowed) == []
    assert list(network_needs({"arn": "any", "vpc": None})) == []


def test_a_job_in_a_vpc_fails_without_any_one_of_the_statements(allowed: list[dict[str, Any]]) -> None:
    for each in allowed:
        assert refused(job(SUBNETS, GROUPS), [other for other in allowed if other is not each]), each["Sid"]


def test_a_job_may_use_no_other_subnet_or_group(allowed: list[dict[str, Any]]) -> None:
    subnet, group = "subnet-0123456789abcdef2", "sg-01234568"
    prefix = f"arn:aws:ec2:{REGION}:{ACCOUNT}"
    found = refused(job([subnet], [group]), allowed)
    assert found[:2] == [
        ("ec2:CreateNetworkInterface", f"{prefix}:subnet/{subnet}"),
        ("ec2:CreateNetworkInterface", f"{prefix}:security-group/{group}"),
    ]
    assert len(found) == 5, "and three calls about an interface in that subnet"


class RightsOfThePolicy:
    """Caller rights of a role that may write the job's output, and what the statements allow."""

    def __init__(self, allowed: list[dict[str, Any]]) -> None:
        output = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
        self._policy = statements(json.dumps({"Statement": [output, *allowed]}), "policy")

    async def access_key(self, source_arn: str, role: str) -> str:
        return f"key of {role} for {source_arn}"

    async def refusal(self, access_key: str, action: str, resource: str, context: dict[str, str]) -> str | None:
        may = decide(Request(ROLE, action, resource, context), identity=self._policy).allowed
        return None if may else f"{action} on {resource} with the {access_key}"


def begin(allowed: list[dict[str, Any]]) -> None:
    service: Any = SimpleNamespace(records=None, rights=RightsOfThePolicy(allowed))
    record = {**job(SUBNETS, GROUPS), "id": "one", "role": "training", "output": {"s3Uri": "s3://bucket/runs/one/"}}
    asyncio.run(CustomizationJobs(service)._assume(record))


def test_a_job_fails_where_its_role_may_not_use_the_vpc(allowed: list[dict[str, Any]]) -> None:
    begin(allowed)
    without = [each for each in allowed if each["Sid"] != "TagThem"]
    with pytest.raises(CustomizationFailed, match=r"cannot use the job's VPC: ec2:CreateTags on arn:aws:ec2:us-east-1"):
        begin(without)
