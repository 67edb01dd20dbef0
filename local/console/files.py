"""Files of a dataset on their way from the page to S3, and documents of runs on their way back. None is kept here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import anyio.from_thread
from botocore.awsrequest import AWSRequest

from tunedrop_client.connection import http_session, send
from tunedrop_client.errors import FileRefused

MOST_DOCUMENT_BYTES = 64 * 2**20
"""A report of 20,000 test rows has a few megabytes."""

_CHUNK = 2**16


class Passing:
    """The body of a request that is being received, as a file of `size` bytes for a thread that sends it on."""

    def __init__(self, stream: AsyncIterator[bytes], size: int) -> None:
        self._stream = stream
        self._size = size
        self._left = b""
        self._got = 0

    def __len__(self) -> int:
        return self._size

    def read(self, count: int = -1) -> bytes:
        """The next bytes, `count` at most; b"" at the end. Raises FileRefused if it is not as long as was said."""
        if not self._left:
            self._left = anyio.from_thread.run(self._next)
            self._got += len(self._left)
            if self._got > self._size or (not self._left and self._got < self._size):
                raise FileRefused(f"the file has not the {self._size:,} bytes that it was said to have")
        most = _CHUNK if count < 0 else count
        given, self._left = self._left[:most], self._left[most:]
        return given

    async def _next(self) -> bytes:
        async for chunk in self._stream:
            if chunk:
                return chunk
        return b""


def pass_on(body: Passing, url: str, headers: Mapping[str, str]) -> None:
    """Send a file to an upload's link, once. Raises FileRefused, Unreachable."""
    sent = {**headers, "Content-Length": str(len(body))}
    answer = send(http_session(url), AWSRequest("PUT", url, data=body, headers=sent))
    if answer.status_code >= 300:
        raise FileRefused(f"S3 did not take the file: HTTP {answer.status_code}: {answer.text[:300]}")


def fetch(url: str) -> bytes:
    """What a link of the API leads to. Raises FileRefused, Unreachable."""
    answer: Any = send(http_session(url), AWSRequest("GET", url, stream_output=True))
    content = bytearray()
    for chunk in answer.raw.stream(_CHUNK):
        content += chunk
        if len(content) > MOST_DOCUMENT_BYTES:
            raise FileRefused("the document is too large for the console; fetch it with `tunedrop report`")
    if answer.status_code >= 300:
        raise FileRefused(f"S3 did not give the document: HTTP {answer.status_code}: {content[:300].decode()}")
    return bytes(content)
