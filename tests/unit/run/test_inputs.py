"""A run's inputs are pinned once: what is gone, doubled, replaced or not allowed ends the run with its address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from moto import mock_aws

from tunedrop.identity import Upload
from tunedrop.outcomes import InputMissing
from tunedrop.run.inputs import open_pinned, pin, pin_object, pin_test, pin_upload
from tunedrop.run.record import PinnedObject

KEY = "inbox/ants/train.jsonl"
PINNED = PinnedObject("drop", KEY, "", 3, "an-older-etag")


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """One for all of this module: to make a client takes longer than all that a test asks of it."""
    with mock_aws():
        yield boto3.client("s3", region_name="us-west-2", aws_access_key_id="testing", aws_secret_access_key="testing")


@pytest.fixture
def s3(client: Any) -> Iterator[Any]:
    """An empty bucket that keeps no versions."""
    client.create_bucket(Bucket="drop", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    yield client
    for each in client.list_objects_v2(Bucket="drop").get("Contents", ()):
        client.delete_object(Bucket="drop", Key=each["Key"])
    client.delete_bucket(Bucket="drop")


def test_an_upload_that_is_gone_or_replaced_is_not_trained_on(s3: Any) -> None:
    upload = Upload("drop", KEY, "", "1", "an-older-etag")
    with pytest.raises(InputMissing, match=r"inbox/ants/train\.jsonl is gone; drop the file again"):
        pin_upload(s3, upload)
    s3.put_object(Bucket="drop", Key=KEY, Body=b"{}\n")
    with pytest.raises(InputMissing, match="another upload has replaced .*ETag an-older-etag, now "):
        pin_upload(s3, upload)


def test_two_test_sets_beside_each_other_are_named_both(s3: Any) -> None:
    for name in ("train.jsonl", "test.jsonl", "test.jsonl.gz"):
        s3.put_object(Bucket="drop", Key=f"inbox/ants/{name}", Body=b"{}\n")
    train = pin(s3, "drop", KEY)
    assert train is not None
    with pytest.raises(InputMissing, match=r"expected one test set, got several: .*test\.jsonl, .*test\.jsonl\.gz"):
        pin_test(s3, train)


def test_an_input_that_was_deleted_or_overwritten_after_it_was_pinned_ends_the_run(s3: Any) -> None:
    with pytest.raises(InputMissing, match="was pinned by the run; now it is gone"):
        open_pinned(s3, PINNED)
    s3.put_object(Bucket="drop", Key=KEY, Body=b"{}\n")
    with pytest.raises(InputMissing, match="was overwritten after the run had pinned it"):
        open_pinned(s3, PINNED)


@pytest.mark.parametrize(("code", "status", "outcome"), [("403", 403, InputMissing), ("500", 500, ClientError)])
def test_an_object_that_a_call_names_and_the_stack_may_not_read_is_missing(
    s3: Any, code: str, status: int, outcome: type[Exception]
) -> None:
    with Stubber(s3) as stub:
        stub.add_client_error("head_object", code, http_status_code=status)
        with pytest.raises(outcome):
            pin_object(s3, {"bucket": "drop", "key": KEY})
        stub.add_client_error("get_object", code, http_status_code=status)
        with pytest.raises(outcome):
            open_pinned(s3, PINNED)
