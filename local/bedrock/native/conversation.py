"""A conversation as Converse and InvokeModel send it to Nova: checked, and what the simulated model makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local.bedrock.errors import not_imitated
from local.bedrock.native.errors import validation
from local.bedrock.native.thinking import thinks
from local.bedrock.native.tools import check_results, may_call, messages_of
from local.bedrock.prompts import text_of
from local.bedrock.records import Document

_MOST_TOKENS = 65_535
_DEFAULT_TEMPERATURE = 0.7
_MOST_STOPS = 4  # of Nova's request schema

# What a turn may hold beside texts: calls and their results, and two of which nothing is made.
_KNOWN = {"text", "toolUse", "toolResult", "cachePoint", "reasoningContent"}


@dataclass(frozen=True, slots=True)
class Conversation:
    """What is asked of the model."""

    messages: list[Document]
    temperature: float
    max_tokens: int
    stops: tuple[str, ...]
    may_call: bool  # tools
    thinks: bool
    top_p: float
    top_k: int  # 0: all


def read_conversation(body: Document, settings: Document, reasoning: Any) -> Conversation:
    """Read `system`, `messages` and `toolConfig`, whose shapes have been checked, and the settings of inference.

    `reasoning` is the `reasoningConfig`. Raises ApiError: ValidationException, NotImplementedException for blocks of
    pictures, documents and the like.
    """
    turns = body.get("messages") or []
    if not turns or turns[0]["role"] != "user":
        raise validation("A conversation must start with a user message. Try again with a conversation that does.")
    for place, turn in enumerate(turns):
        if place and turn["role"] == turns[place - 1]["role"]:
            raise validation(
                "A conversation must alternate between user and assistant roles. Make sure the conversation alternates "
                "between user and assistant roles and try again."
            )
        if not turn["content"]:
            raise validation(
                f"The content field in the Message object at messages.{place} is empty. Add a ContentBlock object to "
                "the content field and try again."
            )
        _check_blocks(turn["content"], f"messages.{place}.content", "ContentBlock")
    _check_blocks(body.get("system") or [], "system", "SystemContentBlock")
    tools = body.get("toolConfig")
    check_results(turns, tools)
    system = text_of(body.get("system") or [])
    messages: list[Document] = [{"role": "system", "content": system}] if system else []
    return Conversation(
        messages=messages + [message for turn in turns for message in messages_of(turn)],
        temperature=_number(settings, "temperature", 0.0, 1.0, _DEFAULT_TEMPERATURE),
        max_tokens=_whole(settings, "maxTokens", 1, _MOST_TOKENS),
        stops=_stops(settings.get("stopSequences")),
        may_call=may_call(tools),
        thinks=thinks(reasoning, settings),
        top_p=_number(settings, "topP", 0.0, 1.0, 1.0),
        top_k=0 if settings.get("topK") is None else _whole(settings, "topK", 0, 128),
    )


def _check_blocks(blocks: list[Document], where: str, kind: str) -> None:
    for place, block in enumerate(blocks):
        other = next((name for name in block if name not in _KNOWN), None)
        if other is not None:
            raise not_imitated(f"{where}.{place}.{other}")
        if "text" in block and not block["text"].strip():
            raise validation(
                f"The text field in the {kind} object at {where}.{place} is blank. Add text to the text field, and try "
                "again."
            )


def _stops(given: Any) -> tuple[str, ...]:
    stops = given or []
    if len(stops) > _MOST_STOPS or not all(isinstance(stop, str) and stop for stop in stops):
        raise validation(
            f"inferenceConfig.stopSequences: expected at most {_MOST_STOPS} texts, got {str(stops)[:100]}."
        )
    return tuple(stops)


def _whole(settings: Document, name: str, least: int, most: int) -> int:
    value = settings.get(name)
    if isinstance(value, float):
        raise validation(f"inferenceConfig.{name}: expected a whole number from {least} to {most}, got {value!r}.")
    return int(_number(settings, name, least, most, most))


def _number(settings: Document, name: str, least: float, most: float, default: float) -> float:
    value = settings.get(name)
    if value is None:
        return default
    if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
        raise validation(
            f"inferenceConfig.{name}: expected a number from {least:g} to {most:g}, got {str(value)[:100]!r}."
        )
    return float(value)
