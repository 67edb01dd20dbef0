"""Forms that post a file to a bucket, checked against the policy that was signed with them.

docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from embedded_aws.s3.refusals import S3Refused, denied, mismatch, old_signature
from embedded_aws.s3.signers import FindSigner, scope_of, signer_of

_FREE = {"x-amz-signature", "policy", "file"}
"""The fields that no condition need name, beside those that begin with `x-ignore-`."""


@dataclass(frozen=True, slots=True)
class Form:
    """A posted form: its fields by their names in lower case, and the size of its file (None: it has none)."""

    bucket: str
    fields: Mapping[str, str]
    file_bytes: int | None
    fields_bytes: int = 0
    """What all fields but the file have together."""


MAX_FIELDS_BYTES = 20_000
"""The form's data beside the file: 20 KB (docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html)."""


def check(form: Form, *, region: str, find: FindSigner, now: datetime | None = None) -> None:
    """Raises S3Refused for a form that nobody with credentials has made, or that its policy does not let in."""
    if "key" not in form.fields:
        raise S3Refused(
            "InvalidArgument",
            "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.",
            400,
            {"ArgumentName": "key", "ArgumentValue": ""},
        )
    if form.file_bytes is None:
        raise S3Refused("InvalidArgument", "POST requires exactly one file upload per request.", 400)
    if form.fields_bytes > MAX_FIELDS_BYTES:
        raise S3Refused(
            "MaxPostPreDataLengthExceeded",
            "Your POST request fields preceding the upload file were too large.",
            400,
            {"MaxPostPreDataLengthBytes": str(MAX_FIELDS_BYTES)},
        )
    if "policy" not in form.fields:
        raise denied("Access Denied")
    if "awsaccesskeyid" in form.fields:
        raise old_signature()
    _check_signature(form, region, find)
    _check_policy(form, now or datetime.now(UTC))


def _check_signature(form: Form, region: str, find: FindSigner) -> None:
    for name in ("x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature"):
        if not form.fields.get(name):
            raise S3Refused(
                "InvalidArgument",
                f"Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the "
                "fields.",
                400,
                {"ArgumentName": name, "ArgumentValue": ""},
            )
    if form.fields["x-amz-algorithm"] != "AWS4-HMAC-SHA256":
        raise old_signature()
    scope = scope_of(form.fields["x-amz-credential"], region=region, code="InvalidArgument")
    signer = signer_of(scope.access_key, form.fields.get("x-amz-security-token"), find)
    policy = form.fields["policy"]
    expected = scope.signature(signer.secret_key, policy)
    if not hmac.compare_digest(expected.encode(), form.fields["x-amz-signature"].encode()):
        raise mismatch(scope.access_key, policy)


def _check_policy(form: Form, now: datetime) -> None:
    document = _document(form.fields["policy"])
    if _moment(document) < now:
        raise denied("Invalid according to Policy: Policy expired.")
    named: set[str] = set()
    for condition in document["conditions"]:
        operator, name, *values = _condition(condition)
        named.add(name)
        if operator == "content-length-range":
            _check_size(form.file_bytes or 0, int(name), int(values[0]))
            continue
        actual = form.bucket if name == "bucket" else form.fields.get(name, "")
        expected = str(values[0])
        met = actual == expected if operator == "eq" else _begins(actual, expected, name)
        if not met:
            told = json.dumps([operator, f"${name}", expected])
            raise denied(f"Invalid according to Policy: Policy Condition failed: {told}")
    extra = [
        name for name in form.fields if name not in named and name not in _FREE and not name.startswith("x-ignore-")
    ]
    if extra:
        raise denied(f"Invalid according to Policy: Extra input fields: {', '.join(extra)}")


def _document(policy: str) -> dict[str, Any]:
    try:
        document = json.loads(base64.b64decode(policy, validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise _invalid("Invalid Policy: Invalid JSON.") from None
    if not isinstance(document, dict) or "expiration" not in document:
        raise _invalid("Invalid Policy: Policy missing expiration.")
    if not isinstance(document.get("conditions"), list):
        raise _invalid("Invalid Policy: Policy missing conditions.")
    return document


def _moment(document: Mapping[str, Any]) -> datetime:
    try:
        moment = datetime.fromisoformat(str(document["expiration"]))
    except ValueError:
        raise _invalid(f"Invalid Policy: Invalid 'expiration' value: '{document['expiration']}'") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _condition(condition: Any) -> tuple[Any, ...]:
    """One condition as (`eq` or `starts-with`, field, value) or (`content-length-range`, least, most)."""
    match condition:
        case dict() if len(condition) == 1:
            ((name, value),) = condition.items()
            return "eq", str(name).lower(), value
        case [str() as operator, least, most] if operator.lower() == "content-length-range":
            if all(isinstance(each, int | str) and str(each).isdecimal() for each in (least, most)):
                return "content-length-range", str(least), most
        case [str() as operator, str() as name, str() as value] if operator.lower() in ("eq", "starts-with"):
            if name.startswith("$"):
                return operator.lower(), name[1:].lower(), value
    raise _invalid(f"Invalid Policy: Invalid Condition: {json.dumps(condition)[:200]}")


def _begins(actual: str, expected: str, name: str) -> bool:
    """A Content-Type may be a list; each of it must begin so."""
    parts = actual.split(",") if name == "content-type" else [actual]
    return all(part.strip().startswith(expected) if len(parts) > 1 else part.startswith(expected) for part in parts)


def _check_size(size: int, least: int, most: int) -> None:
    if size > most:
        about = {"ProposedSize": str(size), "MaxSizeAllowed": str(most)}
        raise S3Refused("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", 400, about)
    if size < least:
        about = {"ProposedSize": str(size), "MinSizeAllowed": str(least)}
        raise S3Refused("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", 400, about)


def _invalid(message: str) -> S3Refused:
    return S3Refused("InvalidPolicyDocument", message, 400)
