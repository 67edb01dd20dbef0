"""The layout of `--help`: paragraphs and the rows of tables are as wide as the terminal."""

from __future__ import annotations

import pytest

from local.command.help_text import Wrapped

TEXT = """\
examples of both:
  one TWO    what it does, in a sentence that goes on
             in a second line
  three      short"""


def test_a_table_that_fits_is_shown_as_it_is_written() -> None:
    assert Wrapped("tunedrop", width=60)._fill_text(TEXT, 60, "") == TEXT


def test_a_row_that_is_too_long_is_filled_with_its_second_line() -> None:
    assert Wrapped("tunedrop", width=44)._fill_text(TEXT, 44, "").splitlines() == [
        "examples of both:",
        "  one TWO    what it does, in a sentence",
        "             that goes on in a second line",
        "  three      short",
    ]


@pytest.mark.parametrize("width", [44, 60])
def test_an_empty_line_stays_between_a_table_and_what_follows(width: int) -> None:
    shown = Wrapped("tunedrop", width=width)._fill_text(f"{TEXT}\n\nexit codes:\n  0  well", width, "")
    assert shown.splitlines()[-4:] == ["  three      short", "", "exit codes:", "  0  well"]
