"""Links and forms that someone has signed for others: S3 takes what was signed, and refuses anything else."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
import requests
from botocore.config import Config

from embedded_aws.identities import Credentials
from embedded_aws.s3 import presigned
from embedded_aws.s3.presigned import LinkRequest
from embedded_aws.s3.refusals import S3Refused
from embedded_aws.s3.signers import Signer, scope_of
from embedded_aws.tests.workflow.small_stack import SmallStack

pytestmark = pytest.mark.prove


@pytest.fixture(scope="module")
def signer(stack: SmallStack) -> Credentials:
    """A session of a role that may do with the inbox what its links and forms let others do."""
    bucket = f"arn:aws:s3:::{stack.InboxName}"
    trusted = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    allowed = {"Effect": "Allow", "Action": "s3:*", "Resource": [bucket, f"{bucket}/*"]}
    trust, policy = (json.dumps({"Version": "2012-10-17", "Statement": [each]}) for each in (trusted, allowed))
    iam = stack.aws.client("iam")
    role = iam.create_role(RoleName="signer", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName="signer", PolicyName="inbox", PolicyDocument=policy)
    return stack.aws.identities.issue(role, "signer")


@pytest.fixture(scope="module")
def s3(stack: SmallStack, signer: Credentials) -> Iterator[Any]:
    """A client of a role's session, with its token, that signs as today's S3 wants it."""
    client = boto3.client(
        "s3",
        region_name=stack.aws.region,
        endpoint_url=stack.aws.endpoint,
        aws_access_key_id=signer.access_key,
        aws_secret_access_key=signer.secret_key,
        aws_session_token=signer.session_token,
        config=Config(signature_version="s3v4"),
    )
    stack.upload("links/ä +%.txt", "content")
    yield client
    client.close()


def _error(response: requests.Response) -> tuple[int, str, str]:
    code, message = (re.search(f"<{name}>([^<]*)</{name}>", response.text) for name in ("Code", "Message"))
    assert code is not None, response.text
    assert message is not None, response.text
    return response.status_code, code[1], message[1]


def _post(form: Mapping[str, Any], fields: Mapping[str, str], content: bytes = b"content") -> requests.Response:
    return requests.post(form["url"], data={**form["fields"], **fields}, files={"file": ("f", content)}, timeout=30)


def _form(s3: Any, stack: SmallStack, key: str = "forms/a", **arguments: Any) -> Any:
    limits = [["content-length-range", 2, 10], ["starts-with", "$x-amz-meta-who", "team-"]]
    given = {"Conditions": limits, "Fields": {}, "ExpiresIn": 60, **arguments}
    return s3.generate_presigned_post(stack.InboxName, key, **given)


def test_a_form_is_taken_as_it_was_signed(s3: Any, stack: SmallStack) -> None:
    assert _post(_form(s3, stack), {"x-amz-meta-who": "team-a", "x-ignore-me": "x"}, b"0123456789").status_code == 204
    taken = stack.aws.client("s3").get_object(Bucket=stack.InboxName, Key="forms/a")
    assert taken["Body"].read() == b"0123456789"


@pytest.mark.parametrize(
    ("content", "fields", "refusal"),
    [
        (b"content", {"key": "forms/other"}, (403, "AccessDenied", "Policy Condition failed: ")),
        (b"content", {"x-amz-meta-who": "nobody"}, (403, "AccessDenied", "Policy Condition failed: ")),
        (b"content", {"acl": "public-read"}, (403, "AccessDenied", "Extra input fields: acl")),
        (b"0123456789a", {}, (400, "EntityTooLarge", "exceeds the maximum allowed size")),
        (b"0", {}, (400, "EntityTooSmall", "smaller than the minimum allowed size")),
        (b"content", {"x-amz-signature": "0" * 64}, (403, "SignatureDoesNotMatch", "does not match")),
        (b"content", {"x-amz-security-token": "other"}, (400, "InvalidToken", "malformed or otherwise invalid")),
        (b"content", {"policy": base64.b64encode(b"{}").decode()}, (403, "SignatureDoesNotMatch", "does not match")),
        (b"content", {"x-amz-meta-who": "team-" + "x" * 20_000}, (400, "MaxPostPreDataLengthExceeded", "too large")),
    ],
)
def test_a_form_lets_nothing_in_that_its_policy_does_not_name(
    s3: Any, stack: SmallStack, content: bytes, fields: dict[str, str], refusal: tuple[int, str, str]
) -> None:
    form = _form(s3, stack, "forms/refused")
    status, code, message = _error(_post(form, {"x-amz-meta-who": "team-a", **fields}, content))
    assert (status, code) == refusal[:2]
    assert refusal[2] in message
    listed = stack.aws.client("s3").list_objects_v2(Bucket=stack.InboxName, Prefix="forms/refused")
    assert listed["KeyCount"] == 0


def test_a_form_ends_with_its_policy(s3: Any, stack: SmallStack) -> None:
    form = _form(s3, stack, ExpiresIn=-1)
    assert _error(_post(form, {"x-amz-meta-who": "team-a"})) == (
        403,
        "AccessDenied",
        "Invalid according to Policy: Policy expired.",
    )


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (b"not json", "Invalid Policy: Invalid JSON."),
        (b'{"conditions": []}', "Invalid Policy: Policy missing expiration."),
        (b'{"expiration": "soon", "conditions": []}', "Invalid Policy: Invalid 'expiration' value: 'soon'"),
        (b'{"expiration": "2999-01-01T00:00:00Z"}', "Invalid Policy: Policy missing conditions."),
        (
            b'{"expiration": "2999-01-01T00:00:00Z", "conditions": [["ends-with", "$key", "a"]]}',
            'Invalid Policy: Invalid Condition: ["ends-with", "$key", "a"]',
        ),
    ],
)
def test_a_policy_that_is_none_is_refused(
    s3: Any, stack: SmallStack, signer: Credentials, policy: bytes, message: str
) -> None:
    form = _form(s3, stack)
    encoded = base64.b64encode(policy).decode()
    credential = f"{signer.access_key}/{datetime.now(UTC):%Y%m%d}/{stack.aws.region}/s3/aws4_request"
    scope = scope_of(credential, region=stack.aws.region, code="InvalidArgument")
    fields = {
        "policy": encoded,
        "x-amz-credential": credential,
        "x-amz-signature": scope.signature(signer.secret_key, encoded),
        "x-amz-security-token": signer.session_token,
    }
    answer = _error(_post(form, fields))
    assert answer == (400, "InvalidPolicyDocument", message)


def test_a_form_without_a_policy_key_or_file_is_refused(s3: Any, stack: SmallStack) -> None:
    url, file = _form(s3, stack)["url"], {"file": ("f", b"content")}
    for data, refused in (({"key": "a"}, (403, "AccessDenied")), ({"acl": "private"}, (400, "InvalidArgument"))):
        assert _error(requests.post(url, data=data, files=file, timeout=30))[:2] == refused
    answer = requests.post(url, data={**_form(s3, stack)["fields"]}, timeout=30)
    assert _error(answer)[2] == "POST requires exactly one file upload per request."


def _link(s3: Any, stack: SmallStack, operation: str = "get_object", *, seconds: int = 60, **arguments: Any) -> str:
    parameters = {"Bucket": stack.InboxName, "Key": "links/ä +%.txt", **arguments}
    return str(s3.generate_presigned_url(operation, Params=parameters, ExpiresIn=seconds))


def test_a_link_reads_and_writes_what_it_was_signed_for(s3: Any, stack: SmallStack) -> None:
    named = _link(s3, stack, ResponseContentDisposition='inline; filename="a b.txt"')
    answer = requests.get(named, timeout=30)
    assert (answer.status_code, answer.text) == (200, "content")
    assert answer.headers["Content-Disposition"] == 'inline; filename="a b.txt"'
    put = _link(s3, stack, "put_object", Key="links/put", ContentType="text/plain", Metadata={"who": "me"})
    headers = {"Content-Type": "text/plain", "x-amz-meta-who": "me"}
    assert requests.put(put, data=b"new", headers=headers, timeout=30).status_code == 200
    assert requests.get(_link(s3, stack, Key="links/put"), timeout=30).text == "new"


def test_a_link_lets_nothing_else_through(s3: Any, stack: SmallStack) -> None:
    link = _link(s3, stack)
    mismatch = (403, "SignatureDoesNotMatch")
    for other in (
        link.replace("links/", "other/"),
        re.sub("X-Amz-Signature=.", "X-Amz-Signature=g", link),
        link.replace("X-Amz-Expires=60", "X-Amz-Expires=600"),
        f"{link}&versionId=other",
    ):
        assert _error(requests.get(other, timeout=30))[:2] == mismatch, other
    assert _error(requests.put(link, data=b"new", timeout=30))[:2] == mismatch
    put = _link(s3, stack, "put_object", ContentType="text/plain")
    assert _error(requests.put(put, data=b"new", headers={"Content-Type": "text/html"}, timeout=30))[:2] == mismatch
    headers = {"x-amz-meta-who": "me", "Content-Type": "text/plain"}
    assert _error(requests.put(put, data=b"new", headers=headers, timeout=30)) == (
        403,
        "AccessDenied",
        "There were headers present in the request which were not signed",
    )
    assert _error(requests.get(re.sub("ASIA[A-Z0-9]+", "ASIAUNKNOWN", link), timeout=30))[1] == "InvalidAccessKeyId"
    assert _error(requests.get(re.sub("X-Amz-Date=[^&]*&", "", link), timeout=30))[:2] == (
        400,
        "AuthorizationQueryParametersError",
    )
    assert _error(requests.get(_link(s3, stack, seconds=604_801), timeout=30))[2].startswith(
        "X-Amz-Expires must be less than a week"
    )
    abroad = link.replace("us-west-2", "us-east-1")
    assert "the region 'us-east-1' is wrong" in _error(requests.get(abroad, timeout=30))[2]


def test_a_link_of_the_old_signature_is_refused(stack: SmallStack) -> None:
    client = boto3.client(
        "s3",
        region_name=stack.aws.region,
        endpoint_url=stack.aws.endpoint,
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(signature_version="s3"),
    )
    link = client.generate_presigned_url("get_object", Params={"Bucket": stack.InboxName, "Key": "links/a"})
    refused = (
        400,
        "InvalidRequest",
        "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
    )
    assert _error(requests.get(link, timeout=30)) == refused
    assert _error(_post(client.generate_presigned_post(stack.InboxName, "forms/a"), {})) == refused
    client.close()


def test_a_link_ends_when_its_time_is_over(s3: Any, stack: SmallStack) -> None:
    link = _link(s3, stack, seconds=60)
    path, _, query = link.removeprefix(stack.aws.endpoint).partition("?")
    request = LinkRequest("GET", path, query, [("Host", stack.aws.endpoint.removeprefix("http://"))])
    caller = s3._request_signer._credentials
    signer = Signer(caller.secret_key, caller.token)

    def check(seconds_later: float) -> None:
        moment = datetime.now(UTC) + timedelta(seconds=seconds_later)
        presigned.check(request, region=stack.aws.region, find=lambda _: signer, now=moment)

    check(0)
    check(58)
    for later, message in ((62, "Request has expired"), (-1000, "Request is not valid yet")):
        with pytest.raises(S3Refused, match=message):
            check(later)


def test_a_policy_names_the_condition_that_failed(s3: Any, stack: SmallStack) -> None:
    message = _error(_post(_form(s3, stack), {"x-amz-meta-who": "team-a", "key": "forms/b"}))[2]
    assert json.loads(message.partition("failed: ")[2]) == ["eq", "$key", "forms/a"]
