"""A file that gzip packed is read as what is in it; a broken or huge one is a finding, as is a huge plain one."""

from __future__ import annotations

import gzip
import io

import pytest

from tests.unit.dataset.sample_rows import as_line, good_rows
from tunedrop.catalog import Family
from tunedrop.dataset.check import check_dataset
from tunedrop.dataset.packed import plain, write_plain

TEXT = b"".join(as_line(row) + b"\n" for row in good_rows(200))
PACKED = gzip.compress(TEXT)


class Trickle:
    """A stream that gives one byte at a time, as a slow connection may."""

    def __init__(self, body: bytes) -> None:
        self._file = io.BytesIO(body)

    def read(self, count: int = -1) -> bytes:
        return self._file.read(min(count, 1) if count > 0 else count)


@pytest.mark.parametrize("body", [b"", b"x", b"\x1f", TEXT], ids=["empty", "one byte", "half a mark", "rows"])
def test_a_file_that_is_not_packed_stays_as_it_is(body: bytes) -> None:
    target = io.BytesIO()
    assert write_plain(io.BytesIO(body), target) == ""
    assert target.read() == body


@pytest.mark.parametrize("packed", [PACKED, gzip.compress(TEXT[:999]) + gzip.compress(TEXT[999:])])
def test_a_packed_file_is_what_is_in_it_however_it_comes(packed: bytes) -> None:
    for source in (io.BytesIO(packed), Trickle(packed)):
        target = io.BytesIO()
        assert write_plain(source, target) == ""
        assert target.read() == TEXT


@pytest.mark.parametrize(
    ("packed", "problem"),
    [
        (PACKED[:-9], "the packed file is cut off"),
        (PACKED[: len(PACKED) // 2], "the packed file is cut off"),
        (b"\x1f\x8b", "the packed file is cut off"),
        (b"\x1f\x8b\x08" + bytes(300), "the packed file is broken"),
        (PACKED[:50] + b"\x00" * 40 + PACKED[90:], "the packed file is broken"),
        (PACKED + b"more", "the packed file is broken"),
    ],
)
def test_a_broken_packing_is_told_and_leaves_nothing(packed: bytes, problem: str) -> None:
    target = io.BytesIO()
    assert write_plain(io.BytesIO(packed), target).startswith(problem)
    assert target.getvalue() == b""


def test_a_bomb_is_given_up_at_the_bound() -> None:
    class Counting(io.BytesIO):
        most = 0

        def write(self, chunk: bytes, /) -> int:  # type: ignore[override] # bytes are all that is written
            self.most = max(self.most, self.tell() + len(chunk))
            return super().write(chunk)

    target = Counting()
    problem = write_plain(io.BytesIO(gzip.compress(bytes(50_000_000))), target, most_bytes=4_000_000)
    assert problem == "the unpacked file is larger than 4,000,000 bytes"
    assert target.most <= 4_000_000
    assert target.getvalue() == b""


def test_a_seekable_file_is_opened_as_its_text() -> None:
    for body in (TEXT, PACKED):
        with plain(io.BytesIO(body)) as (text, problem):
            assert (text.read(), problem) == (TEXT, "")


def test_a_file_that_is_too_large_is_a_finding_and_is_not_read() -> None:
    most, target = len(TEXT) - 1, io.BytesIO()
    problem = write_plain(io.BytesIO(TEXT), target, most)
    assert problem == f"the file is larger than {most:,} bytes"
    assert target.getvalue() == b""
    with plain(io.BytesIO(TEXT), most) as (text, same):
        assert (text.read(), same) == (b"", problem)
    report = check_dataset(target, family=Family.OPEN_WEIGHT, packing={"train": problem})
    assert [(each.rule, each.message) for each in report.findings] == [("file-size", problem)]
    with plain(io.BytesIO(TEXT), len(TEXT)) as (text, problem):
        assert (text.read(), problem) == (TEXT, "")
