"""Tools that look a stack up get CloudFormation's answers for what the deployer has deployed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded_aws import EmbeddedAws, deploy
from embedded_aws.deployer.errors import DeploymentError
from embedded_aws.tests.workflow.small_stack import SmallStack

pytestmark = pytest.mark.prove

TEMPLATE = Path(__file__).parent / "stack/template.yaml"


@pytest.fixture
def cloudformation(stack: SmallStack) -> Any:
    return stack.aws.client("cloudformation")


def test_a_stack_tells_its_outputs_parameters_and_state(stack: SmallStack, cloudformation: Any) -> None:
    (told,) = cloudformation.describe_stacks(StackName="small")["Stacks"]
    assert told["StackStatus"] == "CREATE_COMPLETE"
    assert {each["OutputKey"]: each["OutputValue"] for each in told["Outputs"]} == stack.deployment.outputs
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in told["Parameters"]}
    assert parameters["Greeting"] == 'he said "hi"'
    assert told["StackId"].startswith(f"arn:aws:cloudformation:{stack.aws.region}:{stack.aws.account}:stack/small/")
    (by_id,) = cloudformation.describe_stacks(StackName=told["StackId"])["Stacks"]
    assert by_id["StackName"] == "small"
    assert "small" in [each["StackName"] for each in cloudformation.describe_stacks()["Stacks"]]
    cloudformation.get_waiter("stack_create_complete").wait(StackName="small", WaiterConfig={"MaxAttempts": 1})


def test_stacks_are_listed_by_their_state(stack: SmallStack, cloudformation: Any) -> None:
    def listed(**arguments: Any) -> list[str]:
        return [each["StackName"] for each in cloudformation.list_stacks(**arguments)["StackSummaries"]]

    assert "small" in listed()
    assert "small" in listed(StackStatusFilter=["CREATE_COMPLETE"])
    assert "small" not in listed(StackStatusFilter=["ROLLBACK_COMPLETE"])


def test_a_stack_s_resources_are_found_by_either_name(stack: SmallStack, cloudformation: Any) -> None:
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName="small")
    listed = [each for page in pages for each in page["StackResourceSummaries"]]
    physical = {name: each.physical_id for name, each in stack.deployment.resources.items()}
    assert {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in listed} == physical
    assert {each["ResourceStatus"] for each in listed} == {"CREATE_COMPLETE"}
    one = cloudformation.describe_stack_resource(StackName="small", LogicalResourceId="Texts")["StackResourceDetail"]
    assert (one["PhysicalResourceId"], one["ResourceType"]) == (physical["Texts"], "AWS::DynamoDB::Table")
    (found,) = cloudformation.describe_stack_resources(StackName="small", LogicalResourceId="Texts")["StackResources"]
    assert (found["PhysicalResourceId"], found["StackName"]) == (physical["Texts"], "small")
    around = cloudformation.describe_stack_resources(PhysicalResourceId=physical["Texts"])["StackResources"]
    assert len(around) == min(100, len(physical))


def test_a_stack_gives_its_template_as_written_and_as_translated(cloudformation: Any) -> None:
    answer = cloudformation.get_template(StackName="small")
    assert answer["TemplateBody"] == TEMPLATE.read_text()
    processed = cloudformation.get_template(StackName="small", TemplateStage="Processed")["TemplateBody"]
    kinds = {each["Type"] for each in processed["Resources"].values()}
    assert "AWS::Lambda::Function" in kinds
    assert not any(kind.startswith("AWS::Serverless::") for kind in kinds)


def test_a_stack_s_events_begin_and_end_with_the_stack(cloudformation: Any) -> None:
    events = cloudformation.describe_stack_events(StackName="small")["StackEvents"]
    assert (events[0]["LogicalResourceId"], events[0]["ResourceStatus"]) == ("small", "CREATE_COMPLETE")
    assert (events[-1]["LogicalResourceId"], events[-1]["ResourceStatus"]) == ("small", "CREATE_IN_PROGRESS")
    assert len({each["EventId"] for each in events}) == len(events)


def test_what_a_stack_does_not_have_is_told_as_cloudformation_does(cloudformation: Any) -> None:
    with pytest.raises(ClientError, match="Stack with id none does not exist"):
        cloudformation.describe_stacks(StackName="none")
    with pytest.raises(ClientError, match="Resource None does not exist for stack small"):
        cloudformation.describe_stack_resource(StackName="small", LogicalResourceId="None")


def test_a_stack_is_not_changed_behind_the_deployer_s_back(cloudformation: Any) -> None:
    with pytest.raises(ClientError, match="is not changed through CloudFormation"):
        cloudformation.delete_stack(StackName="small")
    with pytest.raises(ClientError, match="is not changed through CloudFormation"):
        cloudformation.update_stack(StackName="small", UsePreviousTemplate=True)
    assert "AWS::DynamoDB::Table" in cloudformation.get_template_summary(StackName="small")["ResourceTypes"]
    with pytest.raises(ClientError, match="is not changed through CloudFormation"):
        cloudformation.create_change_set(
            StackName="small", ChangeSetName="again", ChangeSetType="UPDATE", TemplateBody=TEMPLATE.read_text()
        )


def test_a_deployment_that_fails_says_so_in_its_stack(aws: EmbeddedAws, stack: SmallStack, tmp_path: Path) -> None:
    del stack
    broken = tmp_path / "template.yaml"
    broken.write_text(
        "Resources:\n  Good: {Type: 'AWS::SQS::Queue'}\n"
        "  Bad: {Type: 'AWS::SQS::Queue', DependsOn: Good, Properties: {QueueName: 'no such name!'}}\n"
    )
    with pytest.raises(DeploymentError):
        deploy(aws, broken, stack_name="broken")
    (told,) = aws.client("cloudformation").describe_stacks(StackName="broken")["Stacks"]
    assert told["StackStatus"] == "CREATE_FAILED"
    assert "Bad (AWS::SQS::Queue)" in told["StackStatusReason"]


QUEUES = """
Parameters: {Called: {Type: String}}
Resources:
  Dead: {Type: 'AWS::SQS::Queue'}
  Work: {Type: 'AWS::SQS::Queue', Properties: {QueueName: !Ref Called}}
Outputs: {WorkUrl: {Value: !Ref Work}}
"""


def test_a_stack_that_a_change_set_asks_for_is_deployed_whole(cloudformation: Any, aws: EmbeddedAws) -> None:
    called = [{"ParameterKey": "Called", "ParameterValue": "by-change-set"}]
    cloudformation.create_change_set(
        StackName="queues", ChangeSetName="new", ChangeSetType="CREATE", TemplateBody=QUEUES, Parameters=called
    )
    cloudformation.get_waiter("change_set_create_complete").wait(
        StackName="queues", ChangeSetName="new", WaiterConfig={"MaxAttempts": 1}
    )
    cloudformation.execute_change_set(StackName="queues", ChangeSetName="new")
    (told,) = cloudformation.describe_stacks(StackName="queues")["Stacks"]
    assert (told["StackStatus"], told["Outputs"][0]["OutputKey"]) == ("CREATE_COMPLETE", "WorkUrl")
    url = told["Outputs"][0]["OutputValue"]
    assert aws.client("sqs").get_queue_url(QueueName="by-change-set")["QueueUrl"] == url
    names = [each["StackName"] for each in cloudformation.list_stacks()["StackSummaries"]]
    assert names.count("queues") == 1


def test_a_stack_that_cannot_be_made_here_is_refused_with_the_reason(cloudformation: Any) -> None:
    template = "Resources: {Lake: {Type: 'AWS::LakeFormation::Resource'}}"
    with pytest.raises(ClientError, match="Lake"):
        cloudformation.create_stack(StackName="lake", TemplateBody=template)
    with pytest.raises(ClientError, match="is not changed through CloudFormation"):
        cloudformation.create_stack(StackName="small", TemplateBody=template)
    assert "lake" not in [each["StackName"] for each in cloudformation.list_stacks()["StackSummaries"]]


def test_a_call_without_arguments_is_answered(aws: EmbeddedAws) -> None:
    assert aws.client("dynamodb").list_tables()["TableNames"]
