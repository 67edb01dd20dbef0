"""A page in the browser calls nothing here, though it knows the address and needs no key."""

from __future__ import annotations

import pytest
import requests

from embedded_aws.tests.workflow.small_stack import SmallStack

pytestmark = pytest.mark.prove

QUERY_CALL = "Action=CreateTopic&Name=made-by-a-page&Version=2010-03-31"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Host": "elsewhere.example", "Origin": "https://elsewhere.example"},
        {"Host": "elsewhere.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
@pytest.mark.parametrize("path", ["/", "/_embedded/credentials", "/moto-api/reset"])
def test_a_call_of_a_page_elsewhere_is_refused(stack: SmallStack, path: str, headers: dict[str, str]) -> None:
    answer = requests.post(f"{stack.aws.endpoint}{path}", QUERY_CALL, headers=headers, timeout=20)
    assert (answer.status_code, answer.text.partition(":")[0]) == (403, "Refused")


def test_a_program_needs_no_key_that_was_issued(stack: SmallStack) -> None:
    key = "AWS4-HMAC-SHA256 Credential=any/20260101/us-west-2/lambda/aws4_request, SignedHeaders=host, Signature=0"
    answer = requests.get(f"{stack.aws.endpoint}/2015-03-31/functions", headers={"Authorization": key}, timeout=20)
    assert (answer.status_code, "Functions" in answer.json()) == (200, True)


def test_no_page_elsewhere_is_told_that_it_may_ask(stack: SmallStack) -> None:
    asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    answer = requests.options(f"{stack.aws.endpoint}/2015-03-31/functions", headers=asked, timeout=20)
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
