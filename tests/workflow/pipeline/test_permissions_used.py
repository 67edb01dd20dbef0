"""Least privilege, shown: the calls that functions and machines make are allowed, and what is allowed is called."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from checks import sam_template
from checks.permissions import allows, listed
from tests.waiting import until
from tests.workflow.api.clients import Client, Service
from tests.workflow.permissions import CallsMade, statements_of
from tests.workflow.pipeline.conftest import RECIPE, TRAIN, Application, jsonl, rows

AWS = "https://docs.aws.amazon.com/"

NOT_BY_THE_EMBEDDED_AWS = {
    "bedrock-mantle:": "Bedrock's calls go to the local Bedrock, a process of its own; its contract tests make each",
    "bedrock:": "Bedrock's calls go to the local Bedrock, a process of its own; its contract tests make each",
    "xray:": f"tracing is Lambda's and Step Functions' own: {AWS}lambda/latest/dg/services-xray.html",
    "logs:": f"log delivery is theirs: {AWS}step-functions/latest/dg/cw-logs.html",
    "kms:": "S3, DynamoDB, SNS and SQS ask KMS with the caller's rights: "
    f"{AWS}kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service",
    "iam:PassRole": "no call: CreateModelCustomizationJob asks for it: "
    f"{AWS}bedrock/latest/userguide/model-customization-iam-role.html",
}
"""Permissions that are implied whoever has them, by the beginning of the action, each with its source."""

MULTIPART = f"clears up after a failed part of an upload above 8 MB: {AWS}AmazonS3/latest/userguide/mpuoverview.html"
MISSING = f"tells a missing object from a forbidden one (404, not 403): {AWS}AmazonS3/latest/API/API_GetObject.html"
CHILDREN = f"the children of a Distributed Map: {AWS}step-functions/latest/dg/iam-policies-eg-dist-map.html"
TWICE = "tests/workflow/pipeline/test_exactly_once.py::"
SWEPT = f"{TWICE}test_the_sweeper_brings_the_same_end_when_the_event_of_the_stop_is_lost"
UNREGISTERED = f"{TWICE}test_a_duplicate_execution_that_ends_badly_does_not_touch_the_run"

IMPLIED = {
    ("PipelineRole", "states:StartExecution"): CHILDREN,
    ("PipelineRole", "states:DescribeExecution"): CHILDREN,
    ("PipelineRole", "states:StopExecution"): CHILDREN,
    ("ValidateDatasetRole", "s3:AbortMultipartUpload"): MULTIPART,
    ("PlanEvaluationRole", "s3:AbortMultipartUpload"): MULTIPART,
    ("ReleaseRunRole", "s3:ListBucket"): MISSING,
    ("ValidateDatasetRole", "s3:ListBucket"): MISSING,
    ("RehearseGraderRole", "s3:ListBucket"): MISSING,
    ("SubmitJobRole", "s3:ListBucket"): MISSING,
    ("PlanEvaluationRole", "s3:ListBucket"): MISSING,
    ("ResolveInputsRole", "s3:ListBucket"): MISSING,
    ("EvaluateShardRole", "s3:ListBucket"): MISSING,
    ("ConcludeRunRole", "s3:ListBucket"): MISSING,
    ("InboxWatchRole", "s3:ListBucket"): MISSING,
    ("ApiRole", "s3:ListBucket"): MISSING,
    ("RunValidationRole", "s3:ListBucket"): MISSING,
    ("SubmitJobRole", "lambda:InvokeFunction"): "Bedrock calls the grader with the rights of the job's creator: "
    f"{AWS}bedrock/latest/userguide/rft-access-security.html",
    ("ApiRole", "s3:PutObject"): "whoever has the link uploads with the API's rights: "
    "tests/workflow/api/test_runs.py::test_a_run_from_uploads_shows_all_of_itself_and_another_goes_on_from_it",
    ("ApiRole", "states:SendTaskSuccess"): f"ends a wait for a person: {AWS}step-functions/latest/dg/"
    "connect-to-resource.html#connect-wait-token",
    ("SweepRunsRole", "states:StartExecution"): SWEPT,
    ("ReleaseRunRole", "dynamodb:PutItem"): UNREGISTERED,
}
"""What one role may and the runs of this module need not do: its source, or the test that does it."""

NOT_STARTED_BY_THE_STACK = {"TrainingRole": f"Bedrock assumes it for Nova: {NOT_BY_THE_EMBEDDED_AWS['iam:PassRole']}"}


@pytest.fixture(scope="module")
def calls(shared_application: Application) -> Iterator[CallsMade]:
    """The calls of a run that goes well, a rejected one, a sweep, and another team's use of the API."""
    application = shared_application
    made = CallsMade(application.stack)
    # So many rows, and so lenient a level, that the simulated model surely counts as improved and is promoted.
    recipe = RECIPE + b"gates: {level: 0.2}\npromotion: {parameter: /tunedrop/tunedrop/proof/model}\n"
    well = application.drop({"test.jsonl": jsonl(rows(60, skip=100)), "recipe.yaml": recipe, "train.jsonl": TRAIN})
    rejected = application.drop({"notes.txt": b"-", "train.jsonl": b"{}\n"})
    use_the_api(Service(application.stack, application.queue_url).client("another-team"))
    assert application.end(well)["status"] == "SUCCEEDED"
    assert application.end(rejected)["status"] == "REJECTED"
    application.sweep()
    yield made
    made.stop()
    application.quiet()


def use_the_api(client: Client) -> None:
    """Upload, validate, start a run, look at it, stop it."""
    upload = client.upload(TRAIN)
    validation = client.ask("POST", "/validations", {"dataset": {"upload_id": upload}}).json
    until(lambda: client.get(validation["url"])["status"] != "RUNNING", "the validation")
    run_id = client.start({"name": "called", "dataset": {"upload_id": upload}}).json["run_id"]
    client.get("/runs")
    for view in ("", "/metrics", "/findings"):
        client.ask("GET", f"/runs/{run_id}{view}")
    client.ask("POST", f"/runs/{run_id}/stop")


def test_every_call_is_allowed_by_the_role_of_whoever_made_it(calls: CallsMade) -> None:
    callers = {"RegisterRunRole", "ReleaseRunRole", "PipelineRole", "AftermathRole", "SweepRunsRole", "ApiRole"}
    assert callers <= calls.by_role.keys()
    assert calls.refused() == set()


def test_a_call_that_no_statement_names_is_refused(shared_application: Application) -> None:
    stack = shared_application.stack
    statements = statements_of(stack, "RegisterRunRole")
    arn = f"arn:aws:dynamodb:{stack.aws.region}:{stack.aws.account}:table/{stack.outputs['RunsTableName']}"
    assert allows(statements, "dynamodb:PutItem", arn)
    assert not allows(statements, "dynamodb:DeleteItem", arn)
    assert not allows(statements, "dynamodb:PutItem", f"{arn}-other")


def test_what_a_role_allows_is_called_or_implied_with_its_source(
    calls: CallsMade, shared_application: Application
) -> None:
    idle, needless = set(), set(IMPLIED)
    for role in shared_application.stack.resources:
        if not role.endswith("Role") or role in NOT_STARTED_BY_THE_STACK:
            continue
        allowed = {
            action
            for statement in statements_of(shared_application.stack, role)
            if statement["Effect"] == "Allow"
            for action in listed(statement["Action"])
        }
        used = {action for action, _ in calls.by_role.get(role, ())}
        unused = {(role, action) for action in allowed - used if not action.startswith(tuple(NOT_BY_THE_EMBEDDED_AWS))}
        idle |= unused - IMPLIED.keys()
        needless -= unused
    assert idle == set()
    assert {each for each in needless if each not in SOMETIMES} == set(), "the table names what is used, or is gone"


SOMETIMES = {each for each, source in IMPLIED.items() if source in (MISSING, MULTIPART, UNREGISTERED)}
"""A file may be missing, or large, and a stop come early, in one run and not in the other."""


@pytest.mark.parametrize("source", sorted({*IMPLIED.values(), *NOT_BY_THE_EMBEDDED_AWS.values()}))
def test_a_test_that_the_tables_name_exists(source: str) -> None:
    for path, name in re.findall(r"(tests/\S+\.py)::(\w+)", source):
        assert f"def {name}(" in (sam_template.ROOT / path).read_text()
