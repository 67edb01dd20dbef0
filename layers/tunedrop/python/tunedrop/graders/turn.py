"""What a turn of a conversation holds: its text, and the model's thoughts, which are no part of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tunedrop.graders.sample import JSON

THOUGHT_FIELDS = ("reasoning_content", "reasoning", "thinking", "reasoning_details", "reasoningContent")
"""Fields of a turn or of a part of its content that hold thoughts: those of OpenAI-compatible hosts, and Converse's."""

THOUGHT_TYPES = frozenset({"reasoning", "reasoning_text", "thinking", "redacted_thinking", "thought", "summary_text"})
"""Types of a content part that is a thought."""

_INNER = ("text", "reasoningText", "thinking", "reasoning", "content", "summary")
_DEEPEST = 6


class TurnError(ValueError):
    """The content of a turn is neither a text nor a list of parts."""


def text_of(content: object) -> str:
    """The text of a message's content: a string, or a list of parts whose text is joined by a line break.

    A part that is a thought says nothing here; a refusal says its text. Raises TurnError where it is neither.
    """
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise TurnError(f"the answer's `content` must be a string or a list of parts, got a {type(content).__name__}")
    texts = []
    for part in content:
        text = part
        if isinstance(part, Mapping):
            if part.get("type") == "message":  # an item of a response
                text = text_of(part.get("content"))
            else:
                text = None if _is_thought(part) else part.get("text", part.get("refusal"))
        if isinstance(text, str):
            texts.append(text)
    return "\n".join(texts)


def thoughts_beside(turn: Mapping[str, JSON]) -> list[str]:
    """The thoughts that a turn holds beside its text: in a field of its own, or as parts of its content."""
    content = turn.get("content")
    parts = [part for part in content if isinstance(part, Mapping)] if isinstance(content, list) else []
    found = [turn[name] for name in THOUGHT_FIELDS if name in turn]
    found += [part for part in parts if _is_thought(part)]
    return [text for each in found if (text := _text(each, _DEEPEST))]


def _is_thought(part: Mapping[str, JSON]) -> bool:
    if part.get("thought") is True:  # Gemini
        return True
    return part.get("type") in THOUGHT_TYPES or any(name in part for name in THOUGHT_FIELDS)


def _text(value: JSON, depth: int) -> str:
    """The text within a thought, whichever shape its host gives it."""
    if isinstance(value, str):
        return value
    if depth == 0:
        return ""
    if isinstance(value, Mapping):
        inner = (_text(value[name], depth - 1) for name in (*_INNER, "reasoningContent") if name in value)
        return next((text for text in inner if text), "")
    if isinstance(value, Sequence):
        texts = (_text(each, depth - 1) for each in value if isinstance(each, (str, Mapping)))
        return "\n".join(text for text in texts if text)
    return ""
