"""One key for all that is kept, that every service which writes there may use, and no grader."""

from __future__ import annotations

from typing import Any

import pytest

Resources = dict[str, dict[str, Any]]

KEY_ARN = {"Fn::GetAtt": ["DataKey", "Arn"]}
NOTHING = {"Ref": "AWS::NoValue"}
THIS_ACCOUNT = {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
WRITE = ["kms:GenerateDataKey*", "kms:Decrypt"]


def where_the_key_is(resources: Resources, kind: str) -> list[dict[str, Any]]:
    return [each["Properties"] for each in resources.values() if each["Type"] == kind]


@pytest.fixture(scope="module")
def statements(resources: Resources) -> dict[str, dict[str, Any]]:
    listed = resources["DataKey"]["Properties"]["KeyPolicy"]["Statement"]
    return {each["Sid"]: each for each in listed}


def test_the_key_is_rotated_and_outlives_the_data(resources: Resources) -> None:
    key = resources["DataKey"]
    assert key["Properties"]["EnableKeyRotation"] is True
    assert (key["DeletionPolicy"], key["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    assert key["Condition"] == "HasDataKey"


def test_all_that_is_kept_is_encrypted_with_it_or_with_a_key_of_aws(resources: Resources) -> None:
    for bucket in where_the_key_is(resources, "AWS::S3::Bucket"):
        (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"] == {
            "SSEAlgorithm": {"Fn::If": ["HasDataKey", "aws:kms", "AES256"]},
            "KMSMasterKeyID": {"Fn::If": ["HasDataKey", KEY_ARN, NOTHING]},
        }
        assert rule["BucketKeyEnabled"] == {"Fn::If": ["HasDataKey", True, False]}, "or each object is a call to KMS"
    for table in where_the_key_is(resources, "AWS::DynamoDB::Table"):
        assert table["SSESpecification"] == {
            "SSEEnabled": True,
            "SSEType": "KMS",
            "KMSMasterKeyId": {"Fn::If": ["HasDataKey", KEY_ARN, NOTHING]},
        }
    for queue in where_the_key_is(resources, "AWS::SQS::Queue"):
        assert queue["KmsMasterKeyId"] == {"Fn::If": ["HasDataKey", {"Ref": "DataKey"}, NOTHING]}
        assert queue["SqsManagedSseEnabled"] == {"Fn::If": ["HasDataKey", NOTHING, True]}
    for group in where_the_key_is(resources, "AWS::Logs::LogGroup"):
        assert group["KmsKeyId"] == {"Fn::If": ["HasDataKey", KEY_ARN, NOTHING]}
    topics = {
        name: each["Properties"]["KmsMasterKeyId"]["Fn::If"]
        for name, each in resources.items()
        if each["Type"] == "AWS::SNS::Topic"
    }
    assert topics == {
        "NoticesTopic": ["HasDataKey", {"Ref": "DataKey"}, "alias/aws/sns"],
        "OperationsTopic": ["HasDataKey", {"Ref": "DataKey"}, NOTHING],  # CloudWatch may not use alias/aws/sns
    }


def test_eventbridge_may_encrypt_dead_letters(statements: dict[str, dict[str, Any]]) -> None:
    told = statements["EventBridgeWritesDeadLetters"]
    assert told["Principal"] == {"Service": "events.amazonaws.com"}
    assert told["Action"] == ["kms:GenerateDataKey", "kms:Decrypt"]
    assert "Condition" not in told, "AWS documents none: EventBridge need not say for which account it asks"


def test_alarms_may_be_published_to_the_encrypted_topic(statements: dict[str, dict[str, Any]]) -> None:
    told = statements["AlarmsPublish"]
    assert (told["Principal"], told["Action"]) == ({"Service": "cloudwatch.amazonaws.com"}, WRITE)
    assert told["Condition"]["StringEquals"] == THIS_ACCOUNT
    assert told["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::Sub"].endswith(":alarm:*")


def test_sns_may_deliver_to_queues_with_the_same_key(statements: dict[str, dict[str, Any]]) -> None:
    told = statements["SnsDeliversNotices"]
    assert (told["Principal"], told["Action"]) == ({"Service": "sns.amazonaws.com"}, WRITE)
    assert told["Condition"]["StringEquals"] == THIS_ACCOUNT
    assert told["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::Sub"].endswith(":${AWS::StackName}-*")


def test_the_logs_of_this_region_may_be_encrypted_and_those_of_this_stack_alone(
    resources: Resources, statements: dict[str, dict[str, Any]]
) -> None:
    told = statements["LogsOfThisRegion"]
    assert told["Principal"] == {"Service": {"Fn::Sub": "logs.${AWS::Region}.${AWS::URLSuffix}"}}
    assert {"kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"} == set(
        told["Action"]
    )
    groups = [each["Fn::Sub"] for each in told["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]]
    named = {
        group["LogGroupName"]["Fn::Sub"]
        for group in where_the_key_is(resources, "AWS::Logs::LogGroup")
        if "LogGroupName" in group
    }
    # A group without a name of its own gets <stack>-<logical id>-<suffix> from CloudFormation.
    for name in {*named, "${AWS::StackName}-FunctionsLogGroup-1X"}:
        assert any(f":log-group:{name}".startswith(group.split("${AWS::AccountId}")[1].rstrip("*")) for group in groups)


def test_no_service_and_nobody_else_may_use_the_key(statements: dict[str, dict[str, Any]]) -> None:
    assert set(statements) == {
        "ThisAccount",
        "EventBridgeWritesDeadLetters",
        "AlarmsPublish",
        "SnsDeliversNotices",
        "LogsOfThisRegion",
    }
    assert statements["ThisAccount"]["Principal"]["AWS"]["Fn::Sub"].endswith("${AWS::AccountId}:root")


def test_the_stack_s_roles_use_it_through_the_services_that_hold_the_data(resources: Resources) -> None:
    (statement,) = resources["DataKeyUse"]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Resource"] == KEY_ARN
    through = statement["Condition"]["StringEquals"]["kms:ViaService"]
    assert {each["Fn::Sub"].split(".")[0] for each in through} == {"s3", "dynamodb", "sns"}
    roles = {each["Ref"] for each in resources["DataKeyUse"]["Properties"]["Roles"]}
    without = {name for name, each in resources.items() if each["Type"] == "AWS::IAM::Role"} - roles
    # The graders touch no data of ours; the rules only start executions.
    others = {name for name in without if not name.startswith("Grader")}
    assert others == {"InboxUploadRole", "PipelineEndedBadlyRole"}
