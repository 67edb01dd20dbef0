"""Signature Version 4 of a request, as API Gateway and Bedrock check it.

docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from embedded_aws.gateway.proxy_event import Request

SERVICE = "execute-api"
SKEW = timedelta(minutes=5)
"""How far the signer's clock may be off."""

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=(?P<key>[^/,\s]+)/(?P<day>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request,"
    r"\s*SignedHeaders=(?P<headers>[^,\s]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)


class Malformed(Exception):
    """The Authorization header is not one of Signature Version 4."""


class Mismatch(Exception):
    """The signature is not the one of this request with these credentials."""


class Expired(Exception):
    """The request was signed too long ago, or in the future."""


@dataclass(frozen=True, slots=True)
class Signed:
    """What the Authorization header says."""

    access_key: str
    day: str
    region: str
    service: str
    headers: tuple[str, ...]
    signature: str


def read(request: Request) -> Signed | None:
    """What the request's Authorization header says; None where there is none. Raises Malformed."""
    written = request.header("Authorization")
    if not written:
        return None
    match = _AUTHORIZATION.fullmatch(written.strip())
    if match is None:
        raise Malformed(f"not an Authorization header of Signature Version 4: {written[:60]!r}")
    return Signed(
        match["key"],
        match["day"],
        match["region"],
        match["service"],
        tuple(match["headers"].split(";")),
        match["signature"],
    )


def check(
    request: Request,
    signed: Signed,
    *,
    path: str,
    secret_key: str,
    region: str,
    service: str = SERVICE,
    digest: str | None = None,
) -> None:
    """Sign the request again and compare.

    `path` is the URL's, with the stage. `digest` is the SHA-256 of the body, where the request is without it.

    Raises:
        Expired: its date is more than five minutes off.
        Mismatch: another request, another key, Region or service.
    """
    moment = request.header("X-Amz-Date") or ""
    try:
        told = datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise Mismatch(f"X-Amz-Date: expected YYYYMMDDTHHMMSSZ, got {moment!r}") from None
    if abs(datetime.now(UTC) - told) > SKEW:
        raise Expired(f"Signature expired: {moment}")
    if (signed.service, signed.region, signed.day) != (service, region, moment[:8]) or "host" not in signed.headers:
        raise Mismatch(f"the credential's scope must be {moment[:8]}/{region}/{service}, with the host signed")
    digest = digest or hashlib.sha256(request.body).hexdigest()
    if request.header("X-Amz-Content-Sha256") not in (None, digest):
        raise Mismatch("X-Amz-Content-Sha256 is not the hash of the body")
    canonical = "\n".join(
        [
            request.method,
            quote(path, safe="/-_.~"),
            canonical_query(request.query),
            *(f"{name}:{_value(request, name)}" for name in sorted(signed.headers)),
            "",
            ";".join(sorted(signed.headers)),
            digest,
        ]
    )
    signer = SigV4Auth(Credentials(signed.access_key, secret_key), service, region)
    again = AWSRequest(request.method, "http://unused/")
    again.context["timestamp"] = moment
    expected = signer.signature(signer.string_to_sign(again, canonical), again)
    if not hmac.compare_digest(expected, signed.signature):
        raise Mismatch("the signature is not the one of this request")


def canonical_query(query: str) -> str:
    """A URL's query as it is signed: its pairs encoded alike, in their order."""
    pairs = [each.partition("=") for each in query.split("&") if each]
    return "&".join(
        f"{name}={value}"
        for name, value in sorted(
            (quote(unquote(name), safe="-_.~"), quote(unquote(value), safe="-_.~")) for name, _, value in pairs
        )
    )


def _value(request: Request, name: str) -> str:
    values = [value for key, value in request.headers if key.lower() == name]
    return ",".join(" ".join(value.split()) for value in values)
