"""How long an answer may be that is asked for again because it was cut off."""

from __future__ import annotations

from collections.abc import Iterable

from tunedrop.recipe import MOST_ANSWER_TOKENS

MORE_ROOM = 2
"""How many times as long: by how much a cut answer was too short, nobody knows."""


def room_to_try(cut_lengths: Iterable[int | None]) -> int | None:
    """The `max_tokens` to try next, by the tokens of answers that were cut off; None where it cannot be more."""
    longest = max((length for length in cut_lengths if length is not None), default=0)
    return min(MORE_ROOM * longest, MOST_ANSWER_TOKENS) if 0 < longest < MOST_ANSWER_TOKENS else None
