"""Answers that call tools: what the model writes as JSON, a host shows beside the text, as `tool_calls`."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import orjson

from local.bedrock.errors import invalid, not_imitated
from local.bedrock.records import Document

_MOST_TOOLS = 128  # OpenAI's limit


def check_tools(body: Document, *, flat: bool = False) -> bool:
    """Whether the answer may call tools: the request has some, and does not forbid them.

    `flat`: as the Responses API has them, without an object `function`. Raises ApiError: 400; 501 for tools of the
    service's own.
    """
    tools = body.get("tools")
    if tools is None:
        return False
    if not isinstance(tools, list) or len(tools) > _MOST_TOOLS:
        raise invalid(f"Invalid 'tools': expected a list of at most {_MOST_TOOLS}.", param="tools")
    for place, tool in enumerate(tools):
        kind = tool.get("type") if isinstance(tool, dict) else None
        if flat and isinstance(kind, str) and kind != "function":
            raise not_imitated(f"tools[{place}].type '{kind[:100]}'", param="tools")
        function = (tool if flat else tool.get("function")) if kind == "function" else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str) or not function["name"]:
            shape = "with a name" if flat else "with a function that has a name"
            message = f"Invalid 'tools[{place}]': expected an object of type function, {shape}."
            raise invalid(message, param="tools")
    return bool(tools) and body.get("tool_choice") != "none"


def calls_of(text: str, *, parallel: bool = True) -> list[Document]:
    """The calls that a text is, as chat completions show them; none where it is, or holds, anything else.

    Without `parallel` it is the first one at most.
    """
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
        for place, call in enumerate(made if parallel else made[:1])
    ]


def _is_call(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == {"name", "arguments"}
        and isinstance(value["name"], str)
        and isinstance(value["arguments"], dict)
    )
