"""What tests do with the small stack."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedded_aws import Deployment, EmbeddedAws
from embedded_aws.lambdas.code import pack_folder
from embedded_aws.waiting import until

LAYERS = Path(__file__).parents[3] / "build/local/layers"
RUNTIME = LAYERS / "runtime"
LIBRARIES = LAYERS / "dependencies"


@dataclass
class SmallStack:
    """The deployed stack and what tests do with it."""

    aws: EmbeddedAws
    deployment: Deployment

    def __getattr__(self, output: str) -> str:
        return self.deployment.outputs[output]

    def role(self, logical_id: str = "MisbehaveRole") -> str:
        return self.deployment.resources[logical_id].attributes["Arn"]

    def invoke(self, function: str, event: Any, **arguments: Any) -> tuple[Any, dict[str, Any]]:
        """Invokes through the API: the payload, and the rest of the response."""
        response = self.aws.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event), **arguments)
        content = response.pop("Payload").read()
        return (json.loads(content) if content else None), response

    def make_function(self, folder: Path, name: str, source: str, **settings: Any) -> str:
        """Creates a function of one module; its name."""
        code = folder / name
        code.mkdir()
        (code / "app.py").write_text(source)
        arguments = {"Handler": "app.handler", "Runtime": "python3.13", "Role": self.role(), "Timeout": 10, **settings}
        self.aws.client("lambda").create_function(FunctionName=name, Code={"ZipFile": pack_folder(code)}, **arguments)
        return name

    def make_machine(self, name: str, states: Mapping[str, Any], **fields: Any) -> str:
        """Creates a JSONata machine that starts at the first of the states; its ARN."""
        definition = {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states, **fields}
        machine = self.aws.client("stepfunctions").create_state_machine(
            name=name, definition=json.dumps(definition), roleArn=self.role("MachineRole")
        )
        return str(machine["stateMachineArn"])

    def start(self, machine: str, payload: Any = None, **arguments: str) -> str:
        """Starts an execution; its ARN."""
        started = self.aws.client("stepfunctions").start_execution(
            stateMachineArn=machine, input=json.dumps(payload), **arguments
        )
        return str(started["executionArn"])

    def describe(self, execution: str) -> dict[str, Any]:
        described: dict[str, Any] = self.aws.client("stepfunctions").describe_execution(executionArn=execution)
        return described

    def end_of(self, execution: str) -> dict[str, Any]:
        """The execution's description once it has ended."""

        def ended() -> dict[str, Any] | None:
            described = self.describe(execution)
            return described if described["status"] != "RUNNING" else None

        described: dict[str, Any] = until(ended, f"{execution} has ended")
        return described

    def run(self, machine: str, payload: Any = None) -> dict[str, Any]:
        """Starts an execution and waits for its end."""
        return self.end_of(self.start(machine, payload))

    def executions(self, machine: str | None = None) -> list[str]:
        """The executions, the newest first."""
        listed = self.aws.client("stepfunctions").list_executions(stateMachineArn=machine or self.MachineArn)
        return [execution["executionArn"] for execution in listed["executions"]]

    def messages(self, url: str) -> list[dict[str, Any]]:
        """Takes what lies in the queue."""
        sqs = self.aws.client("sqs")
        taken = []
        while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]).get(
            "Messages"
        ):
            for message in found:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                taken.append(message)
        return taken

    def upload(self, key: str, text: str) -> str:
        """Uploads a text; the object's version id."""
        put = self.aws.client("s3").put_object(Bucket=self.InboxName, Key=key, Body=text.encode())
        return str(put["VersionId"])
