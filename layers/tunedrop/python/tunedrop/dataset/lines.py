"""A file as blocks of whole lines, read once from front to back, whatever it holds, in memory that stays flat."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from tunedrop.dataset.bounds import MAX_LINE_BYTES
from tunedrop.dataset.file_kinds import HEAD_BYTES, FileKind, kind_of

READ_BYTES: Final = 256 * 1024
"""What is asked of the stream at once: large enough that calls do not count, small enough to stay in the caches."""
FIRST_READ_BYTES: Final = 32 * 1024
"""What is asked for first: only when the first rows have been read is it known how the others can be read quickly."""
BOM: Final = b"\xef\xbb\xbf"
# UTF-32 LE begins with the bytes of UTF-16 LE; both are reported as one thing.
_UTF16_BOMS: Final = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")


@dataclass(frozen=True, slots=True)
class Overlong:
    """A line longer than MAX_LINE_BYTES, which was passed over."""

    length: int


class Lines:
    """Reads a stream to its end, once. What it learns of the whole file is there after the last block.

    The stream needs only `read(n)`, so that an S3 body will do.
    """

    def __init__(self, stream: BinaryIO, take: Callable[[bytes], object] | None = None) -> None:
        """`take` is called with every piece that is read, in order, before its lines are given."""
        self._stream = stream
        self._take = take
        self.has_bom = False
        self.is_utf16 = False
        self.kind: FileKind | None = None
        """What the file is, where it is no text; then it has no lines."""

    def __iter__(self) -> Iterator[bytes | Overlong]:
        """Yields every line once, in order: blocks of whole lines, joined by line feeds, and overlong lines.

        A line feed at the end of the file ends its last line, it starts none.
        """
        rest = b""
        chunk = self._read(FIRST_READ_BYTES)
        while len(chunk) < 4 and (more := self._read()):  # a stream may give less than was asked for
            chunk += more
        self.has_bom = chunk.startswith(BOM)
        self.is_utf16 = chunk.startswith(_UTF16_BOMS)
        self.kind = kind_of(chunk[:HEAD_BYTES])
        chunk = chunk.removeprefix(BOM)
        if self.is_utf16 or self.kind is not None:
            while self._read():
                pass
            return
        passed_over = 0  # bytes of an overlong line so far; 0 while there is none
        while chunk:
            if passed_over:
                end = chunk.find(b"\n")
                if end < 0:
                    passed_over += len(chunk)
                    chunk = self._read()
                    continue
                yield Overlong(passed_over + end)
                passed_over = 0
                chunk = chunk[end + 1 :]
            cut = chunk.rfind(b"\n")
            if cut < 0:
                rest += chunk
                if len(rest) > MAX_LINE_BYTES:
                    passed_over = len(rest)
                    rest = b""
            else:
                data = b"".join((rest, memoryview(chunk)[:cut]))
                rest = chunk[cut + 1 :]
                yield from _without_overlong(data)
            chunk = self._read()
        if passed_over:
            yield Overlong(passed_over)
        elif rest:
            yield from _without_overlong(rest)

    def _read(self, most: int = READ_BYTES) -> bytes:
        chunk = self._stream.read(most)
        if self._take is not None and chunk:
            self._take(chunk)
        return chunk


def _without_overlong(data: bytes) -> Iterator[bytes | Overlong]:
    """`data` as a block; its first line apart where it is too long (the others lie within one read, which is not)."""
    if len(data) > MAX_LINE_BYTES:
        end = data.find(b"\n")
        length = len(data) if end < 0 else end
        if length > MAX_LINE_BYTES:
            yield Overlong(length)
            if end >= 0:
                yield data[end + 1 :]
            return
    yield data
