"""The single values in a recipe's text: each is kept as it is written, or refused with the reason."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

MOST_DIGITS = 38
LEAST_NUMBER, MOST_NUMBER = Decimal("1E-130"), Decimal("9.9999999999999999999999999999999999999E+125")
"""The sizes of number that DynamoDB, and so any table that a notice's figures may go into, can hold; and 0."""

_SHOWN = 60
"""Characters of a name or a value that a sentence repeats."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A value that no recipe can have; `why` continues a sentence that begins with the field's name."""

    why: str


def number_of(digits: str) -> int | float | Refused:
    """The number that a text gives, or why it cannot be kept."""
    problem = wrong_number(digits)
    if problem is not None:
        return Refused(problem)
    return int(digits) if digits.lstrip("+-").isdigit() else float(digits)


def wrong_number(digits: str) -> str | None:
    """Why a number, as it is written, cannot be kept. Time is linear in its length."""
    got = short(digits)
    significant = digits.lower().partition("e")[0].lstrip("+-").replace(".", "").strip("0")
    if len(significant) > MOST_DIGITS:
        return f"expected a number of at most {MOST_DIGITS} digits, got {got}"
    value = float(digits)
    if not math.isfinite(value):
        return f"expected a finite number, got {got}"
    if significant and (value == 0 or not LEAST_NUMBER <= abs(Decimal(digits)) <= MOST_NUMBER):
        return f"expected 0, or a number from 1E-130 to 9.99E+125 in size, got {got}"
    return None


def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in pairs:
        made[name] = Refused("occurs twice; keep one of them") if name in made else value
    return made


def short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
