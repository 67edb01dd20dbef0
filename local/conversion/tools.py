"""Tools, calls and their results, of Converse, Anthropic, ShareGPT and OpenAI's older rows, in OpenAI's form.

What cannot be written so is refused by its name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from local.conversion.fault import ConversionError
from local.conversion.fields import is_blank, parsed
from local.conversion.notes import Notes
from tunedrop.dataset.show import shown

CALLS: Final = ("toolUse", "tool_use")
RESULTS: Final = ("toolResult", "tool_result")
CALL_ROLES: Final = ("function_call", "tool_call")
TOOLS: Final = ("tools", "functions", "toolConfig")
RESPONSES: Final = ("message", "reasoning", "function_call", "function_call_output")
"""Types of the items of OpenAI's Responses that can be turns."""
RESULT_ROLES: Final = ("observation", "function_response", "tool_response", "function")


def tools_of(others: Mapping[str, Any], notes: Notes) -> dict[str, Any]:
    """The row's fields with its tools as OpenAI's `tools`. Raises ConversionError where one has no name."""
    made = dict(others)
    config = parsed(made.pop("toolConfig", None))
    found = parsed(made.pop("tools", None)) or parsed(made.pop("functions", None))
    if isinstance(config, Mapping):
        found = found or config.get("tools")
        if config.get("toolChoice"):
            notes.left_out["`toolChoice` of `toolConfig`"] += 1
    elif not is_blank(config):
        raise ConversionError(f"expected `toolConfig`, an object, got {shown(config)}")
    if is_blank(found):
        return made
    if not isinstance(found, list):
        raise ConversionError(f"expected `tools`, an array, got {shown(found)}")
    tools = [_tool(tool, f"tools[{place}]") for place, tool in enumerate(found) if not _is_cache_mark(tool)]
    return {**made, "tools": tools}


def call_of(part: Mapping[str, Any], path: str) -> dict[str, Any]:
    """A block of tool use as one of OpenAI's `tool_calls`."""
    block = part.get("toolUse", part)
    if not isinstance(block, Mapping) or not isinstance(block.get("name"), str):
        raise ConversionError(f"{path}: expected a call with a name, got {shown(part)}")
    name = block.get("toolUseId", block.get("id"))
    return _call(name if isinstance(name, str) else block["name"], block["name"], block.get("input", {}))


def result_of(part: Mapping[str, Any], path: str) -> dict[str, Any]:
    """A block with a tool's result as a message of role tool."""
    block = part.get("toolResult", part)
    if not isinstance(block, Mapping):
        raise ConversionError(f"{path}: expected a tool's result, got {shown(part)}")
    said = block.get("content", "")
    texts = [said] if isinstance(said, str) else [_text_of_result(each, path) for each in said or []]
    of_call = block.get("toolUseId", block.get("tool_use_id"))
    return {"role": "tool", "tool_call_id": of_call if isinstance(of_call, str) else "", "content": "\n".join(texts)}


def call_turn(value: Any, path: str, number: int) -> dict[str, Any]:
    """ShareGPT's turn of calls, whose text is JSON, as an assistant's turn. `number` counts the turn."""
    read = parsed(value)
    calls = read if isinstance(read, list) else [read]
    if not calls or not all(isinstance(call, Mapping) and isinstance(call.get("name"), str) for call in calls):
        raise ConversionError(f"{path}: expected a call as JSON, with `name` and `arguments`, got {shown(value)}")
    made = [
        _call(f"call_{number}_{place}", call["name"], parsed(call.get("arguments", {})))
        for place, call in enumerate(calls)
    ]
    return {"role": "assistant", "tool_calls": made}


def result_turn(value: Any, path: str, before: list[dict[str, Any]]) -> dict[str, Any]:
    """ShareGPT's turn with a tool's result; it answers the first call of the turns `before` that has no result yet."""
    if not isinstance(value, str):
        value = json.dumps(value, ensure_ascii=False)
    waiting = _waiting(before)
    if not waiting:
        raise ConversionError(f"{path}: a tool's result without a call before it")
    return {"role": "tool", "tool_call_id": waiting[0], "content": value}


def response_item(item: Mapping[str, Any], path: str, before: list[dict[str, Any]]) -> dict[str, Any]:
    """A call of OpenAI's Responses, or its result, as a turn; a call joins the assistant's turn `before` it."""
    name_of_call = item.get("call_id", item.get("id"))
    name_of_call = name_of_call if isinstance(name_of_call, str) else ""
    if item.get("type") == "function_call_output":
        said = item.get("output", "")
        texts = [said] if isinstance(said, str) else [_text_of_result(each, path) for each in said or []]
        return {"role": "tool", "tool_call_id": name_of_call, "content": "\n".join(texts)}
    if not isinstance(item.get("name"), str):
        raise ConversionError(f"{path}: expected a call with a name, got {shown(item)}")
    call = _call(name_of_call or item["name"], item["name"], item.get("arguments", {}))
    if not before or before[-1]["role"] != "assistant":
        return {"role": "assistant", "tool_calls": [call]}
    last = before.pop()
    return {**last, "tool_calls": [*last.get("tool_calls", []), call]}


def with_whole_calls(item: dict[str, Any], before: list[dict[str, Any]]) -> dict[str, Any]:
    """The turn with its calls in OpenAI's form, each with an id, and a result with the id of the call that it answers.

    Turned are OpenAI's older `function_call`, LangChain's `args`, and calls whose arguments are no text or that have no
    id. What has no name stays as it is.
    """
    made = dict(item)
    older = made.get("function_call")
    if isinstance(older, Mapping) and is_blank(made.get("tool_calls")):
        del made["function_call"]
        made["tool_calls"] = [older]
    calls = made.get("tool_calls")
    if isinstance(calls, list):
        made["tool_calls"] = [_whole_call(call, f"call_{len(before)}_{place}") for place, call in enumerate(calls)]
    if made.get("role") == "tool":
        if isinstance(made.get("content"), Mapping):
            made["content"] = json.dumps(made["content"], ensure_ascii=False)
        if is_blank(made.get("tool_call_id")):
            made.update([("tool_call_id", call) for call in _waiting(before)[:1]])
    return made


def _whole_call(call: Any, name_of_call: str) -> Any:
    function = call.get("function", call) if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        return call
    given = call.get("id")
    arguments = function.get("args", function.get("arguments", {}))
    return _call(given if isinstance(given, str) and given else name_of_call, function["name"], arguments)


def _waiting(before: list[dict[str, Any]]) -> list[str]:
    """The ids of the calls that have no result yet."""
    answered = {turn.get("tool_call_id") for turn in before}
    calls = [
        call["id"]
        for turn in before
        for call in turn.get("tool_calls") or []
        if isinstance(call, dict) and "id" in call
    ]
    return [call for call in calls if call not in answered]


def _call(name_of_call: str, name: str, arguments: Any) -> dict[str, Any]:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return {"id": name_of_call, "type": "function", "function": {"name": name, "arguments": text}}


def _text_of_result(part: Any, path: str) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, Mapping):
        if isinstance(part.get("text"), str):
            return str(part["text"])
        if "json" in part:
            return json.dumps(part["json"], ensure_ascii=False)
    named = part.get("type", next(iter(part), "nothing")) if isinstance(part, Mapping) else part
    raise ConversionError(f"{path}: a tool's result with {shown(named)}, but the service trains on text only")


def _tool(tool: Any, path: str) -> dict[str, Any]:
    if not isinstance(tool, Mapping):
        raise ConversionError(f"{path}: expected a tool, got {shown(tool)}")
    if isinstance(tool.get("function"), Mapping):
        return dict(tool)
    about = tool.get("toolSpec", tool)
    if not isinstance(about, Mapping) or not isinstance(about.get("name"), str):
        raise ConversionError(f"{path}: expected a function with a name, got {shown(tool)}")
    schema = about.get("inputSchema", about.get("input_schema", about.get("parameters")))
    if isinstance(schema, Mapping) and "json" in schema:
        schema = schema["json"]
    function = {"name": about["name"]}
    if about.get("description"):
        function["description"] = about["description"]
    function["parameters"] = schema if isinstance(schema, Mapping) else {"type": "object", "properties": {}}
    return {"type": "function", "function": function}


def _is_cache_mark(tool: Any) -> bool:
    return isinstance(tool, Mapping) and set(tool) == {"cachePoint"}
