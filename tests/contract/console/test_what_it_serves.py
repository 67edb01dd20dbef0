"""What the console passes on and what it refuses, and what every answer says to the browser."""

from __future__ import annotations

import hashlib
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import Credentials

from local.console import application, files
from local.console.caller import Caller
from local.console.page_files import PageFiles
from local.console.relay import asked
from local.console.server import running
from tests.contract.client.answering import NOTHING, Asked, problem, serving
from tests.contract.console.browsing import Browser, browsing
from tunedrop.api.routes import ROUTES
from tunedrop_client.errors import NoSuchPlace
from tunedrop_client.places import Place

REPORT = b"<!doctype html><script>parent.location = 'http://evil.example'</script>"
CONSOLE = Path(application.__file__).parent
VENDOR = CONSOLE / "page/vendor"


def api(request: Asked) -> Any:
    """An API of one run with a report, and the S3 that its links lead to."""
    here = f"http://{request.headers['host']}"
    upload = {"upload_id": "1" * 32, "url": f"{here}/put", "headers": {"If-None-Match": "*"}}
    links = {"page": f"{here}/report.html", "json_document": None, "model_card": None}
    answers: dict[str, tuple[int, Any]] = {
        "/runs/sums-1/report": (200, links),
        "/runs/young-1/report": problem("not-ready", 409),
        "/runs/bare-1/report": (200, dict.fromkeys(links)),
        "/report.html": (200, REPORT),
        "/runs/sums-1/findings": (200, {"rehearsal_link": f"{here}/rehearsal.json"}),
        "/rehearsal.json": (200, {"groups": []}),
        "/uploads": (201, upload),
    }
    return answers.get(request.path, (200, {"path": request.path}))


@pytest.fixture(scope="module")
def served() -> Iterator[Browser]:
    with browsing(api) as browser:
        browser.open()
        yield browser


@pytest.fixture
def browser(served: Browser) -> Browser:
    served.api.asked.clear()
    return served


def test_every_documented_request_is_passed_on_signed_and_nothing_else_of_it(browser: Browser) -> None:
    for resource, methods in ROUTES.items():
        path = resource.replace("{run_id}", "sums-2").replace("{validation_id}", "0" * 32)
        for method, parameters in methods.items():
            query = "&".join(f"{name}=1" for name in parameters)
            browser.api.asked.clear()
            got = browser.ask(
                method,
                f"/api{path}" + (f"?{query}" if query else ""),
                {"a": [1]} if method == "POST" else None,
                headers={"Idempotency-Key": "k1", "X-Forwarded-For": "1.2.3.4", "Authorization": "Basic x"},
            )
            assert got.status == 200, (method, path, got.body)
            (sent,) = browser.api.asked
            assert (sent.method, sent.path, set(sent.query)) == (method, path, set(parameters))
            assert sent.json == ({"a": [1]} if method == "POST" else None)
            assert sent.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIA/")
            assert sent.headers["idempotency-key"] == "k1"
            assert not {"cookie", "x-forwarded-for", "origin"} & set(sent.headers)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/"),
        ("GET", "/api/runs/"),
        ("GET", "/api//runs"),
        ("GET", "/api/admin"),
        ("GET", "/api/runs/../uploads"),
        ("GET", "/api/runs/..%2f..%2fsecrets"),
        ("GET", "/api/runs/sums-1%2fstop"),
        ("GET", "/api/runs/sums-1/report/"),
        ("GET", "/api/runs/Sums-1"),
        ("GET", "/api/runs/sums-1%0a"),
        ("GET", "/api/runs/" + "a" * 48),
        ("GET", "/api/http://evil.example/"),
        ("GET", "/api/runs/sums-1/stop"),
        ("POST", "/api/runs/sums-1"),
        ("POST", "/api/runs/sums-1/metrics"),
        ("GET", "/api/runs?owner=all"),
        ("GET", "/api/runs?name=a&name=b"),
        ("GET", "/api/runs?name=" + "a" * 501),
        ("GET", "/api/validations/x"),
    ],
)
def test_a_request_that_the_api_does_not_document_stays_here(browser: Browser, method: str, path: str) -> None:
    got = browser.ask(method, path)
    assert (got.status, got.kind, browser.api.asked) == (404, "route", [])


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "FOO"])
def test_other_methods_are_refused_on_every_path(browser: Browser, method: str) -> None:
    for path in ("/", "/open", "/page/main.js", "/about", "/api/runs", "/files", "/documents/sums-1/report"):
        assert browser.ask(method, path).status in (400, 405), path
    assert browser.api.asked == []


@pytest.mark.parametrize(
    "name",
    ["../application.py", "..%2fapplication.py", "%2e%2e/application.py", "/etc/passwd", "//etc/passwd", "..\\guard.py",
     "vendor/../../guard.py", "vendor/README.md", "vendor", "vendor/", "", "index.html%00.js", "charts/../main.js"],
)  # fmt: skip
def test_only_the_page_s_own_files_are_served(browser: Browser, name: str) -> None:
    got = browser.ask("GET", f"/page/{name}")
    assert (got.status, got.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize(
    ("raw", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"1", "application/json", 400),
        (b"{}", "text/plain", 415),
        (b"name=a", "application/x-www-form-urlencoded", 415),
        (b'{"a": "' + b"x" * application.MOST_BODY_BYTES + b'"}', "application/json", 413),
    ],
)
def test_a_body_that_is_not_the_page_s_stays_here(browser: Browser, raw: bytes, kind: str, status: int) -> None:
    got = browser.ask("POST", "/api/runs", raw=raw, headers={"Content-Type": kind})
    assert (got.status, browser.api.asked) == (status, [])


@pytest.mark.parametrize(
    ("size", "status"), [(None, 411), ("-1", 400), ("x", 400), ("1" * 30, 400), ("1" * 18, 413), ("0", 400)]
)
def test_a_file_says_how_long_it_is_and_is_not_too_long(browser: Browser, size: str | None, status: int) -> None:
    got = browser.ask("POST", "/files", raw=b"", headers={"Content-Length": size})
    assert (got.status, browser.api.asked) == (status, [])


def test_a_file_goes_to_the_link_of_its_upload_byte_by_byte(browser: Browser) -> None:
    content = bytes(range(256)) * 4096  # 1 MiB: many chunks
    got = browser.ask("POST", "/files", raw=content)
    assert got.json == {"upload_id": "1" * 32}
    place, sent = browser.api.asked
    assert (place.json, place.headers["authorization"][:4]) == ({"bytes": len(content)}, "AWS4")
    assert (sent.method, sent.path, sent.body == content) == ("PUT", "/put", True)
    assert (sent.headers["if-none-match"], sent.headers["content-length"]) == ("*", str(len(content)))
    assert "authorization" not in sent.headers


def test_a_file_that_breaks_off_is_no_upload(browser: Browser) -> None:
    host, _, port = browser.console.address.partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        head = f"POST /files HTTP/1.1\r\nHost: {host}:{port}\r\nOrigin: http://{host}:{port}\r\n"
        connection.sendall(f"{head}Cookie: {browser.cookie}\r\nContent-Length: 100\r\n\r\nhalf".encode())
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass
    assert [request for request in browser.api.asked if len(request.body) == 100] == []


def test_every_answer_forbids_storing_sniffing_framing_and_inline_scripts(browser: Browser) -> None:
    paths = ["/", "/about", "/api/runs", "/page/main.js", "/page/none", "/nowhere", "/open?token=x", "/api/none"]
    for got in [
        *(browser.ask("GET", path) for path in paths),
        browser.ask("POST", "/api/runs", headers={"Origin": "x"}),
    ]:
        headers = got.headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == headers["cross-origin-opener-policy"] == "same-origin"
        policy = headers["content-security-policy"]
        for part in ("default-src 'none'", "frame-ancestors 'none'", "form-action 'none'", "base-uri 'none'"):
            assert part in policy
        assert not re.search(r"unsafe|\*|https?:", policy)
        assert "server" not in headers


def test_a_report_has_an_origin_of_its_own_and_may_send_nothing(browser: Browser) -> None:
    got = browser.ask("GET", "/documents/sums-1/report")
    assert (got.status, got.body, got.headers["content-type"]) == (200, REPORT, "text/html; charset=utf-8")
    policy = got.headers["content-security-policy"].split("; ")
    assert policy[0] == "sandbox allow-scripts"  # without allow-same-origin: no cookie, no storage, no reading
    assert {"default-src 'none'", "form-action 'none'", "base-uri 'none'", "frame-ancestors 'self'"} <= set(policy)
    assert not [part for part in policy if part.startswith(("connect-src", "frame-src", "navigate"))]
    assert got.headers["x-frame-options"] == "SAMEORIGIN"
    assert browser.ask("GET", "/documents/sums-1/rehearsal").json == {"groups": []}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/documents/young-1/report", 409),
        ("/documents/bare-1/report", 404),
        ("/documents/..%2fx/report", 404),
        ("/documents/UP/report", 404),
    ],
)
def test_a_report_that_is_not_there_is_said(browser: Browser, path: str, status: int) -> None:
    got = browser.ask("GET", path)
    assert (got.status, got.headers["content-type"]) == (status, "application/problem+json")


def test_a_report_without_end_is_cut_short(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_DOCUMENT_BYTES", 10)
    assert browser.ask("GET", "/documents/sums-1/report").status == 502


def test_the_api_s_refusals_come_as_they_are() -> None:
    refused = problem("too-many-runs", 429, active=5, quota=5)
    with browsing(lambda _: refused) as browser:
        browser.open()
        got = browser.ask("POST", "/api/runs/sums-1/approve")
        assert (got.status, got.json, got.headers["content-type"]) == (429, refused[1], "application/problem+json")


def test_a_decision_whose_answer_is_lost_is_not_sent_twice() -> None:
    with browsing(lambda _: (500, b"")) as browser:
        browser.open()
        assert browser.ask("POST", "/api/runs/sums-1/approve").status == 500
        assert len(browser.api.asked) == 1


def test_an_api_that_is_gone_is_told_and_so_are_credentials_that_ended() -> None:
    with browsing(lambda _: NOTHING) as browser:
        browser.open()
        gone = browser.ask("POST", "/api/runs/sums-1/approve")
        assert (gone.status, gone.kind) == (504, "unreachable")
        browser.api.answer = lambda _: problem("not-authorized", 403)
        refused = browser.ask("GET", "/api/runs")
        assert (refused.status, refused.json["detail"]) == (403, "not-authorized.")


def test_credentials_that_cannot_be_read_any_more_are_told_with_what_to_do() -> None:
    found = [lambda url: Place(url, "us-west-2", Credentials("AKIA", "secret"))]

    def find() -> Place:
        if found:
            return found.pop()(api_of.url)
        raise NoSuchPlace("there are no AWS credentials")

    with serving(lambda _: problem("not-authorized", 403)) as api_of, running(find) as console:
        browser = Browser(console, api_of)
        browser.open()
        got = browser.ask("GET", "/api/runs")
        assert (got.status, got.kind) == (401, "credentials")
        assert got.json["detail"].startswith("there are no AWS credentials. Log in")


def test_after_a_new_login_the_console_goes_on_as_it_is() -> None:
    def answer(request: Asked) -> Any:
        return (200, {}) if "NEW/" in request.headers["authorization"] else problem("not-authorized", 403)

    with serving(answer) as api_of:
        found = [Place(api_of.url, "us-west-2", Credentials(name, "secret")) for name in ("OLD", "NEW")]
        caller = Caller(lambda: found.pop(0))
        assert caller.ask("POST", "/runs/sums-1/approve", repeat=False) == {}
        assert ["OLD/" in each.headers["authorization"] for each in api_of.asked] == [True, False]


def test_the_relay_knows_each_route_of_the_api_and_sends_no_decision_twice() -> None:
    told = [asked("POST", f"/runs/a/{word}", ()) for word in ("stop", "approve", "reject")]
    assert [each and each.repeat for each in told] == [True, False, False]


def test_the_libraries_are_those_that_their_page_names() -> None:
    named = dict(re.findall(r"^\| (\S+) \|.*\| ([0-9a-f]{64}) \|$", (VENDOR / "README.md").read_text(), re.MULTILINE))
    assert {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VENDOR.glob("*.mjs")} == named


def test_the_page_loads_only_files_that_there_are_and_sets_no_markup() -> None:
    page = PageFiles()
    for path in (CONSOLE / "page").glob("*.*"):
        text = path.read_text()
        for name in re.findall(r'(?:from|import) "\./([^"]+)"|"/page/([^"]+)"', text):
            assert page.answer("".join(name)).status_code == 200, (path.name, name)
        assert not re.search(
            r"innerHTML|dangerouslySetInnerHTML|document\.write|eval\(|localStorage|sessionStorage", text
        )
        assert not re.search(r' (?:style|on[a-z]+)="', text), path.name
