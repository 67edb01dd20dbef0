"""Finding what a run is made of: the objects beside the upload, each pinned to the version that is there now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from tunedrop.identity import RECIPE_NAMES, TEST_NAME
from tunedrop.outcomes import InputMissing
from tunedrop.run.record import PinnedObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_FORBIDDEN = frozenset({"403", "AccessDenied", "Forbidden"})
"""What S3 answers for an object that is not there, too, where the bucket may not be listed."""

_MISSING = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NotFound"})


def pin(client: S3Client, bucket: str, key: str, version_id: str = "") -> PinnedObject | None:
    """The object as it is now, or in the version given; None where it is not there."""
    try:
        if version_id:
            head = client.head_object(Bucket=bucket, Key=key, VersionId=version_id)
        else:
            head = client.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] in _MISSING:
            return None
        raise
    return PinnedObject(bucket, key, version_id or head.get("VersionId", ""), head["ContentLength"])


def pin_upload(client: S3Client, bucket: str, key: str, version_id: str) -> PinnedObject:
    """The training file that started the run.

    Raises:
        InputMissing: that version is gone.
    """
    pinned = pin(client, bucket, key, version_id)
    if pinned is None:
        raise InputMissing(
            f"s3://{bucket}/{key} (version {version_id or 'unknown'}) is gone; drop the file again to start a new run."
        )
    return pinned


def pin_test(client: S3Client, train: PinnedObject) -> PinnedObject | None:
    """The test set beside the training file, if one was dropped."""
    return pin(client, train.bucket, _beside(train.key, TEST_NAME))


def pin_recipe(client: S3Client, train: PinnedObject) -> PinnedObject | None:
    """The recipe beside the training file, if one was dropped.

    Raises:
        InputMissing: there are several, and which one counts cannot be told.
    """
    found = [
        pinned for name in RECIPE_NAMES if (pinned := pin(client, train.bucket, _beside(train.key, name))) is not None
    ]
    if len(found) > 1:
        raise InputMissing(
            f"expected one recipe, got several: {', '.join(each.uri for each in found)}; remove all but one."
        )
    return found[0] if found else None


def pin_object(client: S3Client, place: Mapping[str, str]) -> PinnedObject:
    """An object that a call named by `bucket` and `key`, in its version of now.

    Raises:
        InputMissing: it is not there.
    """
    uri = f"s3://{place['bucket']}/{place['key']}"
    try:
        pinned = pin(client, place["bucket"], place["key"])
    except ClientError as error:
        if error.response["Error"]["Code"] not in _FORBIDDEN:
            raise
        raise InputMissing(
            f"{uri} is not there, or this stack may not read it: see its parameter SourceObjects"
        ) from None
    if pinned is None:
        raise InputMissing(f"{uri} is not there")
    return pinned


def pin_recipe_named(client: S3Client, bucket: str, stem: str) -> PinnedObject:
    """The recipe whose key is `stem` and one of the endings of a recipe.

    Raises:
        InputMissing: there is none, or there are several.
    """
    endings = [name.removeprefix("recipe") for name in RECIPE_NAMES]
    found = [pinned for ending in endings if (pinned := pin(client, bucket, stem + ending)) is not None]
    if len(found) != 1:
        there = ", ".join(each.uri for each in found) or "none"
        raise InputMissing(f"expected one recipe s3://{bucket}/{stem} with {', '.join(endings)}; got {there}")
    return found[0]


def read(client: S3Client, pinned: PinnedObject, *, most_bytes: int) -> bytes:
    """The pinned version's content, `most_bytes` + 1 of it at the most, so that too long a file shows as such."""
    body: bytes = open_pinned(client, pinned).read(most_bytes + 1)
    return body


def open_pinned(client: S3Client, pinned: PinnedObject):  # type: ignore[no-untyped-def] # botocore's own body type
    """The pinned version's body, to be read in pieces."""
    if pinned.version_id:
        return client.get_object(Bucket=pinned.bucket, Key=pinned.key, VersionId=pinned.version_id)["Body"]
    return client.get_object(Bucket=pinned.bucket, Key=pinned.key)["Body"]


def _beside(key: str, name: str) -> str:
    folder, slash, _ = key.rpartition("/")
    return folder + slash + name
