"""The calls of tools that a model's answer makes, in whichever shape: each becomes `{"name": …, "arguments": {…}}`.

A host may give them beside the text (`tool_calls`, `function_call`, parts of type `tool_use` or `function_call`,
Converse's `toolUse`), or leave them in it as the model's template writes them. Nothing is evaluated.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from tunedrop.graders.json_answer import LONGEST_ANSWER, NotOneDocument, parse
from tunedrop.graders.sample import JSON

Call: TypeAlias = Mapping[str, JSON]

MOST_CALLS = 64
"""Calls of one answer; an answer with more has none that count."""
LONGEST_PYTHON = 20_000
"""Characters of an answer that is read as Python's calls."""

_ARGUMENTS = ("arguments", "parameters", "input", "args")
_BESIDE = ("type", "id", "call_id", "index", "status")
_BLOCKS = re.compile(
    r"<tool_call>(?P<hermes>.*?)(?:</tool_call>|\Z)"  # Hermes, Qwen, GLM
    r"|<\|tool_call\|>(?P<granite>.*?)(?:<\|/tool_call\|>|\Z)"  # Granite, Phi
    r"|<tool_calls>(?P<list>.*?)(?:</tool_calls>|\Z)"
    r"|<\|START_ACTION\|>(?P<command>.*?)(?:<\|END_ACTION\|>|\Z)"  # Command A
    r"|<\|python_tag\|>(?P<llama>.*?)(?:<\||\Z)"  # Llama 3
    r"|\[TOOL_CALLS\](?P<mistral>.*?)(?=\[TOOL_CALLS\]|\Z)"
    r"|<function=(?P<named>[\w.-]{1,128})>(?P<body>.*?)(?:</function>|\Z)"
    r"|<\|tool_call_begin\|>(?P<kimi>.*?)(?:<\|tool_call_end\|>|\Z)",
    re.DOTALL,
)
_MISTRAL = re.compile(r"\s*([\w.-]{1,128})(?:\[CALL_ID\]\w{0,40})?(?:\[ARGS\])?\s*(\{.*)", re.DOTALL)
_KIMI = re.compile(r"\s*(?:functions\.)?([\w.-]{1,128}?)(?::\d{1,4})?<\|tool_call_argument_begin\|>(.*)", re.DOTALL)
_XML_FUNCTION = re.compile(r"\s*<function=([\w.-]{1,128})>(.*)", re.DOTALL)
_GLM = re.compile(r"\s*([\w.-]{1,128})\s*(?=<arg_key>|\Z)")
_NAME = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*", re.ASCII)
_PYTHON = re.compile(r"\[?\s*[A-Za-z_][\w.]{0,128}\(")


def calls_beside(turn: Mapping[str, JSON]) -> tuple[Call, ...]:
    """The calls that a turn makes beside its text, in order."""
    content = turn.get("content")
    parts = content if isinstance(content, list) else []
    found = turn.get("tool_calls") or turn.get("function_call")
    return tuple(_calls([*(found if isinstance(found, list) else [found]), *parts]))


def calls_in(text: str) -> tuple[Call, ...]:
    """The calls that a text makes: between a template's marks, or as nothing but Python's `[area(base=10)]`."""
    if len(text) > LONGEST_ANSWER:
        return ()
    blocks = list(_BLOCKS.finditer(text))
    if blocks:
        return tuple(call for block in blocks for call in _calls_of_block(block))[:MOST_CALLS]
    return tuple(_python_calls(text.strip())) if _PYTHON.match(text.strip()) else ()


def as_calls(document: JSON, *, written: bool = False) -> tuple[Call, ...] | None:
    """The calls that a document is: one, or an array of them; None where it is anything else.

    `written` says that a model wrote it, which may call the arguments `parameters` or `input`.
    """
    if isinstance(document, Mapping) and set(document) <= {"tool_calls", "role", "content"}:
        document = document.get("tool_calls")
    items = document if isinstance(document, Sequence) and not isinstance(document, str) else [document]
    calls = [_call(item) if _is_call(item, _ARGUMENTS if written else _ARGUMENTS[:1]) else None for item in items]
    if not calls or len(calls) > MOST_CALLS or any(call is None for call in calls):
        return None
    return tuple(call for call in calls if call is not None)


def _is_call(item: JSON, fields: Sequence[str]) -> bool:
    """Whether a document is a call and nothing else: an extraction may have a field `name`, too."""
    if not isinstance(item, Mapping):
        return False
    if set(item) <= {"function", *_BESIDE}:
        return _is_call(item.get("function"), fields)
    return any(
        set(item) <= {"name", field, *_BESIDE} and isinstance(item.get(field), (Mapping, str)) for field in fields
    )


def text_of_calls(calls: Sequence[Call]) -> str:
    """What the calls are as an answer's text: the JSON of the only one, or of an array of them; "" for none."""
    return json.dumps(calls[0] if len(calls) == 1 else list(calls), ensure_ascii=False) if calls else ""


def _calls(items: Sequence[JSON]) -> Iterator[Call]:
    for item in items[:MOST_CALLS]:
        if (call := _call(item)) is not None:
            yield call


def _call(item: JSON) -> Call | None:
    """A call in any of the shapes of the hosts' interfaces."""
    if not isinstance(item, Mapping):
        return None
    inner = next((item[key] for key in ("function", "toolUse", "function_call") if key in item), item)
    if not isinstance(inner, Mapping):
        return None
    name = inner.get("name", inner.get("tool_name"))
    field = next((field for field in _ARGUMENTS if field in inner), None)
    if not isinstance(name, str) or field is None:
        return None
    return _made(name, inner[field])


def _made(name: str, arguments: JSON) -> Call:
    """A call whose arguments are an object; a text that is none stays a text, which equals no object."""
    if isinstance(arguments, str):
        text = arguments.strip()
        try:
            arguments = parse(text) if text else {}
        except NotOneDocument:
            arguments = text
    return {"name": name.removeprefix("functions."), "arguments": {} if arguments is None else arguments}


def _calls_of_block(block: re.Match[str]) -> Iterator[Call]:
    if block["named"]:
        yield _made(block["named"], _arguments_of(block["body"]))
        return
    body = str(block[str(block.lastgroup)])
    if block.lastgroup == "kimi":
        if kimi := _KIMI.match(body):
            yield _made(kimi[1], kimi[2])
        return
    try:
        yield from _calls(document if isinstance(document := parse(body.strip()), list) else [document])
    except NotOneDocument:
        yield from _written_out(body)


def _written_out(body: str) -> Iterator[Call]:
    """Calls that are no JSON as a whole: Mistral's `name[ARGS]{…}`, Qwen's XML, GLM's pairs, Python."""
    if mistral := _MISTRAL.fullmatch(body):
        yield _made(mistral[1], mistral[2])
    elif function := _XML_FUNCTION.match(body):
        yield _made(function[1], _arguments_of(function[2]))
    elif "<arg_key>" in body and (named := _GLM.match(body)):
        pairs = (piece.partition("</arg_key>") for piece in body.split("<arg_key>")[1:])
        yield _made(
            named[1], {key.strip(): _value(_between(rest, "<arg_value>", "</arg_value>")) for key, _, rest in pairs}
        )
    else:
        yield from _python_calls(body.strip())


def _arguments_of(body: str) -> JSON:
    """Of `<parameter=base>10</parameter>` one after the other, or of a JSON text."""
    parameters = (piece.partition(">") for piece in body.split("<parameter=")[1:])
    found = {name.strip(): _value(_between(rest, "", "</parameter>")) for name, _, rest in parameters}
    return found or _between(body, "", "</function>")


def _between(text: str, begin: str, end: str) -> str:
    """What stands between the first two marks, without splitting by a regular expression: it stays linear."""
    rest = text.partition(begin)[2] if begin else text
    return rest.partition(end)[0]


def _value(text: str) -> JSON:
    """A value that a template writes without quotation marks: JSON where it is, else text."""
    try:
        return parse(text.strip())
    except NotOneDocument:
        return text.strip()


def _python_calls(text: str) -> Iterator[Call]:
    """Calls as Python writes them, with named arguments that are literals. The text is parsed, never run."""
    if len(text) > LONGEST_PYTHON:
        return
    try:
        tree = ast.parse(text, mode="eval").body
        nodes = tree.elts if isinstance(tree, (ast.List, ast.Tuple)) else [tree]
        calls = [_python_call(node) for node in nodes[:MOST_CALLS]]
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return
    yield from calls


def _python_call(node: ast.expr) -> Call:
    if not isinstance(node, ast.Call) or node.args or any(keyword.arg is None for keyword in node.keywords):
        raise ValueError("no call with named arguments only")
    name = ast.unparse(node.func) if isinstance(node.func, (ast.Name, ast.Attribute)) else ""
    if _NAME.fullmatch(name) is None:
        raise ValueError("no name")
    arguments: dict[str, Any] = {str(each.arg): ast.literal_eval(each.value) for each in node.keywords}
    json.dumps(arguments, allow_nan=False)  # raises where a literal is no JSON
    return {"name": name, "arguments": json.loads(json.dumps(arguments))}
