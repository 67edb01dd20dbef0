"""Refuses what a page in a browser asks: any page that the user visits can send requests to loopback.

The switches of the simulation ask for no key, and a key is not secret here. Programs send neither `Origin` nor
`Sec-Fetch-Site`; browsers do, and no page can leave them out. A name that was pointed at loopback (DNS rebinding) is
not the one that programs know.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from local.bedrock.errors import ApiError
from local.bedrock.http import error_response, marked

_OWN_ENDINGS = (".localhost", ".internal", ".amazonaws.com")
"""Names below which no page can have one."""


class ProgramsOnly:
    """The application, for programs on this machine."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_from_a_page(
            {bytes(name): bytes(value) for name, value in scope["headers"]}
        ):
            await self._app(scope, receive, send)
            return
        refusal = ApiError(403, "forbidden", "A page in a browser made this request; only programs are answered here.")
        await marked(error_response(refusal))(scope, receive, send)


def _is_from_a_page(headers: Mapping[bytes, bytes]) -> bool:
    if b"origin" in headers or headers.get(b"sec-fetch-site", b"none") != b"none":
        return True
    host = headers.get(b"host", b"").decode("latin-1").rpartition("]")
    name = host[0].removeprefix("[") or host[2].partition(":")[0]
    return not (name in ("", "localhost") or name.endswith(_OWN_ENDINGS) or _is_address(name))


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
