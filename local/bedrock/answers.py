"""What is asked of a model and what it answers, whoever answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Asked:
    """The settings of a request for answers, checked."""

    count: int = 1
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0  # 0: all
    seed: int | None = None
    max_tokens: int | None = None
    stops: Sequence[str] = ()
    tools: Sequence[dict[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """One reply: its text, its length, and why it ended."""

    text: str
    tokens: int
    finish: Literal["stop", "length"]
    stopped_by: str | None = None  # the text at which the request wanted it to end, and did


@dataclass(frozen=True, slots=True)
class Answers:
    """The replies to one prompt, and the prompt's length in tokens."""

    replies: list[Answer]
    prompt_tokens: int


OnPiece = Callable[[int, str], None]
"""Gets a piece of a reply as soon as it is written: the reply's place, the text."""
