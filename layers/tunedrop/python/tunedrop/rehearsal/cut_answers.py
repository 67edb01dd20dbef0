"""Answers of the rehearsal that are none: cut off at the longest length, or thoughts that never end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunedrop.graders.graded import Graded
from tunedrop.sampling.question import Reply

MORE_ROOM = 2
"""How many times as long an answer may be that is asked for again: by how much a cut one was too long, nobody knows."""


def cut_figures(replies: Sequence[Reply], graded: Sequence[Graded]) -> dict[str, Any]:
    """Shares of all answers, 0 to 1; and the `evaluation.max_tokens` to try next, None where no answer was cut."""
    cut = [reply for reply in replies if reply.finish_reason == "length"]
    lengths = [reply.completion_tokens for reply in cut if reply.completion_tokens is not None]
    return {
        "truncated": len(cut) / len(replies),
        "unfinished_thoughts": sum(bool(each.components.get("unfinished_thought")) for each in graded) / len(graded),
        "max_tokens_to_try": MORE_ROOM * max(lengths) if lengths else None,
    }


def advice_on_cut_answers(numbers: Mapping[str, Any]) -> tuple[str, str] | None:
    """What to say of them, and what to do; None where there are none."""
    truncated, unfinished = numbers["truncated"], numbers["unfinished_thoughts"]
    if not truncated and not unfinished:
        return None
    message = f"{truncated:.0%} of the answers were cut off at the recipe's `evaluation.max_tokens`."
    if unfinished:
        message += f" {unfinished:.0%} ended within the model's thoughts: these are no answers, and earn nothing."
    to_try = numbers["max_tokens_to_try"]
    advice = f"Raise `evaluation.max_tokens`{f' to {to_try}' if to_try else ''}"
    return message, f"{advice}, or lower `evaluation.reasoning_effort`." if unfinished else f"{advice}."
