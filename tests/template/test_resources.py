"""The template's resources: without fixed names, private, and kept where they hold data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from checks import sam_template
from tests.template.resource_kinds import GRADERS, Resources, of_type
from tunedrop.run.store import LISTED, TEAM_INDEX, UNFINISHED_INDEX


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object within `value`."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from nodes(inner)


def test_no_resource_has_a_name_that_a_second_stack_could_not_have(resources: Resources) -> None:
    names = {
        "BucketName",
        "TableName",
        "TopicName",
        "QueueName",
        "FunctionName",
        "RoleName",
        "StateMachineName",
        "ManagedPolicyName",
        "LogGroupName",
        "LayerName",
    }
    fixed = {
        (logical_id, field): each["Properties"][field]
        for logical_id, each in resources.items()
        for field in names & each.get("Properties", {}).keys()
        if isinstance(each["Properties"][field], str) or "${AWS::StackName}" in str(each["Properties"][field])
    }
    for (logical_id, _), value in fixed.items():
        assert value["Fn::Sub"].count("${AWS::StackName}") == 1, logical_id


def test_no_partition_region_or_account_is_written_out() -> None:
    text = (sam_template.ROOT / "template.yaml").read_text()
    assert not re.findall(r"arn:aws[:-]|us-(?:east|west)-\d|\b\d{12}\b", text)
    for path in Path(sam_template.ROOT / "statemachine").glob("*.yaml"):
        assert not re.findall(r"arn:aws[:-]", path.read_text())


def test_what_holds_data_is_kept_when_the_stack_goes(resources: Resources) -> None:
    holding = {"AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::DynamoDB::Table"}
    kept = {name: each for name, each in resources.items() if each["Type"] in holding}
    forgetful = kept.pop("ApiTable")["Properties"]
    assert forgetful["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    buckets = {"DatasetBucket", "DatasetBucketPolicy", "RunsBucket", "RunsBucketPolicy"}
    assert set(kept) == buckets | {"RunsTable", "TrainingEventsTable"}
    for each in kept.values():
        assert (each["DeletionPolicy"], each["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def test_the_buckets_are_versioned_encrypted_and_private(resources: Resources) -> None:
    for properties in of_type(resources, "AWS::S3::Bucket").values():
        assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
        assert properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
        assert len(properties["PublicAccessBlockConfiguration"]) == 4
        assert {rule["Id"] for rule in properties["LifecycleConfiguration"]["Rules"]} >= {"AbandonedUploads"}


def test_only_the_dataset_bucket_tells_of_its_objects(resources: Resources) -> None:
    telling = {
        name
        for name, properties in of_type(resources, "AWS::S3::Bucket").items()
        if properties.get("NotificationConfiguration", {}).get("EventBridgeConfiguration", {}).get("EventBridgeEnabled")
    }
    assert telling == {"DatasetBucket"}


def test_a_pinned_version_outlives_the_longest_run(resources: Resources) -> None:
    rules = resources["DatasetBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    days = [rule["NoncurrentVersionExpiration"]["NoncurrentDays"] for rule in rules if "NoncurrentVersion" in str(rule)]
    machine = sam_template.machines(sam_template.read())["Pipeline"]["DefinitionUri"]
    timeout = int(re.findall(r"^TimeoutSeconds: (\d+)", (sam_template.ROOT / machine).read_text(), re.MULTILINE)[0])
    assert days
    assert min(days) * 86_400 > 2 * timeout


def test_the_tables_have_the_keys_that_the_package_asks_by(resources: Resources) -> None:
    tables = of_type(resources, "AWS::DynamoDB::Table")
    keys = {
        name: [(key["AttributeName"], key["KeyType"]) for key in each["KeySchema"]] for name, each in tables.items()
    }
    assert keys == {
        "RunsTable": [("run_id", "HASH")],
        "TrainingEventsTable": [("run_id", "HASH"), ("event_id", "RANGE")],
        "ApiTable": [("id", "HASH")],
    }
    indexes = {each["IndexName"]: each for each in tables["RunsTable"]["GlobalSecondaryIndexes"]}
    assert {name: [key["AttributeName"] for key in each["KeySchema"]] for name, each in indexes.items()} == {
        UNFINISHED_INDEX: ["unfinished", "updated_at"],
        TEAM_INDEX: ["team", "started_at"],
    }
    assert indexes[UNFINISHED_INDEX]["Projection"] == {"ProjectionType": "ALL"}
    keys_of_the_list = {"run_id", "team", "started_at"}
    listed = keys_of_the_list | set(indexes[TEAM_INDEX]["Projection"]["NonKeyAttributes"])
    assert listed == {*LISTED, "team"}
    for properties in tables.values():
        assert properties["BillingMode"] == "PAY_PER_REQUEST"
        assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_every_log_group_forgets_after_a_while(resources: Resources) -> None:
    groups = of_type(resources, "AWS::Logs::LogGroup")
    for name, properties in groups.items():
        assert properties["RetentionInDays"] in {30, 90}, name
    for name, properties in of_type(resources, "AWS::Lambda::Function").items():
        group = properties["LoggingConfig"]["LogGroup"]["Ref"]
        assert group == ("GradersLogGroup" if name in GRADERS else "FunctionsLogGroup")
        assert group in groups


def test_the_state_machines_are_traced_and_log_no_data_outside_dev(resources: Resources) -> None:
    machines = of_type(resources, "AWS::StepFunctions::StateMachine")
    assert set(machines) == {"Pipeline", "Aftermath"}
    for properties in machines.values():
        assert properties["StateMachineType"] == "STANDARD"
        assert properties["TracingConfiguration"] == {"Enabled": True}
        assert properties["LoggingConfiguration"]["Level"] == "ALL"
        assert properties["LoggingConfiguration"]["IncludeExecutionData"] == {"Fn::If": ["IsDev", True, False]}


def test_every_rule_tries_again_and_keeps_what_it_could_not_deliver(resources: Resources) -> None:
    rules = of_type(resources, "AWS::Events::Rule")
    assert set(rules) == {"InboxUpload", "AnyInboxUpload", "PipelineEndedBadly", "SweepSchedule"}
    queues = of_type(resources, "AWS::SQS::Queue")
    used = set()
    for name, properties in rules.items():
        (target,) = properties["Targets"]
        assert target["RetryPolicy"].keys() == {"MaximumRetryAttempts", "MaximumEventAgeInSeconds"}
        queue, attribute = target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"]
        assert attribute == "Arn"
        assert queue == f"{name}DeadLetters"
        used.add(queue)
    assert used == set(queues), "each rule has a queue of its own, and each queue its rule"


def test_eventbridge_may_write_to_each_dead_letter_queue_for_its_rule_alone(resources: Resources) -> None:
    policies = of_type(resources, "AWS::SQS::QueuePolicy")
    for rule in of_type(resources, "AWS::Events::Rule"):
        queue = f"{rule}DeadLetters"
        (policy,) = [each for each in policies.values() if {"Ref": queue} in each["Queues"]]
        allowed = [each for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == "Allow"]
        assert allowed == [
            {
                "Sid": "TheRule",
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": {"Fn::GetAtt": [queue, "Arn"]},
                "Condition": {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": [rule, "Arn"]}}},
            }
        ]


def test_nothing_is_reached_without_tls(resources: Resources) -> None:
    kinds = {
        "AWS::S3::BucketPolicy": "AWS::S3::Bucket",
        "AWS::SQS::QueuePolicy": "AWS::SQS::Queue",
        "AWS::SNS::TopicPolicy": "AWS::SNS::Topic",
    }
    for policy_type, kind in kinds.items():
        guarded = set()
        for properties in of_type(resources, policy_type).values():
            (denial,) = [each for each in properties["PolicyDocument"]["Statement"] if each["Sid"] == "OnlyTls"]
            assert denial["Effect"] == "Deny"
            assert denial["Principal"] == "*"
            assert denial["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
            guarded |= {node["Ref"] for node in nodes(properties) if "Ref" in node}
        assert set(of_type(resources, kind)) <= guarded


def test_nobody_deletes_or_replaces_an_entry_of_the_audit_trail(resources: Resources) -> None:
    statements = resources["RunsBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    by_sid = {each["Sid"]: each for each in statements}
    for sid, action in (("TheTrailStays", ["s3:DeleteObject*"]), ("TheTrailIsOnlyAddedTo", "s3:PutObject")):
        denial = by_sid[sid]
        assert (denial["Effect"], denial["Principal"], denial["Action"]) == ("Deny", "*", action)
        assert denial["Resource"] == {"Fn::Sub": "${RunsBucket.Arn}/audit/*"}
    assert by_sid["TheTrailIsOnlyAddedTo"]["Condition"] == {"Null": {"s3:if-none-match": "true"}}
    assert "Condition" not in by_sid["TheTrailStays"]


def test_a_rule_may_invoke_the_function_that_is_its_target(resources: Resources) -> None:
    granted = {
        each["SourceArn"]["Fn::GetAtt"][0]: each["FunctionName"]["Ref"]
        for each in of_type(resources, "AWS::Lambda::Permission").values()
        if each["Principal"] == "events.amazonaws.com"
    }
    assert granted == {"SweepSchedule": "SweepRuns", "AnyInboxUpload": "InboxWatch"}
    rule = resources["SweepSchedule"]["Properties"]
    assert rule["ScheduleExpression"] == {"Fn::Sub": "rate(${SweepMinutes} minutes)"}
