"""Presigned links, checked as S3 checks them.

docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, unquote

from embedded_aws.gateway.signature import canonical_query
from embedded_aws.s3.refusals import S3Refused, denied, mismatch, old_signature
from embedded_aws.s3.signers import FindSigner, scope_of, signer_of

WEEK_SECONDS = 7 * 24 * 3600
SKEW = timedelta(minutes=15)
"""How far ahead the signer's clock may be."""

_CODE = "AuthorizationQueryParametersError"
_NAMES = ("Algorithm", "Credential", "Signature", "Date", "SignedHeaders", "Expires")
_TIME = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class LinkRequest:
    """A request as it came: `path` and `query` still encoded, `headers` in their order."""

    method: str
    path: str
    query: str
    headers: Sequence[tuple[str, str]]

    def header(self, name: str) -> str:
        """All values of the header (in lower case), as they are signed."""
        return ",".join(" ".join(value.split()) for key, value in self.headers if key.lower() == name)

    @property
    def is_link(self) -> bool:
        """Whether it is signed by its query."""
        names = {name.lower() for name, _ in parse_qsl(self.query, keep_blank_values=True)}
        return (
            bool(names & {"x-amz-algorithm", "x-amz-signature", "x-amz-credential"})
            or {
                "awsaccesskeyid",
                "signature",
            }
            <= names
        )


def check(request: LinkRequest, *, region: str, find: FindSigner, now: datetime | None = None) -> None:
    """Raises S3Refused for a link that is malformed, no longer or not yet valid, or was made for another request."""
    now = now or datetime.now(UTC)
    given = dict(parse_qsl(request.query, keep_blank_values=True))
    if "AWSAccessKeyId" in given:
        raise old_signature()
    if request.header("authorization"):
        raise S3Refused(
            "InvalidArgument",
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string "
            "parameter or the Authorization header should be specified",
            400,
        )
    if any(f"X-Amz-{name}" not in given for name in _NAMES):
        raise S3Refused(
            _CODE,
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, "
            "X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
            400,
        )
    if given["X-Amz-Algorithm"] != "AWS4-HMAC-SHA256":
        raise S3Refused(_CODE, 'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256"', 400)
    scope = scope_of(given["X-Amz-Credential"], region=region, code=_CODE)
    _check_time(given, scope.day, now)
    signed = given["X-Amz-SignedHeaders"].split(";")
    unsigned = sorted({name.lower() for name, _ in request.headers if name.lower().startswith("x-amz-")} - set(signed))
    if unsigned or "host" not in signed:
        raise denied(
            "There were headers present in the request which were not signed",
            {"HeadersNotSigned": ", ".join(unsigned) or "host"},
        )
    signer = signer_of(scope.access_key, given.get("X-Amz-Security-Token"), find)
    text = _string_to_sign(request, given["X-Amz-Date"], scope.day, region, signed)
    expected = scope.signature(signer.secret_key, text)
    if not hmac.compare_digest(expected.encode(), given["X-Amz-Signature"].encode()):
        raise mismatch(scope.access_key, text)


def _check_time(given: dict[str, str], day: str, now: datetime) -> None:
    try:
        made = datetime.strptime(given["X-Amz-Date"], _TIME).replace(tzinfo=UTC)
    except ValueError:
        raise S3Refused(_CODE, "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"", 400) from None
    if not given["X-Amz-Date"].startswith(day):
        raise S3Refused(
            _CODE,
            "Error parsing the X-Amz-Credential parameter; incorrect date format or date: it is not the day of "
            "X-Amz-Date",
            400,
        )
    if not given["X-Amz-Expires"].isascii() or not given["X-Amz-Expires"].isdigit():
        raise S3Refused(_CODE, "X-Amz-Expires should be a number", 400)
    seconds = int(given["X-Amz-Expires"][:20])
    if seconds > WEEK_SECONDS:
        raise S3Refused(
            _CODE,
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than "
            f"{WEEK_SECONDS} seconds",
            400,
        )
    if made - now > SKEW:
        raise denied("Request is not valid yet")
    if made + timedelta(seconds=seconds) < now:
        raise denied(
            "Request has expired",
            {
                "X-Amz-Expires": str(seconds),
                "Expires": (made + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "ServerTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            },
        )


def _string_to_sign(request: LinkRequest, moment: str, day: str, region: str, signed: Sequence[str]) -> str:
    query = "&".join(pair for pair in request.query.split("&") if not pair.startswith("X-Amz-Signature="))
    payload = request.header("x-amz-content-sha256") or "UNSIGNED-PAYLOAD"
    canonical = "\n".join(
        [
            request.method,
            quote(unquote(request.path), safe="/-_.~"),
            canonical_query(query),
            *(f"{name}:{request.header(name)}" for name in signed),
            "",
            ";".join(signed),
            payload,
        ]
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    return f"AWS4-HMAC-SHA256\n{moment}\n{day}/{region}/s3/aws4_request\n{digest}"
