"""Which requests a page in a browser may not make: loopback is open to any page that this machine's user visits.

AWS is protected by signatures. Here anyone may act as a developer with a key that nobody issued, and a function's code
really runs. So a request that a page elsewhere made, or a name that was pointed at loopback (DNS rebinding), must not
come in. Programs send neither `Origin` nor `Sec-Fetch-Site`; browsers send them, and no page can leave them out.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

_OWN_ENDINGS = (".localhost", ".internal", ".amazonaws.com")
"""Names below which no page can have one: loopback's, those of containers, those that a proxy passes on for AWS."""
_LINKED = ("same-origin", "same-site", "cross-site")


def refusal(method: str, query: str, headers: Mapping[str, str]) -> str | None:
    """Why a request is not served; None for one that is. `headers` by their names in lower case."""
    host, origin, site = (headers.get(name, "") for name in ("host", "origin", "sec-fetch-site"))
    name = _name_of(f"//{host}")
    if host and not (name == "localhost" or _is_address(name) or name.endswith(_OWN_ENDINGS)):
        return f"this address is not called {name[:100]!r}: a page may have pointed its own name at it"
    if origin:
        if _is_loopback(_name_of(origin)) and origin.partition("//")[2] != host:
            return None  # a page that the user serves on this machine
        return f"a page of {origin[:100]!r} made this request"
    if site not in _LINKED:
        return None
    if method not in ("GET", "HEAD") or headers.get("sec-fetch-dest") == "empty" or "Action" in parse_qs(query):
        return "a page in a browser made this request"
    return None  # a link that was followed, and what a page shows that lies here


def _name_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    return _is_address(name) and ipaddress.ip_address(name).is_loopback
