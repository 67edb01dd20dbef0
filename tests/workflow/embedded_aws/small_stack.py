"""What tests do with the small stack."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from local.aws import Deployment, EmbeddedAws


def wait_until(condition: Callable[[], Any], what: str, seconds: float = 20.0) -> Any:
    """The first truthy value of the condition; fails when there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    pytest.fail(f"not within {seconds} s: {what}")


@dataclass
class SmallStack:
    """The deployed stack and what tests do with it."""

    aws: EmbeddedAws
    deployment: Deployment

    def __getattr__(self, output: str) -> str:
        return self.deployment.outputs[output]

    def start(self, payload: Any, **name: str) -> str:
        started = self.aws.client("stepfunctions").start_execution(
            stateMachineArn=self.MachineArn, input=json.dumps(payload), **name
        )
        return str(started["executionArn"])

    def end_of(self, execution: str) -> dict[str, Any]:
        """The execution's description once it has ended."""
        machine = self.aws.client("stepfunctions")

        def ended() -> dict[str, Any] | None:
            described: dict[str, Any] = machine.describe_execution(executionArn=execution)
            return described if described["status"] != "RUNNING" else None

        described: dict[str, Any] = wait_until(ended, f"{execution} has ended")
        return described

    def executions(self) -> list[str]:
        listed = self.aws.client("stepfunctions").list_executions(stateMachineArn=self.MachineArn)["executions"]
        return [execution["executionArn"] for execution in listed]

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
