"""What passes between the process with the tests and the process with the code."""

from __future__ import annotations

import json
import os
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunedrop.graders.code_sandbox.values import DEEPEST, LONGEST_FRAME, Line, WireError, decode, encode


class NoReferences:
    """Neither side knows any object."""

    def tag(self, value: Any) -> list[Any]:
        raise WireError(f"no plain value: {type(value).__name__}")

    def find(self, tagged: list[Any]) -> Any:
        raise WireError("names nothing")


NONE = NoReferences()
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=-(2**200), max_value=2**200),
    st.floats(allow_nan=False),
    st.complex_numbers(allow_nan=False),
    st.text(),
    st.binary(),
    st.fractions(),
    st.decimals(allow_nan=False),
    st.dates(),
    st.datetimes(),
    st.timedeltas(),
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(scalars, inner, max_size=3)
        | st.sets(scalars, max_size=3)
        | st.frozensets(scalars, max_size=3)
    ),
    max_leaves=12,
)


@given(values)
def test_every_plain_value_arrives_as_it_was_sent(value: Any) -> None:
    sent = json.dumps(encode(value, NONE))
    arrived = decode(json.loads(sent), NONE)
    assert arrived == value
    assert repr(type(arrived)) == repr(type(value))


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3), st.lists, max_leaves=20)
)
def test_whatever_else_arrives_is_a_plain_value_or_refused(node: Any) -> None:
    try:
        arrived = decode(node, NONE)
    except WireError:
        return
    assert type(arrived).__module__ in ("builtins", "decimal", "fractions", "datetime", "collections")


class Sly(int):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = int.__hash__


def test_a_subclass_arrives_as_the_built_in_that_it_is() -> None:
    arrived = decode(encode([Sly(3), {Sly(4): Sly(5)}], NONE), NONE)
    assert [type(arrived[0]), type(next(iter(arrived[1])))] == [int, int]
    assert arrived[0] != 7


@pytest.mark.parametrize(
    "node",
    [
        {"a": 1},
        [],
        [1],
        ["no such tag"],
        ["d", 1],
        ["d", ["l"], 1],
        ["s", ["l"]],
        ["i", "x"],
        ["i", 5],
        ["y", "0"],
        ["F", "0x1", "0x0"],
        ["D", "x"],
        ["D", 5, 5],
        ["T", "eval"],
        ["T", ["l"]],
        ["r", 1, 2, 0],
        ["da", 0, 0, 0],
        ["td", 10**30],
        ["f", "x"],
    ],
)
def test_a_message_that_no_value_makes_is_refused(node: Any) -> None:
    with pytest.raises(WireError):
        decode(node, NONE)


def test_values_that_are_too_deep_or_too_long_are_not_sent() -> None:
    deep: list[Any] = []
    for _ in range(DEEPEST + 5):
        deep = [deep]
    with pytest.raises(WireError, match="deeper"):
        encode(deep, NONE)
    nested: Any = 1
    for _ in range(DEEPEST + 5):
        nested = ["l", nested]
    with pytest.raises(WireError, match="deeper"):
        decode(nested, NONE)
    reading, writing = os.pipe()
    try:
        with pytest.raises(WireError, match="bytes"):
            Line(reading, writing).send("x" * LONGEST_FRAME)
    finally:
        os.close(reading)
        os.close(writing)


def test_known_kinds_have_their_own_tags() -> None:
    kinds: list[Any] = [
        Fraction(1, 3),
        Decimal("0.10"),
        date(2024, 2, 29),
        datetime(2024, 1, 1, 1),
        timedelta(1),
        range(3),
    ]
    assert [decode(encode(kind, NONE), NONE) for kind in kinds] == kinds
    with pytest.raises(WireError, match="no plain value"):
        encode(object(), NONE)
