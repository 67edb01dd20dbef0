"""Two threads that scan a file's blocks and take its SHA-256, some blocks ahead of their reading.

RE2 and SHA-256 let go of the interpreter's lock: with a second core they take no time of the thread that reads. Each
has a thread of its own, since one that has done its work waits for the lock before it can begin the next.
"""

from __future__ import annotations

import hashlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Final, NamedTuple, Self

from tunedrop.dataset.secrets import Mark, Scan

_MOST_UNHASHED: Final = 8
"""Pieces of the file that may wait for SHA-256, however fast the file is read."""


class Scanned(NamedTuple):
    """A block of lines whose scan was handed over: its marks to come, and the keys whose repetition they tell."""

    data: bytes
    marks: Future[list[tuple[int, Mark]]]
    keys: frozenset[str]


class ScannedAhead:
    """Scans blocks and hashes pieces in the order in which they are handed over. To be left as a context."""

    def __init__(self) -> None:
        self._scanner = ThreadPoolExecutor(max_workers=1)
        self._hasher = ThreadPoolExecutor(max_workers=1)
        self._digest = hashlib.sha256()
        self._hashing: deque[Future[None]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._scanner.shutdown(cancel_futures=True)
        self._hasher.shutdown(cancel_futures=True)

    def take(self, piece: bytes) -> None:
        """Count the file's next piece in, for its SHA-256."""
        if len(self._hashing) == _MOST_UNHASHED:
            self._hashing.popleft().result()
        self._hashing.append(self._hasher.submit(self._digest.update, piece))

    def scan(self, scan: Scan, block: bytes) -> Scanned:
        """Let a block be scanned."""
        return Scanned(block, self._scanner.submit(scan.marks, block), scan.keys)

    def sha256(self) -> str:
        """The SHA-256 of all pieces, as hexadecimal digits."""
        while self._hashing:
            self._hashing.popleft().result()
        return self._digest.hexdigest()
