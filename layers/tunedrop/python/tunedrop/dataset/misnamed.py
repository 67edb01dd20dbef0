"""Hints for rows whose fields have other names: misspelt, or those of another tool."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from tunedrop.dataset.show import shown

_MOST_KEYS = 64
"""Keys of a row among which a misspelt one is looked for."""
_NEAR = 0.7
"""How alike two names must be (difflib's ratio)."""


def misspelt_hint(wanted: str, row: Mapping[str, Any]) -> dict[str, str]:
    """The hint where a key is nearly the one that is missing; nothing for others."""
    keys = [key for key in list(row)[:_MOST_KEYS] if isinstance(key, str)]
    near = get_close_matches(wanted, keys, n=1, cutoff=_NEAR)
    return {"hint": f"Do you mean `{wanted}`? The name is {shown(near[0])} here."} if near else {}


def converter_hint(row: Mapping[str, Any]) -> dict[str, str]:
    """The hint for rows of a format that can be converted; nothing for others."""
    if meant := misspelt_hint("messages", row):
        return meant
    if any(
        key in row for key in ("question", "prompt", "conversations", "instruction", "contents", "source", "schemaType")
    ):
        return {"hint": "The rows are in another tool's format: tunedrop convert FILE --output train.jsonl."}
    return {}
