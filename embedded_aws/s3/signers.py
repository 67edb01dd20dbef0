"""Whose access key has signed a link or a form, and whether it is in order."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass

from embedded_aws.s3.refusals import S3Refused, invalid_token, unknown_key


@dataclass(frozen=True, slots=True)
class Signer:
    """The secret half of an access key; the session token of one that does not last."""

    secret_key: str
    session_token: str | None


FindSigner = Callable[[str], Signer | None]
"""Access key → whose it is; None for one that nobody has."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What X-Amz-Credential says."""

    access_key: str
    day: str
    region: str

    def signing_key(self, secret_key: str) -> bytes:
        """docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html"""
        key = f"AWS4{secret_key}".encode()
        for part in (self.day, self.region, "s3", "aws4_request"):
            key = hmac.digest(key, part.encode(), hashlib.sha256)
        return key

    def signature(self, secret_key: str, text: str) -> str:
        """The text's signature in hexadecimal digits."""
        return hmac.new(self.signing_key(secret_key), text.encode(), hashlib.sha256).hexdigest()


_CREDENTIAL = re.compile(r"(?P<key>[^/]+)/(?P<day>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")


def scope_of(credential: str, *, region: str, code: str) -> Scope:
    """Read X-Amz-Credential. Raises S3Refused with the `code` when it is malformed, or of another Region or service."""
    match = _CREDENTIAL.fullmatch(credential)
    if match is None:
        raise S3Refused(
            code,
            "Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting "
            '"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
            400,
        )
    if match["service"] != "s3":
        raise S3Refused(
            code,
            f'Error parsing the X-Amz-Credential parameter; incorrect service "{match["service"]}". This endpoint '
            'belongs to "s3".',
            400,
        )
    if match["region"] != region:
        raise S3Refused(
            code,
            f"Error parsing the X-Amz-Credential parameter; the region '{match['region']}' is wrong; expecting "
            f"'{region}'",
            400,
            {"Region": region},
        )
    return Scope(match["key"], match["day"], match["region"])


def signer_of(access_key: str, token: str | None, find: FindSigner) -> Signer:
    """The one who has the access key. Raises S3Refused for an unknown key, or another session's token."""
    signer = find(access_key)
    if signer is None or (signer.session_token and not token):
        raise unknown_key(access_key)
    if not hmac.compare_digest((token or "").encode(), (signer.session_token or "").encode()):
        raise invalid_token()
    return signer
