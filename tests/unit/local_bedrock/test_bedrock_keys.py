"""Which keys are accepted, in which Region, and how long."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from aws_bedrock_token_generator import BedrockTokenGenerator
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.bedrock.keys import (
    SHORT_TERM_PREFIX,
    KeyRefused,
    bearer_of,
    check_short_term,
    is_long_term,
    signed_scope,
)

CREDENTIALS = Credentials("AKIDEXAMPLE", "secret", "session")


@pytest.fixture
def key() -> str:
    made: str = BedrockTokenGenerator().get_token(CREDENTIALS, "us-west-2")
    return made


def tampered(key: str, old: str, new: str) -> str:
    url = base64.b64decode(key.removeprefix(SHORT_TERM_PREFIX)).decode()
    assert old in url
    return SHORT_TERM_PREFIX + base64.b64encode(url.replace(old, new).encode()).decode()


def test_a_key_of_the_token_generator_holds_for_twelve_hours(key: str) -> None:
    now = datetime.now(UTC)
    ends = check_short_term(key, region="us-west-2", now=now)
    assert timedelta(hours=11, minutes=59) < ends - now <= timedelta(hours=12)
    with pytest.raises(KeyRefused, match="was valid from"):
        check_short_term(key, region="us-west-2", now=ends)
    with pytest.raises(KeyRefused, match="was valid from"):
        check_short_term(key, region="us-west-2", now=now - timedelta(hours=1))


def test_a_key_holds_in_its_own_region_alone(key: str) -> None:
    with pytest.raises(KeyRefused, match="for us-west-2, this is us-east-1"):
        check_short_term(key, region="us-east-1", now=datetime.now(UTC))


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ("CallWithBearerToken", "ListModels", "Action"),
        ("bedrock.amazonaws.com", "example.com", "host"),
        ("&Version=1", "&Version=2", "Version"),
        ("X-Amz-Expires=43200", "X-Amz-Expires=86400", "lifetime"),
        ("%2Fbedrock%2F", "%2Fbedrock-mantle%2F", "scope"),
        ("X-Amz-Signature=", "X-Amz-Signature=g", "signature"),
        ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1", "algorithm"),
    ],
)
def test_a_key_with_anything_else_in_it_is_refused(key: str, old: str, new: str, wrong: str) -> None:
    with pytest.raises(KeyRefused, match=wrong):
        check_short_term(tampered(key, old, new), region="us-west-2", now=datetime.now(UTC))


@pytest.mark.parametrize("text", ["", "sk-abc", "bedrock-api-key-", "bedrock-api-key-%%%", "bedrock-api-key-aGVsbG8="])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(KeyRefused):
        check_short_term(text, region="us-west-2", now=datetime.now(UTC))


def test_the_key_is_read_from_either_header() -> None:
    assert bearer_of({"authorization": "Bearer abc"}) == "abc"
    assert bearer_of({"x-api-key": "abc"}) == "abc"
    assert bearer_of({"authorization": "AWS4-HMAC-SHA256 Credential=…"}) is None


def test_a_long_term_key_is_told_by_its_prefix() -> None:
    assert is_long_term("ABSK" + "x" * 40)
    assert not is_long_term("ABSK")


def test_the_scope_of_a_signed_request_is_read() -> None:
    request = AWSRequest("GET", "https://bedrock-mantle.us-west-2.api.aws/v1/models")
    SigV4Auth(CREDENTIALS, "bedrock-mantle", "us-west-2").add_auth(request)
    assert signed_scope(request.headers["Authorization"]) == ("us-west-2", "bedrock-mantle")
    assert signed_scope("Bearer abc") is None
