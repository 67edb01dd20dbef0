"""What the simulated model says to a prompt: its policy decides how, the row's reference what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from typing import Any

from local.bedrock.answers import Answer
from local.bedrock.chance import Draw, fraction, generator
from local.bedrock.policy import Behaviour, Policy, difficulty
from local.bedrock.prompts import prompt_key, text_of
from local.bedrock.rendering import Form, form_of
from local.bedrock.rows import RowBook

_STREAM_PIECE = 24  # characters
TOKEN_CHARACTERS = 4  # a token is so many characters here, about what real tokenizers average on English text

UNKNOWN_PROMPT = (
    "This is the simulated model of Tunedrop's local Bedrock. It has no weights: it knows only the reference answers "
    "of the rows that it was given, and this prompt is not one of them."
)
REASONING = (
    "(Simulated reasoning: the policy drew how to answer, and whether to be right, from this prompt's difficulty.)"
)


def tokens_of(text: str) -> int:
    """The length of a text in simulated tokens."""
    return ceil(len(text) / TOKEN_CHARACTERS)


def prompt_tokens(messages: Sequence[Mapping[str, Any]]) -> int:
    """The length of a prompt in simulated tokens."""
    return sum(tokens_of(text_of(message.get("content"))) for message in messages)


class SimulatedModel:
    """Answers prompts by a policy and the rows that it knows."""

    def __init__(self, rows: RowBook) -> None:
        self._rows = rows
        self._asked: dict[str, int] = {}

    def answers(
        self,
        policy: Policy,
        messages: Sequence[Mapping[str, Any]],
        *,
        count: int = 1,
        temperature: float = 1.0,
        seed: int | None = None,
        max_tokens: int | None = None,
        stops: Sequence[str] = (),
    ) -> list[Answer]:
        """`count` replies to one prompt.

        The same policy, messages, seed and place among the replies give the same reply. Without a seed the k-th time
        that a prompt is asked takes the k-th reply. At temperature 0 a prompt has one reply; at temperature t below 1
        that reply comes with probability 1 - t and a fresh one otherwise, so that a policy has its shares at any
        temperature.
        """
        key = prompt_key(messages)
        if seed is None and temperature > 0:
            counter = f"{policy.fingerprint} {key}"
            first = self._asked.get(counter, 0)
            self._asked[counter] = first + count
        else:
            first = 0
        row = self._rows.find(key)
        form = form_of(row, self._rows.labels) if row is not None else None
        drawn = []
        for sample in range(first, first + count):
            parts = (policy.fingerprint, key, "none" if seed is None else seed, sample)
            fresh = temperature >= 1 or fraction("fresh", *parts) < temperature
            drawn.append(Draw.of(*parts) if fresh else Draw.of(policy.fingerprint, key, "greedy"))
        return [cut(_text(form, policy, key, draw), max_tokens, stops) for draw in drawn]


def _text(form: Form[Any] | None, policy: Policy, key: str, draw: Draw) -> str:
    if form is None:
        return UNKNOWN_PROMPT
    behaviour, right = decide(policy, key, draw)
    return form.render(behaviour, right, generator(draw.style))


def decide(policy: Policy, key: str, draw: Draw) -> tuple[Behaviour, bool]:
    """How the policy answers the prompt of this key: (behaviour, whether it is right)."""
    behaviour = policy.behaviour_at(draw.behaviour)
    return behaviour, draw.right < policy.chance_right(behaviour, difficulty(key))


def cut(text: str, max_tokens: int | None, stops: Sequence[str] = ()) -> Answer:
    """The reply of this text, ended before the first of `stops` in it, or cut off after `max_tokens`."""
    reached = {text.find(stop): stop for stop in reversed(stops) if stop in text}
    stopped_by = reached[min(reached)] if reached else None
    if stopped_by is not None:
        text = text[: min(reached)]
    tokens = tokens_of(text)
    if max_tokens is None or tokens <= max_tokens:
        return Answer(text, tokens, "stop", stopped_by)
    return Answer(text[: max_tokens * TOKEN_CHARACTERS], max_tokens, "length")


def pieces(text: str) -> Iterator[str]:
    """The text in the pieces in which it is streamed."""
    for start in range(0, len(text), _STREAM_PIECE):
        yield text[start : start + _STREAM_PIECE]
