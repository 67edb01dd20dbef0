"""Answers of the rehearsal that are none: cut off at the longest length, or thoughts that never end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunedrop.evaluation.room import room_to_try
from tunedrop.graders.graded import Graded
from tunedrop.graders.reward_range import UNIT, RewardRange
from tunedrop.graders.thoughts import cut_thoughts
from tunedrop.sampling.question import Reply


def cut_figures(replies: Sequence[Reply], graded: Sequence[Graded], rewards: RewardRange = UNIT) -> dict[str, Any]:
    """Shares of all answers, 0 to 1; and the `evaluation.max_tokens` to try next, None where there is none to name.

    `truncated_paid`: answers that were cut off, and that the grader paid for all the same.
    """
    cut = [(reply, each) for reply, each in zip(replies, graded, strict=True) if reply.truncated]
    unfinished = sum(_unfinished(reply, each) for reply, each in zip(replies, graded, strict=True))
    return {
        "truncated": len(cut) / len(replies),
        "truncated_paid": sum(each.reward is not None and each.reward > rewards.low for _, each in cut) / len(replies),
        "unfinished_thoughts": unfinished / len(replies),
        "max_tokens_to_try": room_to_try(reply.completion_tokens for reply, _ in cut),
    }


def advice_on_cut_answers(numbers: Mapping[str, Any]) -> tuple[str, str] | None:
    """What to say of them, and what to do; None where there are none."""
    truncated, unfinished, paid = numbers["truncated"], numbers["unfinished_thoughts"], numbers["truncated_paid"]
    if not truncated and not unfinished:
        return None
    message = f"{truncated:.0%} of the answers were cut off at the recipe's `evaluation.max_tokens`."
    if truncated:
        message += " They do not count in the mean reward, nor in the groups with signal."
    if paid:
        message += f" The grader paid for {paid:.0%} all the same, as it will in the training."
    if unfinished:
        message += f" {unfinished:.0%} ended within the model's thoughts: these are not answers, and get no reward."
    to_try = numbers["max_tokens_to_try"]
    advice = f"Raise `evaluation.max_tokens`{f' to {to_try}' if to_try else ''}"
    return message, f"{advice}, or lower `evaluation.reasoning_effort`." if unfinished else f"{advice}."


def _unfinished(reply: Reply, graded: Graded) -> bool:
    """Whether an answer ended within thoughts: by its text, or by what the grader has seen beside it."""
    if reply.truncated and reply.thought and not reply.text.strip():
        return True
    return bool(graded.components.get("unfinished_thought")) or cut_thoughts(reply.text).unfinished
