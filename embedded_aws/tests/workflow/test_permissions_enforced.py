"""What a role lacks is refused, in each service's own words, and is written down."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded_aws import EmbeddedAws

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
    asked: dict[str, tuple[str, dict[str, Any], tuple[str, int]]] = {
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


def test_each_object_of_a_deletion_is_asked_about_by_itself(aws: EmbeddedAws, make_role: Make) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="cleaned", CreateBucketConfiguration={"LocationConstraint": aws.region})
    for key in ("runs/a&b", "audit/a"):
        s3.put_object(Bucket="cleaned", Key=key, Body=b"-")
    cleaner = aws.client_as("s3", make_role("cleaner", allow("s3:DeleteObject", "arn:aws:s3:::cleaned/runs/*")))
    both: Any = {"Objects": [{"Key": "runs/a&b"}, {"Key": "audit/a"}]}
    assert code_of(cleaner.delete_objects, Bucket="cleaned", Delete=both) == ("AccessDenied", 403)
    versions: Any = {"Objects": [{"Key": "runs/a&b", "VersionId": "null"}]}
    assert code_of(cleaner.delete_objects, Bucket="cleaned", Delete=versions) == ("AccessDenied", 403)
    cleaner.delete_objects(Bucket="cleaned", Delete={"Objects": [{"Key": "runs/a&b"}]})
    assert [each["Key"] for each in s3.list_objects_v2(Bucket="cleaned")["Contents"]] == ["audit/a"]


def test_a_path_of_parameters_is_asked_about_by_its_name(aws: EmbeddedAws, make_role: Make) -> None:
    aws.client("ssm").put_parameter(Name="/ours/a/b", Value="1", Type="String")
    role = make_role("reads-ours", allow("ssm:GetParametersByPath", "arn:aws:ssm:*:*:parameter/ours"))
    told = aws.client_as("ssm", role).get_parameters_by_path(Path="/ours", Recursive=True)["Parameters"]
    assert [each["Name"] for each in told] == ["/ours/a/b"]
    refused = code_of(aws.client_as("ssm", role).get_parameters_by_path, Path="/theirs")
    assert refused == ("AccessDeniedException", 400)


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


def test_a_role_for_one_leading_key_may_ask_for_no_other(aws: EmbeddedAws, make_role: Make) -> None:
    table = "of-teams"
    aws.client("dynamodb").create_table(
        TableName=table,
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("team", "run", "day")],
        KeySchema=[{"AttributeName": "team", "KeyType": "HASH"}, {"AttributeName": "run", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-day",
                "KeySchema": [{"AttributeName": "day", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    own = {"StringEquals": {"dynamodb:LeadingKeys": "red"}}
    client = aws.client_as("dynamodb", make_role("red-only", allow("dynamodb:*", Condition=own)))
    values = {":a": {"S": "red"}, ":b": {"S": "blue"}}
    both = "#t = {team} AND #r = {run}"
    names = {"#t": "team", "#r": "run"}
    asked = {"TableName": table, "ExpressionAttributeNames": names, "ExpressionAttributeValues": values}
    mine = both.format(team=":a", run=":b")
    theirs = both.format(team=":b", run=":a")
    assert client.query(**asked, KeyConditionExpression=mine)["Items"] == []
    assert code_of(client.query, **asked, KeyConditionExpression=theirs) == ("AccessDeniedException", 400)
    old = {"team": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "blue"}]}}
    assert code_of(client.query, TableName=table, KeyConditions=old) == ("AccessDeniedException", 400)
    by_day = {"TableName": table, "IndexName": "by-day", "KeyConditionExpression": "day = :d"}
    assert client.query(**by_day, ExpressionAttributeValues={":d": {"S": "red"}})["Items"] == []
    refused = code_of(client.query, **by_day, ExpressionAttributeValues={":d": {"S": "blue"}})
    assert refused == ("AccessDeniedException", 400)
    assert code_of(client.scan, TableName=table) == ("AccessDeniedException", 400)


def test_an_encrypted_dead_letter_queue_takes_events_if_its_key_lets_eventbridge_in(
    aws: EmbeddedAws, make_key: Callable[..., str]
) -> None:
    rule = f"arn:aws:events:{aws.region}:123456789012:rule/r"
    for name, policies, taken in (
        ("open", [service("events.amazonaws.com", "kms:GenerateDataKey", "kms:Decrypt")], True),
        ("half", [service("events.amazonaws.com", "kms:GenerateDataKey")], False),
        ("shut", [], False),
        # EventBridge tells KMS no source: with such a condition the event is lost.
        (
            "narrow",
            [service("events.amazonaws.com", "kms:*", Condition={"ArnLike": {"aws:SourceArn": f"{rule}*"}})],
            False,
        ),
    ):
        queue = make_queue(aws, name, make_key(*policies), "events.amazonaws.com")
        found = aws.permissions.service_may("events.amazonaws.com", "sqs:SendMessage", queue, source_arn=rule)
        assert found is taken, name


@pytest.mark.parametrize(
    ("asker", "source"),
    [
        ("cloudwatch.amazonaws.com", "arn:aws:cloudwatch:us-west-2:123456789012:alarm:a"),
        ("sns.amazonaws.com", "arn:aws:sns:us-west-2:123456789012:t"),
    ],
)
def test_a_key_tells_apart_for_whom_alarms_and_notices_are_encrypted(
    aws: EmbeddedAws, make_key: Callable[..., str], asker: str, source: str
) -> None:
    condition = {"ArnLike": {"aws:SourceArn": source}}
    key = make_key(service(asker, "kms:GenerateDataKey*", "kms:Decrypt", Condition=condition))
    if asker.startswith("sns"):
        action, where = "sqs:SendMessage", make_queue(aws, "subscribed", key, asker)
    else:
        action, where = "sns:Publish", make_topic(aws, "alarms", key, asker)
    assert aws.permissions.service_may(asker, action, where, source_arn=source)
    assert not aws.permissions.service_may(asker, action, where, source_arn=f"{source}-of-another-stack")


def service(name: str, *actions: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"Service": name}, "Action": list(actions), "Resource": "*", **more}


def document(*of: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(of)})


def make_queue(aws: EmbeddedAws, name: str, key: str, asker: str) -> str:
    """A queue that lets a service in and is encrypted; its ARN."""
    attributes = {"KmsMasterKeyId": key, "Policy": document(service(asker, "sqs:SendMessage"))}
    aws.client("sqs").create_queue(QueueName=name, Attributes=attributes)
    return f"arn:aws:sqs:{aws.region}:123456789012:{name}"


def make_topic(aws: EmbeddedAws, name: str, key: str, asker: str) -> str:
    """A topic that lets a service publish and is encrypted; its ARN."""
    attributes = {"KmsMasterKeyId": key, "Policy": document(service(asker, "sns:Publish"))}
    return str(aws.client("sns").create_topic(Name=name, Attributes=attributes)["TopicArn"])


@pytest.fixture
def make_key(aws: EmbeddedAws) -> Callable[..., str]:
    """Makes a key with statements; its ARN."""
    return lambda *of: str(aws.client("kms").create_key(Policy=document(*of))["KeyMetadata"]["Arn"])
