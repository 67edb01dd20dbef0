"""boto3 clients of the embedded AWS, each made once and shared by threads, whatever this machine's AWS settings are."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

from embedded_aws.identities import Identities

DEVELOPER = {
    "aws_access_key_id": "AKIAEMBEDDEDAWSLOCAL",
    "aws_secret_access_key": "not-a-secret",  # moto checks no signature
    "aws_session_token": "",
}
"""The credentials of someone of the account; nobody else's are ever looked for."""


class Clients:
    """Clients by service and role. `endpoint` is asked when the first is made."""

    def __init__(self, region: str, endpoint: Callable[[], str], identities: Identities) -> None:
        self._region = region
        self._endpoint = endpoint
        self._identities = identities
        self._lock = threading.Lock()
        self._made: dict[tuple[str, str], Any] = {}

    def get(self, service: str, role: str = "") -> Any:
        """The client of the service with the role's credentials (its ARN), or with a developer's."""
        with self._lock:
            known = self._made.get((service, role))
            if known is None:
                known = self._made[service, role] = self._make(service, role)
            return known

    def close(self) -> None:
        for client in self._made.values():
            client.close()

    def _make(self, service: str, role: str) -> Any:
        credentials = DEVELOPER
        if role:
            issued = self._identities.shared(role, service)
            credentials = {
                "aws_access_key_id": issued.access_key,
                "aws_secret_access_key": issued.secret_key,
                "aws_session_token": issued.session_token,
            }
        # A state machine retries as its definition says, and nothing below it may do so in secret; an invocation may
        # take as long as the function's own timeout; loopback is reached without a proxy.
        config = Config(
            retries={"total_max_attempts": 1},
            read_timeout=1000,
            max_pool_connections=64,
            parameter_validation=not role,
            proxies={},
        )
        new: Any = _session().client
        return new(service, region_name=self._region, endpoint_url=self._endpoint(), config=config, **credentials)


@functools.cache
def _session() -> boto3.Session:
    """One for all, as it keeps the services' models; a developer's profile has no say in it."""
    core = botocore.session.get_session()
    core.set_config_variable("config_file", os.devnull)
    core.set_config_variable("credentials_file", os.devnull)
    core.set_config_variable("profile", None)
    return boto3.Session(botocore_session=core)
