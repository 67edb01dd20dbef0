"""A row of numbers as a row of blocks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from local.command.sparkline import BLOCKS, sparkline

_VALUES = st.lists(st.floats(min_value=-2, max_value=3), min_size=1, max_size=200)


@given(values=_VALUES, width=st.integers(min_value=1, max_value=60))
def test_there_are_as_many_blocks_as_fit_and_no_more_than_values(values: list[float], width: int) -> None:
    drawn = sparkline(values, width)
    assert len(drawn) == min(width, len(values))
    assert set(drawn) <= set(BLOCKS)


@given(values=_VALUES)
def test_a_larger_value_never_has_a_lower_block(values: list[float]) -> None:
    ordered = sparkline(sorted(values), len(values))
    assert ordered == "".join(sorted(ordered, key=BLOCKS.index))


def test_the_scale_is_fixed_so_that_two_curves_can_be_compared() -> None:
    assert sparkline([0.0, 0.5, 1.0], 3) == "▁▅█"
    assert sparkline([0.9, 0.9], 2) == "██"
    assert sparkline([40.0, 60.0], 2, low=0, high=100) == "▄▅"


def test_each_block_is_the_mean_of_what_it_stands_for() -> None:
    assert sparkline([0.0, 1.0, 0.0, 1.0], 2) == "▅▅"


def test_nothing_is_drawn_of_nothing() -> None:
    assert sparkline([], 10) == ""
    assert sparkline([0.5], 0) == ""
