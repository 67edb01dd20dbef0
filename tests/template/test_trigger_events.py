"""The samples under events/: true to their schemas, and caught by the rules that are to catch them."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from checks import sam_template
from embedded_aws.events.pattern import matches
from tunedrop import identity

EVENTS = sam_template.ROOT / "events"
SAMPLES = sorted(EVENTS.glob("*.json"))

BUCKET = "tunedrop-dev-datasetbucket-1a2b3c4d5e6f"
PIPELINE = "arn:aws:states:us-west-2:123456789012:stateMachine:Pipeline-1a2b3c4d5e6f"


def sample(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text())


def pattern(resources: dict[str, dict[str, Any]], rule: str) -> Any:
    """The rule's event pattern as it is once the stack is deployed."""
    text = json.dumps(resources[rule]["Properties"]["EventPattern"])
    for reference, value in {"DatasetBucket": BUCKET, "Pipeline": PIPELINE}.items():
        text = text.replace(json.dumps({"Ref": reference}), json.dumps(value))
    assert "Ref" not in text
    return json.loads(text)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_keeps_its_schema(path: Path) -> None:
    schema = json.loads((EVENTS / "schemas" / f"{path.stem}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(path.read_text()), schema, format_checker=jsonschema.FormatChecker())


def test_every_trigger_schema_has_its_sample() -> None:
    triggers = {path.stem for path in SAMPLES}
    assert triggers >= {"inbox_upload", "pipeline_status_change", "sweep_schedule", "aftermath_from_sweeper"}


@pytest.mark.parametrize(
    "key", ["inbox/a/train.jsonl", "inbox//train.jsonl", "inbox/a/b/train.jsonl", "inbox/a/train.jsonl.gz"]
)
def test_an_upload_into_the_inbox_starts_the_pipeline(resources: dict[str, dict[str, Any]], key: str) -> None:
    event = sample("inbox_upload")
    event["detail"]["object"]["key"] = key
    assert matches(pattern(resources, "InboxUpload"), event)


@pytest.mark.parametrize(
    "key",
    [
        "inbox/gsm8k/test.jsonl",
        "inbox/gsm8k/recipe.yaml",
        "inbox/gsm8k/train.json",
        "inbox/train.jsonl",
        "inbox/train.jsonl.gz",
        "inbox/gsm8k/train.jsonl.zst",
        "inbox/gsm8k/TRAIN.JSONL",
        "outbox/gsm8k/train.jsonl",
        "runs/gsm8k-0f1e/train.jsonl",
    ],
)
def test_another_upload_does_not(resources: dict[str, dict[str, Any]], key: str) -> None:
    event = sample("inbox_upload")
    event["detail"]["object"]["key"] = key
    assert not matches(pattern(resources, "InboxUpload"), event)


def test_another_bucket_s_upload_does_not(resources: dict[str, dict[str, Any]]) -> None:
    event = sample("inbox_upload")
    event["detail"]["bucket"]["name"] = "someone-else-s"
    assert not matches(pattern(resources, "InboxUpload"), event)


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_a_bad_end_of_the_pipeline_starts_the_aftermath(resources: dict[str, dict[str, Any]], status: str) -> None:
    event = sample("pipeline_status_change")
    event["detail"]["status"] = status
    assert matches(pattern(resources, "PipelineEndedBadly"), event)


@pytest.mark.parametrize("status", ["RUNNING", "SUCCEEDED", "PENDING_REDRIVE"])
def test_no_other_status_does(resources: dict[str, dict[str, Any]], status: str) -> None:
    event = sample("pipeline_status_change")
    event["detail"]["status"] = status
    assert not matches(pattern(resources, "PipelineEndedBadly"), event)


def test_the_end_of_a_shard_s_execution_does_not(resources: dict[str, dict[str, Any]]) -> None:
    event = sample("pipeline_status_change")
    event["detail"]["stateMachineArn"] += "/EvaluateShards"
    assert not matches(pattern(resources, "PipelineEndedBadly"), event)


def test_the_end_of_the_aftermath_does_not_start_another(resources: dict[str, dict[str, Any]]) -> None:
    event = sample("pipeline_status_change")
    event["detail"]["stateMachineArn"] = PIPELINE.replace("Pipeline", "Aftermath")
    assert not matches(pattern(resources, "PipelineEndedBadly"), event)


def test_the_package_reads_the_upload_in_the_sample() -> None:
    event = sample("inbox_upload")
    upload = identity.upload_of(event)
    assert upload is not None
    assert (upload.bucket, upload.key) == (BUCKET, "inbox/gsm8k/train.jsonl")
    dropped_anew = copy.deepcopy(event)
    dropped_anew["detail"]["object"]["version-id"] = "another"
    assert identity.run_id_of(event) == identity.run_id_of(sample("inbox_upload"))
    assert identity.run_id_of(event) != identity.run_id_of(dropped_anew)
