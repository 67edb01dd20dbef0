"""Formulas as trees, evaluated exactly where that is possible.

Rational arithmetic is exact (fractions), the rest is double precision. No computer algebra is needed, and the time is
linear in the length of the formula. Variables have values at a few fixed points.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, TypeAlias

from tunedrop.graders.math.arithmetic import (
    FUNCTIONS,
    OPERATIONS,
    Matrix,
    NoValueError,
    Value,
    determinant,
    finite,
    inexact,
    is_real,
    logarithm,
)

Node: TypeAlias = tuple[Any, ...]
# Each variable gets values by its name; four points, one of them negative, none a root of anything usual.
_POINTS = (Fraction(37, 29), Fraction(61, 43), Fraction(-53, 31), Fraction(113, 19))
POINTS = range(len(_POINTS))
_NEGATIVE = 2
_BRANCHED = frozenset({"root", "^", "log_base"})
_CONSTANTS: Mapping[str, complex] = {"pi": complex(math.pi), "e": complex(math.e), "i": 1j, "I": 1j}
OF_ANGLES = frozenset({"sin", "cos", "tan", "cot", "sec", "csc"})


def variable_value(name: str, point: int) -> Fraction:
    """The value of a variable at one of the points; the same name has the same value in every formula."""
    code = sum(ord(letter) * (31 + 7 * place) for place, letter in enumerate(name)) % 9_973
    return _POINTS[point] + Fraction(code, 10_007) * (-1 if point == _NEGATIVE else 1)


def evaluate(node: Node, point: int) -> Value:
    """The value of a formula at a point. Raises NoValueError."""
    try:
        return _evaluate(node, point)
    except (OverflowError, ZeroDivisionError, ValueError, TypeError) as error:
        raise NoValueError(str(error)) from error


def _evaluate(node: Node, point: int) -> Value:
    kind = node[0]
    if kind == "number":
        return node[1]  # type: ignore[no-any-return]  # the reader puts a Fraction there
    if kind == "name":
        return _CONSTANTS[node[1]] if node[1] in _CONSTANTS else variable_value(node[1], point)
    if kind == "matrix":
        return Matrix([[_evaluate(cell, point) for cell in row] for row in node[1]])
    if kind == "degrees":
        return _evaluate(node[1], point)
    if kind == "call":
        return _call(node[1], node[2], point)
    operation = OPERATIONS.get(kind)
    if operation is None:
        raise NoValueError(f"{kind} stands for two values")
    values = [_evaluate(part, point) for part in node[1:]]
    result: Value = operation(*values)
    if point == _NEGATIVE and kind in _BRANCHED and not is_real(result) and all(map(is_real, values)):
        raise NoValueError("not real")  # √a·√b = √(ab) and ln a + ln b = ln ab hold where the roots are real
    return result


def _in_radians(angle: Node) -> Node:
    """An angle with its degrees as fractions of π: 90° - x is π/2 - x."""
    if angle[0] == "degrees":
        return ("*", angle[1], ("/", ("name", "pi"), ("number", Fraction(180))))
    if angle[0] in ("+", "-", "negate", "*", "/"):
        return (angle[0], *(_in_radians(part) for part in angle[1:]))
    return angle


def _call(name: str, arguments: Sequence[Node], point: int) -> Value:
    if name in OF_ANGLES:
        arguments = [_in_radians(argument) for argument in arguments]
    values = [_evaluate(argument, point) for argument in arguments]
    if name in ("max", "min", "gcd", "lcm"):
        whole = [value for value in values if isinstance(value, Fraction)]
        if len(whole) != len(values):
            raise NoValueError(f"{name} of what is not exact")
        if name in ("max", "min"):
            return max(whole) if name == "max" else min(whole)
        if any(value.denominator != 1 for value in whole):
            raise NoValueError(f"{name} of what is not whole")
        numbers = [value.numerator for value in whole]
        return Fraction(math.gcd(*numbers) if name == "gcd" else math.lcm(*numbers))
    if name == "det" and len(values) == 1 and isinstance(values[0], Matrix):
        return determinant(values[0])
    if len(values) != 1 or isinstance(values[0], Matrix) or name == "det":
        raise NoValueError(f"{name} of {len(values)}")
    value = inexact(values[0])
    if name in ("log", "ln"):
        if point == _NEGATIVE and value.imag == 0 and value.real < 0:
            raise NoValueError("not real")
        return logarithm(value, Fraction(10) if name == "log" else None)
    return finite(FUNCTIONS[name](value))


def names(node: Node) -> frozenset[str]:
    """The variables of a formula."""
    if node[0] == "name":
        return frozenset() if node[1] in _CONSTANTS else frozenset({node[1]})
    found: frozenset[str] = frozenset()
    for part in node[1:]:
        if isinstance(part, tuple) and part and isinstance(part[0], str):
            found |= names(part)
        elif isinstance(part, (list, tuple)):
            for inner in part:
                for cell in inner if isinstance(inner, list) else (inner,):
                    if isinstance(cell, tuple):
                        found |= names(cell)
    return found
