"""One application with an API for all tests of this folder; it ends before the next folder's begins."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import boto3
import pytest

from local.command.subscriber import subscribe
from local.stack import LocalStack
from tests.workflow.api.clients import ACCOUNT, Client, Service
from tests.workflow.pipeline.application import QUICK

TEAMS = {
    "red": {
        "callers": [f"arn:aws:iam::{ACCOUNT}:role/red-*"],
        "names": ["red-"],
        "datasets": ["s3://shared-data/red/"],
    },
    "blue": {"callers": [f"arn:aws:iam::{ACCOUNT}:role/blue-*"], "names": ["blue-"]},
}


@pytest.fixture(scope="package")
def running_service() -> Iterator[Service]:
    over = threading.Event()
    try:
        with LocalStack(
            switches=QUICK,
            stepped_schedules=True,
            retry_delay_factor=0.02,
            parameters={
                "SettleSeconds": 0,
                "Teams": json.dumps(TEAMS),
                "TeamRunQuota": 1000,
                "SourceObjects": "arn:aws:s3:::shared-data/*",
                "ApiRoles": ",".join(f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("red-*", "blue-*", "teamless")),
            },
        ) as stack:
            clients = stack.aws.client("sqs"), stack.aws.client("sns")
            yield Service(stack, subscribe(*clients, stack.outputs["NoticesTopicArn"], "everything"), over)
            assert stack.refused == [], "permissions that the stack lacks: " + "; ".join(stack.refused)[:3000]
    finally:
        over.set()


@pytest.fixture
def service(running_service: Service) -> Iterator[Service]:
    running_service.hold()
    yield running_service
    running_service.stack.aws.functions.faults.clear()
    running_service.stack.aws.calls.accept()


@pytest.fixture
def red(service: Service) -> Client:
    return service.red


@pytest.fixture
def blue(service: Service) -> Client:
    return service.blue


@pytest.fixture(autouse=True)
def no_credentials_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
