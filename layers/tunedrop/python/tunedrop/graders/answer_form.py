"""Terms for the form of an answer, whatever it says: its length, and patterns that it must or must not have."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import re2

from tunedrop.graders.sample import JSON, OptionsError, no_choice, require_known

_LENGTH_FIELDS = ("kind", "weight", "unit", "full_until", "none_from", "at_least")
_PATTERN_FIELDS = ("kind", "weight", "pattern", "forbidden")
_UNITS = ("characters", "words")
LONGEST_SEARCHED = 1_000_000


@dataclass(frozen=True, slots=True)
class Penalty:
    """A term: its score is 1 for the wanted form and 0 for the worst; it takes at most `weight` of the reward."""

    name: str
    weight: float
    score: Callable[[str], float]


def penalties_from_options(options: JSON) -> tuple[Penalty, ...]:
    """Read `penalties`: name → `kind` "length" or "pattern", `weight` (0.1), and

    - length: `unit` ("characters" or "words"), `full_until` n, `none_from` m: full score up to n, falling in a line to
      0 at m; `at_least` (0): below it, 0.
    - pattern: `pattern`, a regular expression (RE2: linear time) that must be found, or with `forbidden` must not.

    Raises OptionsError, naming the term.
    """
    if not isinstance(options, Mapping):
        raise OptionsError("The composite grader's penalties must be an object of named terms.")
    return tuple(_penalty(name, described) for name, described in options.items())


def _penalty(name: str, described: JSON) -> Penalty:
    if not isinstance(described, Mapping):
        raise OptionsError(f"The penalty {name!r} must be an object.")
    kinds = {"length": (_LENGTH_FIELDS, _length), "pattern": (_PATTERN_FIELDS, _pattern)}
    kind = described.get("kind", name)
    if kind not in kinds:
        raise no_choice(f"The kind of the penalty {name!r} must be", kinds, kind)
    fields, build = kinds[str(kind)]
    require_known(described, fields, f"The penalty {name!r} has")
    return Penalty(name, _number(name, described, "weight", 0.1, 1.0), build(name, described))


def _length(name: str, described: Mapping[str, JSON]) -> Callable[[str], float]:
    unit = described.get("unit", "characters")
    if unit not in _UNITS:
        raise no_choice(f"The unit of the penalty {name!r} must be", _UNITS, unit)
    full = _number(name, described, "full_until", None)
    none = _number(name, described, "none_from", None)
    least = _number(name, described, "at_least", 0.0)
    if not least <= full < none:
        raise OptionsError(f"The penalty {name!r} needs at_least <= full_until < none_from.")

    def score(answer: str) -> float:
        length = len(answer.split()) if unit == "words" else len(answer)
        if length < least:
            return 0.0
        return min(1.0, max(0.0, (none - length) / (none - full)))

    return score


def _pattern(name: str, described: Mapping[str, JSON]) -> Callable[[str], float]:
    pattern, forbidden = described.get("pattern"), described.get("forbidden", False)
    if not isinstance(pattern, str) or not isinstance(forbidden, bool):
        raise OptionsError(f"The penalty {name!r} needs `pattern`, a text, and `forbidden`, true or false.")
    try:
        compiled = re2.compile(pattern)
    except re2.error as error:
        raise OptionsError(f"The penalty {name!r} has a pattern that RE2 does not take: {error}.") from None
    return lambda answer: float((compiled.search(answer[:LONGEST_SEARCHED]) is None) == forbidden)


def _number(name: str, described: Mapping[str, JSON], field: str, usual: float | None, most: float = math.inf) -> float:
    value = described.get(field, usual)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most or value == math.inf:
        raise OptionsError(f"The penalty {name!r} needs {field}, a number from 0, got {value!r}.")
    return float(value)
