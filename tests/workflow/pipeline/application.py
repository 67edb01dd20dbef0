"""The application on a local stack, as the workflow tests use it, and the rows that they drop."""

from __future__ import annotations

import gzip
import io
import json
import uuid
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from openai import OpenAI

from embedded_aws import EmbeddedAws
from embedded_aws.waiting import until
from local.command.subscriber import subscribe
from local.stack import LocalStack
from tests.report_schema import problems
from tunedrop.run.record import RunRecord
from tunedrop.run.store import RunStore

QUICK = {
    "validating_seconds": 0,
    "queued_seconds": 0,
    "step_seconds": 0,
}
DATA = Path(__file__).parents[2] / "data" / "gsm8k"
SUFFIX = ' Let\'s think step by step and output the final answer after "####".'


def rows(count: int, skip: int = 0) -> list[dict[str, Any]]:
    """GSM8K rows in the contract's format."""
    with gzip.open(DATA / "train.jsonl.gz", "rt") as lines:
        published = [json.loads(line) for line, _ in zip(lines, range(skip + count), strict=False)][skip:]
    return [
        {"messages": [{"role": "user", "content": row["question"] + SUFFIX}], "reference_answer": row["answer"]}
        for row in published
    ]


def jsonl(of: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in of)


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


TRAIN = jsonl(rows(100))
TEST = jsonl(rows(20, skip=100))
OWN_ROLE = "own-graders"
RECIPE = b"rehearsal: {prompts: 8, samples: 4}\n"


@dataclass
class Application:
    """The local stack with a subscriber of its own to the notices."""

    stack: LocalStack
    queue_url: str
    notices: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[dict[str, Any]] = field(default_factory=list)
    inputs: dict[str, str] = field(default_factory=dict)
    """What each execution was started with: it does not change, and is asked for once."""
    run_ids: dict[str, str] = field(default_factory=dict)
    """The one run of a dataset, once it was found: to look for it again reads the whole table."""

    @cached_property
    def bedrock(self) -> OpenAI:
        """The unmodified SDK, which takes long to make."""
        return OpenAI(base_url=self.stack.bedrock.base_url, api_key=self.stack.bedrock.api_key())

    @property
    def runs(self) -> RunStore:
        return RunStore(self.stack.aws.client("dynamodb"), self.stack.outputs["RunsTableName"])

    @property
    def states(self) -> Any:
        return self.stack.aws.client("stepfunctions")

    def function(self, logical_id: str) -> str:
        """The physical name of a function."""
        return self.stack.resources[logical_id]

    def drop(self, files: dict[str, bytes] | None = None, name: str | None = None) -> str:
        """Drop a dataset, train.jsonl last; its name."""
        name = name or f"set-{uuid.uuid4().hex[:8]}"
        files = files or {"test.jsonl": TEST, "recipe.yaml": RECIPE, "train.jsonl": TRAIN}
        client = self.stack.aws.client("s3")
        for file_name in sorted(files, key=lambda each: each == "train.jsonl"):
            client.put_object(
                Bucket=self.stack.outputs["DatasetBucketName"], Key=f"inbox/{name}/{file_name}", Body=files[file_name]
            )
        return name

    def records(self, name: str) -> list[RunRecord]:
        """The records of the runs of a dataset."""
        client = self.stack.aws.client("dynamodb")
        found = client.scan(
            TableName=self.stack.outputs["RunsTableName"],
            FilterExpression="#name = :name",
            ExpressionAttributeNames={"#name": "name"},
            ExpressionAttributeValues={":name": {"S": name}},
        )["Items"]
        return [self.runs.load(item["run_id"]["S"]) for item in found]

    def record(self, name: str) -> RunRecord:
        """The record of the one run of a dataset, once it is there."""
        if name not in self.run_ids:
            self.run_ids[name] = until(lambda: self.records(name), f"a run of {name}")[0].run_id
        return self.runs.load(self.run_ids[name])

    def executions(self, name: str) -> list[dict[str, Any]]:
        """The executions of the pipeline that were started for a dataset."""
        listed = self.states.list_executions(stateMachineArn=self.stack.outputs["PipelineArn"])["executions"]
        arns = [each["executionArn"] for each in listed]
        for arn in arns:
            if arn not in self.inputs:
                self.inputs[arn] = self.states.describe_execution(executionArn=arn)["input"]
        own = (arn for arn in arns if f"inbox/{name}/" in self.inputs[arn])
        return [self.states.describe_execution(executionArn=arn) for arn in own]

    def end(self, name: str) -> dict[str, Any]:
        """The terminal notice of the one run of a dataset, as its subscriber got it."""
        notice: dict[str, Any] = until(lambda: self.notices_of(name), f"a notice of {name}")[0]
        until(lambda: self.record(name).notified_at, f"the mark of the notice of {name}")
        return notice

    def notices_of(self, name: str) -> list[dict[str, Any]]:
        """Every terminal notice of a dataset that has come so far; those of other events go into `warnings`."""
        client = self.stack.aws.client("sqs")
        while messages := client.receive_message(
            QueueUrl=self.queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages"):
            for message in messages:
                client.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
                notice = json.loads(json.loads(message["Body"])["Message"])
                (self.notices if notice["event"] == "run_ended" else self.warnings).append(notice)
        return [notice for notice in self.notices if notice["name"] == name]

    def report(self, notice: dict[str, Any]) -> dict[str, Any]:
        """report.json beside the page that a notice names; it keeps its schema, which names all that it has."""
        bucket, _, key = notice["report_uri"].removeprefix("s3://").partition("/")
        body = self.stack.aws.client("s3").get_object(Bucket=bucket, Key=key.replace(".html", ".json"))["Body"]
        report: dict[str, Any] = json.loads(body.read())
        assert problems(report) == []
        return report

    def jobs(self, run_id: str) -> list[dict[str, Any]]:
        """The jobs at Bedrock that were made from the files of a run."""
        own = {file.id for file in self.bedrock.files.list() if file.filename == f"tunedrop-{run_id}.jsonl"}
        jobs = self.bedrock.fine_tuning.jobs.list()
        return [job.model_dump(warnings=False) for job in jobs if job.training_file in own]

    def publish_grader(self, name: str, source: str) -> str:
        """Publish a grader function of a team's own; the ARN of its version."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as written:
            written.writestr("app.py", source)
        client = self.stack.aws.client("lambda")
        made = client.create_function(
            FunctionName=f"own-{name}-{uuid.uuid4().hex[:6]}",
            Runtime="python3.13",
            Role=self._role_of_own_graders(),
            Handler="app.handler",
            Code={"ZipFile": archive.getvalue()},
            Timeout=20,
            Publish=True,
        )
        version = client.list_versions_by_function(FunctionName=made["FunctionName"])["Versions"][-1]
        return str(version["FunctionArn"])

    def _role_of_own_graders(self) -> str:
        """The ARN of a role that a team has made for its functions: they may write their logs."""
        iam = self.stack.aws.client("iam")
        made = {each["RoleName"]: each["Arn"] for each in iam.list_roles()["Roles"]}
        if OWN_ROLE not in made:
            trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
            role = iam.create_role(RoleName=OWN_ROLE, AssumeRolePolicyDocument=_policy(trust))["Role"]
            logs = {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"}
            iam.put_role_policy(RoleName=OWN_ROLE, PolicyName="logs", PolicyDocument=_policy(logs))
            made[OWN_ROLE] = role["Arn"]
        return str(made[OWN_ROLE])

    def sweep(self) -> dict[str, int]:
        """Run the sweeper once."""
        answer = self.stack.aws.client("lambda").invoke(FunctionName=self.function("SweepRuns"), Payload=b"{}")
        assert "FunctionError" not in answer, answer["Payload"].read()
        swept: dict[str, int] = json.loads(answer["Payload"].read())
        return swept

    def quiet(self) -> None:
        """End every fault that a test has asked for."""
        self.stack.aws.dispatch.faults.clear()
        self.stack.aws.functions.faults.clear()
        self.stack.aws.calls.accept()
        for name, value in {**QUICK, "fault_plan": "", "list_lag_calls": 0}.items():
            self.stack.bedrock.set_switch(name, value)


@contextmanager
def running(
    region: str,
    parameters: Mapping[str, Any],
    before_deployment: Callable[[EmbeddedAws], Mapping[str, Any]] | None = None,
) -> Iterator[Application]:
    """The application of such a stack. Fails at the end where a call was refused that a role or a key did not allow."""
    with LocalStack(
        region=region,
        switches=QUICK,
        stepped_schedules=True,
        retry_delay_factor=0.02,
        parameters=parameters,
        before_deployment=before_deployment,
    ) as stack:
        clients = stack.aws.client("sqs"), stack.aws.client("sns")
        queue_url = subscribe(*clients, stack.outputs["NoticesTopicArn"], "subscriber")
        yield Application(stack, queue_url)
        assert stack.refused == [], "permissions that the stack lacks"
