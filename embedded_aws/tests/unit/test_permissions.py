"""What the policies of roles, resources and keys decide."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from embedded_aws.calls import Call
from embedded_aws.permissions.conditions import compiled
from embedded_aws.permissions.need import Need
from embedded_aws.permissions.needs import needs
from embedded_aws.permissions.policy import Principal, Request, decide, statements
from embedded_aws.permissions.resources import Resources
from embedded_aws.permissions.s3_needs import s3_needs

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import SSESpecificationTypeDef

ACCOUNT, REGION = "123456789012", "us-west-2"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/worker"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k"
WORKER = Principal(ACCOUNT, ROLE, f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/session")
ITS_ACCOUNT = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*"}
MAY_DECRYPT = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": KEY}


def policy(*of: dict[str, Any]) -> Any:
    return statements(json.dumps({"Statement": of}), "policy")


def asked(action: str, resource: str, **context: str) -> Request:
    return Request(WORKER, action, resource, context)


def test_nothing_is_allowed_that_no_statement_names() -> None:
    own = policy({"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::b/runs/*"})
    assert decide(asked("s3:GetObject", "arn:aws:s3:::b/runs/a"), identity=own).allowed
    assert not decide(asked("s3:PutObject", "arn:aws:s3:::b/runs/a"), identity=own).allowed
    assert not decide(asked("s3:GetObject", "arn:aws:s3:::b/other/a"), identity=own).allowed


def test_a_denial_of_the_resource_goes_before_what_the_role_may() -> None:
    own = policy({"Effect": "Allow", "Action": "sns:Publish", "Resource": "*"})
    others = {"ArnNotEquals": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/other"}}
    its = policy({"Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": "t", "Condition": others})
    request = Request(WORKER, "sns:Publish", "t", {"aws:principalarn": ROLE})
    decision = decide(request, identity=own, resource=its)
    assert (decision.allowed, decision.explicit) == (False, True)


def test_a_resource_that_names_the_role_needs_no_policy_of_the_role() -> None:
    its = policy({"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "sqs:SendMessage", "Resource": "q"})
    assert decide(asked("sqs:SendMessage", "q"), identity=(), resource=its).allowed


@pytest.mark.parametrize(
    ("key_policy", "own", "allowed"),
    [
        ([ITS_ACCOUNT], [MAY_DECRYPT], True),
        ([ITS_ACCOUNT], [], False),
        ([], [MAY_DECRYPT], False),
        ([{**ITS_ACCOUNT, "Principal": {"AWS": ROLE}}], [], True),
    ],
)
def test_a_key_s_own_policy_decides_and_may_leave_it_to_the_account(
    key_policy: list[dict[str, Any]], own: list[dict[str, Any]], allowed: bool
) -> None:
    request = asked("kms:Decrypt", KEY)
    decision = decide(request, identity=policy(*own), resource=policy(*key_policy), resource_decides=True)
    assert decision.allowed is allowed


@pytest.mark.parametrize(
    ("condition", "context", "met"),
    [
        ({"StringEquals": {"kms:ViaService": ["s3.x", "sns.x"]}}, {"kms:viaservice": "sns.x"}, True),
        ({"StringEquals": {"kms:ViaService": "s3.x"}}, {}, False),
        ({"StringEquals": {"s3:prefix": "runs/*"}}, {"s3:prefix": "runs/a"}, False),
        ({"StringLike": {"s3:prefix": "runs/*"}}, {"s3:prefix": "runs/a"}, True),
        ({"StringLike": {"s3:prefix": "runs/*"}}, {}, False),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:events:*"}}, {"aws:sourcearn": "arn:aws:events:r"}, True),
        ({"StringNotEquals": {"aws:PrincipalAccount": "1"}}, {}, True),
        ({"StringEqualsIfExists": {"iam:PassedToService": "a"}}, {}, True),
        ({"Bool": {"aws:SecureTransport": "false"}}, {"aws:securetransport": "true"}, False),
        ({"Null": {"s3:prefix": "true"}}, {}, True),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}}, {"aws:tagkeys": "b,a"}, True),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}}, {"aws:tagkeys": "a,c"}, False),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}}, {}, True),
    ],
)
def test_conditions_are_met_as_iam_documents_them(
    condition: dict[str, Any], context: dict[str, str], met: bool
) -> None:
    assert compiled(condition)(context) is met


def of_s3(action: str, **parameters: Any) -> list[Need]:
    call = Call("s3", action, "AKIA", None, "GET", "/", {"Bucket": "none", **parameters})
    return list(s3_needs(call, Resources(ACCOUNT, REGION)))


def test_reading_a_version_of_an_object_needs_a_right_of_its_own() -> None:
    assert of_s3("HeadObject", Key="a") == [Need("s3:GetObject", "arn:aws:s3:::none/a")]
    (need,) = of_s3("GetObject", Key="a", versionId=["1"])
    assert (need.action, need.context) == ("s3:GetObjectVersion", {"s3:versionid": "1"})


def test_a_list_tells_iam_its_prefix() -> None:
    (need,) = of_s3("ListObjectsV2", prefix=["runs/"])
    assert need == Need("s3:ListBucket", "arn:aws:s3:::none", {"s3:prefix": "runs/"})


@pytest.mark.parametrize(
    ("service", "action", "parameters", "where"),
    [
        ("cloudformation", "DescribeStacks", {"StackName": ["dev"]}, f"cloudformation:{REGION}:{ACCOUNT}:stack/dev/*"),
        ("cloudwatch", "SetAlarmState", {"AlarmName": "a"}, f"cloudwatch:{REGION}:{ACCOUNT}:alarm:a"),
    ],
)
def test_iam_is_asked_about_a_stack_and_an_alarm_by_their_arns(
    service: str, action: str, parameters: dict[str, Any], where: str
) -> None:
    call = Call(service, action, "AKIA", None, "POST", "/", parameters)
    assert [each.resource for each in needs(call, Resources(ACCOUNT, REGION))] == [f"arn:aws:{where}"]
    nothing_named = Call(service, action, "AKIA", None, "POST", "/", {})
    assert [each.resource for each in needs(nothing_named, Resources(ACCOUNT, REGION))] == ["*"]


@mock_aws
def test_a_table_s_key_is_asked_about_where_it_is_a_customer_s_and_not_aws_s() -> None:
    customers = boto3.client("kms", region_name=REGION).create_key()["KeyMetadata"]["Arn"]
    client = boto3.client("dynamodb", region_name=REGION)
    encrypted: dict[str, SSESpecificationTypeDef] = {
        "aws-s": {"Enabled": True, "SSEType": "KMS"},
        "own": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": customers},
    }
    for name, specification in encrypted.items():
        client.create_table(
            TableName=name,
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
            SSESpecification=specification,
        )
    resources = Resources(ACCOUNT, REGION)
    assert resources.key_arn(resources.table_key("aws-s")) is None
    assert resources.key_arn(resources.table_key("own")) == customers
