"""Who may use the console: whoever opened its link once, and has the cookie that this gave."""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Callable

MOST_SESSIONS = 20
"""Browsers at once; the one that came first is forgotten."""


class Sessions:
    """The link's token and the cookies. Nothing is kept beyond this process.

    A token is good for one session; the next one is given to `on_next_token`.
    """

    def __init__(self, on_next_token: Callable[[str], None] = lambda _token: None) -> None:
        self.on_next_token = on_next_token
        self._lock = threading.Lock()
        self._token = secrets.token_urlsafe(32)
        self._cookies: list[str] = []

    @property
    def token(self) -> str:
        """The one that opens the next session."""
        return self._token

    def open(self, token: str) -> str | None:
        """The cookie of a new session; None if the token is not, or no longer, the link's."""
        with self._lock:
            if not _same(token, self._token):
                return None
            self._token = secrets.token_urlsafe(32)
            cookie = secrets.token_urlsafe(32)
            self._cookies = [*self._cookies, cookie][-MOST_SESSIONS:]
        self.on_next_token(self._token)
        return cookie

    def known(self, cookie: str) -> bool:
        """Whether the cookie is that of a session."""
        # Each is compared, so that the time tells nothing.
        return sum(_same(cookie, each) for each in self._cookies) > 0


def _same(given: str, own: str) -> bool:
    return hmac.compare_digest(given.encode(), own.encode())
