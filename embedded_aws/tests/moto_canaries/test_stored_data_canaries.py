"""What is stored: in S3, DynamoDB and SSM."""

from __future__ import annotations

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import moto.s3.models
import pytest
import requests
from botocore.exceptions import ClientError
from moto.core.serialize import BaseJSONSerializer
from moto.dynamodb.comparisons import get_filter_expression

from embedded_aws.moto_patches import (
    dynamodb,
    remembered,
    request_limits,
    s3,
)
from embedded_aws.tests.moto_canaries.moto_alone import canary_of, client, create_bucket

pytestmark = pytest.mark.prove


@canary_of(dynamodb.make_atomic)
def test_moto_lets_two_conditional_writes_at_one_moment_succeed(monkeypatch: pytest.MonkeyPatch) -> None:
    both_have_looked = threading.Barrier(2, timeout=10)

    def look(*arguments: Any) -> Any:
        both_have_looked.wait()
        return get_filter_expression(*arguments)

    monkeypatch.setattr("moto.dynamodb.models.table.get_filter_expression", look)
    tables = client("dynamodb")
    tables.create_table(
        TableName="table",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )

    def put(_: int) -> None:
        tables.put_item(TableName="table", Item={"id": {"S": "1"}}, ConditionExpression="attribute_not_exists(id)")

    with ThreadPoolExecutor(2) as writers:
        assert list(writers.map(put, range(2))) == [None, None]


@canary_of(dynamodb.send_values_as_they_are)
def test_moto_looks_for_each_type_in_every_value(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_for: list[str] = []

    def get_value(serializer: Any, value: Any, key: str, shape: Any) -> Any:
        looked_for.append(key)
        return original(serializer, value, key, shape)

    original = BaseJSONSerializer.get_value
    monkeypatch.setattr(BaseJSONSerializer, "get_value", get_value)
    tables = client("dynamodb")
    tables.create_table(
        TableName="table",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    tables.put_item(TableName="table", Item={"id": {"S": "1"}})
    looked_for.clear()
    tables.get_item(TableName="table", Key={"id": {"S": "1"}})
    assert {"N", "M", "L", "BOOL", "NULL"} <= set(looked_for)


@canary_of(dynamodb.refuse_what_aws_refuses)
def test_moto_stores_numbers_and_depths_that_dynamodb_refuses() -> None:
    tables = client("dynamodb")
    tables.create_table(
        TableName="table",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    deep: dict[str, Any] = {"S": "x"}
    for _ in range(40):
        deep = {"M": {"in": deep}}
    tables.put_item(TableName="table", Item={"id": {"S": "1"}, "long": {"N": "1" * 40}, "deep": deep})
    tables.update_item(
        TableName="table",
        Key={"id": {"S": "1"}},
        UpdateExpression="SET small = :small",
        ExpressionAttributeValues={":small": {"N": "1E-131"}},
    )
    item = tables.get_item(TableName="table", Key={"id": {"S": "1"}})["Item"]
    assert set(item) == {"id", "long", "deep", "small"}


@canary_of(request_limits.limit_parameters)
def test_moto_keeps_parameters_of_any_length() -> None:
    assert client("ssm").put_parameter(Name="/name", Value="x" * 9000, Type="String")["Version"] == 1


@canary_of(s3.read_parts_alone)
def test_moto_reads_a_whole_object_for_a_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    value: Any = moto.s3.models.FakeKey.value

    def get(key: Any) -> bytes:
        whole: bytes = value.fget(key)
        read.append(len(whole))
        return whole

    buckets = create_bucket()
    buckets.put_object(Bucket="bucket", Key="key", Body=b"0123456789")
    monkeypatch.setattr(moto.s3.models.FakeKey, "value", property(get, value.fset))
    assert buckets.get_object(Bucket="bucket", Key="key", Range="bytes=2-4")["Body"].read() == b"234"
    assert 10 in read


@canary_of(s3.check_links)
def test_moto_takes_a_link_with_any_signature() -> None:
    bucket = create_bucket()
    bucket.put_object(Bucket="bucket", Key="key", Body=b"content")
    link = bucket.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": "key"})
    forged = re.sub("Signature=[^&]+", "Signature=forged", link)
    assert requests.get(forged, timeout=10).text == "content"


@canary_of(s3.check_forms)
def test_moto_takes_a_form_for_another_key() -> None:
    form = create_bucket().generate_presigned_post("bucket", "key")
    files = {"file": ("name", b"content")}
    answer = requests.post(form["url"], data={**form["fields"], "key": "other"}, files=files, timeout=10)
    assert answer.status_code == 204


@canary_of(s3.leave_policies_to_permissions)
def test_moto_denies_whatever_a_bucket_s_policy_denies_under_a_condition() -> None:
    denial = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::bucket/*",
        "Condition": {"Null": {"s3:if-none-match": "true"}},
    }
    bucket = create_bucket()
    bucket.put_bucket_policy(Bucket="bucket", Policy=json.dumps({"Version": "2012-10-17", "Statement": [denial]}))
    with pytest.raises(ClientError, match="Forbidden"):
        bucket.put_object(Bucket="bucket", Key="key", Body=b"", IfNoneMatch="*")


@canary_of(remembered.addresses_of_s3)
def test_moto_loads_the_addresses_of_s3_for_each_request(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[ModuleType] = []
    monkeypatch.setattr("moto.s3.models.reload", loaded.append)
    buckets = client("s3")
    buckets.list_buckets()
    buckets.list_buckets()
    assert len(loaded) >= 2
