"""Whether two answers mean the same, whatever form each was written in."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from fractions import Fraction

from tunedrop.graders.math.agreement import proportional
from tunedrop.graders.math.expression import Node, names
from tunedrop.graders.math.intervals import FLIPPED, describes_set, is_called, is_name
from tunedrop.graders.math.meaning import Bracket, Digits, Formula, Listing, Meaning, Relation, Union, Words
from tunedrop.graders.math.pairing import paired_off
from tunedrop.graders.math.scalars import same_digits, same_number
from tunedrop.graders.math.sign_choice import alternatives

MAX_ITEMS = 200
"""Longest list compared item by item; beyond it two lists are equal only as texts."""


def equivalent(reference: Meaning, given: Meaning) -> bool:
    """Whether `given` is the answer that `reference` names.

    A list without brackets is equal to a set or a list in any order and to a tuple in its own order; an inequality to
    the interval that it describes; `x = 5` and `|AB| = 5` to 5; a column to a tuple; an equation to its multiples.
    """
    reference, given = _plain(reference), _plain(given)
    if isinstance(given, Listing) and not given.braces and not isinstance(reference, (Listing, Bracket, Union)):
        first, *others = given.items or (given,)
        if others and all(equivalent(first, other) for other in others[:MAX_ITEMS]):  # "1/2 or 0.5" is one value
            return any(equivalent(reference, item) for item in given.items)
    if isinstance(reference, Relation) or isinstance(given, Relation):
        return _with_relation(reference, given)
    return _same(reference, given)


def _same(a: Meaning, b: Meaning) -> bool:
    a, b = _plain(a), _plain(b)
    for kind, compare in _BY_KIND:
        if isinstance(a, kind) or isinstance(b, kind):
            return compare(a, b)
    return same_number(a, b)


def _plain(meaning: Meaning) -> Meaning:
    """Without what does not count: a list of one, ± (which is a list of two), `x ∈ S`, an interval from ∞ to ∞."""
    if isinstance(meaning, Listing):
        items = tuple(itertools.chain.from_iterable(alternatives(item) for item in meaning.items[:MAX_ITEMS]))
        items += meaning.items[MAX_ITEMS:]
        if len(items) == 1 and not isinstance(items[0], Listing):
            return _plain(items[0])
        return Listing(items, meaning.braces)
    if isinstance(meaning, Relation) and meaning.operators[-1] == "∈" and len(meaning.operators) == 1:
        return _plain(meaning.parts[1])
    if isinstance(meaning, Union) and all(isinstance(part, Listing) for part in meaning.parts):
        return _computed(meaning.operator, [part for part in meaning.parts if isinstance(part, Listing)])
    both = alternatives(meaning)
    return meaning if len(both) == 1 else Listing(both)


def _computed(operator: str, sets: Sequence[Listing]) -> Meaning:
    """The set that finite sets make: {1,3} ∪ {2,4} is {1,2,3,4}."""
    items = list(sets[0].items[:MAX_ITEMS])
    for other in sets[1:]:
        given = other.items[:MAX_ITEMS]
        if operator == "∪":
            items += [one for one in given if not _is_among(one, items)]
        else:
            items = [item for item in items if _is_among(item, given) == (operator == "∩")]
    return Listing(tuple(items), braces=True)


def _is_among(item: Meaning, items: Sequence[Meaning]) -> bool:
    return item in items or any(equivalent(item, one) for one in items)


# ---- lists, tuples, sets, intervals -------------------------------------------------------------------------------


def _same_listing(a: Meaning, b: Meaning) -> bool:
    if isinstance(a, Listing) and isinstance(b, Listing):
        return _same_items_any_order(a.items, b.items)
    if isinstance(a, Listing):
        return _is_listing(a, b)
    return isinstance(b, Listing) and _is_listing(b, a)


def _is_listing(listing: Listing, other: Meaning) -> bool:
    conditions = any(isinstance(item, Relation) and item.operators[-1] != "=" for item in listing.items)
    if isinstance(other, Bracket) and not listing.braces and not conditions:
        return _same_items_in_order(listing.items, other.items)
    if any(isinstance(item, Relation) for item in listing.items):  # x > 2 and x < 3
        return describes_set(listing, other)
    if isinstance(other, Union) and other.operator == "∪":
        return _same(_union_of(listing), other)
    column = _vector(other)
    return column is not None and not listing.braces and _same_items_in_order(listing.items, column)


def _same_items_in_order(a: Sequence[Meaning], b: Sequence[Meaning]) -> bool:
    return len(a) == len(b) <= MAX_ITEMS and all(equivalent(x, y) for x, y in zip(a, b, strict=True))


def _same_items_any_order(a: Sequence[Meaning], b: Sequence[Meaning]) -> bool:
    mine, yours = _assigned(a), _assigned(b)
    if mine and mine.keys() == yours.keys():  # a = 3, b = 4 is not a = 4, b = 3
        return all(equivalent(value, yours[name]) for name, value in mine.items())
    if len(a) != len(b):  # an item that is named twice counts once
        a, b = _each_once(a), _each_once(b)
    return len(a) <= MAX_ITEMS and paired_off(a, b, equivalent)


def _assigned(items: Sequence[Meaning]) -> dict[Node, Meaning]:
    """`a = 3, b = 4` as names with their values; empty where an item is something else, or a name occurs twice."""
    found: dict[Node, Meaning] = {}
    for item in items[:MAX_ITEMS]:
        name = item.parts[0] if isinstance(item, Relation) and item.operators == ("=",) else None
        if not isinstance(item, Relation) or not isinstance(name, Formula) or not is_name(name) or name.node in found:
            return {}
        found[name.node] = item.parts[1]
    return found


def _each_once(items: Sequence[Meaning]) -> list[Meaning]:
    """The items without those that stand there in the same form before."""
    once: list[Meaning] = []
    for item in items[: MAX_ITEMS + 1]:
        if item not in once:
            once.append(item)
    return once


def _same_bracket(a: Meaning, b: Meaning) -> bool:
    if isinstance(a, Bracket) and isinstance(b, Bracket):
        same_ends = (a.opening, a.closing) == (b.opening, b.closing) or len(a.items) > 2
        return same_ends and _same_items_in_order(a.items, b.items)
    if isinstance(a, Union) or isinstance(b, Union):
        return describes_set(a, b)
    items = a.items if isinstance(a, Bracket) else b.items if isinstance(b, Bracket) else ()
    matrix = b if isinstance(a, Bracket) else a
    column = _vector(matrix)
    if column is not None:
        return _same_items_in_order(items, column)
    rows = _rows_of(matrix)  # [[1, 2], [3, 4]]
    return len(rows) == len(items) and all(_same(item, row) for item, row in zip(items, rows, strict=True))


def _rows_of(meaning: Meaning) -> list[Meaning]:
    """The rows of a matrix, each as a list in square brackets; none of anything else."""
    if not isinstance(meaning, Formula) or meaning.node[0] != "matrix":
        return []
    return [Bracket("[", tuple(Formula(cell) for cell in row), "]") for row in meaning.node[1]]


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


def _same_union(a: Meaning, b: Meaning) -> bool:
    if isinstance(a, Union) and isinstance(b, Union) and a.operator == b.operator:
        same_parts = _same_items_in_order if a.operator == "∖" else _same_items_any_order
        if same_parts(a.parts, b.parts):
            return True
    return describes_set(a, b)


# ---- equations and inequalities -----------------------------------------------------------------------------------


def _with_relation(a: Meaning, b: Meaning) -> bool:
    if isinstance(a, Relation) and isinstance(b, Relation) and _same_relation(a, b):
        return True
    if isinstance(a, Relation) and isinstance(b, Relation) and _of_one_unknown(a, b) and describes_set(a, b):
        return True
    x = _result(a, strict=True) if isinstance(a, Relation) else a
    y = _result(b, strict=False) if isinstance(b, Relation) else b
    if x is not None and y is not None:
        return equivalent(x, y)
    # An inequality and the interval that it describes, either way round.
    if isinstance(a, Relation) and not isinstance(b, Relation):
        return describes_set(a, b)
    return isinstance(b, Relation) and not isinstance(a, Relation) and describes_set(b, a)


def _of_one_unknown(a: Relation, b: Relation) -> bool:
    """Whether both are inequalities of the same unknown: `|x| < 3` and `-3 < x < 3`."""
    if "=" in (*a.operators, *b.operators):
        return False
    unknowns = [
        frozenset().union(*(names(part.node) for part in each.parts if isinstance(part, Formula))) for each in (a, b)
    ]
    return unknowns[0] == unknowns[1]


def _result(relation: Relation, *, strict: bool) -> Meaning | None:
    """What an equation says that something is: the exact value that stands last.

    `strict` (for a reference): only where the left side is a name, as in `x = 5` or `f(x) = 2x`, for `2x + z = 1` is an
    equation, not the number 1.
    """
    if any(operator not in ("=", "≈") for operator in relation.operators):
        return None
    first, last = relation.parts[0], relation.parts[-1]
    if _closed(first) and is_name(last):  # 2 = x
        return first
    exact = [part for part, operator in zip(relation.parts[1:], relation.operators, strict=True) if operator == "="]
    if not exact and _closed(first):  # 5/3 ≈ 1.67
        return first
    result = exact[-1] if exact else relation.parts[-1]
    if not _closed(result) and any(map(_closed, relation.parts)):  # x = 1 = y says more than that x is y
        return None
    named = isinstance(first, Words) or is_name(first) or is_called(first)
    return result if named or (_closed(result) and (not strict or _closed(first))) else None


def _closed(meaning: Meaning) -> bool:
    """Whether it has no variable: a number, or a list of them."""
    if isinstance(meaning, Formula):
        return not names(meaning.node)
    return isinstance(meaning, (Digits, Bracket, Listing))


def _same_relation(a: Meaning, b: Meaning) -> bool:
    if not isinstance(a, Relation) or not isinstance(b, Relation):
        return False
    if len(a.parts) != len(b.parts):
        return False
    if a.operators == b.operators and all(equivalent(x, y) for x, y in zip(a.parts, b.parts, strict=True)):
        return True
    flipped = tuple(FLIPPED.get(operator, operator) for operator in reversed(b.operators))
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
    return operators[0] == (operators[1] if positive else FLIPPED.get(operators[1], ""))


def _is_positive(value: Fraction | complex) -> bool | None:
    if isinstance(value, Fraction):
        return value > 0
    return value.real > 0 if abs(value.imag) < 1e-9 else None


def _same_words(a: Meaning, b: Meaning) -> bool:
    return a == b


# Which comparison is made where one of the two is of that kind; the first that fits.
_BY_KIND: Sequence[tuple[type, Callable[[Meaning, Meaning], bool]]] = (
    (Digits, same_digits),
    (Relation, _same_relation),
    (Listing, _same_listing),
    (Bracket, _same_bracket),
    (Union, _same_union),
    (Words, _same_words),
)
