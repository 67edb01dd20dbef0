"""A quantity that a sentence tells twice, in two units: "1 hour, or 60 minutes"; "2 m (200 cm)"."""

from __future__ import annotations

import re

from tunedrop.graders.late_pattern import late
from tunedrop.graders.math.expected import Expected
from tunedrop.graders.math.units import read_unit
from tunedrop.graders.math.value import value_is
from tunedrop.graders.math.vocabulary import NUMBER_WORDS

MOST_CHARACTERS = 200
"""Of the end of a text that is looked at."""

_MEASURE = rf"(?:\d[\d.,]{{0,20}}|\ban?\b|\b(?:{'|'.join(NUMBER_WORDS)})\b)\s?[A-Za-z°²³]{{1,14}}"
_TWICE = late(
    rf"(?<![\w.,])(?P<first>{_MEASURE}(?:\s(?:and\s)?{_MEASURE})?)"
    r"(?:\s?\((?:or\s|i\.e\.,?\s|that\sis,?\s|=\s?|which\sis\s)?|,?\s(?:or|i\.e\.,?|that\sis,?|which\s(?:is|equals))\s)"
    rf"(?P<second>{_MEASURE}(?:\s(?:and\s)?{_MEASURE})?)\)?[^\d()\n]{{0,60}}\Z",
    re.IGNORECASE,
)
_BETWEEN = ("(", " or ", "i.e.", "that is", "which ")
_ONE = late(r"an?\s", re.IGNORECASE)


def told_twice(text: str) -> tuple[str, str] | None:
    """The two texts of one quantity with which a text ends; None where it ends otherwise, or the two differ."""
    end = text[-MOST_CHARACTERS:]
    found = _TWICE.search(end) if any(word in end for word in _BETWEEN) else None
    if found is None:
        return None
    first, second = (_ONE.sub("1 ", found[name], count=1) for name in ("first", "second"))
    if any(read_unit(each.rsplit(None, 1)[-1].lstrip("0123456789.,")) is None for each in (first, second)):
        return None
    return (first, second) if value_is(first, Expected(second)) else None
