"""What every request must be like, and what every answer says: before any route, and whatever the route.

A page of the web that the user visits can make the browser send requests here. Three things stop it: the Host must be
the console's own (a name that was rebound to loopback is not), a request that changes something must come from the
console's own page (Origin), and so must one for data (Sec-Fetch-Site, where the browser sends it).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.console.problems import problem

SAFE_METHODS = frozenset({"GET", "HEAD"})
FOR_EVERYONE = ("/", "/open", "/page/")
"""Paths that hold no data: a link on another page may lead to them."""


class Guard:
    """`hosts`: the values of Host that name the console; `policy`: the content security policy of what sets none."""

    def __init__(self, app: ASGIApp, *, hosts: Collection[str], policy: str) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self._always = {
            "cache-control": "no-store",
            "content-security-policy": policy,
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": _with(message["headers"], self._always)}
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> Response | None:
        hosts, origins, sites = (_values(scope, name) for name in (b"host", b"origin", b"sec-fetch-site"))
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return problem(421, "host", "This is not the console's address", "Open the link that the command printed.")
        safe = scope["method"] in SAFE_METHODS
        own = [f"http://{hosts[0]}"]
        if origins != own and (origins or not safe):
            return problem(403, "origin", "The request is not the console's own", "Use the console's page.")
        public = scope["path"] in FOR_EVERYONE or scope["path"].startswith(FOR_EVERYONE[-1])
        allowed = ["none"] if safe else []
        if sites and not (safe and public) and any(site not in ["same-origin", *allowed] for site in sites):
            return problem(403, "site", "The request comes from another site", "Use the console's page.")
        return None


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]


def _with(headers: list[tuple[bytes, bytes]], more: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """The headers, and those of `more` that are not among them."""
    given = {name.lower() for name, _ in headers}
    return [*headers, *((name.encode(), value.encode()) for name, value in more.items() if name.encode() not in given)]
