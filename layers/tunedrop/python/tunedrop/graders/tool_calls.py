"""The calls of tools that a model's answer makes, in whichever shape: each becomes `{"name": …, "arguments": {…}}`.

A host may give them beside the text (`tool_calls`, `function_call`, parts of type `tool_use` or `function_call`,
Converse's `toolUse`), or leave them in it as the model's template writes them. Nothing is evaluated.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from tunedrop.graders.json_answer import NotOneDocument, parse
from tunedrop.graders.sample import JSON

Call: TypeAlias = Mapping[str, JSON]

MOST_CALLS = 64
"""Calls of one answer; an answer with more has none that count."""

_ARGUMENTS = ("arguments", "parameters", "input", "args", "action_input", "tool_input", "tool_args")
_NAMES = ("name", "tool_name", "function_name", "tool", "function", "action", "recipient_name")
_NAMESPACES = ("functions.", "default_api.")
_BESIDE = ("type", "id", "call_id", "index", "status", "toolUseId", "tool_call_id", "thoughtSignature")
_WRAPPERS = ("function", "toolUse", "function_call", "functionCall", "tool_call", "tool_use")


def calls_beside(turn: Mapping[str, JSON]) -> tuple[Call, ...]:
    """The calls that a turn makes beside its text, in order."""
    content = turn.get("content")
    parts = content if isinstance(content, list) else []
    found = turn.get("tool_calls") or turn.get("function_call")
    return tuple(calls_of([*(found if isinstance(found, list) else [found]), *parts]))


def as_calls(document: JSON, *, written: bool = False) -> tuple[Call, ...] | None:
    """The calls that a document is: one, or an array of them; None where it is anything else.

    `written` says that a model wrote it, which may call the arguments `parameters` or `input`.
    """
    if isinstance(document, Mapping) and set(document) <= {"tool_calls", "tool_uses", "role", "content"}:
        document = document.get("tool_calls", document.get("tool_uses"))
    items = document if isinstance(document, Sequence) and not isinstance(document, str) else [document]
    calls = [_call(item) if _is_call(item, _ARGUMENTS if written else _ARGUMENTS[:1]) else None for item in items]
    if not calls or len(calls) > MOST_CALLS or any(call is None for call in calls):
        return None
    return tuple(call for call in calls if call is not None)


def _is_call(item: JSON, fields: Sequence[str]) -> bool:
    """Whether a document is a call and nothing else: an extraction may have a field `name`, too."""
    if not isinstance(item, Mapping):
        return False
    wrapper = next((key for key in _WRAPPERS if isinstance(item.get(key), Mapping)), None)
    if wrapper is not None and set(item) <= {wrapper, *_BESIDE}:
        return _is_call(item[wrapper], fields)
    names = _NAMES if len(fields) > 1 else _NAMES[:1]
    return any(
        set(item) <= {name, field, *_BESIDE} and isinstance(item.get(field), (Mapping, str))
        for field in fields
        for name in names
        if isinstance(item.get(name), str)
    )


def text_of_calls(calls: Sequence[Call]) -> str:
    """What the calls are as an answer's text: the JSON of the only one, or of an array of them; "" for none."""
    return json.dumps(calls[0] if len(calls) == 1 else list(calls), ensure_ascii=False) if calls else ""


def calls_of(items: Sequence[JSON]) -> Iterator[Call]:
    """Those of the items that are calls, in order."""
    for item in items[:MOST_CALLS]:
        if (call := _call(item)) is not None:
            yield call


def _call(item: JSON) -> Call | None:
    """A call in any of the shapes of the hosts' interfaces."""
    if not isinstance(item, Mapping):
        return None
    inner = next((item[key] for key in _WRAPPERS if isinstance(item.get(key), Mapping)), item)
    if not isinstance(inner, Mapping):
        return None
    name = next((inner[name] for name in _NAMES if isinstance(inner.get(name), str)), None)
    field = next((field for field in _ARGUMENTS if field in inner), None)
    if isinstance(name, str) and inner is not item and set(inner) == {"name"}:
        return made(name, {})
    if not isinstance(name, str) or field is None:
        return None
    return made(name, inner[field])


def made(name: str, arguments: JSON) -> Call:
    """A call whose arguments are an object; a text that is none stays a text, which equals no object."""
    if isinstance(arguments, str):
        text = arguments.strip()
        try:
            arguments = parse(text) if text else {}
        except NotOneDocument:
            arguments = text
    for namespace in _NAMESPACES:
        name = name.removeprefix(namespace)
    return {"name": name, "arguments": {} if arguments is None else arguments}
