"""What is asked of a model, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tunedrop.graders.tool_calls import calls_beside, text_of_calls

_TRUNCATED = "length"
"""The finish reason, in the words of the OpenAI API, of an answer that met `max_tokens`."""


@dataclass(frozen=True, slots=True)
class Question:
    """One prompt for one answer. `seed` makes a service that honours seeds answer the same again.

    `tools` are what the answer may call, in the shape of chat completions.
    """

    messages: Sequence[Mapping[str, Any]]
    seed: int
    tools: Sequence[Mapping[str, Any]] = ()

    @classmethod
    def of(cls, row: Mapping[str, Any], *, seed: int) -> Question:
        """What a row of the dataset asks."""
        tools = row.get("tools")
        return cls(row["messages"], seed, tools if isinstance(tools, list) else ())


@dataclass(frozen=True, slots=True)
class Asking:
    """How a model is asked: `model` as inference names it, tokens of the answer at the most, temperature 0 to 2.

    `reasoning_effort` says how much it thinks before it answers; "" sends nothing of it.
    """

    model: str
    max_tokens: int
    temperature: float
    reasoning_effort: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model answered. `refused` says why the service has no answer to this question, now or later.

    Calls of tools are part of the `text`: alone as their JSON, behind words each between `<tool_call>` marks.
    """

    text: str
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    latency_seconds: float | None = None
    refused: str | None = None
    thought: str = ""
    """What the model thought, where its host shows that beside the answer."""

    @property
    def truncated(self) -> bool:
        """Whether the answer was cut off at the most tokens that it could have."""
        return self.finish_reason == _TRUNCATED


def text_with_calls(text: str, turn: Mapping[str, Any]) -> str:
    """What a model said, with the calls of tools that its turn makes beside the text."""
    calls = calls_beside(turn)
    if not calls or not text.strip():
        return text_of_calls(calls) if calls else text
    return "\n".join([text, *(f"<tool_call>\n{text_of_calls([call])}\n</tool_call>" for call in calls)])


class NotAnswered(Exception):
    """The service gave no answer this time; a later try may get one."""


class Throttled(NotAnswered):
    """The service took no more questions just then. `after_seconds` is its own word on when to try again, if any."""

    def __init__(self, message: str, after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.after_seconds = after_seconds


class NotAllowed(NotAnswered):
    """We lack the right to ask. The message has the service's own words, which name the right.

    To ask again at once is of no use. The run goes on if somebody gives the right while its state is tried again.
    """

    def __init__(self, model: str, words: str) -> None:
        super().__init__(f"{model}: HTTP 403: {words[:MOST_WORDS]}")


MOST_WORDS = 600
"""How much of a refusal is kept: it names who asked, the action and the resource."""


class Sampler(Protocol):
    """A service that can be asked."""

    async def ask(self, asking: Asking, question: Question) -> Reply:
        """One answer, by one request: how often and how fast to try again is for `asking`. Raises NotAnswered."""

    async def close(self) -> None:
        """Give the connections back."""
