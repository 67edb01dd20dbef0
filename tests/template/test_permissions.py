"""What each role may do: what its code calls, on the very resources that it calls, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import pytest
from pydantic import ValidationError

from checks.permissions import effect
from local.command.rehearse import PREFIX
from tests.template.expected_permissions import ANY_RESOURCE, BEARER, EXPECTED, LOGGING, TELEMETRY
from tunedrop import identity, recipe
from tunedrop.run import folder

Resources = dict[str, dict[str, Any]]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(resources: Resources, role: str) -> Iterator[dict[str, Any]]:
    """Every statement that applies to the role: its own, its managed policies', and those of policies that name it."""
    properties = resources[role]["Properties"]
    documents = [each["PolicyDocument"] for each in properties.get("Policies", ())]
    for managed in properties.get("ManagedPolicyArns", ()):
        assert managed.keys() == {"Ref"}, f"{role} has a policy of AWS's making: {managed}"
        documents.append(resources[managed["Ref"]]["Properties"]["PolicyDocument"])
    for each in resources.values():
        if each["Type"] == "AWS::IAM::Policy" and {"Ref": role} in each["Properties"]["Roles"]:
            documents.append(each["Properties"]["PolicyDocument"])
    for document in documents:
        yield from document["Statement"]


def allowed(resources: Resources, role: str) -> set[str]:
    return {
        action
        for statement in statements(resources, role)
        if effect(statement) == "Allow"
        for action in listed(statement["Action"])
    }


def roles(resources: Resources) -> list[str]:
    return [name for name, each in resources.items() if each["Type"] == "AWS::IAM::Role"]


def functions(resources: Resources) -> dict[str, str]:
    """The role of each function."""
    return {
        name: each["Properties"]["Role"]["Fn::GetAtt"][0]
        for name, each in resources.items()
        if each["Type"] == "AWS::Lambda::Function"
    }


def test_each_function_and_machine_has_a_role_of_its_own(resources: Resources) -> None:
    given = functions(resources)
    assert given == {name: f"{name}Role" for name in given}
    machines = [each for each in resources.values() if each["Type"] == "AWS::StepFunctions::StateMachine"]
    assert [each["Properties"]["RoleArn"]["Fn::GetAtt"][0] for each in machines] == ["PipelineRole", "AftermathRole"]


def test_each_function_may_do_what_is_listed_and_no_more(resources: Resources) -> None:
    for name, role in functions(resources).items():
        own = LOGGING if name in ("GraderCode", "GraderOwn") else TELEMETRY
        assert allowed(resources, role) == own | EXPECTED.get(name, set()), name


def test_no_grader_but_the_judge_may_call_a_model(resources: Resources) -> None:
    graders = {name: role for name, role in functions(resources).items() if name.startswith("Grader")}
    asking = {name for name, role in graders.items() if any("bedrock" in each for each in allowed(resources, role))}
    assert asking == {"GraderJudge"}


def test_the_code_grader_may_log_and_nothing_else(resources: Resources) -> None:
    for name in ("GraderCode", "GraderOwn"):
        assert allowed(resources, f"{name}Role") == LOGGING
        assert resources[name]["Properties"]["TracingConfig"] == {"Mode": "PassThrough"}


def test_only_what_aws_documents_so_is_allowed_on_any_resource(resources: Resources) -> None:
    for role in roles(resources):
        for statement in statements(resources, role):
            if "*" in listed(statement["Resource"]):
                assert set(listed(statement["Action"])) <= ANY_RESOURCE.keys(), (role, statement)


def test_no_role_may_do_all_that_a_service_can(resources: Resources) -> None:
    for role in roles(resources):
        assert not [action for action in allowed(resources, role) if "*" in action], role
        handing = [each for each in statements(resources, role) if "iam:PassRole" in listed(each["Action"])]
        assert {action for action in allowed(resources, role) if action.startswith("iam:")} <= {"iam:PassRole"}, role
        for each in handing:
            assert (role, each["Resource"]) == ("SubmitJobRole", {"Fn::GetAtt": ["TrainingRole", "Arn"]})
            assert each["Condition"] == {"StringEquals": {"iam:PassedToService": "bedrock.amazonaws.com"}}


def test_nobody_deletes_without_a_retention(resources: Resources) -> None:
    deleting = {"dynamodb:DeleteItem", "s3:DeleteObject", "s3:DeleteObjectVersion", "bedrock:DeleteCustomModel"}
    found: dict[str, set[str]] = {}
    for name, each in resources.items():
        documents = [each["Properties"].get("PolicyDocument"), *each["Properties"].get("Policies", ())]
        for document in filter(None, documents):
            for statement in document.get("PolicyDocument", document)["Statement"]:
                if statement["Effect"] == "Allow" and deleting & set(listed(statement["Action"])):
                    found.setdefault(name, set()).update(deleting & set(listed(statement["Action"])))
    assert found == {"RetentionPolicy": deleting}
    assert resources["RetentionPolicy"]["Condition"] == "HasRetention"
    assert resources["RetentionPolicy"]["Properties"]["Roles"] == [{"Ref": "SweepRunsRole"}]


def test_objects_are_reached_below_a_prefix_only(resources: Resources) -> None:
    seen = set()
    for role in roles(resources):
        for statement in statements(resources, role):
            actions = listed(statement["Action"])
            if any(each.startswith("s3:") and not each.startswith("s3:ListBucket") for each in actions):
                for resource in listed(statement["Resource"]):
                    if resource == {"Ref": "SourceObjects"}:  # the deployer's own list
                        continue
                    assert re.fullmatch(
                        r"\$\{(DatasetBucket\.Arn\}/(inbox|uploads|recipes)|RunsBucket\.Arn\}/(runs|validations|audit))/.*",
                        resource["Fn::Sub"],
                    )
                    seen.add(("/".join(resource["Fn::Sub"].split("/")[:2]), "s3:PutObject" in actions))
    assert {place for place, writes in seen if writes} == {
        "${DatasetBucket.Arn}/uploads",  # nobody writes into the inbox
        "${RunsBucket.Arn}/audit",
        "${RunsBucket.Arn}/runs",
        "${RunsBucket.Arn}/validations",
    }


@pytest.mark.parametrize("role", ["ResolveInputsRole", "ValidateDatasetRole"])
def test_a_rehearsal_on_one_machine_puts_its_files_where_the_states_may_read(role: str, resources: Resources) -> None:
    read = {
        str(resource.get("Fn::Sub"))
        for statement in statements(resources, role)
        if "s3:GetObjectVersion" in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }
    assert any(fnmatchcase(f"${{DatasetBucket.Arn}}/{PREFIX}train.jsonl", each) for each in read), read
    assert PREFIX != identity.INBOX  # an upload there would start a run


def test_whoever_calls_graders_may_call_every_version_of_all_three(resources: Resources) -> None:
    graders = {name for name in functions(resources) if name.startswith("Grader")}
    for name in ("RehearseGraderRole", "SubmitJobRole", "EvaluateShardRole", "TrainingRole"):
        # The statement of the graders that the deployer lets in (AllowedGraders) names a parameter.
        (statement,) = [
            each
            for each in statements(resources, name)
            if "lambda:InvokeFunction" in each["Action"] and each["Resource"] != {"Ref": "AllowedGraders"}
        ]
        assert {each["Fn::Sub"] for each in statement["Resource"]} == {f"${{{grader}.Arn}}:*" for grader in graders}


def test_the_mantle_actions_are_on_the_project_of_the_stack(resources: Resources) -> None:
    for role in roles(resources):
        for statement in statements(resources, role):
            actions = {each for each in listed(statement["Action"]) if each.startswith("bedrock-mantle:")}
            if actions and actions != {BEARER}:
                assert statement["Resource"]["Fn::Sub"].endswith(":project/${BedrockProject}"), role


@pytest.mark.parametrize("machine", ["Pipeline", "Aftermath"])
def test_a_machine_may_invoke_the_functions_of_its_states_and_no_other(
    resources: Resources, template: dict[str, Any], machine: str
) -> None:
    given = template["Resources"][machine]["Properties"]["DefinitionSubstitutions"].values()
    invoked = {value["Fn::GetAtt"][0] for value in given if "Fn::GetAtt" in value}
    (statement,) = [
        each for each in statements(resources, f"{machine}Role") if "lambda:InvokeFunction" in listed(each["Action"])
    ]
    assert {each["Fn::GetAtt"][0] for each in listed(statement["Resource"])} == invoked


def test_the_machines_may_publish_and_mark_what_they_published(resources: Resources) -> None:
    for machine in ("Pipeline", "Aftermath"):
        by_sid = {each["Sid"]: each for each in statements(resources, f"{machine}Role")}
        assert by_sid["PublishNotice"]["Resource"] == {"Ref": "NoticesTopic"}
        assert by_sid["MarkNotified"]["Action"] == ["dynamodb:UpdateItem"]
        assert by_sid["MarkNotified"]["Resource"] == {"Fn::GetAtt": ["RunsTable", "Arn"]}


def test_a_machine_that_logs_may_set_up_log_delivery(resources: Resources) -> None:
    delivery = {action for action in ANY_RESOURCE if action.startswith("logs:")}
    for each in list(resources.values()):
        if each["Type"] == "AWS::StepFunctions::StateMachine" and "LoggingConfiguration" in each["Properties"]:
            role = each["Properties"]["RoleArn"]["Fn::GetAtt"][0]
            assert delivery <= allowed(resources, role)


def test_the_map_may_start_watch_and_stop_its_children_and_read_its_shards(resources: Resources) -> None:
    policy = resources["DistributedMapPolicy"]
    assert policy["Type"] == "AWS::IAM::Policy", "inline in the machine's role it would be circular"
    assert policy["Properties"]["Roles"] == [{"Ref": "PipelineRole"}]
    by_action = {
        action: statement["Resource"]
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        for action in listed(statement["Action"])
    }
    assert by_action.keys() == {
        "states:StartExecution",
        "states:DescribeExecution",
        "states:StopExecution",
        "s3:GetObject",
    }
    assert by_action["states:StartExecution"] == {"Ref": "Pipeline"}
    for action in ("states:DescribeExecution", "states:StopExecution"):
        assert all(":execution:${Pipeline.Name}" in each["Fn::Sub"] for each in by_action[action])
    assert by_action["s3:GetObject"] == {"Fn::Sub": "${RunsBucket.Arn}/runs/*/evaluation/manifest.json"}


def test_a_recipe_can_name_no_parameter_but_those_that_promote_model_may_write(resources: Resources) -> None:
    by_sid = {each["Sid"]: each for each in statements(resources, "PromoteModelRole")}
    assert by_sid["Promote"]["Resource"]["Fn::Sub"].endswith(":parameter/tunedrop/${AWS::StackName}/*")
    assert recipe.Promotion(parameter="/tunedrop/gsm8k/model").parameter == "/tunedrop/gsm8k/model"
    for function in functions(resources):
        told = resources[function]["Properties"]["Environment"]["Variables"]["PARAMETER_PATH"]
        assert told == {"Fn::Sub": "/tunedrop/${AWS::StackName}"}
    for other in ("/models/gsm8k", "/tunedrop", "/tunedrop/", "tunedrop/model", "/tunedrop/../models/gsm8k "):
        with pytest.raises(ValidationError):
            recipe.Promotion(parameter=other)


def test_the_manifest_lies_where_the_distributed_map_may_read_it() -> None:
    assert folder.MANIFEST == "evaluation/manifest.json"
    assert folder.RunFolder(None, "bucket", "gsm8k-0f1e").key(folder.MANIFEST).startswith("runs/")  # type: ignore[arg-type]  # no call is made


def test_services_assume_roles_for_this_account_only(resources: Resources) -> None:
    for role in roles(resources):
        (statement,) = resources[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        service = statement["Principal"]["Service"]
        if service == "lambda.amazonaws.com":  # it acts for the function's own account by its nature
            continue
        assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        source = statement["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::Sub"]
        assert source.endswith(f"${{AWS::AccountId}}:{ASSUMED_FOR[service]}")
        assert (service == "bedrock.amazonaws.com") == (role == "TrainingRole")


ASSUMED_FOR = {
    "states.amazonaws.com": "stateMachine:*",
    "events.amazonaws.com": "rule/${AWS::StackName}-*",
    "bedrock.amazonaws.com": "model-customization-job/*",
}
"""What a service assumes a role of ours for: the end of its ARN."""


def test_a_rule_may_start_its_target_and_nothing_else(resources: Resources) -> None:
    for rule, target in {"InboxUpload": "Pipeline", "PipelineEndedBadly": "Aftermath"}.items():
        assert resources[rule]["Properties"]["Targets"][0]["RoleArn"] == {"Fn::GetAtt": [f"{rule}Role", "Arn"]}
        (statement,) = statements(resources, f"{rule}Role")
        assert statement["Action"] == ["states:StartExecution"]
        assert statement["Resource"] == {"Ref": target}


def test_only_the_machines_and_two_functions_may_speak_in_tunedrop_s_name(resources: Resources) -> None:
    document = resources["NoticesTopicPolicy"]["Properties"]["PolicyDocument"]
    by_sid = {each["Sid"]: each for each in document["Statement"]}
    denial = by_sid["OnlyTunedropPublishes"]
    assert (denial["Effect"], denial["Principal"], denial["Action"]) == ("Deny", "*", "sns:Publish")
    let_through = {json.dumps(each) for each in denial["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]}
    always = ("PipelineRole", "AftermathRole", "InboxWatchRole", "PromoteModelRole")
    retention = {"Fn::If": ["HasRetention", {"Fn::GetAtt": ["SweepRunsRole", "Arn"]}, {"Ref": "AWS::NoValue"}]}
    assert let_through == {
        json.dumps(each) for each in (*({"Fn::GetAtt": [role, "Arn"]} for role in always), retention)
    }
