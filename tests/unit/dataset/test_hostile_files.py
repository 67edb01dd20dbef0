"""Files made to break a reader: a finding each, in bounded time and memory, and never a traceback."""

from __future__ import annotations

import io
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from tests.in_prove import in_prove
from tests.unit.dataset.sample_rows import a_row, as_line, check, found, good_rows, rules_of
from tunedrop.catalog import Family
from tunedrop.dataset.bounds import MAX_LINE_BYTES
from tunedrop.dataset.check import check_dataset
from tunedrop.dataset.correct import write_corrected

MOST_SECONDS = 10.0
MEGABYTE = 1024 * 1024
ADDRESSES = b"a@b.example " * 80 + b"\n"


def shapes(count: int) -> bytes:
    return b"\n".join(b'{"key%d":1}' % number for number in range(count))


class Endless(io.RawIOBase):
    """A stream of `size` bytes that are made as they are read, between a head and a tail."""

    def __init__(self, head: bytes, piece: bytes, size: int, tail: bytes) -> None:
        self._head, self._piece, self._left, self._tail = head, piece, size, tail

    def read(self, size: int = -1) -> bytes:
        if self._head:
            head, self._head = self._head, b""
            return head
        if self._left > 0:
            count = min(size, self._left)
            self._left -= count
            return (self._piece * (count // len(self._piece) + 1))[:count]
        tail, self._tail = self._tail, b""
        return tail


def test_a_line_of_100_mb_is_passed_over_in_flat_memory() -> None:
    good = b"\n".join(map(as_line, good_rows()))
    stream = Endless(good + b'\n{"messages":"', b"x" * 4096, 100 * MEGABYTE, b'"}\n' + as_line(a_row(999)))
    tracemalloc.start()
    started = time.process_time()
    report = check_dataset(stream, family=Family.OPEN_WEIGHT)  # type: ignore[arg-type]  # it needs only read(n)
    seconds, (_, peak) = time.process_time() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    (finding,) = report.findings
    assert (finding.rule, finding.line, finding.got) == ("line-length", 121, "104,857,615 bytes")
    assert report.rows == 122
    assert report.train.bytes > 100 * MEGABYTE
    assert peak < 30 * MEGABYTE
    assert seconds < MOST_SECONDS


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        pytest.param(b"[" * 100_000, "json-depth", id="100,000 opening brackets"),
        pytest.param(b"[" * 100_000 + b"]" * 100_000, "json-depth", id="100,000 nested arrays"),
        pytest.param(b'{"":' * 50_000 + b"1" + b"}" * 50_000, "json-depth", id="50,000 nested objects"),
        pytest.param(b'{"x":' + b"7" * 5_000 + b"}", "number-range", id="a number of 5,000 digits"),
        pytest.param(b'{"x":1.' + b"7" * 5_000 + b"e999999999}", "number-range", id="a large exponent"),
        pytest.param(b"\xff" * 5_000, "encoding-utf8", id="no UTF-8 at all"),
        pytest.param(b"\x00" * 5_000, "encoding-nul", id="zero bytes"),
        pytest.param(
            b'"' + b'\\"' * (MAX_LINE_BYTES // 2 - 8), "json-syntax", id="a string of escaped quotes without end"
        ),
        in_prove(b"[" + b"1," * (MAX_LINE_BYTES // 2 - 8) + b"1]", "row-object", id="an array of 2 million numbers"),
        pytest.param(b"[" * 200 + b'"' * (MAX_LINE_BYTES - 300), "json-syntax", id="4 million quotes"),
    ],
)
def test_a_hostile_line_is_one_finding(line: bytes, rule: str) -> None:
    rows: list[Any] = [*good_rows(), line, a_row(999)]
    started = time.process_time()
    report = check(rows)
    assert time.process_time() - started < MOST_SECONDS
    assert 121 in [finding.line for finding in found(report, rule)]
    assert report.rows == 122


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        pytest.param(b"", "file-empty", id="empty"),
        pytest.param(b"\n", "file-empty", id="one line feed"),
        pytest.param(b"\xef\xbb\xbf", "file-empty", id="only a byte order mark"),
        pytest.param(b"\xef", "encoding-utf8", id="the first byte of a byte order mark"),
        pytest.param(b"\xff\xfe[\x00]\x00", "encoding-utf16", id="UTF-16"),
        pytest.param(b"\n" * 100_000, "file-empty", id="100,000 empty lines"),
        in_prove(b"\n" * 500_000, "file-empty", id="500,000 empty lines"),
        pytest.param(b"\n" * 3_000_000, "file-empty", id="3 million empty lines", marks=pytest.mark.prove),
        pytest.param(b" \n" * 100_000, "line-blank", id="100,000 blank lines"),
        pytest.param(b"x\n" * 20_000, "json-syntax", id="20,000 broken lines"),
        pytest.param(b"x\n" * 100_000, "json-syntax", id="100,000 broken lines", marks=pytest.mark.prove),
        pytest.param(b"\r" * 100_000, "file-empty", id="carriage returns"),
        pytest.param(b"\x1f\x8b\x08\x00" + bytes(range(256)) * 40, "file-not-text", id="a gzip file"),
        pytest.param(b"\x7fELF\x02\x00" + bytes(range(256)) * 40, "encoding-nul", id="a binary file"),
        pytest.param(shapes(4_000), "messages-missing", id="4,000 shapes of rows"),
        pytest.param(shapes(20_000), "messages-missing", id="20,000 shapes of rows", marks=pytest.mark.prove),
        pytest.param(
            b"{" + b",".join(b'"key%d":1' % number for number in range(200_000)) + b"}",
            "messages-missing",
            id="200,000 keys",
        ),
        pytest.param(ADDRESSES * 1_000, "personal-email", id="80,000 addresses"),
        pytest.param(ADDRESSES * 5_000, "personal-email", id="400,000 addresses", marks=pytest.mark.prove),
    ],
)
def test_a_hostile_file_has_its_finding(body: bytes, rule: str) -> None:
    started = time.process_time()
    report = check_dataset(io.BytesIO(body), family=Family.OPEN_WEIGHT)
    assert time.process_time() - started < MOST_SECONDS
    assert rule in rules_of(report)
    assert not report.valid
    assert len(str(report.to_json())) < 2 * MEGABYTE


def test_20_001_rows_are_one_too_many() -> None:
    report = check([a_row(number) for number in range(20_001)])
    (error,) = [finding for finding in report.findings if finding.severity == "error"]
    assert (error.rule, error.line, error.got) == ("rows-many", None, "20,001 rows")
    assert check([a_row(number) for number in range(20_000)]).valid


@pytest.mark.prove
@pytest.mark.parametrize("name", ["train", "test"])
def test_repetition_takes_no_more_than_linear_time_in_the_search_for_leaks(name: str) -> None:
    long = {"messages": [{"role": "user", "content": "again " * 100_000}], "reference_answer": "1"}
    rows = [*good_rows(), long]
    started = time.process_time()
    report = check(rows, test=[long] * 5 if name == "test" else [long])
    assert time.process_time() - started < MOST_SECONDS
    assert "leakage-exact" in rules_of(report)


def test_what_a_file_says_cannot_write_to_the_terminal_or_swell_the_report() -> None:
    rows: list[Any] = good_rows()
    rows[3] = {**rows[3], "messages": [{"role": "\x1b[2J\u202e" + "x" * 100_000, "content": "y"}]}
    report = check(rows)
    (finding,) = found(report, "role-unknown")
    assert finding.got.isprintable()
    assert "\\x1b" in finding.got
    assert len(str(report.to_json())) < 20_000


@pytest.mark.parametrize("make", [lambda: b"\xff" * 3 * MAX_LINE_BYTES, lambda: b"\r\n" * 300_000, lambda: b""])
def test_a_corrected_copy_can_be_made_of_anything(make: Callable[[], bytes]) -> None:
    target = io.BytesIO()
    write_corrected(io.BytesIO(make()), target)
    assert target.getvalue() == (make() + b"\n" if b"\xff" in make() else b"")
