"""What an upload's link is signed for: one object, its size, that nothing lies there yet, and its time."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.config import Config

from tunedrop.api.context import presigning_client
from tunedrop.api.datasets import UPLOAD_SECONDS, new_upload
from tunedrop.teams import Team


@pytest.fixture
def client() -> Any:
    return boto3.client(
        "s3",
        region_name="us-west-2",
        aws_access_key_id="AKIA",
        aws_secret_access_key="secret",
        config=Config(signature_version="s3v4"),
    )


def test_a_link_is_signed_for_one_key_one_size_and_an_hour(client: Any) -> None:
    made = new_upload(Team("red"), client, "datasets", 1000)
    link = urlsplit(made["url"])
    signed = {name: values[0] for name, values in parse_qs(link.query).items()}
    assert link.path.endswith(f"/uploads/red/{made['upload_id']}/data.jsonl")
    assert signed["X-Amz-SignedHeaders"] == "content-length;host;if-none-match"
    assert 0 < int(signed["X-Amz-Expires"]) <= UPLOAD_SECONDS <= 3600
    assert made["headers"] == {"If-None-Match": "*"}


def test_no_two_links_are_to_the_same_place(client: Any) -> None:
    assert len({new_upload(Team("red"), client, "datasets", 1)["uri"] for _ in range(3)}) == 3


def test_links_are_signed_for_the_bucket_s_host_in_its_own_region(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"DEFAULT_REGION": "us-west-2", "ACCESS_KEY_ID": "AKIA", "SECRET_ACCESS_KEY": "secret"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    client = presigning_client()
    link = client.generate_presigned_url("get_object", Params={"Bucket": "runs", "Key": "a"})
    assert link.startswith("https://runs.s3.us-west-2.amazonaws.com/a?")
    upload = new_upload(Team("red"), client, "datasets", 1)["url"]
    assert upload.startswith("https://datasets.s3.us-west-2.amazonaws.com/uploads/red/")
