"""Who asks: Bedrock API keys as `aws-bedrock-token-generator` makes them, long-term keys, and SigV4 headers.

Form, Region and expiry are checked here. Only the embedded AWS knows the secrets: it is asked about the signature of a
request; the signature inside a short-term key is not checked.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

SHORT_TERM_PREFIX = "bedrock-api-key-"
LONG_TERM_PREFIX = "ABSK"
LONGEST_LIFE = timedelta(hours=12)
_HOST = "bedrock.amazonaws.com"
_SIGV4 = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/,\s]+)/(\d{8})/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request\b.*Signature=[0-9a-f]{64}"
)


class KeyRefused(Exception):
    """A key that is malformed, of another Region, or no longer valid. It says which, though the service does not."""


def bearer_of(headers: Mapping[str, str]) -> str | None:
    """The key of a request, from `Authorization: Bearer …` or `x-api-key`; None where neither is there."""
    authorization = headers.get("authorization", "")
    if authorization[:7].lower() == "bearer ":
        return authorization[7:].strip()
    return headers.get("x-api-key")


def check_short_term(key: str, *, region: str, now: datetime) -> datetime:
    """The moment at which a short-term key ends. Raises KeyRefused for one that is not valid at `now` in `region`.

    Its form: the prefix and base64 of `bedrock.amazonaws.com/?Action=CallWithBearerToken&X-Amz-…&Version=1`, a
    SigV4-presigned POST without its scheme.
    """
    try:
        url = base64.b64decode(key.removeprefix(SHORT_TERM_PREFIX), validate=True).decode()
        parts = urlsplit("https://" + url)
        asked = {name: values[-1] for name, values in parse_qs(parts.query, strict_parsing=True).items()}
        _, day, key_region, service, terminator = asked["X-Amz-Credential"].split("/")
        signed_at = datetime.strptime(asked["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        life = timedelta(seconds=int(asked["X-Amz-Expires"]))
    except (binascii.Error, UnicodeDecodeError, ValueError, KeyError) as problem:
        raise KeyRefused(f"not a key that the token generator made: {problem!r}") from problem
    expected = {
        "prefix": key.startswith(SHORT_TERM_PREFIX),
        "host": parts.hostname == _HOST,
        "Action": asked.get("Action") == "CallWithBearerToken",
        "Version": asked.get("Version") == "1",
        "algorithm": asked.get("X-Amz-Algorithm") == "AWS4-HMAC-SHA256",
        "signature": re.fullmatch("[0-9a-f]{64}", asked.get("X-Amz-Signature", "")) is not None,
        "scope": (service, terminator, day) == ("bedrock", "aws4_request", signed_at.strftime("%Y%m%d")),
        "lifetime": timedelta(0) < life <= LONGEST_LIFE,
    }
    wrong = [name for name, right in expected.items() if not right]
    if wrong:
        raise KeyRefused(f"wrong in the key: {', '.join(wrong)}")
    if key_region != region:
        raise KeyRefused(f"the key is for {key_region}, this is {region}")
    if not signed_at - timedelta(minutes=15) <= now < signed_at + life:  # 15 minutes: AWS's tolerance of clocks
        raise KeyRefused(f"the key was valid from {signed_at} to {signed_at + life}, now is {now}")
    return signed_at + life


def access_key_of(headers: Mapping[str, str]) -> str | None:
    """The access key with which a request, or its short-term key, was signed; None for a long-term key."""
    key = bearer_of(headers)
    if key is None:
        found = _SIGV4.match(headers.get("authorization", ""))
        return found[1] if found else None
    try:
        url = base64.b64decode(key.removeprefix(SHORT_TERM_PREFIX), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    credential = parse_qs(urlsplit("https://" + url).query).get("X-Amz-Credential", [""])[-1]
    return credential.partition("/")[0] or None


def is_long_term(key: str) -> bool:
    """Whether a key looks like an IAM service-specific credential for Bedrock."""
    return key.startswith(LONG_TERM_PREFIX) and len(key) >= 40


def signed_scope(authorization: str) -> tuple[str, str] | None:
    """(Region, service) of a SigV4 `Authorization` header; None where it is none."""
    found = _SIGV4.match(authorization)
    return (found[3], found[4]) if found else None
