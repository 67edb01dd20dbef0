"""A dataset's file as text: as it is, or, where gzip packed it, unpacked into a file, in memory that stays flat.

A file is taken for packed by its first bytes, not by its name.
"""

from __future__ import annotations

import gzip
import io
import os
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final, Protocol, cast

MOST_BYTES: Final = 2**30
"""A dataset's file has at most 1 GiB, and so has what is packed: a bomb of a few kilobytes fills no disk."""
TOO_LARGE: Final = "the file is larger than"
"""How the problem of a file begins that is not packed and has more bytes."""
_CHUNK: Final = 1 << 20
_GZIP: Final = b"\x1f\x8b"


class Readable(Protocol):
    """A file, or the body of an object in S3."""

    def read(self, count: int, /) -> bytes: ...


def write_plain(source: Readable, target: BinaryIO, most_bytes: int = MOST_BYTES) -> str:
    """Write what `source` holds to `target`, unpacked where it is packed, and put `target` back to its start.

    What is wrong with the packing or the size: "" where nothing is. Otherwise `target` is empty.
    """
    begun = _Begun(source)
    try:
        copy = _unpack if begun.head == _GZIP else _copy
        problem = copy(begun, target, most_bytes)
    finally:
        target.seek(0)
    if problem:
        target.truncate()
    return problem


@contextmanager
def plain(source: BinaryIO, most_bytes: int = MOST_BYTES) -> Iterator[tuple[BinaryIO, str]]:
    """A seekable file itself, or a temporary file of what gzip packed in it; and what is wrong with packing or size."""
    start = source.tell()
    packed = source.read(len(_GZIP)) == _GZIP
    size = source.seek(0, os.SEEK_END) - start
    source.seek(start)
    if not packed:
        yield (io.BytesIO(), _too_large(most_bytes)) if size > most_bytes else (source, "")
        return
    with tempfile.TemporaryFile() as unpacked:
        text = cast(BinaryIO, unpacked)
        yield text, write_plain(source, text, most_bytes)


def _copy(source: Readable, target: BinaryIO, most_bytes: int) -> str:
    written = 0
    while chunk := source.read(_CHUNK):
        written += len(chunk)
        if written > most_bytes:
            return _too_large(most_bytes)
        target.write(chunk)
    return ""


def _too_large(most_bytes: int) -> str:
    return f"{TOO_LARGE} {most_bytes:,} bytes"


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
