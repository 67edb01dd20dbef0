"""The same drop again claims no run of its own while the run that it equals stands for it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest

from tunedrop import clock
from tunedrop.outcomes import ServiceBusy, Status
from tunedrop.run.drops import Drops, drop_of, stands_for_its_drop
from tunedrop.run.inputs import pin
from tunedrop.run.record import PinnedObject, RunRecord

TRAIN = PinnedObject("drop", "inbox/gsm8k/train.jsonl", "v1", 10, "e1", "e1")
RECIPE = PinnedObject("drop", "inbox/gsm8k/recipe.yaml", "v1", 5, "e2", "e2")


@pytest.fixture
def drops(api_table: str) -> Drops:
    return Drops(boto3.client("dynamodb"), api_table)


def always(_: str) -> bool:
    return True


def never(_: str) -> bool:
    return False


def test_the_first_run_has_the_drop_and_asks_for_it_as_often_as_it_likes(drops: Drops) -> None:
    assert [drops.claim("d", run, always) for run in ("first", "second", "first")] == ["first"] * 3
    assert drops.claim("other", "second", always) == "second"


def test_a_run_that_no_longer_stands_gives_the_drop_to_the_next(drops: Drops) -> None:
    drops.claim("d", "first", always)
    assert drops.claim("d", "second", never) == "second"
    assert drops.claim("d", "third", always) == "second"


def test_of_many_runs_at_once_one_alone_has_the_drop(drops: Drops) -> None:
    drops.claim("d", "ended", always)
    with ThreadPoolExecutor(8) as pool:
        held = set(pool.map(lambda n: drops.claim("d", f"run-{n}", lambda run: run != "ended"), range(16)))
    assert len(held) == 1


def test_a_claim_that_others_keep_taking_is_tried_again_later(drops: Drops) -> None:
    other = Drops(boto3.client("dynamodb"), "api")
    taken = iter(range(100))

    def taken_meanwhile(_: str) -> bool:
        other.claim("d", f"other-{next(taken)}", never)
        return False

    drops.claim("d", "first", always)
    with pytest.raises(ServiceBusy):
        drops.claim("d", "mine", taken_meanwhile)


@pytest.mark.parametrize(
    "other",
    [
        (replace(TRAIN, content="e3"), RECIPE),
        (replace(TRAIN, bytes=11), RECIPE),
        (replace(TRAIN, key="inbox/another/train.jsonl"), RECIPE),
        (TRAIN, replace(RECIPE, content="e3")),
        (TRAIN, replace(RECIPE, key="inbox/gsm8k/recipe.yml")),
        (TRAIN, None),
    ],
)
def test_a_drop_with_another_file_is_another_drop(other: tuple[PinnedObject, PinnedObject | None]) -> None:
    assert drop_of(*other) != drop_of(TRAIN, RECIPE)


def test_a_drop_in_another_version_of_the_same_bytes_is_the_same_drop() -> None:
    assert drop_of(replace(TRAIN, version_id="v2"), None, RECIPE) == drop_of(TRAIN, RECIPE)


def test_the_same_bytes_uploaded_twice_have_the_same_content(aws: None) -> None:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="drop", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_bucket_versioning(Bucket="drop", VersioningConfiguration={"Status": "Enabled"})
    contents = []
    for body in (b"x", b"x", b"y"):
        s3.put_object(Bucket="drop", Key="k", Body=body)
        pinned = pin(s3, "drop", "k")
        assert pinned is not None
        contents.append(pinned.content)
    assert contents[0] == contents[1] != contents[2]


class S3WithKeyOfKms:
    """S3's answer for an object that a key of KMS encrypts: its ETag is another for each upload."""

    def head_object(self, **asked: str) -> dict[str, object]:
        checksums = {"ChecksumCRC32": "abc="} if asked.get("ChecksumMode") == "ENABLED" else {}
        return {"ContentLength": 1, "ETag": '"random"', "ServerSideEncryption": "aws:kms", **checksums}


def test_where_the_etag_does_not_say_the_content_a_checksum_does() -> None:
    pinned = pin(S3WithKeyOfKms(), "drop", "k")  # type: ignore[arg-type] # the one call that it makes
    assert pinned is not None
    assert pinned.content == "ChecksumCRC32=abc="


def run(status: Status, *, ended_minutes_ago: int | None = None, releasing: bool = False) -> RunRecord:
    now = clock.now_text()
    finished = None
    if ended_minutes_ago is not None:
        finished = clock.text(clock.now() - timedelta(minutes=ended_minutes_ago))
    return RunRecord(
        run_id="r", name="r", execution_arn="a", status=status, started_at=now, updated_at=now, finished_at=finished,
        releasing_at=now if releasing else None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "ended_minutes_ago", "releasing", "stands"),
    [
        (Status.RUNNING, None, False, True),
        (Status.RUNNING, None, True, False),
        (Status.SUCCEEDED, 14, False, True),
        (Status.SUCCEEDED, 16, False, False),
        (Status.REJECTED, 1, False, False),
        (Status.FAILED, 1, False, False),
        (Status.CANCELLED, 1, False, False),
    ],
)
def test_a_run_under_way_or_just_ended_well_stands_for_its_drop(
    status: Status, ended_minutes_ago: int | None, releasing: bool, stands: bool
) -> None:
    record = run(status, ended_minutes_ago=ended_minutes_ago, releasing=releasing)
    assert stands_for_its_drop(record) is stands


def test_a_claim_that_is_given_up_between_two_looks_is_taken(drops: Drops, monkeypatch: pytest.MonkeyPatch) -> None:
    drops.claim("d", "first", always)
    client, real = drops._client, drops._client.get_item

    def gone(**asked: Any) -> Any:
        client.delete_item(TableName="api", Key=asked["Key"])
        return real(**asked)

    monkeypatch.setattr(client, "get_item", gone)
    assert drops.claim("d", "second", always) == "second"
