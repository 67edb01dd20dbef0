"""What is sent to a deployed grader, and what comes back, for whoever only reasons about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tunedrop.graders.sample import Part

Layout = Literal["metadata", "wrapped", "row"]
"""Where a batch has the row's fields. AWS shows three ways, and which one the service sends is UNCONFIRMED: under
`metadata` (the documentation); at the top level, with a text as reference wrapped in `{"text": …}` (the sample for
open-weight models); at the top level as the row has them (the guide for Nova)."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """One answer to be graded: the row that it answers, and what the model said."""

    id: str
    row: Mapping[str, Any]
    answer: str
    thought: str = ""
    """What the model thought, where its host shows that beside the answer."""


@dataclass(frozen=True, slots=True)
class Graded:
    """What the grader made of one rollout. `ungraded` says why there is no reward; then there is none."""

    id: str
    reward: float | None
    correct: bool | None = None
    components: Mapping[str, float] = field(default_factory=dict)
    ungraded: str | None = None
    explanation: str = ""
    parts: tuple[Part, ...] = ()
