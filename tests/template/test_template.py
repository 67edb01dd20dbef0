"""The template as CloudFormation gets it: complete, without fixed names, safe to upgrade with runs in flight."""

from __future__ import annotations

import ast
import copy
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from checks import sam_template
from tunedrop import resources as resources_module
from tunedrop.graders.kinds import Trust
from tunedrop.run.store import LISTED, TEAM_INDEX, UNFINISHED_INDEX
from tunedrop.settings import Settings

Resources = dict[str, dict[str, Any]]

API_FUNCTIONS = {"Api": "api", "RunValidation": "run_validation", "InboxWatch": "inbox_watch"}
STATE_FUNCTIONS = {
    "".join(word.capitalize() for word in path.stem.split("_")): path.stem
    for path in (sam_template.ROOT / "layers/tunedrop/python/tunedrop/states").glob("*_*.py")
    if path.stem not in API_FUNCTIONS.values() and not path.stem.startswith("_")
}
"""The functions of the states, by the modules that have what they do: `SubmitJob` is `states/submit_job.py`."""
GRADERS = {f"Grader{trust.capitalize()}": str(trust) for trust in Trust}


def of_type(resources: Resources, kind: str) -> Resources:
    return {name: each["Properties"] for name, each in resources.items() if each["Type"] == kind}


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object within `value`."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from nodes(inner)


# ------------------------------------------------------------------------------------------------------- functions


def test_each_function_has_its_folder_and_each_folder_its_function(template: dict[str, Any]) -> None:
    folders = {
        name: each["Properties"]["CodeUri"]
        for name, each in template["Resources"].items()
        if each["Type"] == "AWS::Serverless::Function"
    }
    expected = {name: f"functions/{folder}" for name, folder in (STATE_FUNCTIONS | API_FUNCTIONS).items()}
    expected |= dict.fromkeys(GRADERS, "functions/grader")
    assert folders == expected
    there = {f"functions/{path.parent.name}" for path in sam_template.ROOT.glob("functions/*/app.py")}
    assert there == set(folders.values())


def test_each_folder_defines_the_handler(resources: Resources, template: dict[str, Any]) -> None:
    for name, properties in of_type(resources, "AWS::Lambda::Function").items():
        module, _, handler = properties["Handler"].partition(".")
        source = sam_template.ROOT / template["Resources"][name]["Properties"]["CodeUri"] / f"{module}.py"
        defined = {each.name for each in ast.parse(source.read_text()).body if isinstance(each, ast.FunctionDef)}
        assert handler in defined, source


def test_every_function_runs_what_the_layers_are_built_for(resources: Resources) -> None:
    layers = of_type(resources, "AWS::Lambda::LayerVersion")
    assert len(layers) == 2
    for properties in of_type(resources, "AWS::Lambda::Function").values():
        assert (properties["Runtime"], properties["Architectures"]) == ("python3.13", ["arm64"])
        assert [each["Ref"] for each in properties["Layers"]] == sorted(layers)
    for properties in layers.values():
        assert (properties["CompatibleRuntimes"], properties["CompatibleArchitectures"]) == (["python3.13"], ["arm64"])


def test_every_function_has_what_the_package_reads_from_its_environment(resources: Resources) -> None:
    for name, properties in of_type(resources, "AWS::Lambda::Function").items():
        variables = properties["Environment"]["Variables"]
        plain = {each: value if isinstance(value, str) else "1" for each, value in variables.items()}
        settings = Settings.from_environment({"AWS_REGION": "us-west-2", **plain, "GRADERS": "{}"})
        assert settings.runs_table, name
        assert variables["POWERTOOLS_SERVICE_NAME"] == {"Ref": "AWS::StackName"}


def test_each_trust_has_its_grader_function(resources: Resources) -> None:
    functions = of_type(resources, "AWS::Lambda::Function")
    for name, trust in GRADERS.items():
        assert functions[name]["Environment"]["Variables"]["GRADER_TRUST"] == trust
    for knowing in ("ResolveInputs", "Api"):
        text, versions = functions[knowing]["Environment"]["Variables"]["GRADERS"]["Fn::Sub"]
        given = json.loads(text)
        assert given.keys() == set(Trust)
        for name, trust in GRADERS.items():
            assert re.fullmatch(rf"{name}Version[0-9a-f]+", versions[given[trust].strip("${}")]["Ref"])


def test_no_function_may_run_longer_than_lambda_lets_it(resources: Resources) -> None:
    for name, properties in of_type(resources, "AWS::Lambda::Function").items():
        assert 30 <= properties["Timeout"] <= 900, name
        assert 512 <= properties["MemorySize"] <= 1769, name


def test_a_grader_s_answer_is_waited_for_as_long_as_a_grader_may_take(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    slowest = max(of_type(resources, "AWS::Lambda::Function")[name]["Timeout"] for name in GRADERS)
    configured: Any = resources_module.Resources().functions.meta.config
    assert configured.read_timeout > slowest


# ------------------------------------------------------------------------------------------- versions and upgrades


def versions(template: dict[str, Any]) -> set[str]:
    translated = sam_template.translate(template)
    return set(of_type(translated["Resources"], "AWS::Lambda::Version"))


def test_a_changed_layer_publishes_new_versions_of_the_graders(template: dict[str, Any]) -> None:
    changed = copy.deepcopy(template)
    changed["Resources"]["TunedropLayer"]["Properties"]["ContentUri"] += "/other"
    before, after = versions(template), versions(changed)
    assert len(before) == len(after) == len(GRADERS)
    assert not before & after


def test_an_unchanged_template_publishes_none(template: dict[str, Any]) -> None:
    assert versions(template) == versions(copy.deepcopy(template))


def test_versions_that_jobs_train_with_outlive_an_upgrade(resources: Resources) -> None:
    for name, each in resources.items():
        if each["Type"] == "AWS::Lambda::Version":
            assert each["DeletionPolicy"] == "Retain", name


def test_only_this_account_s_bedrock_may_call_a_grader_s_version(resources: Resources) -> None:
    granted = set()
    for name, each in resources.items():
        properties = each.get("Properties", {})
        if each["Type"] == "AWS::Lambda::Permission" and properties["Principal"] == "bedrock.amazonaws.com":
            assert properties["SourceAccount"] == {"Ref": "AWS::AccountId"}
            assert properties["Action"] == "lambda:InvokeFunction"
            assert each["UpdateReplacePolicy"] == "Retain", name
            granted.add(re.sub("Version[0-9a-f]+$", "", properties["FunctionName"]["Ref"]))
    assert granted == GRADERS.keys()


# -------------------------------------------------------------------------------------------- parameters, outputs


def test_each_parameter_is_described_and_bounded(template: dict[str, Any]) -> None:
    assert set(template["Parameters"]) == {
        "Stage",
        "Encryption",
        "BedrockAuth",
        "BedrockProject",
        "SettleSeconds",
        "FirstPollSeconds",
        "LaterPollSeconds",
        "ListLagSeconds",
        "JobsAtOnce",
        "AllowedGraders",
        "BedrockApiKeySecret",
        "MantleBaseUrl",
        "SweepMinutes",
        "Teams",
        "TeamRunQuota",
        "Limits",
        "ApiAccounts",
        "ApiRoles",
        "SourceObjects",
        "NoticesEmail",
        "OperationsEmail",
    }
    for name, parameter in template["Parameters"].items():
        assert len(parameter["Description"]) > 20, name
        if parameter["Type"] == "Number":
            assert parameter["MinValue"] <= parameter["Default"] <= parameter["MaxValue"], name
        else:
            allowed = parameter.get("AllowedValues")
            assert allowed is None or parameter["Default"] in allowed
            assert allowed is not None or re.search(parameter["AllowedPattern"], parameter["Default"]) is not None


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/v1", "https://bedrock-mantle.us-west-2.api.aws/v1"])
def test_a_base_url_is_taken(template: dict[str, Any], url: str) -> None:
    assert re.search(template["Parameters"]["MantleBaseUrl"]["AllowedPattern"], url)


@pytest.mark.parametrize("url", ["127.0.0.1:8080/v1", "https://bedrock-mantle.us-west-2.api.aws", "ftp://host/v1"])
def test_what_is_no_base_url_is_refused(template: dict[str, Any], url: str) -> None:
    assert not re.search(template["Parameters"]["MantleBaseUrl"]["AllowedPattern"], url)


def test_the_stack_tells_all_its_users_need(translated: dict[str, Any]) -> None:
    outputs = translated["Outputs"]
    assert set(outputs) == {
        "DatasetBucketName",
        "RunsBucketName",
        "RunsTableName",
        "TrainingEventsTableName",
        "NoticesTopicArn",
        "PipelineArn",
        "AftermathArn",
        "ApiUrl",
        "ApiId",
        "OperationsTopicArn",
        "ParameterPath",
        "DashboardUrl",
        "PipelineUrl",
        *(f"{name}Arn" for name in GRADERS),
    }
    for name in GRADERS:
        assert re.fullmatch(rf"{name}Version[0-9a-f]+", outputs[f"{name}Arn"]["Value"]["Ref"])


def test_each_stage_can_be_deployed(template: dict[str, Any]) -> None:
    configuration = tomllib.loads((sam_template.ROOT / "samconfig.toml").read_text())
    stages = template["Parameters"]["Stage"]["AllowedValues"]
    assert stages == ["dev", "staging", "prod"]
    for stage in stages:
        deploy = configuration[stage]["deploy"]["parameters"]
        assert f"Stage={stage}" in deploy["parameter_overrides"]
        assert deploy["capabilities"] == "CAPABILITY_IAM"
        assert configuration[stage]["global"]["parameters"]["stack_name"] == f"tunedrop-{stage}"


# ------------------------------------------------------------------------------------------------------- resources


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
    holding = {"AWS::S3::Bucket", "AWS::DynamoDB::Table"}
    kept = {name: each for name, each in resources.items() if each["Type"] in holding}
    forgetful = kept.pop("ApiTable")["Properties"]
    assert forgetful["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert set(kept) == {"DatasetBucket", "RunsBucket", "RunsTable", "TrainingEventsTable"}
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


# -------------------------------------------------------------------------------------------------------- triggers


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
