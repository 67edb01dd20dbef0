"""A second thread that scans a file's blocks and takes its SHA-256, some blocks ahead of their reading.

RE2 and SHA-256 let go of the interpreter's lock: with a second core they take no time of the thread that reads.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Final, NamedTuple, Self

from tunedrop.dataset.secrets import Mark, Scan

_HASHED_AT_ONCE: Final = 4
"""Pieces of the file that SHA-256 takes in one go: each time that a thread takes up the lock again costs some time."""


class Scanned(NamedTuple):
    """A block of lines whose scan was handed over: its marks to come, and the keys whose repetition they tell."""

    data: bytes
    marks: Future[list[tuple[int, Mark]]]
    keys: frozenset[str]


class ScannedAhead:
    """Scans blocks and hashes pieces in the order in which they are handed over. To be left as a context."""

    def __init__(self) -> None:
        self._worker = ThreadPoolExecutor(max_workers=1)
        self._digest = hashlib.sha256()
        self._unhashed: list[bytes] = []
        self._hashing: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._worker.shutdown(cancel_futures=True)

    def take(self, piece: bytes) -> None:
        """Count the file's next piece in, for its SHA-256."""
        self._unhashed.append(piece)
        if len(self._unhashed) == _HASHED_AT_ONCE:
            if self._hashing is not None:
                self._hashing.result()  # so that no more than these are kept, however fast the file is read
            self._hashing = self._worker.submit(self._hash, self._unhashed)
            self._unhashed = []

    def scan(self, scan: Scan, block: bytes) -> Scanned:
        """Let a block be scanned."""
        return Scanned(block, self._worker.submit(scan.marks, block), scan.keys)

    def sha256(self) -> str:
        """The SHA-256 of all pieces, as hexadecimal digits."""
        self._worker.submit(self._hash, self._unhashed).result()
        self._unhashed = []
        return self._digest.hexdigest()

    def _hash(self, pieces: list[bytes]) -> None:
        for piece in pieces:
            self._digest.update(piece)
