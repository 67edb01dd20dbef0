"""Whatever a browser sends: the console is not at fault, and nothing undocumented goes on to the API."""

from __future__ import annotations

import random
import re

import pytest

from tests.contract.client.answering import Asked
from tests.contract.console.browsing import browsing
from tunedrop.api.routes import ROUTES

_PATHS = [
    "/", "/open", "/about", "/files", "/page/app.js", "/page/%2e%2e/application.py", "/documents/a-1/report",
    "/documents/a-1/rehearsal", "/api/runs", "/api/runs/a-1", "/api/runs/a-1/stop", "/api/runs/a-1/approve",
    "/api/validations", "/api/uploads", "/api/models", "/api//runs", "/api/runs/..%2f..", "/api/runs/%0d%0aX:%20y",
    "/api/runs/%ff", "*", "//evil.example/api/runs"
]  # fmt: skip
_QUERIES = [
    "", "?", "?reason=a", "?reason=%00", "?reason=%ff", "?limit=1&limit=2", "?page=" + "a" * 400, "?x[]=1", "?=", "?%",
]  # fmt: skip
_BODIES = [
    b"", b"{}", b"[]", b"null", b'{"name": "a"}', b'{"a": 1e999}', b'{"a": "\\ud800"}', b"[" * 60_000, b"\xff\xfe",
    b'{"a":' * 3_000, b'{"a": ' + b"9" * 6_000 + b"}", b'{"a": NaN}', b"\x00" * 100,
]  # fmt: skip
_HEADERS = [
    "Content-Type", "Content-Length", "Idempotency-Key", "Cookie", "Sec-Fetch-Site", "Origin", "Host", "X-Amz-Date",
    "Authorization", "Transfer-Encoding", "Range", "Accept-Encoding"
]  # fmt: skip
_VALUES = [
    "", "a", "-1", "0", "99999999999999999999", "application/json", "text/plain", "null", "\u00e9", "x" * 3_000,
    "a=b; c", "cross-site", "none", "chunked", "bytes=0-"
]  # fmt: skip
_DOCUMENTED = [
    (method, re.compile(re.sub(r"\{\w+\}", "[a-z0-9-]{1,47}", resource)))
    for resource, methods in ROUTES.items()
    for method in methods
]


def api(request: Asked) -> tuple[int, object]:
    """An API that knows every run, and none of whose runs has documents yet."""
    upload = {"upload_id": "1" * 32, "url": f"http://{request.headers['host']}/put", "headers": {}}
    return (201, upload) if request.path == "/uploads" else (200, {"page": None, "rehearsal_link": None})


def documented(asked: Asked) -> bool:
    return any(asked.method == method and path.fullmatch(asked.path) for method, path in _DOCUMENTED)


def fuzz(seed: int, requests: int) -> None:
    pick = random.Random(seed)
    with browsing(api) as browser:
        browser.open()
        for _ in range(requests):
            method = pick.choice(["GET", "GET", "POST", "POST", "HEAD", "PUT", "OPTIONS", "DELETE", "TRACE"])
            path = pick.choice(_PATHS) + pick.choice(_QUERIES)
            body = pick.choice(_BODIES)
            headers = {name: pick.choice(_VALUES) for name in pick.sample(_HEADERS, pick.choice([0, 0, 0, 1, 2]))}
            if body and "Content-Length" not in headers and "Transfer-Encoding" not in headers:
                headers |= {"Content-Length": str(len(body)), "Content-Type": "application/json"}
            got = browser.ask(method, path, raw=body, headers=headers)
            assert got.status != 500, (method, path, body[:60], headers, got.body)
            assert "x-frame-options" in got.headers or got.status == 400, (method, path, headers, got)
        assert [each for each in browser.api.asked if each.path != "/put" and not documented(each)] == []
        assert len(browser.api.asked) > requests // 30, "some requests do go on"


def test_no_random_request_is_a_fault_of_the_console() -> None:
    fuzz(1, 120)


@pytest.mark.prove
def test_no_one_of_20_000_random_requests_is_a_fault_of_the_console() -> None:
    fuzz(2, 20_000)
