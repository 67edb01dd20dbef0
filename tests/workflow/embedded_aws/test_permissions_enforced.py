"""What a role lacks is refused, in each service's own words, and is written down."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import EmbeddedAws

Make = Callable[..., str]


def trust(service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(scope="module")
def make_role(aws: EmbeddedAws) -> Make:
    """Makes a role with statements; its ARN."""
    iam = aws.client("iam")

    def make(name: str, *statements: dict[str, Any], service: str = "lambda.amazonaws.com") -> str:
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(service))["Role"]["Arn"]
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document)
        return str(arn)

    return make


def allow(action: str | list[str], resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def code_of(call: Callable[..., Any], **arguments: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return refused.value.response["Error"]["Code"], refused.value.response["ResponseMetadata"]["HTTPStatusCode"]


def test_every_service_refuses_in_its_own_form(aws: EmbeddedAws, make_role: Make) -> None:
    role = make_role("may-nothing", allow("logs:PutLogEvents"))
    asked = {
        "s3": ("list_buckets", {}, ("AccessDenied", 403)),
        "dynamodb": ("get_item", {"TableName": "t", "Key": {"a": {"S": "b"}}}, ("AccessDeniedException", 400)),
        "ssm": ("get_parameters", {"Names": ["/a"]}, ("AccessDeniedException", 400)),
        "lambda": ("invoke", {"FunctionName": "f"}, ("AccessDeniedException", 403)),
        "stepfunctions": ("list_state_machines", {}, ("AccessDeniedException", 400)),
    }
    before = len(aws.permissions.refused)
    for service, (method, arguments, expected) in asked.items():
        assert code_of(getattr(aws.client_as(service, role), method), **arguments) == expected, service
    assert len(aws.permissions.refused) == before + len(asked)
    assert "may-nothing" in str(aws.permissions.refused[-1])


def test_s3_hides_what_is_missing_from_whoever_may_not_list(aws: EmbeddedAws, make_role: Make) -> None:
    aws.client("s3").create_bucket(Bucket="own", CreateBucketConfiguration={"LocationConstraint": aws.region})
    blind = make_role("blind", allow("s3:GetObject"))
    prefix = {"StringLike": {"s3:prefix": "runs/*"}}
    halfway = make_role("halfway", allow("s3:GetObject"), allow("s3:ListBucket", Condition=prefix))
    seeing = make_role("seeing", allow(["s3:GetObject", "s3:ListBucket"]))
    found = {
        role: code_of(aws.client_as("s3", role).get_object, Bucket="own", Key="runs/none")
        for role in (blind, halfway, seeing)
    }
    assert found == {blind: ("AccessDenied", 403), halfway: ("AccessDenied", 403), seeing: ("NoSuchKey", 404)}
    assert code_of(aws.client_as("s3", blind).head_object, Bucket="own", Key="runs/none") == ("403", 403)
    assert code_of(aws.client_as("s3", seeing).head_object, Bucket="own", Key="runs/none") == ("404", 404)


def test_an_encrypted_object_takes_a_right_on_its_key(aws: EmbeddedAws, make_role: Make) -> None:
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="secret", CreateBucketConfiguration={"LocationConstraint": aws.region})
    s3.put_object(Bucket="secret", Key="a", Body=b"a", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    through = {"StringEquals": {"kms:ViaService": f"s3.{aws.region}.amazonaws.com"}}
    without = make_role("without-key", allow("s3:*"))
    with_it = make_role("with-key", allow("s3:*"), allow("kms:Decrypt", key, Condition=through))
    assert code_of(aws.client_as("s3", without).get_object, Bucket="secret", Key="a") == ("AccessDenied", 403)
    assert aws.client_as("s3", with_it).get_object(Bucket="secret", Key="a")["Body"].read() == b"a"
    cipher = aws.client("kms").encrypt(KeyId=key, Plaintext=b"a")["CiphertextBlob"]
    direct = code_of(aws.client_as("kms", with_it).decrypt, CiphertextBlob=cipher, KeyId=key)
    assert direct == ("AccessDeniedException", 400), "the condition lets it in through S3 alone"


def test_a_role_that_a_service_may_not_assume_makes_nothing(aws: EmbeddedAws, make_role: Make) -> None:
    role = make_role("of-lambda", allow("*"))
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
    create = aws.client("stepfunctions").create_state_machine
    refused = code_of(create, name="refused", definition=definition, roleArn=role)
    assert refused == ("AccessDeniedException", 400)


def test_a_resource_s_denial_meets_a_developer_too(aws: EmbeddedAws) -> None:
    sns = aws.client("sns")
    topic = sns.create_topic(Name="closed")["TopicArn"]
    denial = {"Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": topic}
    policy = json.dumps({"Statement": [denial]})
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    assert code_of(sns.publish, TopicArn=topic, Message="m") == ("AuthorizationError", 403)
