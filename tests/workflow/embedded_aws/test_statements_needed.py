"""Least privilege, shown: without any one statement of the template, something that its runs do is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from checks import permissions_page, sam_template
from embedded_aws import Deployment, EmbeddedAws, deploy
from embedded_aws.permissions.policy import Request
from local.bedrock.native.network import network_needs
from local.stack import LAYERS, TEMPLATE
from tests import asked_permissions
from tests.asked_permissions import Asked, Names, Recorder

HERE = "tests/workflow/embedded_aws/test_statements_needed.py"
ACCOUNT = "123456789012"
EVERYTHING: dict[str, Any] = {
    "AllowedGraders": "arn:aws:lambda:*:*:function:own-*:*",
    "SourceObjects": "arn:aws:s3:::shared-data/red/*",
    "TokensPerMinute": 1_000_000,
    "NovaVpc": "subnet-0123456789abcdef0;sg-0123456789abcdef0",
    "Retention": '{"datasets_days": 365}',
    "BedrockApiKeySecret": f"arn:aws:secretsmanager:us-west-2:{ACCOUNT}:secret:{{name}}",
}
"""Parameters with which the template has every statement that it can have."""

MANTLE = "arn:aws:bedrock-mantle:us-west-2:123456789012:project/default"
NOVA = "arn:aws:bedrock:us-west-2:123456789012"
SELDOM = (
    ("GraderJudgeRole", "bedrock-mantle:CallWithBearerToken", "*"),
    ("GraderJudgeRole", "bedrock-mantle:CreateInference", MANTLE),
    ("ConcludeRunRole", "bedrock-mantle:CallWithBearerToken", "*"),
    ("ConcludeRunRole", "bedrock-mantle:DeleteFile", MANTLE),
    ("ConcludeRunRole", "secretsmanager:GetSecretValue", EVERYTHING["BedrockApiKeySecret"]),
    ("ReleaseRunRole", "bedrock-mantle:DeleteFile", MANTLE),
    ("SweepRunsRole", "bedrock-mantle:DeleteFile", MANTLE),
    ("ReleaseRunRole", "bedrock:DeleteCustomModelDeployment", f"{NOVA}:custom-model-deployment/one"),
    ("SweepRunsRole", "bedrock:DeleteCustomModelDeployment", f"{NOVA}:custom-model-deployment/one"),
    ("SweepRunsRole", "bedrock:StopModelCustomizationJob", f"{NOVA}:model-customization-job/one"),
    (
        "ResolveInputsRole",
        "bedrock:GetFoundationModel",
        "arn:aws:bedrock:us-west-2::foundation-model/openai.gpt-oss-20b",
    ),
    ("EvaluateShardRole", "dynamodb:PutItem", "arn:aws:dynamodb:us-west-2:123456789012:table/{ApiTable}"),
    *(
        ("SweepRunsRole", action, resource)
        for action, resource in (
            ("dynamodb:Scan", "arn:aws:dynamodb:us-west-2:123456789012:table/{RunsTableName}"),
            ("dynamodb:Query", "arn:aws:dynamodb:us-west-2:123456789012:table/{TrainingEventsTableName}"),
            ("s3:ListBucket", "arn:aws:s3:::{RunsBucketName}"),
            ("s3:DeleteObject", "arn:aws:s3:::{RunsBucketName}/runs/one/report.json"),
            ("s3:PutObject", "arn:aws:s3:::{RunsBucketName}/audit/one.json"),
            ("s3:ListBucketVersions", "arn:aws:s3:::{DatasetBucketName}"),
            ("s3:DeleteObjectVersion", "arn:aws:s3:::{DatasetBucketName}/inbox/one/train.jsonl"),
            ("bedrock:DeleteCustomModel", f"{NOVA}:custom-model/one"),
            ("ssm:GetParametersByPath", "arn:aws:ssm:us-west-2:123456789012:parameter{ParameterPath}"),
            ("sns:Publish", "{NoticesTopicArn}"),
        )
    ),
    ("ApiRole", "s3:GetObject", "arn:aws:s3:::{DatasetBucketName}/recipes/one.yaml"),
    ("ApiRole", "s3:ListBucket", "arn:aws:s3:::{DatasetBucketName}"),
    ("RunValidationRole", "s3:ListBucket", "arn:aws:s3:::{DatasetBucketName}"),
    ("ValidateDatasetRole", "s3:ListBucket", "arn:aws:s3:::{DatasetBucketName}"),
    *(
        (role, "lambda:InvokeFunction", "arn:aws:lambda:us-west-2:123456789012:function:own-maths:1")
        for role in ("RehearseGraderRole", "SubmitJobRole", "EvaluateShardRole", "TrainingRole")
    ),
)
"""What is done only after a fault at a certain moment, or with options that the recorded runs do not have."""


_NAMED = re.compile(r"\{(\w+)\}")


@dataclass
class Deployed:
    """The template, deployed, and what was asked for: by the deployment, by AWS's services, for missing objects."""

    aws: EmbeddedAws
    names: Names
    asked: Mapping[Asked, Request]


def ask_as_services(aws: EmbeddedAws, made: Deployment) -> Iterator[bool]:
    """Ask for what services of AWS do of themselves when something happens that no run here brings about."""
    may = aws.permissions.service_may
    for name, resource in made.resources.items():
        if name.endswith("DeadLetters"):  # an event cannot be delivered
            rule = made.resources[name.removesuffix("DeadLetters")].attributes["Arn"]
            queue = resource.attributes["Arn"]
            yield may("events.amazonaws.com", "sqs:SendMessage", queue, source_arn=rule)
        if name.startswith("Grader") and f"{name}Invocation" in made.resources:  # Bedrock grades a candidate as itself
            job = f"arn:aws:bedrock:{aws.region}:{ACCOUNT}:model-customization-job/one"
            function = f"{resource.attributes['Arn']}:1"
            yield may("bedrock.amazonaws.com", "lambda:InvokeFunction", function, source_arn=job)
            # Lambda writes down what the function says, with the rights of its role.
            role = made.resources[f"{name}Role"].attributes["Arn"]
            stream = f"log-group:{made.resources['GradersLogGroup'].physical_id}:log-stream:one"
            yield aws.permissions.role_may(role, "logs:PutLogEvents", f"arn:aws:logs:{aws.region}:{ACCOUNT}:{stream}")
    alarm = f"arn:aws:cloudwatch:{aws.region}:{ACCOUNT}:alarm:{made.resources['RunsFailedAlarm'].physical_id}"
    operations = made.outputs["OperationsTopicArn"]
    yield may("cloudwatch.amazonaws.com", "sns:Publish", operations, source_arn=alarm)
    yield may("sns.amazonaws.com", "sqs:SendMessage", own_queue(aws, made), source_arn=made.outputs["NoticesTopicArn"])


def ask_as_roles(aws: EmbeddedAws, made: Deployment) -> Iterator[bool]:
    """Ask for what roles do seldom."""
    names = {**{name: each.physical_id for name, each in made.resources.items()}, **made.outputs}
    for role, action, resource in SELDOM:
        where = _NAMED.sub(lambda named: str(names.get(named[1], named[0])), resource)
        told = {"s3:if-none-match": "*"} if "/audit/" in where else {}
        yield aws.permissions.role_may(made.resources[role].attributes["Arn"], action, where, told)
    vpc = {"subnetIds": ["subnet-0123456789abcdef0"], "securityGroupIds": ["sg-0123456789abcdef0"]}
    for action, resource, told in network_needs({"arn": f"{NOVA}:model-customization-job/one", "vpc": vpc}):
        yield aws.permissions.role_may(made.resources["TrainingRole"].attributes["Arn"], action, resource, told)


def own_queue(aws: EmbeddedAws, made: Deployment) -> str:
    """A subscriber's queue, encrypted with the stack's key; its ARN."""
    statement = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{**statement, "Resource": "*"}]})
    attributes = {"KmsMasterKeyId": made.resources["DataKey"].physical_id, "Policy": policy}
    aws.client("sqs").create_queue(QueueName="subscriber", Attributes=attributes)
    return f"arn:aws:sqs:{aws.region}:{ACCOUNT}:subscriber"


def looks(aws: EmbeddedAws, made: Deployment, resources: Mapping[str, Any]) -> Iterator[str]:
    """What S3 says of a run's file that is not there, to each role that may read runs' files."""
    for role, resource in resources.items():
        if {"Ref": "RunsListing"} in resource.get("Properties", {}).get("ManagedPolicyArns", ()):
            client = aws.client_as("s3", made.resources[role].attributes["Arn"])
            try:
                client.head_object(Bucket=made.outputs["RunsBucketName"], Key="runs/none/rehearsal.json")
            except ClientError as missing:
                yield f"{role}: {missing.response['Error']['Code']}"


@pytest.fixture(scope="module")
def deployed(aws: EmbeddedAws, resources: dict[str, Any]) -> Deployed:
    recorder = Recorder(aws.permissions)
    made = deploy(aws, TEMPLATE, EVERYTHING, stack_name="tunedrop", built=LAYERS)
    assert all(ask_as_services(aws, made))
    assert all(ask_as_roles(aws, made))
    looked = list(looks(aws, made, resources))
    assert "ConcludeRunRole: 404" in looked
    assert [each for each in looked if not each.endswith(": 404")] == []
    recorder.stop()
    assert [str(each) for each in aws.permissions.refused] == []
    physical = {name: each.physical_id for name, each in made.resources.items()}
    names = Names(physical, aws.region, aws.account)
    return Deployed(aws, names, recorder.asked(names))


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    translated: dict[str, Any] = sam_template.translate(sam_template.read())["Resources"]
    return translated


@pytest.mark.prove
def test_without_any_one_statement_something_is_refused(
    deployed: Deployed, resources: dict[str, Any], pytestconfig: pytest.Config
) -> None:
    permissions = deployed.aws.permissions
    own = asked_permissions.needed_by(deployed.asked, deployed.names, permissions)
    if pytestconfig.getoption("--keep-permissions"):
        asked_permissions.keep(own, HERE)
    lines = [line for line in asked_permissions.kept() if line["by"] != HERE]
    read = {asked: deployed.names.request(asked, permissions) for asked in map(Asked.read, lines)}
    elsewhere = asked_permissions.needed_by(read, deployed.names, permissions)
    needed = own.keys() | elsewhere.keys()
    stated = permissions_page.statements(resources).keys()
    excused = permissions_page.NOT_NEEDED.keys()
    assert sorted(stated - needed - excused) == [], "statements that nothing needs"
    assert sorted(excused & needed) == [], "something needs them after all"
    assert sorted(excused - stated) == [], "statements that are gone"


@pytest.mark.prove
def test_what_the_runs_asked_for_is_allowed_and_needs_the_statement_beside_it(deployed: Deployed) -> None:
    permissions, names = deployed.aws.permissions, deployed.names
    for line in asked_permissions.kept():
        request = names.request(Asked.read(line), permissions)
        assert permissions.decide(request).allowed, line
        about = {names.statement(each.source): each.source for each in permissions.statements(request)}
        assert line["statement"] in about, line
        assert not permissions.decide(request, without=about[line["statement"]]).allowed, line


def test_the_page_tells_what_is_kept(resources: dict[str, Any]) -> None:
    written = permissions_page.page(resources)
    assert permissions_page.PAGE.read_text() == written, "run `make pages`"
