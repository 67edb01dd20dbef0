"""DynamoDB's items come back as moto sends them, though the embedded AWS takes a shorter way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from embedded_aws.moto_patches import dynamodb
from embedded_aws.moto_patches.replacement import Replacements

EVERY_KIND: dict[str, Any] = {
    "id": {"S": "1"},
    "empty": {"S": ""},
    "number": {"N": "12.50"},
    "yes": {"BOOL": True},
    "no": {"BOOL": False},
    "nothing": {"NULL": True},
    "words": {"SS": ["a", "b"]},
    "numbers": {"NS": ["1", "2"]},
    "bytes": {"B": b"\x00\xff"},
    "map": {"M": {"list": {"L": [{"N": "1"}, {"M": {}}, {"L": []}]}, "bytes": {"B": b"b"}}},
    "empty_map": {"M": {}},
    "empty_list": {"L": []},
}


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-west-2")
        client.create_table(
            TableName="table",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
        yield client


def test_an_item_of_every_kind_comes_back_as_from_moto(tables: Any) -> None:
    def answers() -> list[Any]:
        key = {"TableName": "table", "Key": {"id": {"S": "1"}}}
        updated = tables.update_item(
            **key,
            UpdateExpression="ADD added :one SET #map.added = :one",
            ExpressionAttributeNames={"#map": "map"},
            ExpressionAttributeValues={":one": {"N": "1"}},
            ReturnValues="ALL_NEW",
        )
        return [
            updated["Attributes"],
            tables.get_item(**key)["Item"],
            tables.scan(TableName="table")["Items"],
            tables.batch_get_item(RequestItems={"table": {"Keys": [key["Key"]]}})["Responses"],
            tables.put_item(TableName="table", Item=EVERY_KIND, ReturnValues="ALL_OLD")["Attributes"],
        ]

    tables.put_item(TableName="table", Item=EVERY_KIND)
    from_moto = answers()
    shorter = Replacements()
    dynamodb.send_values_as_they_are(shorter.replace)
    try:
        assert answers() == from_moto
    finally:
        shorter.undo()
    kept = {name: value for name, value in EVERY_KIND.items() if name != "map"}
    assert {name: from_moto[1][name] for name in kept} == kept
