"""Which requests a page in a browser may not make of the services on this machine."""

from __future__ import annotations

import pytest

from embedded_aws.browsers import refusal

OWN = "127.0.0.1:4566"
NAVIGATION = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


@pytest.mark.parametrize(
    ("method", "query", "headers"),
    [
        ("POST", "", {"origin": "https://elsewhere.example"}),
        ("OPTIONS", "", {"origin": "https://elsewhere.example", "sec-fetch-site": "cross-site"}),
        ("GET", "", {"origin": "null"}),
        ("POST", "", {"origin": f"http://{OWN}", "sec-fetch-site": "same-origin"}),
        ("GET", "", {"origin": "http://127.0.0.1.elsewhere.example"}),
        ("GET", "", {"origin": "http://[::1"}),
        ("GET", "", {"host": "elsewhere.example:4566"}),
        ("GET", "", {"host": "127.0.0.1.elsewhere.example"}),
        ("GET", "", {"host": "localhost.elsewhere.example"}),
        ("POST", "", {"sec-fetch-site": "cross-site"}),
        ("GET", "", {"sec-fetch-site": "same-origin", "sec-fetch-dest": "empty"}),
        ("GET", "Action=CreateStack&X-Amz-Credential=a/b/c/cloudformation/d", NAVIGATION),
    ],
)
def test_a_page_s_request_is_refused(method: str, query: str, headers: dict[str, str]) -> None:
    assert refusal(method, query, {"host": OWN, **headers})


@pytest.mark.parametrize(
    ("method", "query", "headers"),
    [
        ("POST", "", {}),
        ("POST", "", {"sec-fetch-mode": "cors"}),  # as Node.js sends it
        ("PUT", "", {"host": "bucket.s3.us-west-2.amazonaws.com"}),
        ("PUT", "", {"host": "bucket.localhost:4566"}),
        ("PUT", "", {"host": "host.docker.internal:4566"}),
        ("PUT", "", {"host": "[::1]:4566"}),
        ("PUT", "X-Amz-Signature=a", {"origin": "http://localhost:3000", "sec-fetch-site": "cross-site"}),
        ("GET", "X-Amz-Signature=a", NAVIGATION),
        ("GET", "", {"sec-fetch-site": "same-origin", "sec-fetch-dest": "script"}),
        ("GET", "Action=ConfirmSubscription", {**NAVIGATION, "sec-fetch-site": "none"}),
    ],
)
def test_a_program_s_request_and_a_followed_link_are_served(method: str, query: str, headers: dict[str, str]) -> None:
    assert refusal(method, query, {"host": OWN, **headers}) is None
