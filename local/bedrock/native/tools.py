"""Tools in a conversation with Nova: whether the answer may call them, and the calls and results that turns hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from local.bedrock.errors import not_imitated
from local.bedrock.native.errors import validation
from local.bedrock.prompts import text_of
from local.bedrock.records import Document

_AUTO: Document = {"auto": {}}


def may_call(config: Document | None) -> bool:
    """Whether a `toolConfig`, whose shape has been checked, has tools. Raises ApiError: 501 for a forced choice."""
    if not config:
        return False
    if (config.get("toolChoice") or _AUTO) != _AUTO:
        raise not_imitated("toolConfig.toolChoice")
    if any("toolSpec" not in tool for tool in config["tools"]):
        raise not_imitated("toolConfig.tools")
    return True


def check_results(turns: list[Document], config: Document | None) -> None:
    """Raises ApiError (ValidationException) where calls and their results do not go together, turn by turn."""
    open_calls: list[str] = []
    for place, turn in enumerate(turns):
        called, answered = (_ids(turn, kind) for kind in ("toolUse", "toolResult"))
        if (called or answered) and not config:
            raise validation("The toolConfig field must be defined when using toolUse and toolResult content blocks.")
        where = f"messages.{place}.content"
        if missing := [name for name in open_calls if name not in answered]:
            raise validation(f"Expected toolResult blocks at {where} for the following Ids: {', '.join(missing)}")
        if len(answered) > len(open_calls):
            raise validation(
                f"The number of toolResult blocks at {where} exceeds the number of toolUse blocks of previous turn."
            )
        open_calls = called


def messages_of(turn: Document) -> Iterator[Document]:
    """A turn as chat messages: its results of tools, one each, then what it says and calls."""
    for block in turn["content"]:
        if result := block.get("toolResult"):
            parts = result.get("content") or []
            text = "".join(orjson.dumps(part["json"]).decode() if "json" in part else text_of([part]) for part in parts)
            yield {"role": "tool", "tool_call_id": result["toolUseId"], "content": text}
    text = text_of(turn["content"])
    calls = [_call(block["toolUse"]) for block in turn["content"] if block.get("toolUse")]
    if text or calls or not _ids(turn, "toolResult"):
        yield {"role": turn["role"], "content": text, **({"tool_calls": calls} if calls else {})}


def _call(made: Document) -> Document:
    function = {"name": made["name"], "arguments": orjson.dumps(made["input"]).decode()}
    return {"id": made["toolUseId"], "type": "function", "function": function}


def _ids(turn: Document, kind: str) -> list[str]:
    blocks: list[Any] = turn["content"]
    return [block[kind]["toolUseId"] for block in blocks if block.get(kind)]
