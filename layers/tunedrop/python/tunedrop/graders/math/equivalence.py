"""Whether two answers mean the same, whatever form each was written in."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction
from typing import TypeAlias

from tunedrop.graders.math.expression import (
    Matrix,
    Node,
    NoValueError,
    Value,
    evaluate,
    names,
    proportional,
    same_formula,
    same_value,
)
from tunedrop.graders.math.meaning import Bracket, Digits, Formula, Listing, Meaning, Relation, Union, Words

MAX_ITEMS = 200
"""Longest list compared item by item; beyond it two lists are equal only as texts."""
MIN_DIGITS = 4
ROUNDING_TOLERANCE = Fraction(10_001, 100_000_000)
"""How near a decimal of MIN_DIGITS significant digits or more must be to the value that it stands for, relatively: 1e-4
as in Qwen's and verl's graders. 0.3333 stands for 1/3, and 0.33 does not."""
_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "!=": "!=", "≈": "≈", "≡": "≡"}
_INFINITY = ("name", "∞")
_ZERO: Node = ("number", Fraction(0))


def equivalent(reference: Meaning, given: Meaning) -> bool:
    """Whether `given` is the answer that `reference` names.

    A list without brackets is equal to a set or a list in any order and to a tuple in its own order; an inequality to
    the interval that it describes, but not an interval to an inequality; `x = 5` to 5; a column to a tuple; an
    equation to its multiples.
    """
    reference, given = _plain(reference), _plain(given)
    if isinstance(reference, Relation) or isinstance(given, Relation):
        return _with_relation(reference, given)
    return _same(reference, given)


def _same(a: Meaning, b: Meaning) -> bool:
    a, b = _plain(a), _plain(b)
    if isinstance(a, Digits) or isinstance(b, Digits):
        return _same_digits(a, b)
    if isinstance(a, Formula) and isinstance(b, Formula):
        return _same_number(a, b)
    if isinstance(a, Listing) or isinstance(b, Listing):
        return _same_listing(a, b)
    if isinstance(a, Bracket) or isinstance(b, Bracket):
        return _same_bracket(a, b)
    if isinstance(a, Union) and isinstance(b, Union):
        return _same_union(a, b)
    if isinstance(a, Relation) and isinstance(b, Relation):
        return _same_relation(a, b)
    return isinstance(a, Words) and a == b


def _plain(meaning: Meaning) -> Meaning:
    """Without what does not count: a list of one, ± (which is a list of two), `x ∈ S`, an interval from ∞ to ∞."""
    if isinstance(meaning, Listing):
        items = tuple(itertools.chain.from_iterable(_alternatives(item) for item in meaning.items[:MAX_ITEMS]))
        items += meaning.items[MAX_ITEMS:]
        if len(items) == 1 and not isinstance(items[0], Listing):
            return _plain(items[0])
        return Listing(items, meaning.braces)
    if isinstance(meaning, Formula):
        both = _alternatives(meaning)
        return meaning if len(both) == 1 else Listing(tuple(both))
    if isinstance(meaning, Relation) and meaning.operators[-1] == "∈" and len(meaning.operators) == 1:
        return _plain(meaning.parts[1])
    if isinstance(meaning, Union) and all(isinstance(part, Listing) for part in meaning.parts):
        return _computed(meaning.operator, [part for part in meaning.parts if isinstance(part, Listing)])
    return meaning


def _computed(operator: str, sets: Sequence[Listing]) -> Meaning:
    """The set that finite sets make: {1,3} ∪ {2,4} is {1,2,3,4}."""
    items = list(sets[0].items[:MAX_ITEMS])
    for other in sets[1:]:
        within = [any(equivalent(item, one) for one in other.items[:MAX_ITEMS]) for item in items]
        if operator == "∪":
            new = [one for one in other.items[:MAX_ITEMS] if not any(equivalent(one, item) for item in items)]
            items += new
        else:
            items = [item for item, is_in in zip(items, within, strict=True) if is_in == (operator == "∩")]
    return Listing(tuple(items), braces=True)


def _alternatives(meaning: Meaning) -> list[Meaning]:
    if not isinstance(meaning, Formula) or not _has_sign_choice(meaning.node):
        return [meaning]
    return [Formula(_choose(meaning.node, sign)) for sign in ("+", "-")]


def _has_sign_choice(node: Node) -> bool:
    return node[0] in ("±", "∓") or any(
        isinstance(part, tuple) and part and _has_sign_choice(part) for part in node[1:]
    )


def _choose(node: Node, sign: str) -> Node:
    kind = {"±": sign, "∓": "-" if sign == "+" else "+"}.get(node[0], node[0])
    return (kind, *(_choose(part, sign) if isinstance(part, tuple) and part else part for part in node[1:]))


# ---- numbers and formulas ----------------------------------------------------------------------------------------


def _same_number(a: Formula, b: Formula) -> bool:
    if "∞" in names(a.node) or "∞" in names(b.node):
        return _infinity(a) is not None and _infinity(a) == _infinity(b)
    if (a.node[0] == "ratio") != (b.node[0] == "ratio"):  # 3:1 is not 3
        return False
    if same_formula(a.node, b.node):
        return True
    if a.node[0] == "percent" or b.node[0] == "percent":  # 28 % is 28 where the other says no %, and it is 0.28
        bare = [Formula(x.node[1], x.decimals) if x.node[0] == "percent" else x for x in (a, b)]
        return same_formula(bare[0].node, bare[1].node)
    return _rounds_to(a, b) or _rounds_to(b, a)


def _infinity(formula: Formula) -> int | None:
    if formula.node == _INFINITY:
        return 1
    return -1 if formula.node == ("negate", _INFINITY) else None


def _rounds_to(decimal: Formula, exact: Formula) -> bool:
    """Whether a decimal with enough digits stands for a value that no decimal can say exactly."""
    if not decimal.decimals or names(exact.node):
        return False
    if exact.decimals is not None and not decimal.decimals >= 6 > exact.decimals >= 2:
        return False
    try:
        value, target = evaluate(decimal.node, 0), evaluate(exact.node, 0)
    except NoValueError:
        return False
    if isinstance(target, Matrix) or not isinstance(value, Fraction):
        return False
    if exact.decimals is not None:  # 33.333333 where the reference says 33.33
        return round(value, exact.decimals) == target
    if isinstance(target, complex):
        if abs(target.imag) > 1e-12:
            return False
        target = Fraction(target.real)
    elif _terminates(target):
        return False
    digits = abs(value.numerator * 10**decimal.decimals // value.denominator)
    last_place = Fraction(1, 10**decimal.decimals)
    return digits >= 10 ** (MIN_DIGITS - 1) and abs(value - target) <= min(last_place, ROUNDING_TOLERANCE * abs(target))


def _terminates(value: Fraction) -> bool:
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1


def _same_digits(a: Meaning, b: Meaning) -> bool:
    """`204_5` is 204 in base 5: equal digits, whether or not both say the base; another notation is not the answer."""
    written = []
    for meaning in (a, b):
        if isinstance(meaning, Digits):
            written.append((meaning.digits, meaning.base))
        elif isinstance(meaning, Formula) and meaning.decimals is not None and meaning.node[0] == "number":
            written.append((_decimal_digits(meaning), 0))
        else:
            return False
    (x, base), (y, other) = written
    return x == y and (base == other or 0 in (base, other))


def _decimal_digits(formula: Formula) -> str:
    value: Fraction = formula.node[1]
    places = formula.decimals or 0
    scaled = str(value.numerator * 10**places // value.denominator).rjust(places + 1, "0")
    return scaled if not places else f"{scaled[:-places]}.{scaled[-places:]}"


# ---- lists, tuples, sets, intervals -------------------------------------------------------------------------------


def _same_listing(a: Meaning, b: Meaning) -> bool:
    if isinstance(a, Listing) and isinstance(b, Listing):
        return _same_items_any_order(a.items, b.items)
    listing, other = (a, b) if isinstance(a, Listing) else (b, a)
    assert isinstance(listing, Listing)
    if isinstance(other, Bracket) and not listing.braces:
        return _same_items_in_order(listing.items, other.items)
    if isinstance(other, Union) and other.operator == "∪":
        return _same(_union_of(listing), other)
    column = _vector(other)
    return column is not None and not listing.braces and _same_items_in_order(listing.items, column)


def _same_items_in_order(a: Sequence[Meaning], b: Sequence[Meaning]) -> bool:
    return len(a) == len(b) <= MAX_ITEMS and all(equivalent(x, y) for x, y in zip(a, b, strict=True))


def _same_items_any_order(a: Sequence[Meaning], b: Sequence[Meaning]) -> bool:
    if len(a) != len(b) or len(a) > MAX_ITEMS:
        return False
    left = list(b)
    for item in a:
        found = next((place for place, other in enumerate(left) if equivalent(item, other)), None)
        if found is None:
            return False
        left.pop(found)
    return True


def _same_bracket(a: Meaning, b: Meaning) -> bool:
    if isinstance(a, Bracket) and isinstance(b, Bracket):
        same_ends = (a.opening, a.closing) == (b.opening, b.closing) or len(a.items) > 2
        return same_ends and _same_items_in_order(a.items, b.items)
    bracket, other = (a, b) if isinstance(a, Bracket) else (b, a)
    assert isinstance(bracket, Bracket)
    column = _vector(other)
    return column is not None and _same_items_in_order(bracket.items, column)


def _vector(meaning: Meaning) -> list[Meaning] | None:
    """The items of a row or a column, which is another way to write a tuple."""
    if not isinstance(meaning, Formula) or meaning.node[0] != "matrix":
        return None
    rows = meaning.node[1]
    if len(rows) == 1 or all(len(row) == 1 for row in rows):
        return [Formula(cell) for row in rows for cell in row]
    return None


def _union_of(listing: Listing) -> Meaning:
    return Union("∪", listing.items)


def _same_union(a: Union, b: Union) -> bool:
    if a.operator != b.operator:
        return False
    if a.operator == "∖":
        return _same_items_in_order(a.parts, b.parts)
    return _same_items_any_order(a.parts, b.parts)


# ---- equations and inequalities -----------------------------------------------------------------------------------


def _with_relation(a: Meaning, b: Meaning) -> bool:
    if isinstance(a, Relation) and isinstance(b, Relation):
        if _same_relation(a, b):
            return True
        x, y = _result(a, strict=True), _result(b, strict=False)
        return x is not None and y is not None and _same(x, y)
    if isinstance(a, Relation):  # the reference says more than the answer: x = 5 and 5, x > 5 and (5, ∞)
        result = _result(a, strict=True)
        if result is not None:
            return equivalent(result, b)
        return _as_set_equals(a, b)
    assert isinstance(b, Relation)
    result = _result(b, strict=False)
    # An inequality is no answer where an interval is asked for: it may be what the problem itself says.
    return result is not None and equivalent(a, result)


def _result(relation: Relation, *, strict: bool) -> Meaning | None:
    """What an equation says that something is: the exact value that stands last.

    `strict` (for a reference): only where the left side is a name, as in `x = 5` or `f(x) = 2x`, for `2x + z = 1` is an
    equation, not the number 1.
    """
    if any(operator not in ("=", "≈") for operator in relation.operators):
        return None
    exact = [part for part, operator in zip(relation.parts[1:], relation.operators, strict=True) if operator == "="]
    result = exact[-1] if exact else relation.parts[-1]
    first = relation.parts[0]
    named = isinstance(first, Words) or _is_name(first)
    return result if named or (_closed(result) and (not strict or _closed(first))) else None


def _is_name(meaning: Meaning) -> bool:
    """`x`, `x_1`, `f(x)`, `P(A)`, `AB`, `(x, y)`: what an answer is called."""
    if isinstance(meaning, Bracket):
        return all(_is_name(item) for item in meaning.items)
    if isinstance(meaning, Listing):
        return all(_is_name(item) for item in meaning.items)
    return isinstance(meaning, Formula) and _only_names(meaning.node)


def _only_names(node: Node) -> bool:
    if node[0] == "name":
        return True
    if node[0] == "^":  # f^{-1}(x)
        return bool(node[1][0] == "name" and node[2] == ("negate", ("number", Fraction(1))))
    return node[0] == "*" and _only_names(node[1]) and _only_names(node[2])


def _closed(meaning: Meaning) -> bool:
    """Whether it has no variable: a number, or a list of them."""
    if isinstance(meaning, Formula):
        return not names(meaning.node)
    return isinstance(meaning, (Digits, Bracket, Listing))


def _same_relation(a: Relation, b: Relation) -> bool:
    if len(a.parts) != len(b.parts):
        return False
    if a.operators == b.operators and all(equivalent(x, y) for x, y in zip(a.parts, b.parts, strict=True)):
        return True
    flipped = tuple(_FLIPPED.get(operator, operator) for operator in reversed(b.operators))
    if a.operators == flipped and all(equivalent(x, y) for x, y in zip(a.parts, reversed(b.parts), strict=True)):
        return True
    if len(a.parts) == 2:
        return _same_by_difference(a, b)
    return False


def _same_by_difference(a: Relation, b: Relation) -> bool:
    """`2x + 4y - 3 = 0` is `y = 3/4 - x/2`, and `x < 1` is `-x > -1`: one difference is a multiple of the other."""
    differences = []
    for relation in (a, b):
        left, right = relation.parts
        if not isinstance(left, Formula) or not isinstance(right, Formula):
            return False
        differences.append(("-", left.node, right.node))
    if not names(differences[0]) or "∞" in names(differences[0]) | names(differences[1]):
        return False
    ratio = proportional(differences[0], differences[1])
    if ratio is None:
        return False
    operators = a.operators[0], b.operators[0]
    if operators[0] in ("=", "!="):
        return operators[0] == operators[1]
    positive = _is_positive(ratio)
    if positive is None:
        return False
    return operators[0] == (operators[1] if positive else _FLIPPED.get(operators[1], ""))


def _is_positive(value: Fraction | complex) -> bool | None:
    if isinstance(value, Fraction):
        return value > 0
    return value.real > 0 if abs(value.imag) < 1e-9 else None


Interval: TypeAlias = "tuple[Value | None, bool, Value | None, bool]"


def _as_set_equals(relation: Relation, other: Meaning) -> bool:
    """Whether an inequality in one variable describes the interval or the union that the other names."""
    described = _intervals(relation)
    named = _intervals(other)
    if described is None or named is None or len(described) != len(named):
        return False
    left = list(named)
    for interval in described:
        found = next((place for place, x in enumerate(left) if _same_interval(interval, x)), None)
        if found is None:
            return False
        left.pop(found)
    return True


def _same_interval(a: Interval, b: Interval) -> bool:
    ends = all(
        (x is None and y is None) or (x is not None and y is not None and same_value(x, y))
        for x, y in ((a[0], b[0]), (a[2], b[2]))
    )
    return ends and a[1] == b[1] and a[3] == b[3]


def _intervals(meaning: Meaning) -> list[Interval] | None:
    """The intervals of a set or of an inequality: (from or None for -∞, closed, to or None for ∞, closed)."""
    if isinstance(meaning, Bracket) and len(meaning.items) == 2:
        ends = [_end(item) for item in meaning.items]
        if None in ends:
            return None
        low, high = ends[0], ends[1]
        assert low is not None
        assert high is not None
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
    for part in parts[:MAX_ITEMS]:
        inner = _intervals(part)
        if inner is None:
            return None
        found += inner
    return found


def _end(meaning: Meaning) -> tuple[Value | None] | None:
    """An end of an interval: a value, None for ±∞; no tuple where it is neither."""
    if not isinstance(meaning, Formula):
        return None
    if _infinity(meaning) is not None:
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
    if len(parts) == 3 and _is_name(parts[1]):
        if all(operator in (">", ">=") for operator in operators):
            parts, operators = tuple(reversed(parts)), tuple(_FLIPPED[operator] for operator in reversed(operators))
        low, high = _end(parts[0]), _end(parts[2])
        if low is None or high is None or any(operator not in ("<", "<=") for operator in operators):
            return None
        return [(low[0], operators[0] == "<=", high[0], operators[1] == "<=")]
    if len(parts) != 2:
        return None
    operator = operators[0]
    if not _is_name(parts[0]):
        parts, operator = (parts[1], parts[0]), _FLIPPED.get(operator, operator)
    bound = _end(parts[1])
    if not _is_name(parts[0]) or bound is None:
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
