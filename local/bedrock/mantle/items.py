"""The items of a conversation by the Responses API: what a client sends, and the messages that the model gets."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from typing import Any

from local.bedrock.errors import invalid, not_imitated
from local.bedrock.mantle.asking import part_text
from local.bedrock.prompts import text_of
from local.bedrock.records import Document

_ROLES = ("system", "developer", "user", "assistant")
_TEXTS = ("input_text", "output_text", "text", "refusal")
_PREFIXES = {"message": "msg", "reasoning": "rs", "function_call": "fc", "function_call_output": "fco"}
# Of a call: what each kind must have.
_CALL_FIELDS = {"function_call": ("call_id", "name", "arguments"), "function_call_output": ("call_id",)}


def read_items(given: Any, stored: Callable[[str], Document | None]) -> list[Document]:
    """The items of a request's `input`, each with an id and a type; `stored` finds one that is named by its id.

    Raises ApiError: 400 that names the first item that is none, 501 for kinds that are not imitated.
    """
    if isinstance(given, str):
        given = [{"role": "user", "content": [{"type": "input_text", "text": given}]}]
    if not isinstance(given, list) or not given:
        raise invalid("Invalid 'input': expected a text or a list with at least one item.", param="input")
    return [_read_item(item, f"input[{place}]", stored) for place, item in enumerate(given)]


def messages_of(items: Iterable[Document]) -> list[Document]:
    """The conversation as chat messages: reasoning is left out, calls and their outputs as OpenAI's chat has them."""
    messages: list[Document] = []
    for item in items:
        if item["type"] == "message":
            messages.append({"role": item["role"], "content": text_of(item["content"])})
        elif item["type"] == "function_call":
            function = {"name": item["name"], "arguments": item["arguments"]}
            call = {"id": item["call_id"], "type": "function", "function": function}
            messages.append({"role": "assistant", "content": "", "tool_calls": [call]})
        elif item["type"] == "function_call_output":
            messages.append({"role": "tool", "tool_call_id": item["call_id"], "content": text_of(item["output"])})
    return messages


def check_calls(items: Iterable[Document]) -> None:
    """Raises ApiError (400) for the output of a call that the conversation before it does not have."""
    called = set()
    for item in items:
        if item["type"] == "function_call":
            called.add(item["call_id"])
        elif item["type"] == "function_call_output" and item["call_id"] not in called:
            raise invalid(f"No tool call found for function call output with call_id {item['call_id']}.", param="input")


def _read_item(item: Any, where: str, stored: Callable[[str], Document | None]) -> Document:
    if not isinstance(item, dict):
        raise invalid(f"Invalid '{where}': expected an object.", param=where)
    kind = item.get("type") or ("message" if "role" in item else "item_reference")
    if kind == "item_reference":
        found = stored(str(item.get("id")))
        if found is None:
            raise invalid(f"Item with id '{str(item.get('id'))[:100]}' not found.", param=where)
        return found
    if not isinstance(kind, str) or kind not in _PREFIXES:
        raise not_imitated(f"{where}.type '{str(kind)[:100]}'", param=where)
    if kind == "message":
        if item.get("role") not in _ROLES:
            raise invalid(f"Invalid '{where}.role': expected one of {', '.join(_ROLES)}.", param=where)
        _check_content(item.get("content"), f"{where}.content")
    for name in _CALL_FIELDS.get(kind, ()):
        if not isinstance(item.get(name), str):
            raise invalid(f"Invalid '{where}.{name}': expected a text.", param=f"{where}.{name}")
    if kind == "function_call_output":
        _check_content(item.get("output"), f"{where}.output")
    return {**item, "type": kind, "id": item.get("id") or f"{_PREFIXES[kind]}_{uuid.uuid4().hex}"}


def _check_content(content: Any, where: str) -> None:
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        raise invalid(f"Invalid '{where}': expected a text or a list of parts.", param=where)
    for place, part in enumerate(content):
        part_text(part, f"{where}[{place}]", _TEXTS)
