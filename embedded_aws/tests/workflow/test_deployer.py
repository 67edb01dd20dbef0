"""The deployer creates what a template says, and refuses by name what it cannot honour."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from embedded_aws import Deployment, DeploymentError, EmbeddedAws, deploy
from embedded_aws.deployer.errors import NotHonoured, ParameterInvalid, TemplateInvalid
from embedded_aws.deployer.resources import TYPES
from embedded_aws.tests.workflow.small_stack import SmallStack

pytestmark = pytest.mark.prove

Deploy = Callable[..., Deployment]


@pytest.fixture
def deploy_resources(aws: EmbeddedAws, tmp_path: Path, request: pytest.FixtureRequest) -> Deploy:
    """Deploys resources written as YAML's JSON subset."""

    def make(resources: dict[str, Any], **sections: Any) -> Deployment:
        template = tmp_path / "template.yaml"
        parameters = sections.pop("given", {})
        template.write_text(json.dumps({"Transform": "AWS::Serverless-2016-10-31", "Resources": resources, **sections}))
        name = f"t{zlib.crc32(request.node.name.encode())}"
        return deploy(aws, template, parameters, stack_name=name)

    return make


def test_an_unknown_resource_type_is_refused_by_name(deploy_resources: Deploy) -> None:
    with pytest.raises(NotHonoured) as refused:
        deploy_resources({"Cache": {"Type": "AWS::ElastiCache::CacheCluster", "Properties": {}}})
    assert "Cache: the resource type AWS::ElastiCache::CacheCluster is not honoured" in str(refused.value)


@pytest.mark.parametrize(
    ("type_", "properties", "path"),
    [
        ("AWS::S3::Bucket", {"ReplicationConfiguration": {"Role": "r"}}, "ReplicationConfiguration.Role"),
        (
            "AWS::S3::Bucket",
            {"NotificationConfiguration": {"QueueConfigurations": [{"Event": "s3:*", "Queue": "q"}]}},
            "NotificationConfiguration.QueueConfigurations[].Event",
        ),
        (
            "AWS::S3::Bucket",
            {
                "LifecycleConfiguration": {
                    "Rules": [{"Status": "Enabled", "Transitions": [{"StorageClass": "GLACIER"}]}]
                }
            },
            "LifecycleConfiguration.Rules[].Transitions[].StorageClass",
        ),
        (
            "AWS::DynamoDB::Table",
            {"StreamSpecification": {"StreamViewType": "KEYS_ONLY"}},
            "StreamSpecification.StreamViewType",
        ),
        ("AWS::SQS::Queue", {"Colour": "blue"}, "Colour"),
        ("AWS::Lambda::Function", {"VpcConfig": {"SubnetIds": ["s"]}}, "VpcConfig.SubnetIds[]"),
        ("AWS::Events::Rule", {"EventBusName": "other"}, "EventBusName"),
        ("AWS::SQS::Queue", {"Fn::If": ["Yes", {"Colour": 1}, {}]}, "Colour"),
    ],
)
def test_an_unknown_property_is_refused_by_its_path_before_anything_is_made(
    deploy_resources: Deploy, aws: EmbeddedAws, type_: str, properties: dict[str, Any], path: str
) -> None:
    before = len(aws.client("sns").list_topics()["Topics"])
    with pytest.raises(NotHonoured) as refused:
        deploy_resources(
            {"First": {"Type": "AWS::SNS::Topic"}, "Second": {"Type": type_, "Properties": properties}},
            Conditions={"Yes": {"Fn::Equals": [1, 1]}},
        )
    assert f"Second ({type_}): the property {path} is not honoured" in str(refused.value)
    assert len(aws.client("sns").list_topics()["Topics"]) == before


def test_every_property_that_is_ignored_has_its_reason() -> None:
    for kind in TYPES.values():
        assert not kind.honoured & set(kind.without_effect), kind.name
        for name, reason in kind.without_effect.items():
            assert len(reason) > 15, f"{kind.name}.{name}"


@pytest.mark.parametrize(
    ("resource", "message"),
    [
        ({"Type": "AWS::SNS::Topic", "CreationPolicy": {}}, "CreationPolicy"),
        (
            {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": {"source": [{"regex": "a"}]}}},
            "the operator 'regex' at source is not imitated",
        ),
        ({"Type": "AWS::Events::Rule", "Properties": {"ScheduleExpression": "rate(1 minutes)"}}, "rate(1 minutes)"),
        ({"Type": "AWS::Events::Rule", "Properties": {"ScheduleExpression": "cron(0 12 * * ? *)"}}, "cron(0 12"),
        (
            {
                "Type": "AWS::Events::Rule",
                "Properties": {
                    "ScheduleExpression": "rate(1 minute)",
                    "Targets": [{"Id": "1", "Arn": "arn:aws:ecs:us-west-2:123456789012:cluster/c"}],
                },
            },
            "no target like arn:aws:ecs",
        ),
        ({"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Fn::ImportValue": "x"}}}, "Fn::ImportValue"),
        ({"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "Nobody"}}}, "Nobody"),
        (
            {
                "Type": "AWS::Serverless::Function",
                "Properties": {"Runtime": "nodejs22.x", "Handler": "a.b", "CodeUri": "."},
            },
            "Runtime nodejs22.x cannot run here",
        ),
        (
            {
                "Type": "AWS::Serverless::Function",
                "Properties": {"Runtime": "python3.13", "Handler": "a.b", "CodeUri": "no"},
            },
            "no does not exist",
        ),
        (
            {
                "Type": "AWS::Serverless::LayerVersion",
                "Metadata": {"BuildMethod": "makefile"},
                "Properties": {"ContentUri": "."},
            },
            "must be built first (Metadata.BuildMethod: makefile)",
        ),
        ({"Type": "AWS::Serverless::Function", "Properties": {"Runtme": "x"}}, "Runtme"),
        *[
            (
                {
                    "Type": "AWS::Serverless::Function",
                    "Properties": {
                        "Runtime": "python3.13",
                        "Handler": "a.b",
                        "CodeUri": ".",
                        "Environment": {"Variables": variables},
                    },
                },
                message,
            )
            for variables, message in [
                ({"AWS_REGION": "us-east-1"}, "AWS_REGION, which Lambda keeps for itself"),
                ({"LONG": "x" * 4096}, "Environment may have 4096 bytes, got 4100"),
            ]
        ],
        (
            {
                "Type": "AWS::SNS::Subscription",
                "Properties": {"TopicArn": "t", "Protocol": "sms", "Endpoint": "+15550100"},
            },
            "a subscription by sms is not honoured",
        ),
        (
            {
                "Type": "AWS::SQS::QueuePolicy",
                "Properties": {
                    "Queues": ["q"],
                    "PolicyDocument": {"Statement": [{"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}]},
                },
            },
            "the condition IpAddress",
        ),
    ],
)
def test_what_cannot_work_is_refused_with_the_resources_name(
    deploy_resources: Deploy, resource: dict[str, Any], message: str
) -> None:
    with pytest.raises(DeploymentError) as refused:
        deploy_resources({"Thing": resource})
    assert "Thing" in str(refused.value)
    assert message in str(refused.value)


def test_resources_that_need_each_other_are_named(deploy_resources: Deploy) -> None:
    circle = {
        "One": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "Two"}}},
        "Two": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "One"}}},
    }
    with pytest.raises(TemplateInvalid, match="One → Two → One depend on each other"):
        deploy_resources(circle)


def test_conditions_decide_over_resources_properties_and_outputs(deploy_resources: Deploy, aws: EmbeddedAws) -> None:
    made = deploy_resources(
        {
            "Always": {
                "Type": "AWS::SQS::Queue",
                "Properties": {"DelaySeconds": {"Fn::If": ["Prod", 60, {"Ref": "AWS::NoValue"}]}},
            },
            "OnlyProd": {"Type": "AWS::SQS::Queue", "Condition": "Prod"},
        },
        Parameters={"Stage": {"Type": "String", "Default": "dev"}},
        Conditions={"Prod": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}},
        Outputs={
            "Url": {"Value": {"Ref": "Always"}},
            "ProdUrl": {"Condition": "Prod", "Value": {"Ref": "OnlyProd"}},
        },
    )
    assert set(made.resources) == {"Always"}
    assert set(made.outputs) == {"Url"}
    attributes = aws.client("sqs").get_queue_attributes(QueueUrl=made.outputs["Url"], AttributeNames=["DelaySeconds"])
    assert attributes["Attributes"]["DelaySeconds"] == "0"


def test_a_parameter_outside_its_constraints_stops_the_deployment(deploy_resources: Deploy) -> None:
    with pytest.raises(ParameterInvalid, match="parameter Seconds: expected at most 900"):
        deploy_resources(
            {"Topic": {"Type": "AWS::SNS::Topic"}},
            Parameters={"Seconds": {"Type": "Number", "MaxValue": 900, "Default": 1}},
            given={"Seconds": 901},
        )


def test_storage_is_made_as_described(deploy_resources: Deploy, aws: EmbeddedAws) -> None:
    made = deploy_resources(
        {
            "Bucket": {
                "Type": "AWS::S3::Bucket",
                "Properties": {
                    "VersioningConfiguration": {"Status": "Enabled"},
                    "BucketEncryption": {
                        "ServerSideEncryptionConfiguration": [
                            {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}
                        ]
                    },
                    "PublicAccessBlockConfiguration": {"BlockPublicAcls": True, "RestrictPublicBuckets": "true"},
                    "LifecycleConfiguration": {
                        "Rules": [
                            {
                                "Id": "parts",
                                "Status": "Enabled",
                                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3},
                                "NoncurrentVersionExpiration": {"NoncurrentDays": 5},
                            },
                        ]
                    },
                },
            },
            "Table": {
                "Type": "AWS::DynamoDB::Table",
                "Properties": {
                    "BillingMode": "PAY_PER_REQUEST",
                    "AttributeDefinitions": [
                        {"AttributeName": "id", "AttributeType": "S"},
                        {"AttributeName": "kind", "AttributeType": "S"},
                    ],
                    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                    "GlobalSecondaryIndexes": [
                        {
                            "IndexName": "by-kind",
                            "KeySchema": [{"AttributeName": "kind", "KeyType": "HASH"}],
                            "Projection": {"ProjectionType": "ALL"},
                        }
                    ],
                    "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": True},
                    "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
                    "SSESpecification": {"SSEEnabled": True},
                    "DeletionProtectionEnabled": True,
                },
            },
        }
    )
    s3, name = aws.client("s3"), made.resources["Bucket"].physical_id
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    (rule,) = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    blocked = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    assert (blocked["BlockPublicAcls"], blocked["RestrictPublicBuckets"]) == (True, True)
    rules = {rule["ID"]: rule for rule in s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]}
    assert rules["parts"]["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 3
    assert rules["parts"]["NoncurrentVersionExpiration"]["NoncurrentDays"] == 5

    dynamodb, table = aws.client("dynamodb"), made.resources["Table"].physical_id
    described = dynamodb.describe_table(TableName=table)["Table"]
    assert [index["IndexName"] for index in described["GlobalSecondaryIndexes"]] == ["by-kind"]
    assert described["SSEDescription"]["Status"] == "ENABLED"
    assert described["DeletionProtectionEnabled"] is True
    assert dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]["AttributeName"] == "expires"
    recovery = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    assert recovery["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"


def test_operations_resources_are_made(deploy_resources: Deploy, aws: EmbeddedAws) -> None:
    made = deploy_resources(
        {
            "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 30}},
            "Key": {
                "Type": "AWS::KMS::Key",
                "Properties": {
                    "EnableKeyRotation": True,
                    "KeyPolicy": {
                        "Version": "2012-10-17",
                        "Statement": [
                            {
                                "Effect": "Allow",
                                "Principal": {"AWS": f"arn:aws:iam::{aws.account}:root"},
                                "Action": "kms:*",
                                "Resource": "*",
                            }
                        ],
                    },
                },
            },
            "Alarm": {
                "Type": "AWS::CloudWatch::Alarm",
                "Properties": {
                    "Namespace": "Own",
                    "MetricName": "Failures",
                    "Statistic": "Sum",
                    "Period": 60,
                    "EvaluationPeriods": 1,
                    "Threshold": 0,
                    "ComparisonOperator": "GreaterThanThreshold",
                },
            },
            "Board": {"Type": "AWS::CloudWatch::Dashboard", "Properties": {"DashboardBody": '{"widgets": []}'}},
        }
    )
    ids = {name: resource.physical_id for name, resource in made.resources.items()}
    (group,) = aws.client("logs").describe_log_groups(logGroupNamePrefix=ids["Group"])["logGroups"]
    assert group["retentionInDays"] == 30
    assert aws.client("kms").get_key_rotation_status(KeyId=ids["Key"])["KeyRotationEnabled"] is True
    (alarm,) = aws.client("cloudwatch").describe_alarms(AlarmNames=[ids["Alarm"]])["MetricAlarms"]
    assert alarm["MetricName"] == "Failures"
    assert aws.client("cloudwatch").get_dashboard(DashboardName=ids["Board"])["DashboardBody"] == '{"widgets": []}'


def test_roles_have_their_policies(stack: SmallStack, aws: EmbeddedAws) -> None:
    iam = aws.client("iam")
    name = stack.deployment.resources["CountWordsRole"].physical_id
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    assert [policy["PolicyName"] for policy in attached] == ["AWSLambdaBasicExecutionRole"]
    (inline,) = iam.list_role_policies(RoleName=name)["PolicyNames"]
    document = iam.get_role_policy(RoleName=name, PolicyName=inline)["PolicyDocument"]
    assert document["Statement"][0]["Resource"][0].endswith(stack.InboxName)


def test_a_definition_without_its_substitution_is_refused(deploy_resources: Deploy, tmp_path: Path) -> None:
    (tmp_path / "machine.asl.yaml").write_text(
        "StartAt: A\nStates: {A: {Type: Pass, Comment: '${Missing}', End: true}}\n"
    )
    with pytest.raises(TemplateInvalid, match=r"Machine: the definition has \$\{Missing\}"):
        deploy_resources(
            {"Machine": {"Type": "AWS::Serverless::StateMachine", "Properties": {"DefinitionUri": "machine.asl.yaml"}}}
        )


@pytest.mark.parametrize(
    ("state", "what"),
    [
        ("{Type: Pass, Output: '{% $uuid() %}', End: true}", r"\$uuid\( in A"),
        ("{Type: Map, ItemBatcher: {MaxItemsPerBatch: 2}, End: true}", "ItemBatcher of A"),
        ("{Type: Map, ItemReader: {ReaderConfig: {InputType: JSONL}}, End: true}", "JSONL in A"),
        (
            "{Type: Task, Resource: 'arn:aws:states:::states:startExecution.sync:2', End: true}",
            "startExecution.sync:2 in A",
        ),
    ],
)
def test_what_the_interpreter_would_do_wrongly_is_refused(
    deploy_resources: Deploy, tmp_path: Path, state: str, what: str
) -> None:
    definition = f"QueryLanguage: JSONata\nStartAt: A\nStates: {{A: {state}}}\n"
    (tmp_path / "machine.asl.yaml").write_text(definition)
    with pytest.raises(NotHonoured, match=f"Machine: .*{what}"):
        deploy_resources(
            {"Machine": {"Type": "AWS::Serverless::StateMachine", "Properties": {"DefinitionUri": "machine.asl.yaml"}}}
        )


def test_a_definition_that_does_not_parse_is_refused(deploy_resources: Deploy, tmp_path: Path) -> None:
    (tmp_path / "machine.asl.yaml").write_text("StartAt: A\nStates: {A: {Type: Nonsense, End: true}}\n")
    with pytest.raises(TemplateInvalid, match="Machine .* could not be created"):
        deploy_resources(
            {"Machine": {"Type": "AWS::Serverless::StateMachine", "Properties": {"DefinitionUri": "machine.asl.yaml"}}}
        )
