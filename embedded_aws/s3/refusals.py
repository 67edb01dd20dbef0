"""S3's refusals, with its codes, texts and statuses (docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from xml.sax.saxutils import escape


class S3Refused(Exception):
    """S3 does not carry out the request. `about` are the elements of the error beside its code and message."""

    def __init__(self, code: str, message: str, status: int = 403, about: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.about = about or {}

    def answer(self) -> tuple[int, dict[str, str], str]:
        """Status, headers and body of the response."""
        request_id = uuid.uuid4().hex[:16].upper()
        elements = {
            "Code": self.code,
            "Message": self.message,
            **self.about,
            "RequestId": request_id,
            "HostId": "local",
        }
        inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in elements.items())
        headers = {"status": str(self.status), "content-type": "application/xml", "x-amz-request-id": request_id}
        return self.status, headers, f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inner}</Error>'


def denied(message: str, about: Mapping[str, str] | None = None) -> S3Refused:
    return S3Refused("AccessDenied", message, 403, about)


def unknown_key(access_key: str) -> S3Refused:
    return S3Refused(
        "InvalidAccessKeyId",
        "The AWS Access Key Id you provided does not exist in our records.",
        403,
        {"AWSAccessKeyId": access_key},
    )


def invalid_token() -> S3Refused:
    return S3Refused("InvalidToken", "The provided token is malformed or otherwise invalid.", 400)


def mismatch(access_key: str, string_to_sign: str) -> S3Refused:
    return S3Refused(
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. Check your key and signing "
        "method.",
        403,
        {"AWSAccessKeyId": access_key, "StringToSign": string_to_sign},
    )


def old_signature() -> S3Refused:
    """Signature Version 2: no bucket that was made after June 2020 takes it."""
    return S3Refused(
        "InvalidRequest",
        "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
        400,
    )
