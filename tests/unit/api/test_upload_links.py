"""What a presigned upload lets its holder do: one object, of one size at the most, within its time."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import boto3

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
