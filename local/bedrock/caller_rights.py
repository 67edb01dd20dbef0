"""What the callers of the local Bedrock may do, and with whose rights it acts for them: the embedded AWS decides."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

SERVICE = "bedrock.amazonaws.com"
_REMEMBERED_SECONDS = 1.0  # of a caller who asks hundreds of questions a second
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback goes through no proxy


class RoleRefused(Exception):
    """The service may not assume the role that it was handed."""


class CallerRights:
    """Asks the embedded AWS at `endpoint`; without one everybody may do everything."""

    def __init__(self, endpoint: str | None) -> None:
        self._endpoint = endpoint
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="rights")
        self._answers: dict[tuple[str, ...], tuple[float, str | None]] = {}

    async def refusal(
        self, access_key: str, action: str, resource: str, context: Mapping[str, str] | None = None
    ) -> str | None:
        """IAM's sentence, where the holder of the access key may not do this; None where it may."""
        if self._endpoint is None:
            return None
        question = (access_key, action, resource, *(f"{name}={value}" for name, value in (context or {}).items()))
        known = self._answers.get(question)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        asked = {"access_key": access_key, "action": action, "resource": resource, "context": dict(context or {})}
        answer: str | None = (await self._ask("/_embedded/permission", asked))["refused"]
        if len(self._answers) > 1000:
            self._answers.clear()
        self._answers[question] = (time.monotonic() + _REMEMBERED_SECONDS, answer)
        return answer

    async def signature_refusal(self, request: Mapping[str, Any]) -> str | None:
        """What is wrong with the signature of a request (`/_embedded/signature`); None where nothing is."""
        if self._endpoint is None:
            return None
        refused: str | None = (await self._ask("/_embedded/signature", request))["refused"]
        return refused

    async def access_key(self, source_arn: str, role: str | None = None) -> str | None:
        """An access key of the role, or of the service itself; None where there is no AWS. Raises RoleRefused."""
        if self._endpoint is None:
            return None
        asked = {"service": SERVICE, "source_arn": source_arn, "role": role}
        answer = await self._ask("/_embedded/credentials", asked)
        if answer["refused"]:
            raise RoleRefused(answer["refused"])
        key: str = answer["access_key"]
        return key

    async def _ask(self, path: str, asked: Mapping[str, Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._post, path, asked)

    def _post(self, path: str, asked: Mapping[str, Any]) -> Any:
        body = json.dumps(asked).encode()
        request = urllib.request.Request(f"{self._endpoint}{path}", data=body, method="POST")  # noqa: S310 - our own loopback URL
        with _DIRECT.open(request, timeout=30) as answer:
            return json.loads(answer.read())
