"""docs/deployer-policy.json lets a deployer make, change and delete every type of resource of the template, no more."""

from __future__ import annotations

import json
import re
from typing import Any

from checks import sam_template
from checks.permissions import allows, listed

POLICY = json.loads((sam_template.ROOT / "docs/deployer-policy.json").read_text())
ACCOUNT = "123456789012"
INLINE_POLICY_CHARACTERS = 10_240  # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html

_ROLE = "arn:aws:iam::123456789012:role/tunedrop-dev-PipelineRole-1X"
_FUNCTION = "arn:aws:lambda:us-west-2:123456789012:function:tunedrop-dev-Api-1X"
_TOPIC = "arn:aws:sns:us-west-2:123456789012:tunedrop-dev-NoticesTopic-1X"
_QUEUE = "arn:aws:sqs:us-west-2:123456789012:tunedrop-dev-Queue-1X"
_BUCKET = "arn:aws:s3:::tunedrop-dev-runsbucket-1x"
_POLICY = "arn:aws:iam::123456789012:policy/tunedrop-dev-FunctionTelemetry-1X"
_API = "arn:aws:apigateway:us-west-2::/restapis/abc"
_TABLE = "arn:aws:dynamodb:us-west-2:123456789012:table/tunedrop-dev-RunsTable-1X"
_MACHINE = "arn:aws:states:us-west-2:123456789012:stateMachine:Pipeline-1X"
_KEY = "arn:aws:kms:us-west-2:123456789012:key/1"

NEEDED: dict[str, tuple[tuple[str, str], ...]] = {
    "AWS::ApiGateway::Deployment": (("apigateway:POST", f"{_API}/deployments"),),
    "AWS::ApiGateway::RestApi": (
        ("apigateway:POST", "arn:aws:apigateway:us-west-2::/restapis"),
        ("apigateway:PUT", _API),
        ("apigateway:DELETE", _API),
        ("apigateway:UpdateRestApiPolicy", _API),
    ),
    "AWS::ApiGateway::Stage": (("apigateway:PATCH", f"{_API}/stages/v1"),),
    "AWS::CloudWatch::Alarm": tuple(
        (f"cloudwatch:{each}", "arn:aws:cloudwatch:us-west-2:123456789012:alarm:tunedrop-dev-A")
        for each in ("PutMetricAlarm", "DeleteAlarms")
    ),
    "AWS::CloudWatch::Dashboard": tuple(
        (f"cloudwatch:{each}", "arn:aws:cloudwatch::123456789012:dashboard/tunedrop-dev-us-west-2")
        for each in ("PutDashboard", "DeleteDashboards")
    ),
    "AWS::DynamoDB::Table": tuple(
        (f"dynamodb:{each}", _TABLE)
        for each in ("CreateTable", "DeleteTable", "UpdateTable", "UpdateTimeToLive", "UpdateContinuousBackups")
    ),
    "AWS::Events::Rule": tuple(
        (f"events:{each}", "arn:aws:events:us-west-2:123456789012:rule/tunedrop-dev-R")
        for each in ("PutRule", "PutTargets", "RemoveTargets", "DeleteRule")
    ),
    "AWS::IAM::ManagedPolicy": (
        ("iam:CreatePolicy", _POLICY),
        ("iam:CreatePolicyVersion", _POLICY),
        ("iam:DeletePolicy", _POLICY),
    ),
    "AWS::IAM::Policy": (("iam:PutRolePolicy", _ROLE), ("iam:DeleteRolePolicy", _ROLE)),
    "AWS::IAM::Role": tuple(
        (f"iam:{each}", _ROLE) for each in ("CreateRole", "PassRole", "AttachRolePolicy", "DeleteRole")
    ),
    "AWS::KMS::Key": (
        ("kms:CreateKey", "*"),
        ("kms:EnableKeyRotation", _KEY),
        ("kms:PutKeyPolicy", _KEY),
        ("kms:ScheduleKeyDeletion", _KEY),
    ),
    "AWS::Lambda::Alias": (("lambda:CreateAlias", _FUNCTION), ("lambda:UpdateAlias", _FUNCTION)),
    "AWS::Lambda::Function": tuple(
        (f"lambda:{each}", _FUNCTION)
        for each in ("CreateFunction", "UpdateFunctionCode", "UpdateFunctionConfiguration", "DeleteFunction")
    ),
    "AWS::Lambda::LayerVersion": (
        ("lambda:PublishLayerVersion", "arn:aws:lambda:us-west-2:123456789012:layer:TunedropLayer"),
        ("lambda:GetLayerVersion", "arn:aws:lambda:us-west-2:123456789012:layer:TunedropLayer:1"),
    ),
    "AWS::Lambda::Permission": (("lambda:AddPermission", _FUNCTION), ("lambda:RemovePermission", _FUNCTION)),
    "AWS::Lambda::Version": (("lambda:PublishVersion", _FUNCTION),),
    "AWS::Logs::LogGroup": tuple(
        (f"logs:{each}", "arn:aws:logs:us-west-2:123456789012:log-group:tunedrop-dev-G")
        for each in ("CreateLogGroup", "PutRetentionPolicy", "AssociateKmsKey", "DeleteLogGroup")
    ),
    "AWS::Logs::QueryDefinition": (("logs:PutQueryDefinition", "*"), ("logs:DeleteQueryDefinition", "*")),
    "AWS::S3::Bucket": tuple(
        (f"s3:{each}", _BUCKET)
        for each in (
            "CreateBucket",
            "PutBucketVersioning",
            "PutBucketNotification",
            "PutEncryptionConfiguration",
            "PutBucketPublicAccessBlock",
            "PutBucketOwnershipControls",
            "PutLifecycleConfiguration",
            "DeleteBucket",
        )
    ),
    "AWS::S3::BucketPolicy": (("s3:PutBucketPolicy", _BUCKET), ("s3:DeleteBucketPolicy", _BUCKET)),
    "AWS::SNS::Subscription": (("sns:Subscribe", _TOPIC), ("sns:Unsubscribe", _TOPIC)),
    "AWS::SNS::Topic": (("sns:CreateTopic", _TOPIC), ("sns:DeleteTopic", _TOPIC)),
    "AWS::SNS::TopicPolicy": (("sns:SetTopicAttributes", _TOPIC),),
    "AWS::SQS::Queue": (("sqs:CreateQueue", _QUEUE), ("sqs:DeleteQueue", _QUEUE)),
    "AWS::SQS::QueuePolicy": (("sqs:SetQueueAttributes", _QUEUE),),
    "AWS::StepFunctions::StateMachine": tuple(
        (f"states:{each}", _MACHINE) for each in ("CreateStateMachine", "UpdateStateMachine", "DeleteStateMachine")
    ),
}
"""What CloudFormation does with the deployer's rights for a resource of each type."""


BY_HAND = {
    "cloudformation describe-stack-resource": "arn:aws:cloudformation:us-west-2:123456789012:stack/tunedrop-dev/1",
    "dynamodb delete-table": _TABLE,
    "events disable-rule": "arn:aws:events:us-west-2:123456789012:rule/tunedrop-dev-InboxUpload-1X",
    "kms schedule-key-deletion": _KEY,
    "lambda delete-function": _FUNCTION,
    "lambda delete-layer-version": "arn:aws:lambda:us-west-2:123456789012:layer:tunedrop-dev-tunedrop:1",
    "lambda list-versions-by-function": _FUNCTION,
    "s3api delete-bucket": _BUCKET,
    "s3api delete-bucket-policy": _BUCKET,
    "stepfunctions list-executions": _MACHINE,
    "stepfunctions stop-execution": "arn:aws:states:us-west-2:123456789012:execution:Pipeline-1X:a-run",
}
"""The commands of docs/deploy.md with which a deployer goes back to a version, or removes a stack."""

BY_SAM_DELETE = (
    ("cloudformation:GetTemplate", "arn:aws:cloudformation:us-west-2:123456789012:stack/tunedrop-dev/1"),
    (
        "cloudformation:DescribeStacks",
        "arn:aws:cloudformation:us-west-2:123456789012:stack/tunedrop-dev-1-CompanionStack/1",
    ),
    ("cloudformation:DeleteStack", "arn:aws:cloudformation:us-west-2:123456789012:stack/tunedrop-dev/1"),
    ("s3:ListBucket", "arn:aws:s3:::aws-sam-cli-managed-default-samclisourcebucket-1"),
    ("s3:DeleteObject", "arn:aws:s3:::aws-sam-cli-managed-default-samclisourcebucket-1/tunedrop-dev/1"),
)
"""What `sam delete` asks of AWS: it deletes the stack's artefacts as well."""


def statements(account: str = ACCOUNT) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = json.loads(json.dumps(POLICY).replace("ACCOUNT", account))["Statement"]
    return told


def test_the_deployer_may_make_change_and_delete_every_type_of_the_template(
    resources: dict[str, dict[str, Any]],
) -> None:
    assert {each["Type"] for each in resources.values()} == NEEDED.keys()
    for kind, calls in NEEDED.items():
        for action, resource in calls:
            assert allows(statements(), action, resource), (kind, action, resource)


def test_the_deployer_may_give_every_command_that_goes_back_or_removes_a_stack() -> None:
    page = (sam_template.ROOT / "docs/deploy.md").read_text()
    going_back = page.split("To go back to the version before")[1].split("### From 0.1 to 0.2")[0]
    commands = set(re.findall(r"\baws ([a-z0-9]+ [a-z-]+)", going_back + page.split("## Remove it")[1]))
    assert commands == BY_HAND.keys()
    for command, resource in BY_HAND.items():
        service, operation = command.replace("stepfunctions", "states").replace("s3api", "s3").split()
        action = f"{service}:{''.join(each.title() for each in operation.split('-'))}"
        assert allows(statements(), action, resource), action
    for action, resource in (*BY_SAM_DELETE, ("cloudformation:ContinueUpdateRollback", BY_SAM_DELETE[0][1])):
        assert allows(statements(), action, resource), action


def test_the_deployer_may_touch_nothing_that_is_not_named_as_a_stack_of_tunedrop() -> None:
    elsewhere = {
        "iam:CreateRole": "arn:aws:iam::123456789012:role/admin",
        "iam:PassRole": "arn:aws:iam::123456789012:role/admin",
        "iam:PutRolePolicy": "arn:aws:iam::123456789012:role/admin",
        "s3:DeleteBucket": "arn:aws:s3:::payroll",
        "s3:GetObject": "arn:aws:s3:::tunedrop-dev-runsbucket-1x/runs/a/report.json",
        "lambda:UpdateFunctionCode": "arn:aws:lambda:us-west-2:123456789012:function:payroll",
        "cloudformation:DeleteStack": "arn:aws:cloudformation:us-west-2:123456789012:stack/payroll/1",
        "dynamodb:DeleteTable": "arn:aws:dynamodb:us-west-2:123456789012:table/payroll",
        "s3:DeleteObject": "arn:aws:s3:::tunedrop-dev-runsbucket-1x/runs/a/report.json",
        "states:StopExecution": "arn:aws:states:us-west-2:123456789012:execution:payroll:1",
    }
    for action, resource in elsewhere.items():
        assert not allows(statements(), action, resource), (action, resource)


def test_the_deployer_can_give_no_role_a_policy_of_another_making() -> None:
    (attaching,) = [each for each in statements() if "iam:AttachRolePolicy" in listed(each["Action"])]
    assert attaching["Condition"] == {"ArnLike": {"iam:PolicyARN": "arn:aws:iam::123456789012:policy/tunedrop-*"}}
    (handing,) = [each for each in statements() if "iam:PassRole" in listed(each["Action"])]
    services = handing["Condition"]["StringEquals"]["iam:PassedToService"]
    assert services == ["lambda.amazonaws.com", "states.amazonaws.com", "events.amazonaws.com"]


def test_the_policy_fits_into_a_role_and_names_every_action_and_document() -> None:
    assert len(json.dumps(POLICY, separators=(",", ":"))) <= INLINE_POLICY_CHARACTERS
    for statement in statements():
        for action in listed(statement["Action"]):
            assert not action.endswith(":*"), action
        if statement["Resource"] == "*":
            assert statement["Sid"] == "WithoutAResource"
    assert "deployer-policy.json" in (sam_template.ROOT / "docs/deploy.md").read_text()
