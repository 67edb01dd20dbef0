"""± in an answer: each of the two values, equations or points that it stands for."""

from __future__ import annotations

from typing import Any

from tunedrop.graders.math.meaning import Bracket, Formula, Meaning, Relation

_SIGNS = ("±", "∓")


def alternatives(meaning: Meaning) -> tuple[Meaning, ...]:
    """`1 ± √2`, `y = ±x`, `x ≠ ±1` and `(±1, 2)` as two meanings; anything else, `(±1, ±2)` too, as it is."""
    if isinstance(meaning, Formula) and _has_choice(meaning.node):
        return tuple(Formula(_chosen(meaning.node, sign)) for sign in "+-")
    if isinstance(meaning, Relation) and set(meaning.operators) <= {"=", "≈", "!="}:
        choices = [alternatives(part) for part in meaning.parts]
        if any(len(choice) == 2 for choice in choices):
            return tuple(Relation(tuple(each[at % len(each)] for each in choices), meaning.operators) for at in (0, 1))
    if isinstance(meaning, Bracket):
        choices = [alternatives(item) for item in meaning.items]
        if sum(len(choice) == 2 for choice in choices) == 1:
            return tuple(
                Bracket(meaning.opening, tuple(each[at % len(each)] for each in choices), meaning.closing)
                for at in (0, 1)
            )
    return (meaning,)


def _has_choice(part: Any) -> bool:
    """Whether a node of a formula, or a list of nodes within it, has a ±."""
    if not isinstance(part, (tuple, list)):
        return False
    return any(part[0] == sign for sign in _SIGNS if part) or any(map(_has_choice, part))


def _chosen(part: Any, sign: str) -> Any:
    """The node, or the list of nodes, with this sign for ±, and the other for ∓."""
    if not isinstance(part, (tuple, list)) or not part:
        return part
    inner = [_chosen(each, sign) for each in part]
    if part[0] not in _SIGNS:
        return inner if isinstance(part, list) else tuple(inner)
    chosen = sign if part[0] == "±" else "-" if sign == "+" else "+"
    if len(inner) == 3:
        return (chosen, *inner[1:])
    return ("negate", inner[1]) if chosen == "-" else inner[1]
