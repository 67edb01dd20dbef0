"""What a call of S3 needs: its actions have other names than its operations.

docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from embedded_aws.calls import Call
from embedded_aws.permissions.need import READ, READ_AND_WRITE, WRITE, Need, key_needs
from embedded_aws.permissions.resources import Resources

ACTIONS = {
    "HeadObject": "GetObject",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "HeadBucket": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListParts": "ListMultipartUploadParts",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListBuckets": "ListAllMyBuckets",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
    "CopyObject": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "PostObject": "PutObject",
}
"""Operation → IAM action, where they differ."""

_OF_A_VERSION = {"GetObject": "GetObjectVersion", "DeleteObject": "DeleteObjectVersion"}
_OF_MULTIPART = {"CreateMultipartUpload", "UploadPart", "UploadPartCopy", "CompleteMultipartUpload"}


def s3_needs(call: Call, resources: Resources) -> Iterator[Need]:
    """Every permission that the call needs."""
    bucket, key, version = _of(call)
    if call.action == "DeleteObjects":  # each object by itself, as AWS asks, too
        for each, of_version in call.parameters["Objects"]:
            asked_of = {} if of_version is None else {"s3:versionid": str(of_version)}
            action = "DeleteObject" if of_version is None else "DeleteObjectVersion"
            yield Need(f"s3:{action}", f"arn:aws:s3:::{bucket}/{each}", asked_of)
        return
    action = ACTIONS.get(call.action, call.action)
    if version is not None:
        action = _OF_A_VERSION.get(action, action)
    where = "*" if call.action == "ListBuckets" else f"arn:aws:s3:::{bucket}"
    if key:
        where += f"/{key}"
    asked = {
        f"s3:{name}": _first(call.parameters[name])
        for name in ("prefix", "delimiter", "max-keys")
        if action.startswith("ListBucket") and call.parameters.get(name) is not None
    }
    if version is not None:
        asked["s3:versionid"] = version
    if action == "PutObject" and call.headers.get("if-none-match") is not None:
        asked["s3:if-none-match"] = str(call.headers["if-none-match"])
    yield Need(f"s3:{action}", where, asked)
    source = unquote(str(call.headers.get("x-amz-copy-source", "")).partition("?")[0]).removeprefix("/")
    if source:
        yield Need("s3:GetObject", f"arn:aws:s3:::{source}")
        bucket_name, _, key_name = source.partition("/")
        yield from _object_key(resources, bucket_name, key_name, None)
    if action in ("GetObject", "GetObjectVersion"):
        yield from _object_key(resources, bucket, key, version)
    elif action == "PutObject":
        named = call.headers.get("x-amz-server-side-encryption-aws-kms-key-id") or resources.bucket_key(bucket)
        used = READ_AND_WRITE if call.action in _OF_MULTIPART else WRITE
        yield from key_needs(resources, "s3", named, used, {"aws:s3:arn": f"arn:aws:s3:::{bucket}"})


def to_tell_what_is_missing(call: Call, resources: Resources) -> Need | None:
    """What a caller needs to hear that an object is not there (404); without it S3 answers 403.

    docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html. The request has no prefix: a permission to list that
    is limited to a prefix does not help.
    """
    bucket, key, version = _of(call)
    if call.service != "s3" or call.action not in ("GetObject", "HeadObject") or not resources.has_bucket(bucket):
        return None
    if resources.object(bucket, key, version) is not None:
        return None
    return Need("s3:ListBucket", f"arn:aws:s3:::{bucket}")


def _of(call: Call) -> tuple[str, str, str | None]:
    version = call.parameters.get("versionId", call.parameters.get("VersionId"))
    bucket, key = str(call.parameters.get("Bucket") or ""), str(call.parameters.get("Key") or "")
    return bucket, key, None if version is None else _first(version)


def _object_key(resources: Resources, bucket: str, key: str, version: str | None) -> Iterator[Need]:
    found = resources.object(bucket, key, version)
    if found is not None and found.encryption == "aws:kms":
        yield from key_needs(resources, "s3", found.kms_key_id, READ, {"aws:s3:arn": f"arn:aws:s3:::{bucket}"})


def _first(value: Any) -> str:
    return str(value[0] if isinstance(value, list) else value)
