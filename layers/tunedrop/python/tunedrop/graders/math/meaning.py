"""What an answer can be made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from tunedrop.graders.math.expression import Node


@dataclass(frozen=True, slots=True)
class Formula:
    """A number or an expression; `decimals` is how many digits a plain decimal number shows, else None."""

    node: Node
    decimals: int | None = None


@dataclass(frozen=True, slots=True)
class Bracket:
    """Several items in brackets: an ordered tuple, or an interval where there are two. `⟨` is read as `(`."""

    opening: str
    items: tuple[Meaning, ...]
    closing: str


@dataclass(frozen=True, slots=True)
class Listing:
    """Items separated by commas, "and" or "or", without brackets, or within set braces: order does not matter."""

    items: tuple[Meaning, ...]
    braces: bool = False


@dataclass(frozen=True, slots=True)
class Union:
    """Sets joined by ∪, ∩ or ∖."""

    operator: str
    parts: tuple[Meaning, ...]


@dataclass(frozen=True, slots=True)
class Relation:
    """A chain such as `0 < x <= 5` or `y = 2x + 1`: one part more than operators."""

    parts: tuple[Meaning, ...]
    operators: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Digits:
    """A number written in a base other than ten: `204_5`."""

    digits: str
    base: int


@dataclass(frozen=True, slots=True)
class Words:
    """Text that is no formula, in its normal form."""

    text: str


Meaning: TypeAlias = Formula | Bracket | Listing | Union | Relation | Digits | Words
