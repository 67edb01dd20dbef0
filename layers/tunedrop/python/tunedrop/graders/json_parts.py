"""What an answer in JSON lost, part by part: what each field costs, and how it differs, for the reader of a report."""

from __future__ import annotations

import json
from collections.abc import Sequence

from tunedrop.graders.sample import JSON, MOST_PARTS, PART_CHARACTERS, Grade, Part

NO_JSON = "(no JSON)"
AGAINST_SCHEMA = "(against the schema)"
"""The parts that answers cost as a whole: no field of theirs is compared."""
_LONGEST_SHOWN = 40


def charged(parts: Sequence[Part], possible: float, lost: float, gates: Sequence[str]) -> tuple[Part, ...]:
    """The fields, each with its share of what the reward lacks; gates are charged what their fields alone did not cost.

    The costs come as weights of all that was `possible`. Those that cost the most come first.
    """
    parts = [part._replace(cost=part.cost / possible if possible else 0.0) for part in parts]
    total = sum(part.cost for part in parts)
    if gates:
        rest = max(0.0, lost - total) / len(gates)
        parts = [part._replace(cost=part.cost + rest) if part.name in gates else part for part in parts]
    elif total:
        parts = [part._replace(cost=part.cost * lost / total) for part in parts]
    return tuple(sorted(parts, key=lambda part: -part.cost)[:MOST_PARTS])


def as_text(value: JSON) -> str:
    """A value as a part shows it: at most PART_CHARACTERS of it."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= PART_CHARACTERS else f"{text[: PART_CHARACTERS - 1]}…"


def worth_nothing(explanation: str, why: str, *, parsed: bool) -> Grade:
    """The grade of an answer whose fields nobody can look at; `why` is the one part of it."""
    return Grade(
        reward=0.0,
        components={"fields": 0.0},
        correct=False,
        explanation=explanation,
        metrics={"parsed": float(parsed), "schema_valid": 0.0},
        parts=(Part(why, 0.0, 1.0),),
    )


def difference(found: bool, got: JSON, expected: JSON) -> str:
    """Where a value differs, for the reader of a report: `(14, not 5)`."""
    if not found:
        return "(missing)"
    told, wanted = _shown(got), _shown(expected)
    return f"({told}, not {wanted})" if told != wanted else "(of another form)"


def _shown(value: JSON) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN].rstrip()} …"
