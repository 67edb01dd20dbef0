from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from typing import Any

import pytest

from embedded_aws.calls import CallRefused
from embedded_aws.lambdas.configuration import FunctionConfiguration
from embedded_aws.lambdas.errors import InvokeRefused, Outcome, exited, failed
from embedded_aws.lambdas.process import Invocation
from embedded_aws.waiting import until
from tests.workflow.pipeline.application import RECIPE, TEST, TRAIN, Application
from tunedrop.notices.publication import document_of


def is_upload(event: Mapping[str, Any]) -> bool:
    return event["source"] == "aws.s3" and str(event["detail"]["object"]["key"]).endswith("train.jsonl")


def is_bad_end(event: Mapping[str, Any]) -> bool:
    return event["source"] == "aws.states" and event["detail"]["status"] in ("FAILED", "TIMED_OUT", "ABORTED")


def stop(application: Application, name: str) -> None:
    """Press Stop on every execution of a dataset."""
    for execution in application.executions(name):
        application.states.stop_execution(executionArn=execution["executionArn"], cause="a person pressed Stop")


def training(application: Application, run_id: str) -> list[str]:
    return [job["id"] for job in application.jobs(run_id) if job["status"] not in ("succeeded", "failed", "cancelled")]


def test_an_event_that_comes_three_times_is_one_run_one_job_one_notice(application: Application) -> None:
    application.stack.aws.dispatch.faults.duplicate(is_upload, copies=3)
    name = application.drop()
    notice = application.end(name)
    executions = until(
        lambda: (
            (found := application.executions(name)) and all(each["status"] == "SUCCEEDED" for each in found) and found
        ),
        "all three executions to end",
    )
    assert len(executions) == len(application.executions(name)) == 3
    assert len(application.records(name)) == 1
    assert len(application.jobs(notice["run_id"])) == 1
    assert {each["notice_id"] for each in application.notices_of(name)} == {notice["notice_id"]}


@pytest.mark.prove
def test_the_same_packed_files_dropped_three_times_train_once(application: Application) -> None:
    files = {"recipe.yaml": RECIPE, "test.jsonl": TEST}
    name = application.drop(files)
    for _ in range(3):
        application.drop({"train.jsonl.gz": gzip.compress(TRAIN, mtime=0)}, name)
    notices = until(
        lambda: (found := application.notices_of(name)) and len({each["run_id"] for each in found}) == 3 and found,
        "the ends of the three drops",
    )
    by_status = {status: [each for each in notices if each["status"] == status] for status in ("SUCCEEDED", "REJECTED")}
    (trained,) = by_status["SUCCEEDED"]
    assert trained["dataset"]["rows"] == 100
    assert len(by_status["REJECTED"]) == 2
    for repeated in by_status["REJECTED"]:
        assert repeated["reason"]["error"] == "RepeatedDrop"
        assert trained["run_id"] in repeated["reason"]["message"]
    assert sum(len(application.jobs(run.run_id)) for run in application.records(name)) == 1

    application.drop({"recipe.yaml": RECIPE + b"labels: {attempt: second}\n"}, name)
    application.drop({"train.jsonl.gz": gzip.compress(TRAIN, mtime=0)}, name)
    until(lambda: len(application.records(name)) == 4, "the run of the changed recipe")
    again = until(lambda: [run for run in application.records(name) if run.labels], "its recipe")
    stop(application, name)
    assert [run.status for run in again] == ["RUNNING"]


@pytest.mark.prove
@pytest.mark.parametrize("how", ["stopped", "failed"])
def test_a_duplicate_execution_that_ends_badly_does_not_touch_the_run(application: Application, how: str) -> None:
    application.stack.bedrock.set_switch("step_seconds", 0.05)
    name = application.drop()
    record = until(lambda: (run := application.record(name)).job_id and run, "the job")
    (original,) = application.executions(name)
    if how == "failed":
        broken = failed("Broken", "on purpose")
        application.stack.aws.functions.faults.answer(application.function("RegisterRun"), broken)
    duplicate = application.states.start_execution(
        stateMachineArn=application.stack.outputs["PipelineArn"], input=original["input"]
    )["executionArn"]
    if how == "stopped":
        application.states.stop_execution(executionArn=duplicate)
    until(
        lambda: application.states.describe_execution(executionArn=duplicate)["status"] != "RUNNING",
        "the duplicate to end",
    )
    notice = application.end(name)
    assert notice["status"] == "SUCCEEDED"
    assert len(application.jobs(record.run_id)) == 1
    assert {each["notice_id"] for each in application.notices_of(name)} == {notice["notice_id"]}


@pytest.mark.prove
def test_stopping_while_the_job_trains_cancels_it(application: Application) -> None:
    application.stack.bedrock.set_switch("step_seconds", 1)
    name = application.drop()
    record = until(lambda: (run := application.record(name)).job_id and run, "the job")
    until(lambda: training(application, record.run_id), "the job to train")
    stop(application, name)
    notice = application.end(name)
    assert notice["status"] == "CANCELLED"
    assert notice["training"]["job_id"] == record.job_id
    assert [job["status"] for job in application.jobs(record.run_id)] == ["cancelled"]
    assert len(application.notices_of(name)) == 1


@pytest.mark.prove
@pytest.mark.parametrize("moment", ["before the handler", "while it creates the job", "after the handler"])
def test_stopping_while_submit_job_runs_leaves_no_job_training(application: Application, moment: str) -> None:
    application.stack.bedrock.set_switch("step_seconds", 1)
    name = "stopped-" + moment.replace(" ", "-")

    def stopped_after(_: FunctionConfiguration, __: Invocation, outcome: Outcome) -> Outcome:
        stop(application, name)
        return outcome

    faults, submit = application.stack.aws.functions.faults, application.function("SubmitJob")
    if moment == "before the handler":
        faults.before(submit, lambda configuration, invocation: stop(application, name))
    elif moment == "after the handler":
        faults.after(submit, stopped_after)
    else:
        # The creation hangs after the job was made; meanwhile somebody stops the run.
        application.stack.bedrock.set_switch("hang_seconds", 3)
        application.stack.bedrock.set_switch("fault_plan", "CreateFineTuningJob:after:hang")
    application.drop(name=name)
    if moment == "while it creates the job":
        record = application.record(name)
        until(lambda: application.jobs(record.run_id), "the job that nobody has heard of")
        stop(application, name)
    notice = application.end(name)
    assert notice["status"] == "CANCELLED"
    # SubmitJob may still be working: wait for its end, then nothing trains and nothing more is made.
    until(lambda: not application.stack.aws.functions.pool.busy(submit), "SubmitJob to end")
    assert training(application, notice["run_id"]) == []
    assert len(application.jobs(notice["run_id"])) <= 1
    assert len({each["notice_id"] for each in application.notices_of(name)}) == 1


@pytest.mark.prove
def test_the_sweeper_brings_the_same_end_when_the_event_of_the_stop_is_lost(application: Application) -> None:
    application.stack.bedrock.set_switch("step_seconds", 1)
    application.stack.aws.dispatch.faults.drop(is_bad_end)
    name = application.drop()
    record = until(lambda: (run := application.record(name)).job_id and run, "the job")
    stop(application, name)
    application.stack.aws.dispatch.settle()
    assert application.notices_of(name) == []
    assert training(application, record.run_id)
    assert application.sweep()["aftermaths_started"] == 1
    notice = application.end(name)
    assert notice["status"] == "CANCELLED"
    assert training(application, record.run_id) == []
    assert application.sweep()["aftermaths_started"] == 0


@pytest.mark.prove
def test_a_notice_that_sns_refuses_at_first_still_comes(application: Application) -> None:
    application.stack.aws.calls.refuse("sns", "Publish", CallRefused("InternalError", "SNS is down", 500), times=2)
    name = application.drop()
    record = until(lambda: (run := application.record(name)).closed and run, "the record to close")
    notice = application.end(name)
    assert notice["notice_id"] == document_of(record.notice)["notice_id"]
    assert notice["status"] == "SUCCEEDED"


@pytest.mark.prove
def test_a_closed_run_whose_execution_ends_early_still_gets_its_one_notice(
    application: Application,
) -> None:
    refusal = CallRefused("InternalError", "SNS is down", 500)
    application.stack.aws.calls.refuse("sns", "Publish", refusal, times=10_000)
    application.stack.aws.dispatch.faults.drop(is_bad_end)
    name = application.drop()
    record = until(lambda: (run := application.record(name)).closed and run, "the record to close")
    until(lambda: [each["status"] for each in application.executions(name)] == ["FAILED"], "the end of the execution")
    assert application.notices_of(name) == []
    application.stack.aws.calls.accept()
    application.sweep()
    notice = application.end(name)
    assert notice == document_of(record.notice)
    assert notice["status"] == "SUCCEEDED"
    assert {each["notice_id"] for each in application.notices_of(name)} == {notice["notice_id"]}


def test_a_submit_job_that_dies_after_creating_the_job_is_run_again_and_adopts_it(application: Application) -> None:
    application.stack.bedrock.set_switch("list_lag_calls", 2)
    died = []

    def die(configuration: object, invocation: object, outcome: Outcome) -> Outcome:
        died.append(outcome)
        return exited("request", -9)

    application.stack.aws.functions.faults.after(application.function("SubmitJob"), die)
    name = application.drop()
    notice = application.end(name)
    assert died
    assert notice["status"] == "SUCCEEDED"
    application.stack.bedrock.set_switch("list_lag_calls", 0)
    assert len(application.jobs(notice["run_id"])) == 1


def lose_the_end_of_an_unregistered_run(application: Application) -> tuple[str, str]:
    """RegisterRun fails for good, and the event of that end is lost; the dataset's name, and the execution."""
    refusal = InvokeRefused("AccessDeniedException", "someone changed the policy", 403)
    application.stack.aws.functions.faults.refuse(application.function("RegisterRun"), refusal)
    application.stack.aws.dispatch.faults.drop(is_bad_end)
    name = application.drop()
    (execution,) = until(
        lambda: [each for each in application.executions(name) if each["status"] == "FAILED"], "the failure"
    )
    application.stack.aws.dispatch.settle()
    assert application.records(name) == []
    return name, execution["executionArn"]


@pytest.mark.prove
def test_a_run_that_could_not_be_registered_ends_with_one_notice(application: Application) -> None:
    name, _ = lose_the_end_of_an_unregistered_run(application)
    assert application.sweep()["aftermaths_started"] == 1
    notice = application.end(name)
    assert (notice["status"], notice["reason"]["error"]) == ("FAILED", "Lambda.AccessDeniedException")
    assert application.sweep()["aftermaths_started"] == 0
    assert len({each["notice_id"] for each in application.notices_of(name)}) == 1


def test_the_sweeper_finds_a_run_that_could_not_be_registered(application: Application) -> None:
    # The last test of this module: what it leaves behind, a later turn of the sweeper would find, too.
    _, execution = lose_the_end_of_an_unregistered_run(application)
    assert application.sweep()["aftermaths_started"] == 1
    machine = application.stack.outputs["AftermathArn"]
    running = application.states.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]
    told = {
        each["executionArn"]: application.states.describe_execution(executionArn=each["executionArn"])
        for each in running
    }
    (aftermath,) = (arn for arn, each in told.items() if json.loads(each["input"]).get("execution_arn") == execution)
    application.states.stop_execution(executionArn=aftermath)  # to wait for its end takes half a minute: above
