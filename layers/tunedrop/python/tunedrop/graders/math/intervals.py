"""Inequalities and sets as intervals, so that `x > 5` can be compared with (5, ∞)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import inf
from typing import TypeAlias

from tunedrop.graders.math.arithmetic import NoValueError, Value, same_value
from tunedrop.graders.math.expression import Node, evaluate, names
from tunedrop.graders.math.meaning import Bracket, Formula, Listing, Meaning, Relation, Union
from tunedrop.graders.math.pairing import paired_off
from tunedrop.graders.math.scalars import infinity_of
from tunedrop.graders.math.sign_choice import alternatives

MAX_PARTS = 200
MAX_CONDITIONS = 20
FLIPPED: Mapping[str, str] = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "!=": "!=", "≈": "≈", "≡": "≡"}
Interval: TypeAlias = "tuple[Value | None, bool, Value | None, bool]"


def describes_set(one: Meaning, other: Meaning) -> bool:
    """Whether two inequalities, intervals or unions of them are the same set of numbers."""
    described, named = _intervals(one), _intervals(other)
    if described is None or named is None:
        return False
    if paired_off(described, named, _same_interval):
        return True
    merged, also = _merged(described), _merged(named)
    return len(merged) == len(also) and all(map(_same_interval, merged, also))


def _same_interval(a: Interval, b: Interval) -> bool:
    ends = all(
        (x is None and y is None) or (x is not None and y is not None and same_value(x, y))
        for x, y in ((a[0], b[0]), (a[2], b[2]))
    )
    return ends and a[1] == b[1] and a[3] == b[3]


def _real(value: Value | None, infinity: float) -> float:
    """A number to order an end by. Raises TypeError where the end is no real number."""
    if value is None:
        return infinity
    if isinstance(value, Fraction):
        return float(value)
    if isinstance(value, complex) and abs(value.imag) < 1e-12:
        return value.real
    raise TypeError


def _merged(found: list[Interval]) -> list[Interval]:
    """The intervals in order, those that touch as one; as they are where an end is not real."""
    try:
        ordered = sorted(found, key=lambda each: (_real(each[0], -inf), not each[1], _real(each[2], inf)))
        merged: list[Interval] = []
        for low, low_in, high, high_in in ordered:
            last = merged[-1] if merged else None
            if last is None:
                merged.append((low, low_in, high, high_in))
                continue
            gap = _real(low, -inf) - _real(last[2], inf)
            if gap > 0 or (gap == 0 and not (low_in or last[3])):
                merged.append((low, low_in, high, high_in))
            elif _real(high, inf) > _real(last[2], inf):
                merged[-1] = (last[0], last[1], high, high_in)
            elif _real(high, inf) == _real(last[2], inf):
                merged[-1] = (*last[:3], last[3] or high_in)
    except (TypeError, OverflowError):
        return found
    return merged


def _others(found: list[Interval]) -> list[Interval] | None:
    """All numbers that lie in none of the intervals."""
    rest: list[Interval] = [(None, False, None, False)]
    try:
        for low, low_in, high, high_in in found[:MAX_CONDITIONS]:
            below: list[Interval] = [] if low is None else [(None, False, low, not low_in)]
            above: list[Interval] = [] if high is None else [(high, not high_in, None, False)]
            rest = _common(rest, below + above)
    except TypeError:
        return None
    return rest


def _common(one: list[Interval], other: list[Interval]) -> list[Interval]:
    """What two sets have in common. Raises TypeError where an end is not real."""
    found: list[Interval] = []
    for a in one:
        for b in other:
            low = max((a, b), key=lambda each: (_real(each[0], -inf), not each[1]))
            high = min((a, b), key=lambda each: (_real(each[2], inf), each[3]))
            width = _real(high[2], inf) - _real(low[0], -inf)
            if width > 0 or (width == 0 and low[1] and high[3]):
                found.append((low[0], low[1], high[2], high[3]))
    return found


def _intervals(meaning: Meaning) -> list[Interval] | None:
    """The intervals of a set or of an inequality: (from or None for -∞, closed, to or None for ∞, closed)."""
    if isinstance(meaning, Bracket) and len(meaning.items) == 2:
        low, high = _end(meaning.items[0]), _end(meaning.items[1])
        if low is None or high is None:
            return None
        return [(low[0], meaning.opening == "[", high[0], meaning.closing == "]")]
    if isinstance(meaning, Union):
        joined = {"∪": _joined, "∖": _without_points}.get(meaning.operator)
        return None if joined is None else joined(meaning.parts)
    if isinstance(meaning, Listing) and meaning.items and not meaning.braces:
        return _of_conditions(meaning.items)
    if isinstance(meaning, Relation):
        return _of_inequality(meaning)
    every_number = isinstance(meaning, Formula) and meaning.node == ("name", "R")
    return [(None, False, None, False)] if every_number else None


def _joined(parts: Sequence[Meaning]) -> list[Interval] | None:
    found: list[Interval] = []
    for part in parts[:MAX_PARTS]:
        inner = _intervals(part)
        if inner is None:
            return None
        found += inner
    return found


def _of_conditions(items: Sequence[Meaning]) -> list[Interval] | None:
    """Several inequalities of one unknown: what they have in common (`x > 0, x ≠ 1`), or else all of them."""
    found = _joined(items)
    if found is None or not all(isinstance(item, Relation) for item in items) or len(items) > MAX_CONDITIONS:
        return found
    unknowns = {names(part.node) for item in items if isinstance(item, Relation) for part in item.parts
                if isinstance(part, Formula) and names(part.node) - {"∞"}}  # fmt: skip
    if len(unknowns) != 1:
        return None
    common: list[Interval] = [(None, False, None, False)]
    try:
        for item in items:
            common = _common(common, _intervals(item) or [])
    except TypeError:
        return found
    return common or found


def _without_points(parts: Sequence[Meaning]) -> list[Interval] | None:
    """`(0, 5) ∖ {1, 2}`: a set without some of its points."""
    whole = _intervals(parts[0])
    if whole is None or len(parts) != 2 or not isinstance(parts[1], Listing) or len(parts[1].items) > MAX_CONDITIONS:
        return None
    for item in itertools.chain.from_iterable(map(alternatives, parts[1].items)):
        point = _end(item)
        if point is None or point[0] is None:
            return None
        try:
            whole = _common(whole, [(None, False, point[0], False), (point[0], False, None, False)])
        except TypeError:
            return None
    return whole


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
    if operators in (("∈",), ("∉",)):
        found = _intervals(parts[1])
        return found if operators == ("∈",) or found is None else _others(found)
    within = next((inner for part in parts if (inner := _inside_bars(part)) is not None), None)
    if within is not None:
        unknown, factor, shift = within
        plain = tuple(unknown if _inside_bars(part) is not None else part for part in parts)
        return _moved(_two_sided(_of_inequality(Relation(plain, operators))), factor, shift)
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


def _inside_bars(meaning: Meaning) -> tuple[Meaning, Fraction, Fraction] | None:
    """Of `|2x - 1|` the unknown, its factor and what is added to it; None where no such thing stands between bars."""
    if not isinstance(meaning, Formula) or meaning.node[0] != "abs":
        return None
    unknowns = names(meaning.node[1])
    if len(unknowns) != 1:
        return None
    name = ("name", *unknowns)
    try:
        at = [(evaluate(name, point), evaluate(meaning.node[1], point)) for point in range(3)]
    except NoValueError:
        return None
    exact = [(x, y) for x, y in at if isinstance(x, Fraction) and isinstance(y, Fraction)]
    if len(exact) < 3:
        return None
    factor = (exact[1][1] - exact[0][1]) / (exact[1][0] - exact[0][0])
    shift = exact[0][1] - factor * exact[0][0]
    if factor == 0 or exact[2][1] != factor * exact[2][0] + shift:
        return None
    return Formula(name), factor, shift


def _moved(found: list[Interval] | None, factor: Fraction, shift: Fraction) -> list[Interval] | None:
    """The values of x for which `factor * x + shift` lies in the intervals, whose ends are fractions or ∞."""
    if found is None or (factor == 1 and shift == 0):
        return found
    moved: list[Interval] = []
    for low, low_in, high, high_in in found:
        ends = [None if end is None else (Fraction(end) - shift) / factor for end in (low, high)]  # type: ignore[arg-type]  # _two_sided gives fractions
        moved.append((ends[0], low_in, ends[1], high_in) if factor > 0 else (ends[1], high_in, ends[0], low_in))
    return moved


def _two_sided(found: list[Interval] | None) -> list[Interval] | None:
    """The values whose distance from 0 lies in the intervals: `1 <= |x| <= 2` is [-2, -1] and [1, 2]."""
    if found is None:
        return None
    sides: list[Interval] = []
    for low, low_in, high, high_in in found:
        if not isinstance(low, Fraction | None) or not isinstance(high, Fraction | None):
            return None
        if low is not None and low >= 0:
            sides += [(None if high is None else -high, high_in, -low, low_in), (low, low_in, high, high_in)]
        elif high is not None and high > 0:
            sides.append((-high, high_in, high, high_in))
        else:
            return None
    return sides


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
        return _only_names(node[1]) and node[1] not in (("name", "x"), ("name", "y"))
    if node[0] == "*":  # f(2) is read as f times 2
        inner = node[1][1] if node[1][0] == "^" and _only_names(node[1]) else node[1]
        called = inner[0] == "name" and inner[1].rstrip("'") in _FUNCTIONS
        return called and (node[2][0] in ("number", "negate") or (node[2][0] == "*" and _is_called(node[2])))
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
    """The names that are added up, None where something else is; a length such as AB is one name."""
    if node[0] == "name":
        return [str(node[1])]
    if node[0] == "*" and _is_length(node):
        return [f"{node[1][1]}{node[2][1]}"]
    if node[0] not in ("+", "-"):
        return None
    left, right = _summands(node[1]), _summands(node[2])
    return None if left is None or right is None else left + right


def _is_length(node: Node) -> bool:
    return all(part[0] == "name" and len(part[1]) == 1 and part[1].isupper() for part in node[1:])


def _only_names(node: Node) -> bool:
    if node[0] == "name":
        return True
    if node[0] == "^":  # f^{-1}(x)
        return bool(node[1][0] == "name" and node[2] == ("negate", ("number", Fraction(1))))
    return node[0] == "*" and _only_names(node[1]) and _only_names(node[2])
