"""Inequalities and sets as intervals, so that `x > 5` can be compared with (5, ∞)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TypeAlias

from tunedrop.graders.math.expression import Node, NoValueError, Value, evaluate, names, same_value
from tunedrop.graders.math.meaning import Bracket, Formula, Listing, Meaning, Relation, Union
from tunedrop.graders.math.pairing import paired_off
from tunedrop.graders.math.scalars import infinity_of

MAX_PARTS = 200
FLIPPED: Mapping[str, str] = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "!=": "!=", "≈": "≈", "≡": "≡"}
Interval: TypeAlias = "tuple[Value | None, bool, Value | None, bool]"


def describes_set(relation: Relation, other: Meaning) -> bool:
    """Whether an inequality in one variable describes the interval or the union that the other names."""
    described = _intervals(relation)
    named = _intervals(other)
    return described is not None and named is not None and paired_off(described, named, _same_interval)


def _same_interval(a: Interval, b: Interval) -> bool:
    ends = all(
        (x is None and y is None) or (x is not None and y is not None and same_value(x, y))
        for x, y in ((a[0], b[0]), (a[2], b[2]))
    )
    return ends and a[1] == b[1] and a[3] == b[3]


def _intervals(meaning: Meaning) -> list[Interval] | None:
    """The intervals of a set or of an inequality: (from or None for -∞, closed, to or None for ∞, closed)."""
    if isinstance(meaning, Bracket) and len(meaning.items) == 2:
        low, high = _end(meaning.items[0]), _end(meaning.items[1])
        if low is None or high is None:
            return None
        return [(low[0], meaning.opening == "[", high[0], meaning.closing == "]")]
    if isinstance(meaning, Union) and meaning.operator == "∪":
        return _joined(meaning.parts)
    if isinstance(meaning, Listing):
        return _joined(meaning.items)
    if isinstance(meaning, Relation):
        return _of_inequality(meaning)
    return None


def _joined(parts: Sequence[Meaning]) -> list[Interval] | None:
    found: list[Interval] = []
    for part in parts[:MAX_PARTS]:
        inner = _intervals(part)
        if inner is None:
            return None
        found += inner
    return found


def _end(meaning: Meaning) -> tuple[Value | None] | None:
    """An end of an interval: a value, None for ±∞; no tuple where it is neither."""
    if not isinstance(meaning, Formula):
        return None
    if infinity_of(meaning) is not None:
        return (None,)
    if names(meaning.node):
        return None
    try:
        return (evaluate(meaning.node, 0),)
    except NoValueError:
        return None


def _of_inequality(relation: Relation) -> list[Interval] | None:
    parts, operators = relation.parts, relation.operators
    if operators == ("∈",):
        return _intervals(parts[1])
    within = next((inner for part in parts if (inner := _inside_bars(part)) is not None), None)
    if within is not None:
        plain = tuple(within if _inside_bars(part) is not None else part for part in parts)
        return _two_sided(_of_inequality(Relation(plain, operators)))
    return _between(parts, operators) if len(parts) == 3 else _on_one_side(parts, operators)


def _between(parts: Sequence[Meaning], operators: Sequence[str]) -> list[Interval] | None:
    if all(operator in (">", ">=") for operator in operators):
        parts, operators = parts[::-1], [FLIPPED[operator] for operator in reversed(operators)]
    low, high = _end(parts[0]), _end(parts[2])
    if low is None or high is None or not is_name(parts[1]) or any(each not in ("<", "<=") for each in operators):
        return None
    return [(low[0], operators[0] == "<=", high[0], operators[1] == "<=")]


def _on_one_side(parts: Sequence[Meaning], operators: Sequence[str]) -> list[Interval] | None:
    if len(parts) != 2:
        return None
    operator = operators[0]
    if not is_name(parts[0]):
        parts, operator = (parts[1], parts[0]), FLIPPED.get(operator, operator)
    bound = _end(parts[1])
    if not is_name(parts[0]) or bound is None:
        return None
    value = bound[0]
    described: dict[str, list[Interval]] = {
        "<": [(None, False, value, False)],
        "<=": [(None, False, value, True)],
        ">": [(value, False, None, False)],
        ">=": [(value, True, None, False)],
        "!=": [(None, False, value, False), (value, False, None, False)],
    }
    return described.get(operator)


def _inside_bars(meaning: Meaning) -> Meaning | None:
    """`x`, where it is `|x|`."""
    if isinstance(meaning, Formula) and meaning.node[0] == "abs" and meaning.node[1][0] == "name":
        return Formula(meaning.node[1])
    return None


def _two_sided(found: list[Interval] | None) -> list[Interval] | None:
    """The values whose distance from 0 lies in the interval: `1 <= |x| <= 2` is [-2, -1] and [1, 2]."""
    if found is None or len(found) != 1:
        return None
    low, low_in, high, high_in = found[0]
    if not isinstance(low, Fraction | None) or not isinstance(high, Fraction | None):
        return None
    if low is None or low < 0:
        return None if high is None or high <= 0 else [(-high, high_in, high, high_in)]
    return [(None if high is None else -high, high_in, -low, low_in), (low, low_in, high, high_in)]


def is_name(meaning: Meaning) -> bool:
    """`x`, `x_1`, `f(x)`, `P(A)`, `AB`, `(x, y)`: what an answer is called."""
    if isinstance(meaning, Bracket):
        return all(is_name(item) for item in meaning.items)
    if isinstance(meaning, Listing):
        return all(is_name(item) for item in meaning.items)
    return isinstance(meaning, Formula) and _only_names(meaning.node)


def is_called(meaning: Meaning) -> bool:
    """Whether it is what a value is called in front of its `=`, beyond a plain name.

    `|AB|`, `f(2)`, `m+n`, `AB/CD`, `n!`, `\\tan A`: a length, a value of a function, a sum of unknowns, a ratio of
    lengths. `2x + z` is none: `2x + z = 1` is an equation.
    """
    return isinstance(meaning, Formula) and _is_called(meaning.node)


def _is_called(node: Node) -> bool:
    if node[0] == "abs":
        return _only_names(node[1]) and node[1][0] == "*"
    if node[0] == "*":  # f(2) is read as f times 2
        return node[1][0] == "name" and node[1][1] in _FUNCTIONS and node[2][0] in ("number", "negate")
    if node[0] in ("+", "-"):
        found = _summands(node)
        return found is not None and len(found) == len(set(found))
    if node[0] in ("/", "ratio"):
        return all(_only_names(part) and part[0] == "*" for part in node[1:])
    if node[0] == "!":
        return bool(node[1][0] == "name")
    return bool(node[0] == "call" and len(node[2]) == 1 and node[2][0][0] == "name" and node[2][0][1] not in _UNKNOWNS)


_FUNCTIONS = frozenset("fghpqFGPQRST")
_UNKNOWNS = frozenset("xyzt")


def _summands(node: Node) -> list[str] | None:
    """The names that are added up, None where something else is."""
    if node[0] == "name":
        return [str(node[1])]
    if node[0] not in ("+", "-"):
        return None
    left, right = _summands(node[1]), _summands(node[2])
    return None if left is None or right is None else left + right


def _only_names(node: Node) -> bool:
    if node[0] == "name":
        return True
    if node[0] == "^":  # f^{-1}(x)
        return bool(node[1][0] == "name" and node[2] == ("negate", ("number", Fraction(1))))
    return node[0] == "*" and _only_names(node[1]) and _only_names(node[2])
