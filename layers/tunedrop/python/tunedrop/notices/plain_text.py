"""Texts that people read: nothing in them steers a terminal or makes a line of its own, and long ones are cut."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_STEERING = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069\\ud800-\\udfff]")
"""Characters of control, of the ends of lines and of the direction of writing; halves of characters."""


def plain(value: Any) -> Any:
    """A document with a question mark for each character in its texts that would end a line or steer a terminal: no
    name of a folder makes sentences of its own. The lines of a reason (`message`) become one."""
    if isinstance(value, str):
        return _STEERING.sub("?", value)
    if isinstance(value, Mapping):
        return {
            name: plain(" ".join(each.split("\n")) if name == "message" and isinstance(each, str) else each)
            for name, each in value.items()
        }
    return [plain(each) for each in value] if isinstance(value, list) else value


def short(text: str, characters: int) -> str:
    """A text of at most so many characters, cut between words if it can be, with a sign that it was cut."""
    if len(text) <= characters:
        return text
    cut = text[: characters - 1]
    at_word = cut.rpartition(" ")[0]
    return (at_word if len(at_word) > characters // 2 else cut).rstrip(" ,;:") + "…"


def sentence(text: str) -> str:
    """A text that ends as a sentence does."""
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def count(number: int | None, thing: str) -> str:
    """So many of a thing: `1 row`, `1,200 rows`."""
    if number is None:
        return f"an unknown number of {thing}s"
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
