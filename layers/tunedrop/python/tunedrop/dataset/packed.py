"""A dataset's file as text: as it is, or, where gzip packed it, unpacked into a file, in memory that stays flat.

A file is taken for packed by its first bytes, not by its name.
"""

from __future__ import annotations

import gzip
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final, Protocol, cast

MOST_UNPACKED: Final = 2**30
"""A dataset's file has at most 1 GiB, and so has what is packed: a bomb of a few kilobytes fills no disk."""
_CHUNK: Final = 1 << 20
_GZIP: Final = b"\x1f\x8b"


class Readable(Protocol):
    """A file, or the body of an object in S3."""

    def read(self, count: int, /) -> bytes: ...


def write_plain(source: Readable, target: BinaryIO, most_bytes: int = MOST_UNPACKED) -> str:
    """Write what `source` holds to `target`, unpacked where it is packed, and put `target` back to its start.

    What is wrong with the packing: "" where nothing is. Then `target` is empty.
    """
    begun = _Begun(source)
    try:
        if begun.head == _GZIP:
            problem = _unpack(begun, target, most_bytes)
        else:
            problem = ""
            while chunk := begun.read(_CHUNK):
                target.write(chunk)
    finally:
        target.seek(0)
    if problem:
        target.truncate()
    return problem


@contextmanager
def plain(source: BinaryIO) -> Iterator[tuple[BinaryIO, str]]:
    """A seekable file itself, or a temporary file of what gzip packed in it; and what is wrong with the packing."""
    start = source.tell()
    packed = source.read(len(_GZIP)) == _GZIP
    source.seek(start)
    if not packed:
        yield source, ""
        return
    with tempfile.TemporaryFile() as unpacked:
        text = cast(BinaryIO, unpacked)
        yield text, write_plain(source, text)


def _unpack(source: Readable, target: BinaryIO, most_bytes: int) -> str:
    written = 0
    try:
        with gzip.GzipFile(fileobj=cast(BinaryIO, source)) as unpacked:
            while chunk := unpacked.read(_CHUNK):
                written += len(chunk)
                if written > most_bytes:
                    return f"the unpacked file is larger than {most_bytes:,} bytes"
                target.write(chunk)
    except EOFError:
        return "the packed file is cut off"
    except (gzip.BadGzipFile, zlib.error) as error:
        return f"the packed file is broken: {error}"
    return ""


class _Begun:
    """A stream whose first bytes were looked at; `head` is what they were."""

    def __init__(self, source: Readable) -> None:
        self._source = source
        self.head = source.read(len(_GZIP))
        while 0 < len(self.head) < len(_GZIP) and (more := source.read(len(_GZIP) - len(self.head))):
            self.head += more
        self._kept = self.head

    def read(self, count: int = -1) -> bytes:
        kept, self._kept = self._kept, b""
        return kept or self._source.read(count)
