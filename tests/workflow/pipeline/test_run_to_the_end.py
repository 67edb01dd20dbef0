from __future__ import annotations

import pytest

from embedded_aws.lambdas.errors import InvokeRefused
from embedded_aws.permissions.policy import Principal
from embedded_aws.waiting import until
from local.command.audit import of_month
from tests.workflow.pipeline.application import TEST, TRAIN, Application
from tunedrop.outcomes import Status


def test_a_dropped_dataset_becomes_a_tuned_model_with_its_proof(application: Application) -> None:
    name = application.drop()
    notice = application.end(name)
    record = application.record(name)
    assert notice["status"] == "SUCCEEDED"
    assert notice["reason"] is None
    assert notice["training"]["steps"] == 22  # floor(0.9 * 100 / 4), the service's hold-out
    assert notice["training"]["simulated"] is True
    assert notice["evaluation"]["rows"] == 20
    assert notice["dataset"]["rows"] == 100
    assert notice["tuned_model"] == record.tuned_model
    assert record.status is Status.SUCCEEDED
    assert [job["status"] for job in application.jobs(record.run_id)] == ["succeeded"]
    for file in (
        "findings.json",
        "rehearsal.json",
        "metrics.json",
        "evaluation/result.json",
        "report.json",
        "report.html",
        "manifest.json",
    ):
        key = f"runs/{record.run_id}/{file}"
        assert application.stack.aws.client("s3").head_object(
            Bucket=application.stack.outputs["RunsBucketName"], Key=key
        )

    trail = [
        each
        for each in of_month(
            application.stack.aws.client("s3"), application.stack.outputs["RunsBucketName"], record.started_at[:7]
        )
        if each["run_id"] == record.run_id
    ]
    assert [each["what"] for each in trail] == ["dropped", "submitted", "ended"]
    assert trail[0]["train"].endswith(f"/train.jsonl?versionId={record.train.version_id if record.train else None}")
    assert trail[0]["grader"] == record.grader_arn
    assert (trail[2]["status"], trail[2]["tuned_model"]) == ("SUCCEEDED", record.tuned_model)


def test_a_role_adds_to_the_audit_trail_and_replaces_and_deletes_nothing_of_it(application: Application) -> None:
    stack, permissions = application.stack, application.stack.aws.permissions
    entry = f"arn:aws:s3:::{stack.outputs['RunsBucketName']}/audit/2026/11/01/one.json"
    for name in ("ApiRole", "ConcludeRunRole", "PromoteModelRole", "ReleaseRunRole", "ResolveInputsRole"):
        role = permissions.of_role(f"arn:aws:iam::{stack.aws.account}:role/{stack.resources[name]}")

        def may(action: str, context: dict[str, str], role: Principal = role) -> bool:
            return permissions.decide(permissions.request(role, action, entry, context)).allowed

        assert may("s3:PutObject", {"s3:if-none-match": "*"})
        assert not may("s3:PutObject", {})
        assert not may("s3:GetObject", {})
        assert not may("s3:DeleteObject", {})
        assert not may("s3:DeleteObjectVersion", {})


@pytest.mark.prove
def test_the_dropped_file_anew_is_a_new_run(application: Application) -> None:
    name = application.drop({"train.jsonl": b"{}\n"})
    application.end(name)
    application.drop({"train.jsonl": b"{} \n"}, name=name)
    until(lambda: len(application.records(name)) == 2, "the second run")


def test_a_broken_line_rejects_the_run_by_its_number_before_anything_is_paid_for(application: Application) -> None:
    lines = TRAIN.splitlines(keepends=True)
    lines[41] = b'{"messages": [{"role": "user"\n'
    name = application.drop({"test.jsonl": TEST, "train.jsonl": b"".join(lines)})
    notice = application.end(name)
    assert notice["status"] == "REJECTED"
    assert notice["reason"]["error"] == "DatasetInvalid"
    assert "line 42" in notice["reason"]["message"]
    assert notice["training"] is notice["evaluation"] is notice["tuned_model"] is None
    assert application.jobs(notice["run_id"]) == []
    report = application.report(notice)
    assert report["status"] == "REJECTED"
    assert any(finding["line"] == 42 for finding in report["findings"])
    assert len(application.notices_of(name)) == 1


@pytest.mark.prove
def test_a_recipe_with_unknown_fields_rejects_the_run_and_names_them_all(application: Application) -> None:
    name = application.drop({"recipe.yaml": b"modl: x\ngates: {levl: 1}\n", "train.jsonl": TRAIN})
    reason = application.end(name)["reason"]
    assert reason["error"] == "RecipeInvalid"
    assert "`modl`" in reason["message"]
    assert "`gates.levl`" in reason["message"]


@pytest.mark.prove
def test_without_a_test_set_some_training_rows_become_one(application: Application) -> None:
    name = application.drop({"train.jsonl": TRAIN + TEST})
    notice = application.end(name)
    assert notice["status"] == "SUCCEEDED", notice["reason"]
    dataset = application.record(name).dataset
    assert dataset.rows is not None
    assert dataset.test_rows is not None
    assert dataset.rows + dataset.test_rows == 120
    assert dataset.test_set == "held out"
    assert dataset.rows >= 100


@pytest.mark.prove
def test_a_job_that_fails_ends_the_run_with_the_services_reason(application: Application) -> None:
    application.stack.bedrock.set_switch("grader_retries", 0)
    application.stack.bedrock.set_switch("step_seconds", 0.3)
    try:
        # Broken from the training's first batch on: the rehearsal has passed before.
        application.stack.aws.functions.faults.before(
            application.function("PollJob"),
            lambda configuration, invocation: application.stack.aws.functions.faults.refuse(
                application.function("GraderPlain"), _busy(), times=1000
            ),
        )
        name = application.drop()
        notice = application.end(name)
    finally:
        application.stack.bedrock.set_switch("grader_retries", 3)
    assert notice["status"] == "FAILED"
    assert notice["reason"]["error"] == "TrainingFailed"


def _busy() -> InvokeRefused:
    return InvokeRefused("TooManyRequestsException", "Rate Exceeded.", 429)
