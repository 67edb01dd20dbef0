"""Whether two formulas are the same: they have the same value wherever both have one, at fixed points."""

from __future__ import annotations

from fractions import Fraction

from tunedrop.graders.math.arithmetic import Matrix, NoValueError, Value, divide, same_value
from tunedrop.graders.math.expression import POINTS, Node, evaluate, names


def same_formula(a: Node, b: Node) -> bool:
    """Whether two formulas have the same value at every point where both have one: at two of four, at least.

    `log` without a base is to base 10 or natural, whichever makes them equal: authors mean either.
    """
    if _same_values(a, b):
        return True
    x, y = _with_natural_logarithms(a), _with_natural_logarithms(b)
    return (x, y) != (a, b) and _same_values(x, y)


def _same_values(a: Node, b: Node) -> bool:
    needed, points = (2, POINTS) if names(a) or names(b) else (1, range(1))
    compared = 0
    for point in points:
        x, y = _value_or_none(a, point), _value_or_none(b, point)
        if x is None or y is None:
            continue
        if not same_value(x, y):
            return False
        compared += 1
    return compared >= needed


def _with_natural_logarithms(node: Node) -> Node:
    if node[:2] == ("call", "log"):
        return ("call", "ln", [_with_natural_logarithms(argument) for argument in node[2]])
    return tuple(_with_natural_logarithms(part) if isinstance(part, tuple) and part else part for part in node)


def _value_or_none(node: Node, point: int) -> Value | None:
    try:
        return evaluate(node, point)
    except NoValueError:
        return None


def proportional(a: Node, b: Node) -> Fraction | complex | None:
    """The constant c with a = c·b everywhere, or None: `2x - 4 = 0` is `x - 2 = 0`."""
    ratio: Value | None = None
    for point in POINTS:
        x, y = _value_or_none(a, point), _value_or_none(b, point)
        if x is None or y is None or isinstance(x, Matrix) or isinstance(y, Matrix):
            return None
        if same_value(y, Fraction(0)) or same_value(x, Fraction(0)):
            return None
        here = divide(x, y)
        if ratio is not None and not same_value(here, ratio):
            return None
        ratio = here
    return None if isinstance(ratio, Matrix) else ratio
