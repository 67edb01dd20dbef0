"""Who calls: every process and every state machine gets an access key of its own, by which its calls are told apart."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

Assume = Callable[[str, str], tuple[str, str, str]]
"""A role's ARN and a session name → access key, secret key, session token, as AssumeRole gives them."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Temporary credentials of a role's session."""

    access_key: str
    secret_key: str
    session_token: str
    role: str
    session: str


class Identities:
    """Issues credentials for roles and remembers whose they are."""

    def __init__(self, assume: Assume) -> None:
        self._assume = assume
        self._lock = threading.Lock()
        self._issued: dict[str, Credentials] = {}
        self._shared: dict[tuple[str, str], Credentials] = {}

    def issue(self, role: str, session: str) -> Credentials:
        """New credentials for a session of the role (its ARN)."""
        with self._lock:
            access_key, secret_key, session_token = self._assume(role, session)
            credentials = Credentials(access_key, secret_key, session_token, role, session)
            self._issued[access_key] = credentials
        return credentials

    def shared(self, role: str, session: str) -> Credentials:
        """The same credentials at every call with the same role and session."""
        with self._lock:
            known = self._shared.get((role, session))
        if known is None:
            known = self.issue(role, session)
            with self._lock:
                known = self._shared.setdefault((role, session), known)
        return known

    def of(self, access_key: str) -> Credentials | None:
        """Whose access key it is; None for a key that was not issued here (a developer's, a test's)."""
        with self._lock:
            return self._issued.get(access_key)
