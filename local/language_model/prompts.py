"""A conversation as the model reads it: its own template, the same for what is asked and for what is trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

TEMPLATE_SETTINGS: Mapping[str, Any] = {"enable_thinking": False}
"""For templates that know it (Qwen3): an answer without thinking. A template that does not know it passes it over."""


def prompt_text(tokenizer: Any, messages: Sequence[Mapping[str, Any]], tools: Any = None) -> str:
    """A conversation as one text, up to the beginning of the answer. The tokenizer adds nothing more to it.

    Raises:
        ValueError: the model's template does not take this conversation.
    """
    try:
        text: str = tokenizer.apply_chat_template(
            as_texts(messages), tools=tools or None, add_generation_prompt=True, tokenize=False, **TEMPLATE_SETTINGS
        )
    except Exception as problem:  # templates raise of their own, as jinja2 does
        raise ValueError(f"the model's chat template does not take this conversation: {problem}") from problem
    begin = tokenizer.bos_token
    adds_begin = begin and tokenizer("x")["input_ids"][:1] == [tokenizer.bos_token_id]
    return text.removeprefix(begin) if adds_begin else text


def prompt_of(tokenizer: Any, messages: Sequence[Mapping[str, Any]], tools: Any = None) -> list[int]:
    """The tokens of a conversation up to the beginning of the answer. Raises ValueError as `prompt_text` does."""
    tokens: list[int] = tokenizer(prompt_text(tokenizer, messages, tools))["input_ids"]
    return tokens


def as_texts(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Messages whose content is a text each; a developer's is the system's."""
    return [{**message, "role": _role(message), "content": text_of(message.get("content"))} for message in messages]


def text_of(content: object) -> str:
    """The text of a message's content: a string, or a list of parts with a `text` each."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return ""


def _role(message: Mapping[str, Any]) -> str:
    role = str(message.get("role", ""))
    return {"developer": "system"}.get(role, role)
