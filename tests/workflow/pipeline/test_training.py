"""What happens around a training in the real pipeline: warnings, stops for health, going on, cleaning up, no token."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai import OpenAI

from embedded_aws.lambdas.errors import failed
from tests.workflow.pipeline.application import RECIPE, TEST, TRAIN, Application
from tunedrop import clock
from tunedrop.graders.metrics import count

# Nobody writes the reference word for word: every reward is 0, and the gates let it pass.
HOPELESS = (
    b"rehearsal: {prompts: 8, samples: 4}\n"
    b"grader: {kind: exact}\n"
    b"gates: {least_baseline: 0, least_groups_with_signal: 0}\n"
)


def warnings(application: Application, name: str) -> list[dict[str, Any]]:
    told = (each for each in application.warnings if each["event"] == "training_warning")
    return [each for each in told if each["name"] == name]


def drop(application: Application, recipe: bytes) -> str:
    return application.drop({"test.jsonl": TEST, "recipe.yaml": recipe, "train.jsonl": TRAIN})


@pytest.mark.prove
def test_what_a_training_shows_is_told_while_it_goes_on_once_each(application: Application) -> None:
    name = drop(application, HOPELESS)
    notice = application.end(name)
    assert notice["status"] == "SUCCEEDED", notice["reason"]
    assert notice["training"]["findings"] == ["all_equal_groups"]
    (told,) = warnings(application, name)
    assert (told["event"], told["finding"]["name"], told["simulated"]) == ("training_warning", "all_equal_groups", True)
    assert told["notice_id"] != notice["notice_id"]


@pytest.mark.prove
def test_what_the_graders_failed_on_is_counted_where_the_watcher_looks(application: Application) -> None:
    notice = application.end(drop(application, RECIPE))
    record = application.record(notice["name"])
    since = clock.parse(record.submitted_at or "")
    answers, errors = count(application.stack.aws.client("cloudwatch"), record.grader_arn or "", since, clock.now())
    # 22 steps of 4 prompts and 8 rollouts, and the evaluation's answers after it.
    assert answers >= 22 * 4 * 8
    assert errors == 0
    listed = application.stack.aws.client("cloudwatch").list_metrics(Namespace="Tunedrop")["Metrics"]
    measured = {metric["MetricName"] for metric in listed}
    assert {"critic_rewards_mean", "actor_entropy", "response_length_mean"} <= measured
    # A dimension a run would be a time series a run, each of them paid for.
    values = {each["Value"] for metric in listed for each in metric["Dimensions"]}
    assert {"tunedrop", "openai.gpt-oss-20b"} <= values
    assert not [value for value in values if notice["run_id"] in value]


@pytest.mark.prove
def test_a_finding_that_the_recipe_stops_on_cancels_the_job(application: Application) -> None:
    application.stack.bedrock.set_switch("step_seconds", 0.25)
    recipe = HOPELESS + b"hyperparameters: {n_epochs: 2}\nhealth: {stop_on: [all_equal_groups]}\n"
    name = drop(application, recipe)
    notice = application.end(name)
    assert (notice["status"], notice["reason"]["error"]) == ("FAILED", "TrainingUnhealthy")
    assert "all_equal_groups" in notice["reason"]["message"]
    (job,) = application.jobs(notice["run_id"])
    assert job["status"] == "cancelled"
    assert {"id": job["id"], "how": "training job cancelled"} in notice["released"]
    assert [each["kind"] for each in notice["may_still_cost"]] == ["training file"]


@pytest.mark.prove
def test_a_failed_evaluation_costs_no_training(application: Application) -> None:
    plan = application.function("PlanEvaluation")
    application.stack.aws.functions.faults.answer(plan, failed("EvaluationIncomplete", "on purpose"))
    first = application.end(drop(application, RECIPE))
    assert (first["status"], first["reason"]["error"]) == ("FAILED", "EvaluationIncomplete")
    (job,) = application.jobs(first["run_id"])

    second = application.end(drop(application, RECIPE + f"resumes: {first['run_id']}\n".encode()))
    assert second["status"] == "SUCCEEDED", second["reason"]
    assert second["training"]["job_id"] == job["id"]
    assert second["tuned_model"] == first["tuned_model"] == job["fine_tuned_model"]
    assert second["training"]["steps"] == first["training"]["steps"]
    assert application.jobs(second["run_id"]) == []

    third = application.end(drop(application, RECIPE + f"evaluate_only: {second['tuned_model']}\n".encode()))
    assert third["status"] == "SUCCEEDED", third["reason"]
    assert third["training"] is None
    assert third["evaluation"] is not None
    assert application.jobs(third["run_id"]) == []


def test_what_cannot_be_resumed_is_said_before_anything_is_paid_for(application: Application) -> None:
    notice = application.end(drop(application, RECIPE + b"resumes: gsm8k-0000000000000000\n"))
    assert (notice["status"], notice["reason"]["error"]) == ("REJECTED", "RecipeInvalid")
    assert "no run 'gsm8k-0000000000000000'" in notice["reason"]["message"]


@pytest.mark.prove
def test_files_are_deleted_where_the_recipe_says_so(application: Application) -> None:
    notice = application.end(drop(application, RECIPE + b"cleanup: {delete_files: true}\n"))
    record = application.record(notice["name"])
    assert notice["released"] == [{"id": record.file_id, "how": "training file deleted"}]
    assert notice["may_still_cost"] == []
    client = OpenAI(base_url=application.stack.bedrock.base_url, api_key=application.stack.bedrock.api_key())
    assert record.file_id not in {file.id for file in client.files.list()}


@pytest.mark.prove
def test_no_token_is_in_anything_that_a_run_wrote(application: Application) -> None:
    # Every call of the training service fails once, so that errors are written, too.
    application.stack.bedrock.set_switch("fault_plan", "CreateFineTuningJob:after:500,GetFineTuningJob:before:500:3")
    notice = application.end(drop(application, RECIPE))
    assert notice["status"] == "SUCCEEDED", notice["reason"]
    stack = application.stack
    written = {str(path): path.read_bytes() for path in (stack.folder / "aws/logs").rglob("*.log")}
    s3, bucket = stack.aws.client("s3"), stack.outputs["RunsBucketName"]
    for entry in s3.list_objects_v2(Bucket=bucket, Prefix=f"runs/{notice['run_id']}/")["Contents"]:
        written[entry["Key"]] = s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
    for table in ("RunsTableName", "TrainingEventsTableName"):
        items = stack.aws.client("dynamodb").scan(TableName=stack.outputs[table])["Items"]
        written[table] = json.dumps(items, default=str).encode()
    for execution in application.executions(notice["name"]):
        history = application.states.get_execution_history(executionArn=execution["executionArn"], maxResults=1000)
        written[execution["executionArn"]] = json.dumps(history["events"], default=str).encode()
    written["notices"] = json.dumps(application.notices).encode()
    assert len(written) > 15
    token = stack.bedrock.api_key().encode()
    for where, text in written.items():
        # What every short-term key begins with, and the base64 of what it always holds.
        for sign in (token[:24], b"Q2FsbFdpdGhCZWFyZXJUb2tlbg", b"CallWithBearerToken", b"X-Amz-Signature"):
            assert sign not in text, where
