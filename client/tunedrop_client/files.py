"""Files on their way to and from S3, by links that need no credentials."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from botocore.awsrequest import AWSRequest

from tunedrop_client.connection import http_session, send, wait_seconds
from tunedrop_client.errors import FileRefused, Unreachable

TRIES = 5
_CONFLICT, _TAKEN_ALREADY = 409, 412


def put_file(url: str, headers: Mapping[str, str], path: Path, *, sleep: Callable[[float], None] = time.sleep) -> None:
    """Send a file to an upload's link, which takes one file.

    Raises:
        FileRefused: S3 does not take it.
        Unreachable: S3 gave no answer.
    """
    http = http_session(url)

    def put() -> Any:
        with path.open("rb") as file:
            return send(http, AWSRequest("PUT", url, data=file, headers=dict(headers)))

    answer, all_answered = _tried(put, sleep)
    taken_before = answer.status_code == _TAKEN_ALREADY and not all_answered
    if answer.status_code >= 300 and not taken_before:
        raise FileRefused(f"S3 did not take {path}: HTTP {answer.status_code}: {answer.text[:300]}")


def get_file(url: str, path: Path, *, sleep: Callable[[float], None] = time.sleep) -> Path:
    """Fetch what a link leads to, and write it to `path`; `path`.

    Raises:
        FileRefused: S3 does not give it.
        Unreachable: S3 gave no answer.
    """
    http = http_session(url)
    answer, _ = _tried(lambda: send(http, AWSRequest("GET", url)), sleep)
    if answer.status_code >= 300:
        raise FileRefused(f"S3 did not give {path.name}: HTTP {answer.status_code}: {answer.text[:300]}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(answer.content)
    return path


def _tried(once: Callable[[], Any], sleep: Callable[[float], None]) -> tuple[Any, bool]:
    """The answer of S3, and whether every try got one. Raises Unreachable if the last try got none."""
    all_answered = True
    for number in range(TRIES):
        last = number == TRIES - 1
        try:
            answer = once()
        except Unreachable:
            all_answered = False
            if last:
                raise
        else:
            if last or (answer.status_code < 500 and answer.status_code != _CONFLICT):
                return answer, all_answered
        sleep(wait_seconds(number))
    raise AssertionError("a file is tried at least once")
