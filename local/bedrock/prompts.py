"""Prompts: how one is named, and where the text of a message stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any


def prompt_key(messages: Sequence[Mapping[str, Any]]) -> str:
    """Names a prompt by its roles and texts. String or text parts, and blanks around a text, make no difference."""
    digest = sha256()
    for message in messages:
        role = {"developer": "system"}.get(message.get("role", ""), message.get("role", ""))
        text = text_of(message.get("content")).strip().encode("utf-8", "surrogatepass")
        digest.update(f"{role} {len(text)} ".encode() + text)
    return digest.hexdigest()[:32]


def text_of(content: object) -> str:
    """The text of a message's content: a string, or a list of parts with a `text` each."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return ""
