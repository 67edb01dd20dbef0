"""A file in blocks of whole lines, whatever it holds and however its stream gives it."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunedrop.dataset import lines
from tunedrop.dataset.correct import write_corrected
from tunedrop.dataset.lines import Lines, Overlong


class Portions(io.BytesIO):
    """A stream that gives at most `most` bytes at once."""

    def __init__(self, body: bytes, most: int) -> None:
        super().__init__(body)
        self._most = most

    def read(self, size: int | None = -1) -> bytes:
        return super().read(self._most)


def read(body: bytes, portion: int) -> list[bytes | int]:
    """Every line; an overlong one as its length."""
    found: list[bytes | int] = []
    for part in Lines(Portions(body, portion)):
        found += [part.length] if isinstance(part, Overlong) else part.split(b"\n")
    return found


@pytest.fixture
def _short_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_LINE_BYTES", 10)


BODIES = st.lists(st.sampled_from([b"", b"x", b"0123456789", b"0123456789a", b"y" * 40, b"\r"]), max_size=12).map(
    b"\n".join
)


@pytest.mark.usefixtures("_short_lines")
@given(BODIES, st.integers(1, 10))
def test_every_line_is_given_once_in_order_and_a_long_one_by_its_length(body: bytes, portion: int) -> None:
    # A line feed ends a line and starts none.
    expected = body.removesuffix(b"\n").split(b"\n") if body else []
    assert read(body, portion) == [len(line) if len(line) > 10 else line for line in expected]


@given(st.binary(max_size=200), st.integers(1, 50))
def test_all_bytes_are_seen_and_given_on(body: bytes, portion: int) -> None:
    seen = bytearray()
    for _ in Lines(Portions(body, portion), seen.extend):
        pass
    assert bytes(seen) == body


def test_a_byte_order_mark_is_noticed_and_left_out() -> None:
    for portion in (1, 2, 3, 100):
        found = Lines(Portions(b"\xef\xbb\xbf{}\n", portion))
        assert list(found) == [b"{}"]
        assert found.has_bom


@given(BODIES, st.booleans(), st.integers(1, 30))
def test_a_corrected_copy_has_every_row_as_it_was_and_nothing_else(body: bytes, bom: bool, portion: int) -> None:
    target = io.BytesIO()
    done = write_corrected(Portions(b"\xef\xbb\xbf" * bom + body, portion), target)
    rows = [line.removesuffix(b"\r") for line in body.split(b"\n") if line.strip()]
    assert target.getvalue() == b"".join(row + b"\n" for row in rows)
    assert done.byte_order_mark is bom


@pytest.mark.parametrize("portion", [1, 7, 1_000])
def test_a_line_too_long_to_hold_is_copied_as_it_is(portion: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunedrop.dataset.correct.MAX_LINE_BYTES", 20)
    target = io.BytesIO()
    body = b"x" * 100 + b"\r\n\r\n" + b"y" * 100 + b"\r"
    assert write_corrected(Portions(body, portion), target).line_endings == 2
    assert target.getvalue() == b"x" * 100 + b"\n" + b"y" * 100 + b"\n"
