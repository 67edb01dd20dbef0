"""Finding what a run is made of: the objects beside the upload, each pinned to the version that is there now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

from botocore.exceptions import ClientError

from tunedrop.answer_members import member
from tunedrop.dataset.packed import write_plain
from tunedrop.identity import RECIPE_NAMES, TEST_NAMES, Upload, kept_version
from tunedrop.outcomes import InputMissing
from tunedrop.run.record import PinnedObject
from tunedrop.service_faults import code_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_FORBIDDEN = frozenset({"403", "AccessDenied", "Forbidden"})
"""What S3 answers for an object that is not there, too, where the bucket may not be listed."""

_MISSING = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NoSuchBucket", "NotFound", "MethodNotAllowed", "405"})
"""The last two are about a version that is a delete marker."""

_CHECKSUMS = ("ChecksumSHA256", "ChecksumCRC64NVME", "ChecksumSHA1", "ChecksumCRC32C", "ChecksumCRC32")
"""The surest first. docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html"""

_CHANGED = frozenset({"412", "PreconditionFailed"})

_HOW_TO_KEEP_VERSIONS = (
    "To keep the files that a run was started with, turn on versioning: aws s3api put-bucket-versioning "
    "--bucket BUCKET --versioning-configuration Status=Enabled"
)


def pin(client: S3Client, bucket: str, key: str, version_id: str = "") -> PinnedObject | None:
    """The object as it is now, or in the version given; None where it is not there."""
    try:
        if version_id:
            head = client.head_object(Bucket=bucket, Key=key, VersionId=version_id, ChecksumMode="ENABLED")
        else:
            head = client.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    except ClientError as error:
        if code_of(error) in _MISSING:
            return None
        raise
    return PinnedObject(
        bucket,
        key,
        version_id or kept_version(head.get("VersionId")),
        member(head, "ContentLength", int, "S3's HeadObject"),
        member(head, "ETag", str, "S3's HeadObject").strip('"'),
        _content(head),
    )


def _content(head: Mapping[str, Any]) -> str:
    """What S3 says of an object's bytes: the ETag, or, where a key of KMS makes each ETag another, a checksum."""
    if not str(head.get("ServerSideEncryption", "")).startswith("aws:kms"):
        return str(head.get("ETag", "")).strip('"')
    return next((f"{name}={head[name]}" for name in _CHECKSUMS if head.get(name)), "")


def pin_upload(client: S3Client, upload: Upload) -> PinnedObject:
    """The training file that started the run.

    Raises:
        InputMissing: it is gone, or, in a bucket that keeps no versions, another upload has taken its place.
    """
    pinned = pin(client, upload.bucket, upload.key, upload.version_id)
    uri = f"s3://{upload.bucket}/{upload.key}"
    if pinned is None:
        version = f" (version {upload.version_id})" if upload.version_id else ""
        raise InputMissing(f"{uri}{version} is gone; drop the file again to start a new run.")
    if not upload.version_id and upload.etag not in ("", pinned.etag):
        raise InputMissing(
            f"another upload has replaced {uri} (ETag {upload.etag}, now {pinned.etag}), because the bucket "
            f"keeps no versions; that upload has a run of its own. {_HOW_TO_KEEP_VERSIONS}"
        )
    return pinned


def pin_test(client: S3Client, train: PinnedObject) -> PinnedObject | None:
    """The test set beside the training file, if one was dropped. Raises InputMissing: there are several."""
    return _pin_one(client, train, TEST_NAMES, "test set")


def pin_recipe(client: S3Client, train: PinnedObject) -> PinnedObject | None:
    """The recipe beside the training file, if one was dropped.

    Raises:
        InputMissing: there are several, and which one counts cannot be told.
    """
    return _pin_one(client, train, RECIPE_NAMES, "recipe")


def _pin_one(client: S3Client, train: PinnedObject, wanted: tuple[str, ...], what: str) -> PinnedObject | None:
    found = [pinned for name in wanted if (pinned := pin(client, train.bucket, _beside(train.key, name))) is not None]
    if len(found) > 1:
        raise InputMissing(
            f"expected one {what}, got several: {', '.join(each.uri for each in found)}; remove all but one."
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
        if code_of(error) not in _FORBIDDEN:
            raise
        raise InputMissing(
            f"{uri} is not there, or this stack may not read it: see its parameter SourceObjects"
        ) from None
    if pinned is None:
        raise InputMissing(f"{uri} is not there; upload it, or correct the name, then start the run again")
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
    """The pinned object's body, to be read in pieces.

    Raises:
        InputMissing: it is gone, or is not what was pinned any more.
    """
    exactly: dict[str, Any] = {"VersionId": pinned.version_id} if pinned.version_id else {}
    if pinned.etag:
        exactly["IfMatch"] = f'"{pinned.etag}"'
    version = f" (version {pinned.version_id})" if pinned.version_id else ""
    try:
        return client.get_object(Bucket=pinned.bucket, Key=pinned.key, **exactly)["Body"]
    except ClientError as error:
        code = code_of(error)
        if code in _MISSING or code in _FORBIDDEN:
            raise InputMissing(
                f"{pinned.uri}{version} was pinned by the run; now it is gone, or this stack may no longer read it "
                f"({code}); drop the files again to start a new run."
            ) from error
        if code in _CHANGED:
            raise InputMissing(
                f"{pinned.uri} was overwritten after the run had pinned it (ETag {pinned.etag}); drop the files again "
                f"to start a new run. {_HOW_TO_KEEP_VERSIONS}"
            ) from error
        raise


def fetch_plain(client: S3Client, pinned: PinnedObject, file: BinaryIO) -> str:
    """Write the pinned object to `file`, unpacked where it is packed; what is wrong with packing or size ("": nothing).

    Raises InputMissing as `open_pinned` does.
    """
    return write_plain(open_pinned(client, pinned), file)


def _beside(key: str, name: str) -> str:
    folder, slash, _ = key.rpartition("/")
    return folder + slash + name
