"""Unit tests open no socket; AWS is moto's in-process mock."""

from __future__ import annotations

import os
from collections.abc import Iterator

import boto3
import pytest

os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty AWS account, in this process. Each write of DynamoDB is one step, as it is not in moto."""
    from moto import mock_aws  # the process that hands the tests out reads this file, too, and needs no moto

    from embedded_aws.moto_patches import dynamodb, remembered
    from embedded_aws.moto_patches.replacement import Replacements

    atomic = Replacements()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    # moto would list the addresses of all services for `requests`, by which no unit test calls one.
    monkeypatch.setattr("moto.core.models.RESPONSES_METHODS", [])
    with mock_aws():
        dynamodb.make_atomic(atomic.replace)
        dynamodb.send_values_as_they_are(atomic.replace)
        remembered.addresses_of_s3(atomic.replace)
        yield
        atomic.undo()


@pytest.fixture
def runs_table(aws: None) -> str:
    """The runs table as the template makes it; its name."""
    boto3.client("dynamodb").create_table(
        TableName="runs",
        KeySchema=[{"AttributeName": "run_id", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("run_id", "unfinished", "updated_at")
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "unfinished",
                "KeySchema": [
                    {"AttributeName": "unfinished", "KeyType": "HASH"},
                    {"AttributeName": "updated_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return "runs"


@pytest.fixture
def api_table(aws: None) -> str:
    """The table of the API, the queue and the limits as the template makes it; its name."""
    boto3.client("dynamodb").create_table(
        TableName="api",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return "api"


@pytest.fixture
def training_events_table(aws: None) -> str:
    """The table of training events as the template makes it; its name."""
    boto3.client("dynamodb").create_table(
        TableName="training-events",
        KeySchema=[
            {"AttributeName": "run_id", "KeyType": "HASH"},
            {"AttributeName": "event_id", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("run_id", "event_id")],
        BillingMode="PAY_PER_REQUEST",
    )
    return "training-events"
