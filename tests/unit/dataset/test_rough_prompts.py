"""Prompts are looked at roughly, and closely where one may be repeated: what is found stays the same."""

from __future__ import annotations

import io
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.dataset.sample_rows import a_row, as_file, good_rows
from tunedrop.catalog import Family
from tunedrop.dataset.check import check_dataset


class ReadOnce(io.RawIOBase):
    """A stream with nothing but `read`, such as the body of an object in S3."""

    def __init__(self, body: bytes) -> None:
        self._file = io.BytesIO(body)

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)


class Counting(io.BytesIO):
    """A file that counts the bytes that are read of it."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        piece = super().read(size)
        self.taken += len(piece)
        return piece


def report_of(stream: Any) -> dict[str, Any]:
    return check_dataset(stream, family=Family.OPEN_WEIGHT).to_json()


def asks(text: str, answer: Any = "1") -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], "reference_answer": answer}


LATER = st.sampled_from(
    [
        a_row,
        lambda n: a_row(n % 9),
        lambda n: a_row(n % 9, reference_answer={"legs": n % 2, "of": [1.5, None]}),
        lambda n: asks(f"HOW many  legs do {n % 9} ants have?"),
        lambda n: asks(("Tell me", "tellme", "Show me", "É", "é")[n % 5], ("\\frac{1}{2}", {"n": 10**400}, "2")[n % 3]),
        lambda n: asks(" \n"),
        lambda n: {"messages": "none"},
        lambda n: b"{broken",
        lambda n: b"",
    ]
)


@given(st.lists(st.tuples(LATER, st.integers(0, 40)), max_size=40))
def test_a_second_look_finds_what_one_close_look_finds(later: list[tuple[Any, int]]) -> None:
    body = as_file([*good_rows(), *(make(number) for make, number in later)]).getvalue()
    again = Counting(b"before" + body)
    again.seek(6)
    assert report_of(again) == report_of(ReadOnce(body))
    assert again.tell() == 6 + len(body)


def test_a_file_is_read_twice_only_where_a_prompt_may_be_repeated() -> None:
    first = [a_row(number, id=str(number)) for number in range(2_000)]
    for rows, times in ((first, 1), ([*first, a_row(7)], 2), ([a_row(number % 4) for number in range(2_000)], 1)):
        body = as_file(rows).getvalue()
        file = Counting(body)
        report_of(file)
        assert file.taken == times * len(body)
