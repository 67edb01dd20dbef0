"""Answers that call tools: what the model writes as JSON, a host shows beside the text, as `tool_calls`."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import orjson

from local.bedrock.errors import invalid
from local.bedrock.records import Document

_MOST_TOOLS = 128  # OpenAI's limit


def check_tools(body: Document) -> bool:
    """Whether the answer may call tools: the request has some, and does not forbid them. Raises ApiError: 400."""
    tools = body.get("tools")
    if tools is None:
        return False
    if not isinstance(tools, list) or len(tools) > _MOST_TOOLS:
        raise invalid(f"Invalid 'tools': expected a list of at most {_MOST_TOOLS}.", param="tools")
    for place, tool in enumerate(tools):
        function = tool.get("function") if isinstance(tool, dict) and tool.get("type") == "function" else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str) or not function["name"]:
            message = f"Invalid 'tools[{place}]': expected an object of type function, with a function that has a name."
            raise invalid(message, param="tools")
    return bool(tools) and body.get("tool_choice") != "none"


def calls_of(text: str) -> list[Document]:
    """The calls that a text is, as chat completions show them; none where it is, or holds, anything else."""
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        return []
    made = document if isinstance(document, list) else [document]
    if not made or not all(map(_is_call, made)):
        return []
    digest = sha256(text.encode()).hexdigest()[:20]
    return [
        {
            "id": f"call_{digest}{place:04}",
            "type": "function",
            "function": {"name": call["name"], "arguments": orjson.dumps(call["arguments"]).decode()},
        }
        for place, call in enumerate(made)
    ]


def _is_call(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == {"name", "arguments"}
        and isinstance(value["name"], str)
        and isinstance(value["arguments"], dict)
    )
