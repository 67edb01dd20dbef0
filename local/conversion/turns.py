"""Conversations of every format as turns of `role` and `content`, and the answer that a last turn is.

What is no text (images, documents) is refused by its name; calls of tools become OpenAI's (`tools`). The assistant's
thoughts, weights for a loss and marks for a cache are left out and counted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from local.conversion import tools
from local.conversion.fault import ConversionError
from local.conversion.fields import is_blank
from local.conversion.notes import Notes
from tunedrop.dataset.prompts import content_text
from tunedrop.dataset.show import shown

ROLES: Final = {
    **dict.fromkeys(("user", "human", "prompter"), "user"),
    **dict.fromkeys(
        ("assistant", "gpt", "chatgpt", "chatbot", "model", "ai", "bot", "bing", "bard", "claude"), "assistant"
    ),
    **dict.fromkeys(("system", "developer"), "system"),
    "tool": "tool",
}
_SPEAKERS: Final = ("role", "from", "author", "sender", "speaker", "type")
_CONTENTS: Final = ("content", "value", "parts", "text", "message")
_OF_A_CLASS: Final = re.compile(r"Message(?:Chunk)?$")
_ABOUT_MESSAGES: Final = ("id", "example", "additional_kwargs", "response_metadata", "usage_metadata")
"""What LangChain keeps beside a message's text and calls."""
_ABOUT_ITEMS: Final = ("id", "status", "type", "phase")
"""What OpenAI's Responses keep beside a message's text."""
_TEXT_TYPES: Final = ("text", "input_text", "output_text")
_THOUGHTS: Final = ("thinking", "redacted_thinking", "reasoning", "reasoningContent", "thought")
_TOOLS_OF_GEMINI: Final = ("functionCall", "functionResponse")
_THOUGHT_KEYS: Final = ("reasoning_content", "reasoning", "thinking", "thinking_blocks")
_KEPT: Final = ("name", "tool_calls", "tool_call_id", "function_call")
"""Fields of a turn that the service knows, beside role and content; and calls that are no calls, which are refused."""
_WEIGHT_KEYS: Final = ("weight", "loss", "loss_weight", "train")


def turns_of(items: Any, name: str, notes: Notes) -> list[dict[str, Any]]:
    """The turns of a conversation. Raises ConversionError where it is none, or where a turn is not text."""
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
        printed = isinstance(items, str) and items.lstrip().startswith(("[{'", "[ {'"))
        way = "; this is a printed Python list: write the column with json.dumps, or the rows as JSON Lines or Parquet"
        raise ConversionError(f"expected `{name}`, an array of objects, got {shown(items)}{way if printed else ''}")
    made: list[dict[str, Any]] = []
    for place, item in enumerate(items):
        made += _turns(_unwrapped(item), f"{name}[{place}]", notes, made)
    if not made:
        raise ConversionError(f"`{name}` has no turn with a text; leave such rows out")
    return made


def is_conversation(value: Any) -> bool:
    """Whether a value is an array of turns that say whose they are."""
    return isinstance(value, list) and bool(value) and all(isinstance(turn, dict) and _is_told(turn) for turn in value)


def _is_told(turn: Mapping[str, Any]) -> bool:
    """Whether a turn says whose it is; `from` and `sender` are columns of mails, too."""
    said = _speaker(turn)
    known = (*ROLES, *tools.CALL_ROLES, *tools.RESULT_ROLES)
    return "role" in turn or (isinstance(said, str) and "type" not in turn and said.lower() in known)


def _unwrapped(item: dict[str, Any]) -> dict[str, Any]:
    """LangChain's message within its `data` or `kwargs`, with its type; any other turn as it is."""
    inner = item.get("data") if item.keys() == {"type", "data"} else item.get("kwargs") if "lc" in item else None
    if not isinstance(inner, dict):
        return item
    named = item.get("id") if "lc" in item else None
    kind = named[-1] if isinstance(named, list) and named else item.get("type")
    said = _OF_A_CLASS.sub("", kind).lower() if isinstance(kind, str) else kind
    return {**{key: value for key, value in inner.items() if key not in _ABOUT_MESSAGES}, "type": said}


def text_of_content(content: Any, path: str, notes: Notes) -> str:
    """Content (a text, parts, or an object with parts) as one text."""
    if isinstance(content, Mapping):
        content = content.get("parts", [content])
    return content_text(_content(content, path, notes))


def answer_of(turn: Mapping[str, Any], notes: Notes) -> str | dict[str, Any]:
    """What the assistant's turn answers: its text, or its calls of tools as `{"name": …, "arguments": {…}}`."""
    text = text_of_content(turn.get("content"), "the last message", notes) if turn.get("content") is not None else ""
    made = turn.get("tool_calls")
    calls = made if isinstance(made, list) else []
    if isinstance(turn.get("function_call"), dict):
        calls = [*calls, turn["function_call"]]
    if not calls:
        if not text.strip():
            raise ConversionError("the assistant's last message is blank; name the answer's field by --answer")
        return text
    read = [_call(call) for call in calls]
    if len(read) == 1 and not text.strip():
        return read[0]
    return {"tool_calls": read, **({"content": text} if text.strip() else {})}


def with_system(turns: list[dict[str, Any]], text: str, whose: str) -> list[dict[str, Any]]:
    """The turns with a system message first. Raises ConversionError where they have one that says something else."""
    own = [turn for turn in turns if turn["role"] == "system"]
    if not own:
        return [{"role": "system", "content": text}, *turns]
    if all(content_text(turn.get("content")) == text for turn in own):
        return turns
    raise ConversionError(f"{whose} would be a second system message; the conversation has one of its own")


def _turns(  # noqa: PLR0911 - a kind of item each
    item: dict[str, Any], path: str, notes: Notes, before: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The turns that an item is: one, or several where it has blocks with results of tools."""
    said = _speaker(item)
    word = said.lower() if isinstance(said, str) else ""
    if said == "reasoning":
        notes.left_out["thoughts of the assistant"] += 1
        return []
    if said in ("function_call", "function_call_output") and "type" in item:
        return [tools.response_item(item, path, before)]
    if said is None and item and all(key.lower() in ROLES and isinstance(text, str) for key, text in item.items()):
        return [{"role": ROLES[key.lower()], "content": text} for key, text in item.items()]  # a turn of each
    if item.get("type") == "message" and "role" in item:
        item = {key: value for key, value in item.items() if key not in _ABOUT_ITEMS}
    if ROLES.get(word) == "system" and is_blank(next((item[key] for key in _CONTENTS if key in item), None)):
        notes.left_out["blank system message"] += 1
        return []
    item = tools.with_whole_calls(item, before)
    value = next((item[key] for key in _CONTENTS if key in item), None)
    if word in tools.CALL_ROLES:
        return [tools.call_turn(value, path, len(before))]
    if word in tools.RESULT_ROLES:
        return [tools.result_turn(value, path, before)]
    blocks = value if isinstance(value, list) else []
    calls = [(place, part) for place, part in enumerate(blocks) if _kind(part) in tools.CALLS]
    results = [(place, part) for place, part in enumerate(blocks) if _kind(part) in tools.RESULTS]
    if not calls and not results:
        return [_turn(item, path, notes)]
    made = [tools.result_of(part, f"{path}.content[{place}]") for place, part in results]
    others = [part for part in blocks if _kind(part) not in (*tools.CALLS, *tools.RESULTS)]
    if calls:
        made_calls = [tools.call_of(part, f"{path}.content[{place}]") for place, part in calls]
        return [*made, _turn({**item, "content": others or None, "tool_calls": made_calls}, path, notes)]
    return [*made, _turn({**item, "content": others}, path, notes)] if others else made


def _speaker(item: Mapping[str, Any]) -> Any:
    """Whose turn it is; Gemini's turn without a role is the user's, LangChain's has a type."""
    said = next((item[key] for key in _SPEAKERS if key in item), None)
    return "user" if said is None and "parts" in item else said


def _kind(part: Any) -> str:
    """What a part is, by its type or its one key."""
    if not isinstance(part, Mapping):
        return ""
    kind = part.get("type")
    return kind if isinstance(kind, str) else str(next(iter(part), ""))


def _turn(item: dict[str, Any], path: str, notes: Notes) -> dict[str, Any]:
    said = _speaker(item)
    role = ROLES.get(said.lower()) if isinstance(said, str) else None
    if role is None:
        raise ConversionError(f"{path}: expected a role such as 'user' or 'assistant', got {shown(said)}")
    named = next((key for key in _CONTENTS if key in item), None)
    content = item[named] if named is not None else None
    turn: dict[str, Any] = {"role": role}
    if content is not None:
        turn["content"] = _content(content, f"{path}.{named}", notes)
    elif not item.get("tool_calls") and not item.get("function_call"):
        other = next((key for key in ("refusal", "audio") if not is_blank(item.get(key))), None)
        raise ConversionError(f"{path} has {f'a field {other!r} but ' if other else ''}no content; leave such rows out")
    of_the_speaker = ("role", "from", "author", next(key for key in _SPEAKERS if key in item or key == "type"))
    kept = {key: value for key, value in item.items() if key not in (*of_the_speaker, named) and not is_blank(value)}
    for keys, what in ((_THOUGHT_KEYS, "thoughts of the assistant"), (_WEIGHT_KEYS, "a turn's weight for the loss")):
        for key in kept.keys() & keys:
            del kept[key]
            notes.left_out[what] += 1
    for key in [key for key in kept if key not in _KEPT]:
        del kept[key]
        notes.left_out[f"{shown(key)} of a turn"] += 1
    return {**turn, **kept}


def _content(content: Any, path: str, notes: Notes) -> str | list[dict[str, str]]:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise ConversionError(f"{path}: expected text or parts, got {shown(content)}")
    parts = [_part(part, f"{path}[{place}]", notes) for place, part in enumerate(content)]
    texts = [{"type": "text", "text": part} for part in parts if part is not None]
    typed = all(isinstance(part, dict) and part.get("type") == "text" for part in content)
    return texts[0]["text"] if len(texts) == 1 and not typed else texts


def _part(part: Any, path: str, notes: Notes) -> str | None:
    """A part's text; None where it is left out."""
    if isinstance(part, str):
        return part
    if not isinstance(part, dict):
        raise ConversionError(f"{path}: expected a part, got {shown(part)}")
    kind = part.get("type")
    if kind in _THOUGHTS or any(key in part for key in _THOUGHTS):
        notes.left_out["thoughts of the assistant"] += 1
        return None
    if set(part) == {"cachePoint"}:
        notes.left_out["cachePoint"] += 1
        return None
    if set(part) == {"guardContent"} and isinstance(part["guardContent"], dict) and "text" in part["guardContent"]:
        notes.left_out["guardContent around a text"] += 1
        part = part["guardContent"]["text"]
        if not isinstance(part, dict):
            raise ConversionError(f"{path}: expected a text, got {shown(part)}")
        part = {"text": part.get("text")}
    text = part.get("text")
    if isinstance(text, str) and (kind in _TEXT_TYPES or set(part) == {"text"}):
        for key in part.keys() - {"type", "text"}:
            if not is_blank(part[key]):
                notes.left_out[f"{shown(key)} of a text part"] += 1
        return text
    named = kind if isinstance(kind, str) else next(iter(part), "nothing")
    if named in _TOOLS_OF_GEMINI:
        raise ConversionError(
            f"{path} is {shown(named)}; write calls as OpenAI's `tool_calls` and their results as messages of role tool"
        )
    raise ConversionError(f"{path} is {shown(named)}, but the service trains on text only; leave such rows out")


def _call(call: Any) -> dict[str, Any]:
    function = call.get("function", call) if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise ConversionError(f"expected a call with a function's name, got {shown(call)}")
    arguments = function.get("arguments", {})
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments or "{}")
        except (ValueError, RecursionError):
            raise ConversionError(
                f"the arguments of the call of {shown(function['name'])} are not JSON: {shown(arguments)}"
            ) from None
    return {"name": function["name"], "arguments": arguments}
