"""Whether two single values are the same: exactly, as a percentage, as a rounded decimal, in another base."""

from __future__ import annotations

from fractions import Fraction

from tunedrop.graders.math.agreement import same_formula
from tunedrop.graders.math.arithmetic import Matrix, NoValueError
from tunedrop.graders.math.expression import Node, evaluate, names
from tunedrop.graders.math.meaning import Digits, Formula, Meaning

MIN_DIGITS = 4
ROUNDING_TOLERANCE = Fraction(10_001, 100_000_000)
"""How near a decimal of MIN_DIGITS significant digits or more must be to the value that it stands for, relatively: 1e-4
as in Qwen's and verl's graders. 0.3333 stands for 1/3, and 0.33 does not."""
_INFINITY = ("name", "∞")


def same_number(a: Meaning, b: Meaning) -> bool:
    """Whether two formulas are the same value, or one the percentage or the rounded decimal of the other."""
    if not isinstance(a, Formula) or not isinstance(b, Formula):
        return False
    if "∞" in names(a.node) or "∞" in names(b.node):
        return infinity_of(a) is not None and infinity_of(a) == infinity_of(b)
    if "ratio" in (a.node[0], b.node[0]):  # 3:1 is not 3
        return a.node[0] == b.node[0] and _proportional(_terms(a.node), _terms(b.node))
    if same_formula(a.node, b.node):
        return True
    if a.node[0] == "percent" or b.node[0] == "percent":  # 28 % is 28 where the other says no %, and it is 0.28
        bare = [Formula(x.node[1], x.decimals) if x.node[0] == "percent" else x for x in (a, b)]
        return same_formula(bare[0].node, bare[1].node) or _rounded_percent(a, b) or _rounded_percent(b, a)
    return _rounds_to(a, b) or _rounds_to(b, a)


def _terms(node: Node) -> list[Node]:
    return [*_terms(node[1]), node[2]] if node[0] == "ratio" else [node]


def _proportional(terms: list[Node], others: list[Node]) -> bool:
    """Whether two ratios are the same: `1:2:3` is `2:4:6`, and no `1:1:6`."""
    return len(terms) == len(others) and all(
        same_formula(("/", one, terms[-1]), ("/", other, others[-1]))
        for one, other in zip(terms[:-1], others[:-1], strict=True)
    )


def _rounded_percent(percent: Formula, other: Formula) -> bool:
    """Whether a percentage of four digits or more is the other value, rounded: 66.67 % is two thirds."""
    if percent.node[0] != "percent" or other.node[0] == "percent" or names(other.node):
        return False
    value, target = _real(Formula(percent.node[1])), _real(other)
    return (
        isinstance(value, Fraction)
        and isinstance(target, Fraction)
        and rounds_to_percentage(value, percent.decimals, target * 100)
    )


def rounds_to_percentage(value: Fraction, decimals: int | None, percentage: Fraction) -> bool:
    """Whether a percentage with enough digits stands for one that no decimal can say: 66.67 for 200/3."""
    if not decimals or _terminates(percentage):
        return False
    digits = abs(value) * 10**decimals
    unit = Fraction(1, 10**decimals)
    off = abs(percentage) - abs(value)
    cut_off = 0 <= off < unit and off <= ROUNDING_TOLERANCE * abs(percentage)
    return digits >= 10 ** (MIN_DIGITS - 1) and value * percentage > 0 and (cut_off or abs(off) <= unit / 2)


def infinity_of(formula: Formula) -> int | None:
    """1 for ∞, -1 for -∞, else None."""
    if formula.node == _INFINITY:
        return 1
    return -1 if formula.node == ("negate", _INFINITY) else None


def _rounds_to(decimal: Formula, exact: Formula) -> bool:
    """Whether a decimal with enough digits stands for a value that no decimal can say exactly."""
    if not decimal.decimals or names(exact.node):
        return False
    if exact.decimals is not None and not decimal.decimals >= 6 > exact.decimals >= 2:
        return False
    value, target = _real(decimal), _real(exact)
    if not isinstance(value, Fraction) or target is None:
        return False
    if exact.decimals is not None:  # 33.333333 where the reference says 33.33
        return round(value, exact.decimals) == target
    if isinstance(target, Fraction) and _terminates(target):
        return False
    target = Fraction(target)
    digits = abs(value.numerator * 10**decimal.decimals // value.denominator)
    last_place = Fraction(1, 10**decimal.decimals)
    return digits >= 10 ** (MIN_DIGITS - 1) and abs(value - target) <= min(last_place, ROUNDING_TOLERANCE * abs(target))


def _real(formula: Formula) -> Fraction | float | None:
    try:
        value = evaluate(formula.node, 0)
    except NoValueError:
        return None
    if isinstance(value, complex):
        return value.real if abs(value.imag) < 1e-12 else None
    return None if isinstance(value, Matrix) else value


def _terminates(value: Fraction) -> bool:
    """Whether some decimal says the value exactly."""
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1


def same_digits(a: Meaning, b: Meaning) -> bool:
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
