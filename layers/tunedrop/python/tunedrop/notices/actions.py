"""What a reader can open and run, made from a notice's document: pages of AWS's console, and commands."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

Action = dict[str, str]


def links(document: Mapping[str, Any], region: str) -> list[Action]:
    """The pages that say more, the first one first: `{"title", "url"}`."""
    return [{"title": title, "url": url} for title, url in _links(document, region)]


def _links(document: Mapping[str, Any], region: str) -> Iterator[tuple[str, str]]:
    report = document.get("report_uri")
    if report and (document.get("reason") or {}).get("error") == "DatasetInvalid":
        yield "Findings", _object_page(report.rpartition("/")[0] + "/findings.html", region)
    if report:
        yield "Report", _object_page(report, region)
    if document["event"] == "run_started" and document["dataset"]:
        yield "Dataset", _object_page(document["dataset"]["uri"], region)
    if document.get("upload"):
        yield "Upload", _object_page(document["upload"]["uri"], region)
    if document.get("execution_arn"):
        yield "Execution", _execution_page(document["execution_arn"], region)


def _object_page(uri: str, region: str) -> str:
    """The console's page of an S3 object; its button Open opens the object."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    query = urlencode({"region": region, "prefix": key}, safe="/", quote_via=quote)
    return f"https://{region}.console.aws.amazon.com/s3/object/{bucket}?{query}"


def folders_link(runs_bucket: str, region: str) -> Action:
    """The console's page of all runs' folders."""
    page = f"https://{region}.console.aws.amazon.com/s3/buckets/{runs_bucket}?region={region}&prefix=runs/"
    return {"title": "Folders of the runs", "url": page}


def _execution_page(arn: str, region: str) -> str:
    details = f"https://{region}.console.aws.amazon.com/states/home?region={region}#/v2/executions/details/"
    return details + quote(arn, safe=":")


def report_command(run_id: str, report_uri: str) -> Action:
    """Opens the report, on a machine with Tunedrop and the right to read the bucket."""
    bucket = report_uri.removeprefix("s3://").partition("/")[0]
    return {"title": "Open the report", "command": _command("tunedrop", "report", run_id, "--bucket", bucket)}


def stop_command(execution_arn: str, region: str) -> Action:
    """Stops a run."""
    command = _command("aws", "stepfunctions", "stop-execution", "--region", region, "--execution-arn", execution_arn)
    return {"title": "Stop the run", "command": command}


def word_commands(run_id: str, runs_table: str, region: str) -> list[Action]:
    """Approve or reject a promotion: the same answer as the API's, for those who may use the stack itself."""
    key = f'{{"run_id": {{"S": "{run_id}"}}}}'
    token = _command("aws", "dynamodb", "get-item", "--region", region, "--table-name", runs_table, "--key", key)
    token += " --query Item.approval_token.S --output text"
    return [
        {
            "title": title,
            "command": _command(
                "aws", "stepfunctions", "send-task-success", "--region", region, "--task-output", answer
            )
            + f' --task-token "$({token})"',
        }
        for title, answer in (("Approve", '{"approved": true}'), ("Reject", '{"approved": false}'))
    ]


def keep_command(run_ids: Sequence[str], runs_table: str, region: str) -> Action:
    """Keeps these runs from being deleted, by a mark in their records."""
    update = _command(
        *("aws", "dynamodb", "update-item", "--region", region, "--table-name", runs_table),
        *("--update-expression", "SET keep = :yes", "--condition-expression", "attribute_exists(run_id)"),
        *("--expression-attribute-values", '{":yes": {"S": "yes"}}'),
    )
    key = '"{\\"run_id\\": {\\"S\\": \\"$run\\"}}"'
    return {
        "title": "Keep these runs (leave out those that may go)",
        "command": f"for run in {shlex.join(run_ids)}; do {update} --key {key}; done",
    }


def _command(*words: str) -> str:
    return shlex.join(words)
