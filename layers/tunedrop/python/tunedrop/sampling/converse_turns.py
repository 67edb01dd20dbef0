"""A row's messages, in the shape of chat completions, as Converse takes them.

Converse's turns alternate between user and assistant; the results of tools are blocks of the user's turn. A block of
text must not be blank, and the id of a call has letters, digits, `_` and `-`, at most 64 (API reference of Bedrock's
runtime: `ToolUseBlock.toolUseId`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

_ROLES = {"assistant": "assistant", "bot": "assistant"}
_NO_ID = re.compile(r"[^A-Za-z0-9_-]")
_LONGEST_ID = 64


def turns_of(messages: Sequence[Mapping[str, Any]]) -> tuple[list[Any], list[Any]]:
    """What the system says, as blocks, and the turns; calls of tools and their results are blocks of the turns."""
    system: list[Any] = []
    turns: list[Any] = []
    for message in messages:
        texts = [{"text": text} for text in _texts(message.get("content")) if text.strip()]
        if message["role"] in ("system", "developer"):
            system += texts
            continue
        role = _ROLES.get(message["role"], "user")
        blocks = [_result(message, texts)] if message["role"] == "tool" else [*texts, *_uses(message)]
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        else:
            turns.append({"role": role, "content": blocks})
    return system, turns


def tools_of(tools: Sequence[Mapping[str, Any]], turns: Sequence[Mapping[str, Any]]) -> list[Any]:
    """The tools as Converse takes them. It wants them wherever a turn holds a call: where there are none, those that
    were called stand for them, without parameters."""
    if tools:
        return [{"toolSpec": _spec(each)} for each in tools]
    called = (block["toolUse"]["name"] for turn in turns for block in turn["content"] if "toolUse" in block)
    return [{"toolSpec": _spec({"function": {"name": name}})} for name in dict.fromkeys(called)]


def _spec(tool: Mapping[str, Any]) -> dict[str, Any]:
    function = tool.get("function")
    given = function if isinstance(function, Mapping) else {}
    spec = {name: given[name] for name in ("name", "description") if name in given}
    return {**spec, "inputSchema": {"json": given.get("parameters") or {"type": "object", "properties": {}}}}


def _uses(message: Mapping[str, Any]) -> list[Any]:
    calls = message.get("tool_calls")
    uses = []
    for call in calls if isinstance(calls, list) else []:
        function = call.get("function") if isinstance(call, Mapping) else None
        if isinstance(function, Mapping):
            use = {"toolUseId": _id(call.get("id")), "name": function.get("name"), "input": _arguments(function)}
            uses.append({"toolUse": use})
    return uses


def _result(message: Mapping[str, Any], texts: list[Any]) -> dict[str, Any]:
    return {"toolResult": {"toolUseId": _id(message.get("tool_call_id")), "content": texts}}


def _arguments(function: Mapping[str, Any]) -> Any:
    """The arguments as an object, which chat completions have as a JSON text; empty where they are none."""
    arguments = function.get("arguments")
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments or "{}")
        except (ValueError, RecursionError):
            arguments = None
    return arguments if isinstance(arguments, dict) else {}


def _id(given: object) -> str:
    return _NO_ID.sub("_", str(given))[:_LONGEST_ID]


def _texts(content: object) -> list[str]:
    if isinstance(content, str):
        return [content]
    parts = content if isinstance(content, list) else []
    return [part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)]
