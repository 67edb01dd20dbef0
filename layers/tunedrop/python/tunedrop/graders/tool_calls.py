"""The calls of tools that a model's answer makes, in whichever shape: each becomes `{"name": …, "arguments": {…}}`.

A host may give them beside the text (`tool_calls`, `function_call`, parts of type `tool_use` or `function_call`,
Converse's `toolUse`), or leave them in it as the model's template writes them. Nothing is evaluated.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from tunedrop.graders.json_answer import NotOneDocument, parse
from tunedrop.graders.sample import JSON

Call: TypeAlias = Mapping[str, JSON]

MOST_CALLS = 64
"""Calls of one answer; an answer with more has none that count."""

_ARGUMENTS = ("arguments", "parameters", "input", "args", "action_input", "tool_input", "tool_args", "function_args")
_NAMES = ("name", "tool_name", "function_name", "tool", "function", "action", "recipient_name", "api_name", "api")
_NAMESPACES = ("functions.", "default_api.")
_BESIDE = ("type", "id", "call_id", "index", "status", "toolUseId", "tool_call_id", "thoughtSignature")
_LISTS = ("tool_calls", "tool_uses", "function_calls", "functions", "calls", "tools")
"""What holds the calls of an answer; the first one also those of a reference."""
_THOUGHTS = frozenset({"thought", "thoughts", "reasoning", "explanation", "rationale", "thinking"})
"""What a model may say beside its calls."""
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
    if written:
        document = _without_thoughts(document)
    lists = _LISTS if written else _LISTS[:2]
    if isinstance(document, Mapping) and set(document) <= {*lists, "role", "content"}:
        document = next((document[name] for name in lists if name in document), None)
    items = document if isinstance(document, Sequence) and not isinstance(document, str) else [document]
    if written:
        items = [_without_thoughts(item) for item in items[: MOST_CALLS + 1]]
    calls = [_call(item) if _is_call(item, _ARGUMENTS if written else _ARGUMENTS[:1]) else None for item in items]
    if not calls or len(calls) > MOST_CALLS or any(call is None for call in calls):
        return None
    return tuple(call for call in calls if call is not None)


def calls_by_name(document: JSON, names: Collection[str]) -> tuple[Call, ...] | None:
    """The calls of `{"area": {"base": 10}}` or an array of such, if one of their names is among `names`; else None."""
    items = document if isinstance(document, list) else [document]
    if not items or len(items) > MOST_CALLS:
        return None
    pairs = [next(iter(item.items())) for item in items if isinstance(item, Mapping) and len(item) == 1]
    if len(pairs) < len(items) or not all(isinstance(arguments, Mapping) for _, arguments in pairs):
        return None
    return tuple(made(*pair) for pair in pairs) if any(name in names for name, _ in pairs) else None


def with_known_name(call: Call, names: Iterable[str]) -> Call:
    """The call by its known name: an interface that takes no points in names has `math_sqrt` for `math.sqrt`."""
    name = str(call["name"])
    alike = [known for known in names if known.replace(".", "_") == name.replace(".", "_")]
    return {**call, "name": alike[0]} if len(alike) == 1 else call


def _without_thoughts(document: JSON) -> JSON:
    if not isinstance(document, Mapping) or not (_THOUGHTS & document.keys()):
        return document
    return {key: value for key, value in document.items() if key not in _THOUGHTS}


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
