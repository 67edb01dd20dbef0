"""What a row asks, in whichever format it came."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Task:
    """A row's prompt, before its answer is looked for."""

    turns: list[dict[str, Any]]
    others: dict[str, Any] = field(default_factory=dict)
    """Fields that are not part of the prompt."""
    answer: Any = None
    """The answer, where the format itself says which it is."""
    answer_from: str = ""
