"""The arithmetic of maths answers: exact where that is possible, and no value at all where it would take too long."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest

from tunedrop.graders.math.arithmetic import (
    MAX_FACTORIAL,
    OPERATIONS,
    Matrix,
    NoValueError,
    Value,
    determinant,
    divide,
    finite,
    same_value,
)

F = Fraction
MATRIX = Matrix([[F(1), F(2)], [F(3), F(4)]])


@pytest.mark.parametrize(
    ("operation", "arguments", "expected"),
    [
        ("!", [F(5)], F(120)),
        ("binom", [F(5), F(2)], F(10)),
        ("abs", [F(-7)], F(7)),
        ("abs", [MATRIX], F(-2)),
        ("root", [F(-8), F(3)], F(-2)),
        ("root", [F(2), F(2)], complex(math.sqrt(2))),
        ("^", [F(1, 4), F(-3, 2)], F(8)),
        ("^", [MATRIX, F(2)], Matrix([[F(7), F(10)], [F(15), F(22)]])),
        ("^", [MATRIX, F(-1)], Matrix([[F(-2), F(1)], [F(3, 2), F(-1, 2)]])),
        ("*", [MATRIX, F(2)], Matrix([[F(2), F(4)], [F(6), F(8)]])),
        ("+", [MATRIX, MATRIX], Matrix([[F(2), F(4)], [F(6), F(8)]])),
        ("floor", [F(-3, 2)], F(-2)),
        ("ceiling", [complex(1.5)], F(2)),
        ("percent", [F(28)], F(7, 25)),
        ("log_base", [F(2), F(8)], complex(3)),
    ],
)
def test_an_operation_has_its_value(operation: str, arguments: list[Value], expected: Value) -> None:
    assert same_value(OPERATIONS[operation](*arguments), expected)


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("!", [F(MAX_FACTORIAL + 1)]),
        ("!", [F(1, 2)]),
        ("binom", [F(2), F(5)]),
        ("^", [F(2), F(10**6)]),
        ("^", [F(2), MATRIX]),
        ("^", [MATRIX, F(9)]),
        ("/", [F(1), MATRIX]),
        ("+", [MATRIX, F(1)]),
        ("*", [MATRIX, Matrix([[F(1), F(2)]])]),
        ("root", [F(2), F(1, 2)]),
        ("floor", [1j]),
        ("log_base", [F(2), MATRIX]),
    ],
)
def test_what_is_too_large_or_undefined_has_no_value(operation: str, arguments: list[Any]) -> None:
    with pytest.raises(NoValueError):
        OPERATIONS[operation](*arguments)


def test_a_determinant_is_that_of_a_square_matrix_of_at_most_four_rows() -> None:
    assert determinant(Matrix([[F(2), F(0), F(1)], [F(1), F(3), F(2)], [F(1), F(1), F(1)]])) == F(0)
    for wrong in (F(1), Matrix([[F(1), F(2)]]), Matrix([[F(1)] * 5] * 5)):
        with pytest.raises(NoValueError):
            determinant(wrong)


def test_no_value_is_infinite() -> None:
    with pytest.raises(NoValueError, match="not finite"):
        finite(complex(math.inf))
    with pytest.raises(ZeroDivisionError):
        divide(F(1), F(0))


def test_a_number_is_no_matrix_and_what_no_double_holds_is_equal_to_itself_alone() -> None:
    assert not same_value(MATRIX, F(1))
    assert not same_value(F(10**400), complex(1))
