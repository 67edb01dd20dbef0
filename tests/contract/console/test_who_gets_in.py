"""Only the browser that opened the link, only from the console's own page, only at its own address."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from local.console.session import Sessions
from tests.contract.console.browsing import Browser, browsing

WAYS = [
    ("GET", "/about"),
    ("GET", "/api/runs"),
    ("POST", "/api/runs/sums-1/stop"),
    ("POST", "/files"),
    ("GET", "/documents/sums-1/report"),
    ("GET", "/documents/sums-1/rehearsal"),
]


@pytest.fixture(scope="module")
def served() -> Iterator[Browser]:
    with browsing() as browser:
        yield browser


@pytest.fixture
def stranger(served: Browser) -> Browser:
    """A browser that has opened nothing."""
    served.api.asked.clear()
    return Browser(served.console, served.api)


@pytest.fixture
def browser(stranger: Browser) -> Browser:
    """A browser that has opened the link."""
    stranger.open()
    return stranger


def test_it_listens_on_loopback_alone_at_a_host_that_no_other_program_shares(served: Browser) -> None:
    host = served.console.address.partition(":")[0]
    assert ipaddress.ip_address(host).is_loopback
    # Cookies go by host, not by port.
    assert host != "127.0.0.1"


@pytest.mark.parametrize(("method", "path"), WAYS)
def test_without_the_link_there_is_no_data_and_no_call(stranger: Browser, method: str, path: str) -> None:
    got = stranger.ask(method, path)
    assert (got.status, got.kind, stranger.api.asked) == (401, "session", [])
    assert "tunedrop console" in got.json["detail"]


@pytest.mark.parametrize("cookie", ["", "x", "é", "a" * 5000])
def test_a_cookie_that_was_made_up_is_none(stranger: Browser, cookie: str) -> None:
    name = f"tunedrop-console-{stranger.console.address.rpartition(':')[2]}"
    got = stranger.ask("GET", "/api/runs", headers={"Cookie": f"{name}={cookie}".encode().decode("latin-1")})
    assert (got.status, stranger.api.asked) == (401, [])


def test_the_link_gives_a_cookie_that_no_script_reads_and_leaves_the_address(stranger: Browser) -> None:
    got = stranger.open()
    assert (got.status, got.headers["location"]) == (303, "/")
    flags = {each.strip().lower() for each in got.headers["set-cookie"].split(";")[1:]}
    assert flags == {"httponly", "path=/", "samesite=strict"}  # no Expires: it ends with the browser
    assert stranger.ask("GET", "/api/runs").json == {"answered": True}


def test_a_link_works_once_and_the_next_one_is_told(stranger: Browser) -> None:
    told: list[str] = []
    stranger.console.on_next_link(told.append)
    link = stranger.console.link
    stranger.open(link)
    other = Browser(stranger.console, stranger.api)
    again = other.open(link)
    assert (again.status, other.cookie) == (401, "")
    assert b"This link has been used" in again.body
    assert told == [stranger.console.link]
    assert other.open(told[0]).status == 303
    # Whoever is in already is not troubled by it.
    used = urlsplit(link)
    assert stranger.ask("GET", f"{used.path}?{used.query}").headers["location"] == "/"


def test_a_program_that_looks_where_the_link_leads_does_not_use_it_up(stranger: Browser) -> None:
    link = stranger.console.link
    parts = urlsplit(link)
    assert stranger.ask("HEAD", f"{parts.path}?{parts.query}", headers={"Sec-Fetch-Site": None}).status == 200
    assert stranger.open(link).status == 303


@pytest.mark.parametrize("token", ["", "x", "%00", "%C3%A9"])
def test_a_token_that_was_made_up_opens_nothing(stranger: Browser, token: str) -> None:
    got = stranger.ask("GET", f"/open?token={token}")
    assert (got.status, "set-cookie" in got.headers) == (401, False)


def test_the_oldest_of_many_sessions_is_forgotten() -> None:
    sessions = Sessions()
    cookies = [sessions.open(sessions.token) or "" for _ in range(21)]
    assert [sessions.known(each) for each in (cookies[0], cookies[1], cookies[-1], "")] == [False, True, True, False]


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "{host}", "{host}:1", "{host}:{port}.evil.example", "127.0.0.2:{port}",
     "[::1]:{port}", "", None],
)  # fmt: skip
def test_a_name_that_was_rebound_to_loopback_gets_nothing(browser: Browser, host: str | None) -> None:
    own, _, port = browser.console.address.partition(":")
    name = host and host.format(host=own, port=port)
    for method, path in (*WAYS, ("GET", "/"), ("GET", "/open?token=x"), ("GET", "/page/main.js")):
        got = browser.ask(method, path, headers={"Host": name, "Origin": f"http://{name}", "Sec-Fetch-Site": None})
        assert got.status in (400, 421), (method, path)
        assert b"answered" not in got.body
    assert browser.api.asked == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_forwarded_port_is_the_console_too(browser: Browser, host: str) -> None:
    name = f"{host}:{browser.console.address.rpartition(':')[2]}"
    assert browser.ask("GET", "/api/runs", headers={"Host": name}).status == 200
    assert browser.ask("POST", "/api/runs/a/stop", headers={"Host": name, "Origin": f"http://{name}"}).status == 200


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", None, "", "https://{own}", "http://{own}.evil.example", "http://127.0.0.1:{port}",
     "http://{host}:1", "http://{own}/", "http://x@{own}"],
)  # fmt: skip
def test_a_page_elsewhere_can_start_stop_and_upload_nothing(browser: Browser, origin: str | None) -> None:
    own = browser.console.address
    host, _, port = own.partition(":")
    told = origin and origin.format(own=own, host=host, port=port)
    for path in ("/api/runs", "/api/runs/sums-1/stop", "/api/runs/sums-1/approve", "/api/uploads", "/files"):
        for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
            headers = {"Origin": told, "Content-Type": kind, "Sec-Fetch-Site": None}
            got = browser.ask("POST", path, headers=headers, raw=b'{"name": "a"}')
            assert (got.status, got.kind) == (403, "origin"), (path, kind)
    assert browser.api.asked == []


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_s_page_reads_and_changes_nothing(browser: Browser, site: str) -> None:
    for method, path in WAYS:
        got = browser.ask(method, path, headers={"Sec-Fetch-Site": site})
        assert (got.status, got.kind) == (403, "site"), path
    assert browser.api.asked == []
    assert browser.ask("GET", "/", headers={"Sec-Fetch-Site": site}).status == 200


def test_an_answer_lets_no_other_origin_read_it(browser: Browser) -> None:
    origin = {"Origin": "http://evil.example", "Sec-Fetch-Site": None}
    got = browser.ask("GET", "/api/runs", headers=origin)
    assert got.status == 403
    asked_first = browser.ask(
        "OPTIONS", "/api/runs", headers={**origin, "Access-Control-Request-Method": "POST", "Content-Length": "0"}
    )
    assert asked_first.status == 403
    assert not [name for answer in (got, asked_first) for name in answer.headers if name.lower().startswith("access-")]
