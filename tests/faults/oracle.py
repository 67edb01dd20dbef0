"""What must hold after every run, whatever went wrong in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from openai import OpenAI

from tests.faults.world import World
from tunedrop import outcomes
from tunedrop.notices.publication import document_of
from tunedrop.run.record import RunRecord

ENDED_JOBS = {"succeeded", "failed", "cancelled", "Completed", "Failed", "Stopped"}
TEST_ROWS = 20
SECRET_SIGNS = (b"Q2FsbFdpdGhCZWFyZXJUb2tlbg", b"CallWithBearerToken", b"X-Amz-Signature", b"bedrock-api-key-")
"""What every short-term key holds, plain or in base64 (its first characters are base64 of `bedrock.amazonaws.com`)."""


def violations(world: World, log_sizes: dict[str, int]) -> list[str]:
    """What does not hold, as sentences. `log_sizes`: the logs' sizes before the run."""
    application = world.application
    notices = application.notices_of(world.name)
    records = application.records(world.name)
    if len(records) != 1:
        return [f"expected one record of the run, found {len(records)}; notices: {len(notices)}"]
    (record,) = records
    found = [*_ends(world, record, notices), *_jobs(world, record), *_queue(world)]
    if world.stack.region == "us-east-1":
        found += _deployments(world)
    if record.status == "SUCCEEDED" and not {"file emptied", "file deleted"} & world.hits.keys():
        found += _rows(world, record)
    found += _recipe(world, record)
    return [*found, *_secrets(world, record, log_sizes), *_dead_letters(world), *_refusals(world)]


def is_named(error: str) -> bool:
    """Whether a run's reason is an outcome of ours or an error of Step Functions or Lambda, and so in the runbook."""
    return "." in error or hasattr(outcomes, error) or error in ("Stopped", "RunTimedOut", "RunUnconcluded")


def _ends(world: World, record: RunRecord, notices: list[dict[str, Any]]) -> Iterator[str]:
    if not record.status.terminal:
        yield f"the record is not at its end: {record.status}, stage {record.stage}"
    if record.notice is None or record.notified_at is None or record.unfinished is not None:
        yield f"the record is not closed and marked: notified_at {record.notified_at}, unfinished {record.unfinished}"
    ids = {notice["notice_id"] for notice in notices}
    if len(ids) != 1:
        yield f"expected one terminal notice, got {len(ids)} distinct ones in {len(notices)} deliveries"
    for notice in notices:
        if record.notice is not None and notice != document_of(record.notice):
            yield "a delivered notice is not the one in the record"
        if (notice["status"], notice["run_id"]) != (record.status, record.run_id):
            yield f"the notice says {notice['status']} of {notice['run_id']}, the record {record.status}"
    going_on = [each for each in world.application.executions(world.name) if each["status"] == "RUNNING"]
    if going_on:
        yield f"{len(going_on)} executions still run"


def _jobs(world: World, record: RunRecord) -> Iterator[str]:
    jobs = dict(_jobs_of_all(world))
    if len(jobs) > 1:
        yield f"{len(jobs)} jobs were created for one run: {jobs}"
    training = {job: status for job, status in jobs.items() if status not in ENDED_JOBS}
    if training:
        yield f"jobs still train: {training}"
    if record.status == "SUCCEEDED" and (record.job_id not in jobs or record.tuned_model is None):
        yield f"the run succeeded with job {record.job_id}, model {record.tuned_model}; the service knows {jobs}"
    if record.status == "REJECTED" and jobs:
        yield f"the run was rejected, but a job was created: {jobs}"


def _jobs_of_all(world: World) -> Iterator[tuple[str, str]]:
    """Every job that the service knows, with its status: it was made new for this run."""
    bedrock = world.stack.bedrock
    if world.stack.region == "us-east-1":
        pages = _native(world).get_paginator("list_model_customization_jobs").paginate()
        for page in pages:
            for job in page["modelCustomizationJobSummaries"]:
                yield job["jobArn"], job["status"]
    else:
        with OpenAI(base_url=bedrock.base_url, api_key=bedrock.api_key()) as client:
            for job in client.fine_tuning.jobs.list():
                yield job.id, job.status


def _queue(world: World) -> Iterator[str]:
    """Who has ended neither waits for a turn nor keeps a slot."""
    client, table = world.stack.aws.client("dynamodb"), world.stack.resources["ApiTable"]
    for family in ("open_weight", "nova"):
        item = client.get_item(TableName=table, Key={"id": {"S": f"queue/{family}"}}).get("Item")
        line = json.loads(item["text"]["S"]) if item else {"slots": {}, "waiting": {}}
        for run_id in (*line["slots"], *line["waiting"]):
            yield f"{run_id} is left in the queue"


def _recipe(world: World, record: RunRecord) -> Iterator[str]:
    """The recipe of a run is that of the version which its record names, whatever lies in the inbox by now."""
    if record.resolved and record.recipe_file is not None:
        file = record.recipe_file
        body = world.stack.aws.client("s3").get_object(Bucket=file.bucket, Key=file.key, VersionId=file.version_id)
        if f"prompts: {record.recipe.rehearsal.prompts}," not in body["Body"].read().decode():
            yield f"the recipe in the record is not that of version {file.version_id} of {file.key}"


def _native(world: World) -> Any:
    import boto3

    return boto3.client(
        "bedrock",
        region_name=world.stack.region,
        endpoint_url=world.stack.bedrock.endpoint,
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


def _deployments(world: World) -> Iterator[str]:
    left = _native(world).list_custom_model_deployments()["modelDeploymentSummaries"]
    if left:
        yield f"deployments are left: {[each['customModelDeploymentName'] for each in left]}"


def _rows(world: World, record: RunRecord) -> Iterator[str]:
    """A verdict stands on every test row, for both models."""
    s3, bucket = world.stack.aws.client("s3"), world.stack.outputs["RunsBucketName"]
    prefix = f"runs/{record.run_id}/evaluation/answers/"
    answered: dict[str, set[int]] = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            body = s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
            for line in body.splitlines():
                answer = json.loads(line)
                answered.setdefault(answer["candidate"], set()).add(answer["row"])
    wanted = set(range(TEST_ROWS))
    for candidate, rows in answered.items():
        if rows != wanted:
            yield f"{candidate}: rows {sorted(wanted ^ rows)} are not accounted for, though the run succeeded"
    if len(answered) < 2 or record.evaluation.document.get("rows") != TEST_ROWS:
        yield f"expected two candidates and {TEST_ROWS} rows, got {sorted(answered)} and {record.evaluation.document}"


def log_sizes(world: World) -> dict[str, int]:
    """The sizes of the functions' logs at this moment."""
    return {str(path): path.stat().st_size for path in (world.stack.folder / "aws/logs").rglob("*.log")}


def _secrets(world: World, record: RunRecord, before: dict[str, int]) -> Iterator[str]:
    written: dict[str, bytes] = {"the record": repr(record).encode()}
    for path in (world.stack.folder / "aws/logs").rglob("*.log"):
        with path.open("rb") as log:
            log.seek(before.get(str(path), 0))
            written[path.name] = log.read()
    s3, bucket = world.stack.aws.client("s3"), world.stack.outputs["RunsBucketName"]
    for entry in s3.list_objects_v2(Bucket=bucket, Prefix=f"runs/{record.run_id}/").get("Contents", []):
        written[entry["Key"]] = s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
    for execution in world.application.executions(world.name):
        history = world.application.states.get_execution_history(
            executionArn=execution["executionArn"], maxResults=1000
        )
        written[execution["executionArn"]] = repr(history["events"]).encode()
    for where, text in written.items():
        if any(sign in text for sign in SECRET_SIGNS):
            yield f"a key was written into {where}"


def _dead_letters(world: World) -> Iterator[str]:
    """Nothing that these runs meet lasts as long as an event is delivered again: so every queue must be empty."""
    sqs = world.stack.aws.client("sqs")
    for url in sqs.list_queues()["QueueUrls"]:
        if "DeadLetters" in url:
            for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                yield f"a dead letter lies in {url.rpartition('/')[2]}: {message['Body'][:200]}"


def _refusals(world: World) -> Iterator[str]:
    for refused in world.stack.refused:
        yield f"a role lacks a permission: {refused}"
