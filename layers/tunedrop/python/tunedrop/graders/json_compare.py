"""Comparing one value of an answer with one of the reference: each way of comparing gives 0 to 1."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeGuard

from tunedrop.graders.late_pattern import late
from tunedrop.graders.sample import JSON, OptionsError, require_known
from tunedrop.nearest import suggestion

LONGEST_FUZZY = 20_000
"""Characters that fuzzy comparison looks at; its time grows with the product of both lengths."""
_NOT_A_WORD = late(r"[\W_]+")


_SETTINGS = ("compare", "weight", "gate", "tolerance", "relative", "values", "loose", "at_least")


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a field is compared, what it weighs, and whether the answer is worth nothing without it."""

    compare: str = "exact"
    weight: float = 1.0
    gate: bool = False
    tolerance: float = 0.0
    relative: float = 0.0
    values: tuple[JSON, ...] = ()
    values_from_reference: bool = False
    loose: bool = True
    at_least: float = 0.6

    @classmethod
    def from_options(cls, path: str, options: JSON) -> Comparison:
        """Raises OptionsError, naming the field."""
        if isinstance(options, str):
            options = {"compare": options}
        if not isinstance(options, Mapping):
            raise OptionsError(f"The field {path} must be described by an object or a comparator's name.")
        require_known(options, _SETTINGS, f"The field {path} has")
        compare = options.get("compare", "exact")
        if compare not in COMPARATORS:
            known = f"known: {', '.join(COMPARATORS)}.{suggestion(compare, COMPARATORS)}"
            raise OptionsError(f"The field {path} compares by {compare!r}; {known}")
        numbers = {}
        for name, default in (("weight", 1.0), ("tolerance", 0.0), ("relative", 0.0), ("at_least", 0.6)):
            value = options.get(name, default)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
                raise OptionsError(f"The field {path} has {name} {value!r}; expected a number from 0.")
            numbers[name] = float(value)
        values = options.get("values", ())
        from_reference = values == "reference"
        if from_reference:
            values = ()
        if isinstance(values, str) or not isinstance(values, Sequence):
            raise OptionsError(f'The field {path} has values that are neither an array nor "reference".')
        flags = {name: options.get(name, default) for name, default in (("gate", False), ("loose", True))}
        for name, flag in flags.items():
            if not isinstance(flag, bool):
                raise OptionsError(f"The field {path} has {name} {flag!r}; expected true or false.")
        return cls(
            compare=str(compare),
            values=tuple(values),
            values_from_reference=from_reference,
            gate=bool(flags["gate"]),
            loose=bool(flags["loose"]),
            **numbers,
        )

    def score(self, got: JSON, expected: JSON, accepted: Sequence[JSON] | None = None) -> float:
        """0 to 1. `accepted`: the values that the row itself accepts here, for `one_of`."""
        return COMPARATORS[self.compare](self, got, expected, accepted)


def equal(first: JSON, second: JSON) -> bool:
    """Equal as JSON: 1 and 1.0 are the same number, true is no number, the order of an object's members is free."""
    if isinstance(first, bool) or isinstance(second, bool):
        return first is second
    if _is_number(first) and _is_number(second):
        return first == second
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return first.keys() == second.keys() and all(equal(value, second[key]) for key, value in first.items())
    if _is_array(first) and _is_array(second):
        return len(first) == len(second) and all(map(equal, first, second))
    return type(first) is type(second) and first == second


def equal_loosely(first: JSON, second: JSON) -> bool:
    """As `equal`, but in texts neither case nor anything that is no letter or digit counts ("Paris, France" too)."""
    if isinstance(first, str) and isinstance(second, str):
        return first == second or (words(first) == words(second) != "")
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return first.keys() == second.keys() and all(equal_loosely(value, second[key]) for key, value in first.items())
    if _is_array(first) and _is_array(second):
        return len(first) == len(second) and all(map(equal_loosely, first, second))
    return equal(first, second)


def words(text: str) -> str:
    """Letters and digits only, in one case, compatibility forms made one (a wide A is an A)."""
    return _NOT_A_WORD.sub("", unicodedata.normalize("NFKC", text).casefold())


def _is_array(value: JSON) -> TypeGuard[Sequence[JSON]]:
    return isinstance(value, (list, tuple))


def _is_number(value: JSON) -> TypeGuard[int | float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _exact(_: Comparison, got: JSON, expected: JSON, __: Any) -> float:
    return float(equal(got, expected))


def _case_insensitive(_: Comparison, got: JSON, expected: JSON, __: Any) -> float:
    if isinstance(got, str) and isinstance(expected, str):
        return float(_folded(got) == _folded(expected))
    return float(equal(got, expected))


def _folded(text: str) -> str:
    """The text in one case, with single blanks, an accented letter as one character."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def _number(how: Comparison, got: JSON, expected: JSON, _: Any) -> float:
    if not (_is_number(got) and _is_number(expected)):
        return 0.0
    # As decimals, as they are written: 0.31 is within 0.01 of 0.3, and the float nearest to it is not.
    mine, theirs = Decimal(str(got)), Decimal(str(expected))
    allowed = max(Decimal(str(how.tolerance)), Decimal(str(how.relative)) * abs(theirs))
    return float(abs(mine - theirs) <= allowed)


def _one_of(how: Comparison, got: JSON, expected: JSON, accepted: Sequence[JSON] | None) -> float:
    same = equal_loosely if how.loose else equal
    candidates = accepted if accepted is not None else how.values or (expected,)
    if how.values_from_reference:
        return float(any(_takes(candidate, got, same) for candidate in candidates))
    return float(any(same(got, candidate) for candidate in candidates))


def _takes(candidate: JSON, got: JSON, same: Callable[[JSON, JSON], bool]) -> bool:
    """Whether an accepted value takes what the answer has; an object's members may be arrays of accepted values."""
    if same(got, candidate):
        return True
    if _is_array(candidate) and _is_array(got):
        return len(candidate) == len(got) and all(
            _takes(one, other, same) for one, other in zip(candidate, got, strict=True)
        )
    if not isinstance(candidate, Mapping) or not isinstance(got, Mapping) or not got.keys() <= candidate.keys():
        return False
    for key, values in candidate.items():
        if not _is_array(values):
            return False
        if not (any(_takes(value, got[key], same) for value in values) if key in got else "" in values):
            return False
    return True


def _fuzzy(how: Comparison, got: JSON, expected: JSON, _: Any) -> float:
    if not isinstance(got, str) or not isinstance(expected, str):
        return float(equal(got, expected))
    if max(len(got), len(expected)) > LONGEST_FUZZY:
        return float(got == expected)
    from rapidfuzz import fuzz  # loaded only where a field is compared this way

    likeness = fuzz.ratio(got, expected) / 100
    return likeness if likeness >= how.at_least else 0.0


def _set(how: Comparison, got: JSON, expected: JSON, _: Any) -> float:
    """Order does not count: F1 of the elements, each counted as often as it occurs."""
    if not (_is_array(got) and _is_array(expected)):
        return float(equal(got, expected))
    same = equal_loosely if how.loose else equal
    left = list(expected)
    total = len(got) + len(left)
    if total == 0:
        return 1.0
    if len(got) > 10 * max(1, len(left)):  # listing everything: not worth the comparing
        return 0.0
    hits = 0
    for item in got:
        position = next((place for place, candidate in enumerate(left) if same(item, candidate)), None)
        if position is not None:
            hits += 1
            del left[position]
    return 2 * hits / total


def _list(how: Comparison, got: JSON, expected: JSON, _: Any) -> float:
    """Order counts: the share of places with the right element, of the longer of the two."""
    if not (_is_array(got) and _is_array(expected)):
        return float(equal(got, expected))
    same = equal_loosely if how.loose else equal
    longer = max(len(got), len(expected))
    if longer == 0:
        return 1.0
    return sum(same(one, other) for one, other in zip(got, expected, strict=False)) / longer


COMPARATORS: Mapping[str, Callable[[Comparison, JSON, JSON, Sequence[JSON] | None], float]] = {
    "exact": _exact,
    "case_insensitive": _case_insensitive,
    "number": _number,
    "one_of": _one_of,
    "fuzzy": _fuzzy,
    "set": _set,
    "list": _list,
}
