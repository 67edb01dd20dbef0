"""What a presigned upload lets its holder do: one object, of one size at the most, within its time."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from tunedrop.api.context import presigning_client
from tunedrop.api.datasets import UPLOAD_SECONDS, new_upload
from tunedrop.teams import Team


def test_a_stolen_link_uploads_to_its_one_key_and_no_more_than_it_was_made_for() -> None:
    client = boto3.client("s3", region_name="us-west-2", aws_access_key_id="AKIA", aws_secret_access_key="secret")
    made = new_upload(Team("red"), client, "datasets", 1000)
    signed = json.loads(base64.b64decode(made["fields"]["policy"]))
    plain = {name: value for each in signed["conditions"] if isinstance(each, dict) for name, value in each.items()}
    assert (plain["bucket"], plain["key"]) == ("datasets", f"uploads/red/{made['upload_id']}/data.jsonl")
    assert [each for each in signed["conditions"] if isinstance(each, list)] == [["content-length-range", 1, 1000]]
    ends = datetime.fromisoformat(signed["expiration"]) - datetime.now(UTC)
    assert timedelta(0) < ends <= timedelta(seconds=UPLOAD_SECONDS)
    assert UPLOAD_SECONDS <= 3600


def test_no_two_links_are_to_the_same_place() -> None:
    client = boto3.client("s3", region_name="us-west-2", aws_access_key_id="AKIA", aws_secret_access_key="secret")
    assert len({new_upload(Team("red"), client, "datasets", 1)["uri"] for _ in range(3)}) == 3


def test_links_are_signed_for_the_bucket_s_host_in_its_own_region(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"DEFAULT_REGION": "us-west-2", "ACCESS_KEY_ID": "AKIA", "SECRET_ACCESS_KEY": "secret"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    client = presigning_client()
    link = client.generate_presigned_url("get_object", Params={"Bucket": "runs", "Key": "a"})
    assert link.startswith("https://runs.s3.us-west-2.amazonaws.com/a?")
    assert new_upload(Team("red"), client, "datasets", 1)["url"] == "https://datasets.s3.us-west-2.amazonaws.com/"
