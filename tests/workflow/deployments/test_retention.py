"""A stack that keeps nothing for ever: an old run is announced, and then deleted, with the sweeper's own rights."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import jsonschema
import pytest
from moto.sns.models import sns_backends

from checks import notices_page
from embedded_aws import EmbeddedAws
from tests.workflow.pipeline.application import TEST, TRAIN, Application, running
from tunedrop import clock

RETENTION = {"datasets_days": 10, "training_files_days": 10, "models_days": 20, "runs_days": 30, "notice_days": 5}
SUBNET, GROUP = "subnet-0123456789abcdef0", "sg-0123456789abcdef0"
SCHEMA = json.loads((Path(__file__).parents[3] / "events/schemas/notice.schema.json").read_text())
KEEPING = (
    b"labels: {cost-centre: '4711'}\n"
    b"rehearsal: {prompts: 8, samples: 4}\ncleanup: {keep_deployment: true}\n"
    b"gates: {least_baseline: 0, least_groups_with_signal: 0}\n"
)


@pytest.fixture(scope="module")
def application() -> Iterator[Application]:
    def a_key(aws: EmbeddedAws) -> dict[str, str]:
        return {"NovaModelKey": aws.client("kms").create_key()["KeyMetadata"]["Arn"]}

    vpc = f"{SUBNET};{GROUP}"
    parameters = {"SettleSeconds": 0, "Retention": json.dumps(RETENTION), "NovaVpc": vpc}
    with running("us-east-1", parameters, a_key) as application:
        yield application


def days_ago(days: float) -> str:
    return clock.text(clock.now() - timedelta(days=days))


def sweep(application: Application) -> dict[str, int]:
    """A sweep that begins a new pass."""
    table, dynamodb = application.stack.resources["ApiTable"], application.stack.aws.client("dynamodb")
    dynamodb.delete_item(TableName=table, Key={"id": {"S": "retention"}})
    return application.sweep()


def announced(application: Application) -> list[dict[str, Any]]:
    """Subject, attributes and document of each notice of a deletion."""
    stack = application.stack
    topic = sns_backends["123456789012"][stack.region].topics[stack.outputs["NoticesTopicArn"]]
    told = [
        {
            "subject": subject,
            "attributes": {name: each["Value"] for name, each in (attributes or {}).items()},
            "message": json.loads(json.loads(message)["default"]),
        }
        for _, message, subject, attributes, _ in list(topic.sent_notifications)
    ]
    return [each for each in told if each["message"]["event"] == "deletion_announced"]


def objects(application: Application, bucket: str, prefix: str) -> list[str]:
    s3 = application.stack.aws.client("s3")
    listed = s3.list_objects_v2(Bucket=application.stack.outputs[bucket], Prefix=prefix)
    return [each["Key"] for each in listed.get("Contents", [])]


@pytest.mark.prove
@pytest.mark.timeout(1500)
def test_an_old_run_is_announced_and_then_deleted_with_all_that_it_left(application: Application) -> None:
    application.stack.bedrock.set_switch("legacy_models", "amazon.nova-2-lite-v1:0:256k")
    name = application.drop({"recipe.yaml": KEEPING, "test.jsonl": TEST, "train.jsonl": TRAIN})
    kept = application.drop({"train.jsonl": b"{}\n"})
    ends = {each: application.end(each) for each in (name, kept)}
    assert ends[name]["status"] == "SUCCEEDED", ends[name]["reason"]
    assert (application.record(name).legacy or {})["ends"].startswith("2027-06-01")
    record, kept_id = application.record(name), application.record(kept).run_id
    bedrock = boto3.client(
        "bedrock",
        region_name="us-east-1",
        endpoint_url=application.stack.bedrock.endpoint,
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    models = {each["modelArn"] for each in bedrock.list_custom_models()["modelSummaries"]}
    assert record.tuned_model in models
    made = bedrock.get_custom_model(modelIdentifier=str(record.tuned_model))
    job = bedrock.get_model_customization_job(jobIdentifier=made["jobArn"])
    assert job["vpcConfig"] == {"subnetIds": [SUBNET], "securityGroupIds": [GROUP]}
    assert ":kms:us-east-1:" in made["modelKmsKeyArn"]
    for arn in (made["modelArn"], made["jobArn"]):
        tags = {each["key"]: each["value"] for each in bedrock.list_tags_for_resource(resourceARN=arn)["tags"]}
        assert tags == {"tunedrop:run": record.run_id, "tunedrop:team": record.team or "", "cost-centre": "4711"}
    for run_id in (record.run_id, kept_id):
        application.runs.update_if(run_id, {"finished_at": days_ago(100)}, "attribute_exists(run_id)")
    assert sweep(application)["deletions_announced"] == 2
    (notice,) = announced(application)
    validator = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
    validator.validate(notice["message"])
    sample = notices_page.samples()["deletion_announced"]
    assert sample["attributes"].keys() == notice["attributes"].keys()
    assert sample["message"].keys() == notice["message"].keys()
    assert sweep(application)["deletions_done"] == 0
    application.runs.update_if(kept_id, {"keep": "yes"}, "attribute_exists(run_id)")  # as the notice's command does
    for run_id in (record.run_id, kept_id):
        noted = {kind: f"announced {days_ago(1)}" for kind in ("dataset", "model", "run")}
        application.runs.update_if(run_id, {"retention": noted}, "attribute_exists(run_id)")
    assert sweep(application)["deletions_done"] == 1  # the model's deployment goes before it
    assert sweep(application)["deletions_done"] == 2
    assert [each.run_id for each in application.records(kept)] == [kept_id]
    assert application.records(name) == []
    assert objects(application, "RunsBucketName", f"runs/{record.run_id}/") == []
    assert objects(application, "DatasetBucketName", f"inbox/{name}/") == []
    assert {each["modelArn"] for each in bedrock.list_custom_models()["modelSummaries"]} == models - {
        record.tuned_model
    }
    trail = objects(application, "RunsBucketName", "audit/")
    whats = ("deletion_announced", "dataset_deleted", "model_deleted", "run_deleted")
    assert all(any(f"{record.run_id}-{what}.json" in key for key in trail) for what in whats)
    assert application.stack.refused == []
