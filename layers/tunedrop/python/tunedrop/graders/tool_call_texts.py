"""The calls of tools in a model's text, as the templates of the families of models write them.

Each becomes `{"name": …, "arguments": {…}}`. Nothing is evaluated: Python's calls are parsed.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias, TypeGuard

from tunedrop.graders.json_answer import LONGEST_ANSWER, NotOneDocument, documents_in, parse
from tunedrop.graders.late_pattern import late
from tunedrop.graders.sample import JSON
from tunedrop.graders.tool_calls import MOST_CALLS, Call, calls_of, made

Texts: TypeAlias = Collection[tuple[str, str]]
"""(name of a function, name of its argument) → the argument is a text, even if it looks like a number."""

LONGEST_PYTHON = 20_000
"""Characters of an answer that is read as Python's calls."""

_BLOCKS = late(
    r"<tool_call>(?P<hermes>.*?)(?:</tool_call>|\Z)"  # Hermes, Qwen, GLM
    r"|<\|tool_call\|>(?P<granite>.*?)(?:<\|/tool_call\|>|\Z)"  # Granite, Phi
    r"|<longcat_tool_call>(?P<longcat>.*?)(?:</longcat_tool_call>|\Z)"
    r"|<\|python_start\|>(?P<llama4>.*?)(?:<\|python_end\|>|\Z)"
    r"|<\|tools_prefix\|>(?P<apertus>.*?)(?:<\|tools_suffix\|>|\Z)"
    r"|<(?:tool_calls|TOOLCALL|tools)>(?!\s*<tool_call>)(?P<list>.*?)(?:</(?:tool_calls|TOOLCALL|tools)>|\Z)"
    r"|<function_?calls?>(?P<olmo>(?!\s*<).*?)(?:</function_?calls?>|\Z)"
    r"|(?:<start_function_call>|<\|tool_call>)call:(?P<gemma>.*?)(?:<end_function_call>|<tool_call\|>|\Z)"
    r"|\u273fFUNCTION\u273f:[ \t]{0,9}(?P<agent>[\w.-]{1,128})\s{0,9}\u273fARGS\u273f:(?P<args>.*?)(?=\u273f|\Z)"
    r"|<tool_use>\s{0,9}<name>(?P<used>[\w.-]{1,128})</name>\s{0,9}<(?:arguments|parameters|input)>(?P<with>.*?)"
    r"(?:</(?:arguments|parameters|input)>|\Z)"
    r"|<\|tool_call_start\|>(?P<lfm>.*?)(?:<\|tool_call_end\|>|\Z)"
    r"|<\|action_start\|>(?:<\|plugin\|>)?(?P<internlm>.*?)(?:<\|action_end\|>|\Z)"
    r"|\Afunctools(?P<phi>\[.*)\Z"
    r"|(?:^|\n)`{3}(?:tool_c(?:ode|alls?)|python|py)\n(?P<fenced>.*?)(?:`{3}|\Z)"
    r"|(?:^|\n)Action:\s{0,9}(?:`{3}(?:json)?)?\s{0,9}(?P<cohere>[\[{].*?)(?:`{3}|\nObservation:|\Z)"  # Command R
    r"|\[TOOL_(?:CALL|REQUEST)\](?P<bracketed>.*?)(?:\[/TOOL_(?:CALL|REQUEST)\]|\[END_TOOL_REQUEST\]|\Z)"
    r"|<tool_code>(?P<tagged>.*?)(?:</tool_code>|\Z)"
    r"|(?:^|\n)Action:[ \t]{0,9}(?P<react>[\w.-]{1,128})[ \t]{0,9}\n+Action Input:(?P<input>.*?)(?=\nObservation:|\Z)"
    r"|<(?P<space>antml:|steptml:|\uff5cDSML\uff5c)?invoke name=\"(?P<invoke>[\w.-]{1,128})\">(?P<parameters>.*?)"
    r"(?:</(?:antml:|steptml:|\uff5cDSML\uff5c)?invoke>|\Z)"  # Claude, MiniMax, DeepSeek V3.2, Step
    r"|<\uff5ctool\u2581call\u2581begin\uff5c>(?P<deepseek>.*?)(?:<\uff5ctool\u2581call\u2581end\uff5c>|\Z)"
    r"|<\|START_ACTION\|>(?P<command>.*?)(?:<\|END_ACTION\|>|\Z)"  # Command A
    r"|<\|python_tag\|>(?P<llama>.*?)(?:<\||\Z)"  # Llama 3
    r"|\[TOOL_CALLS\](?P<mistral>.*?)(?=\[TOOL_CALLS\]|\Z)"
    r"|<function=(?P<named>[\w.-]{1,128})>(?P<body>.*?)(?:</function>|\Z)"
    r"|<\|tool_call_begin\|>(?P<kimi>.*?)(?:<\|tool_call_end\|>|\Z)",
    re.DOTALL,
)
_MISTRAL = late(r"\s*([\w.-]{1,128})(?:\[CALL_ID\]\w{0,40})?(?:\[ARGS\])?\s*(\{.*)", re.DOTALL)
_KIMI = late(r"\s*(?:functions\.)?([\w.-]{1,128}?)(?::\d{1,4})?<\|tool_call_argument_begin\|>(.*)", re.DOTALL)
_XML_FUNCTION = late(r"\s*<function=([\w.-]{1,128})>(.*)", re.DOTALL)
_DEEPSEEK = late(
    r"\s*(?:function<\uff5ctool\u2581sep\uff5c>)?([\w.-]{1,128})(?:<\uff5ctool\u2581sep\uff5c>|\s*\n`{3}(?:json)?)(.*)",
    re.DOTALL,
)
_HUNYUAN = late(r"\s*(?:function)?<tool_sep>([\w.-]{1,128})\s*\n`{3}(?:json)?(.*)", re.DOTALL)
_METHOD = late(r"\A(\s*\w{1,128})\.call\(")
_BARE_NAME = late(r"[\w.-]{1,128}")
_PARAMETER = late(r"parameter name=\"([\w.-]{1,128})\"([^<>]{0,40})>")
_BARE_KEY = late(r"([{,]\s{0,9})([A-Za-z_]\w{0,128})\s{0,9}:")
_QUOTED_OBJECT = late(r"(?<=:)\s{0,9}'(\{.{0,20000}\})'(?=\s{0,9}\})", re.DOTALL)
"""Arguments between single quotes, as Glaive's data has them."""
_GLM = late(r"\s*([\w.-]{1,128})\s*(?=<arg_key>|\Z)")
_NAME = late(r"[A-Za-z_]\w*(?:\.\w+)*", re.ASCII)
_PYTHON = late(
    r"\[?\s*[A-Za-z_][\w.]{0,128}\(|\[\s*[A-Za-z][\w ./:&-]{0,128}\(|(?:\w{1,60}\s?=\s?)?(?:await\s)?[\w.]{1,128}\("
)
_UNNAMED = late(
    r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'"
    r"|(?P<name>(?<![\w.])[A-Za-z][\w./:&-]{0,60}(?: [\w./:&-]{1,60}){0,12})(?=\()"
)
_WHOLE_FENCE = late(r"`{3}\w{0,10}\n([^`]*)`{3}|`([^`\n]+)`")
_LISTED = late(r"(?m)^[ \t]*(?:[-*•]|\d{1,2}[.)])[ \t]+(?=[A-Za-z_][\w.]{0,128}\()")
_NEXT_LIST = late(r"\)\s*\]\s*\[\s*(?=[A-Za-z_][\w.]{0,128}\()")


def calls_in(text: str, texts: Texts = ()) -> tuple[Call, ...]:
    """The calls that a text makes: between a template's marks, or as nothing but Python's `[area(base=10)]`.

    Some templates write values without quotation marks; `texts` says which of them are texts.
    """
    if len(text) > LONGEST_ANSWER:
        return ()
    blocks = list(_BLOCKS.finditer(text))
    if blocks:
        return tuple(call for block in blocks for call in _calls_of_block(block, texts))[:MOST_CALLS]
    text = _bare(text)
    return tuple(_python_calls(text)) if _PYTHON.match(text) else ()


def _bare(text: str) -> str:
    """The text without a fence around all of it, a list's marks, and the brackets between two lists of calls."""
    text = text.strip()
    fenced = _WHOLE_FENCE.fullmatch(text)
    text = text if fenced is None else (fenced[1] or fenced[2] or "").strip()
    return _NEXT_LIST.sub("), ", _LISTED.sub("", text))


def _calls_of_block(block: re.Match[str], texts: Texts) -> Iterator[Call]:
    if block["named"]:
        yield made(block["named"], _arguments_of(block["named"], block["body"], texts))
        return
    if block["invoke"]:
        yield made(block["invoke"], _named_parameters(block["invoke"], block["parameters"], texts))
        return
    for name, arguments in (("react", "input"), ("agent", "args"), ("used", "with")):
        if block[name]:
            yield made(block[name], block[arguments].strip().removeprefix("```json").strip("` \n"))
            return
    if block["gemma"]:
        yield from _gemma(block["gemma"])
        return
    form = str(block.lastgroup)
    body = _QUOTED_OBJECT.sub(r"\1", str(block[form]))
    if form == "llama":  # its built-in tools: brave_search.call(query="…")
        body = _METHOD.sub(r"\1(", body, count=1)
    yield from _calls_of_body(body, form, texts)


def _calls_of_body(body: str, form: str, texts: Texts) -> Iterator[Call]:
    """The calls between the marks of a form, by the name of its group."""
    if form == "deepseek":
        if deepseek := _DEEPSEEK.match(body):
            yield made(deepseek[1], deepseek[2].strip().strip("`"))
        return
    if form == "kimi":
        if kimi := _KIMI.match(body):
            yield made(kimi[1], kimi[2])
        return
    try:
        document = parse(body.strip())
    except NotOneDocument:
        yield from calls_of(documents_in(body)) if body.lstrip().startswith("{") else _written_out(body, texts)
        return
    items = document if isinstance(document, list) else [document]
    # A name alone calls without arguments.
    items = [{"function": item} if isinstance(item, dict) and set(item) == {"name"} else item for item in items]
    yield from (_by_name(items) if form == "apertus" else calls_of(items))


def _by_name(items: Sequence[JSON]) -> Iterator[Call]:
    """`{"area": {"base": 10}}`: the name is the key."""
    for item in items[:MOST_CALLS]:
        if isinstance(item, Mapping) and len(item) == 1:
            ((name, arguments),) = item.items()
            yield made(name, arguments)


def _gemma(body: str) -> Iterator[Call]:
    """`area{base:10,unit:<escape>cm<escape>}`: names without quotation marks, texts between marks of their own."""
    name, _, members = body.partition("{")
    pieces = re.split(r"<escape>|<\|\"\|>", "{" + members)
    text = "".join(
        json.dumps(piece) if number % 2 else _BARE_KEY.sub(r'\1"\2":', piece) for number, piece in enumerate(pieces)
    )
    yield made(name.strip(), text)


def _written_out(body: str, texts: Texts) -> Iterator[Call]:
    """Calls that are no JSON as a whole: Mistral's `name[ARGS]{…}`, Qwen's XML, GLM's pairs, Python."""
    if mistral := _MISTRAL.fullmatch(body):
        yield made(mistral[1], mistral[2])
    elif function := _XML_FUNCTION.match(body):
        yield made(function[1], _arguments_of(function[1], function[2], texts))
    elif hunyuan := _HUNYUAN.match(body):
        yield made(hunyuan[1], hunyuan[2].strip().strip("`"))
    elif _BARE_NAME.fullmatch(body.strip()):  # a call without arguments, as GLM writes it
        yield made(body.strip(), {})
    elif "<arg_key>" in body and (named := _GLM.match(body)):
        pairs = (piece.partition("</arg_key>") for piece in body.split("<arg_key>")[1:])
        values = {key.strip(): _between(rest, "<arg_value>", "</arg_value>") for key, _, rest in pairs}
        yield made(named[1], {key: _value(value, (named[1], key) in texts) for key, value in values.items()})
    else:
        yield from _python_calls(body.strip())


def _arguments_of(function: str, body: str, texts: Texts) -> JSON:
    """Of `<parameter=base>10</parameter>` one after the other, or of a JSON text."""
    parameters = (piece.partition(">") for piece in body.split("<parameter=")[1:])
    values = {name.strip(): _between(rest, "", "</parameter>") for name, _, rest in parameters}
    found = {name: _value(value, (function, name) in texts) for name, value in values.items()}
    return found or _between(body, "", "</function>")


def _named_parameters(function: str, body: str, texts: Texts) -> JSON:
    """Of `<parameter name="base">10</parameter>` one after the other; `string="true"` says that a value is a text."""
    found: dict[str, JSON] = {}
    for mark in _PARAMETER.finditer(body):
        value = _between(body[mark.end() :], "", "</")
        found[mark[1]] = value if 'string="true"' in mark[2] else _value(value, (function, mark[1]) in texts)
    return found


def _between(text: str, begin: str, end: str) -> str:
    """What stands between the first two marks, without splitting by a regular expression: it stays linear."""
    rest = text.partition(begin)[2] if begin else text
    return rest.partition(end)[0]


def _value(text: str, is_text: bool) -> JSON:
    """A value that a template writes without quotation marks: JSON where it is, else text."""
    try:
        value = parse(text.strip())
    except NotOneDocument:
        return text.strip()
    return text.strip() if is_text and not isinstance(value, str) else value


def _python_calls(text: str) -> Iterator[Call]:
    """Calls as Python writes them, with named arguments that are literals. The text is parsed, never run."""
    if len(text) > LONGEST_PYTHON:
        return
    names: dict[str, str] = {}
    if text.startswith("["):  # "[Market Trends API(country='us')]": a name that Python cannot have
        text = _UNNAMED.sub(lambda found: _identifier(found, names), text)
    try:
        body = ast.parse(text).body
        written = [_unprinted(part.value) for part in body if isinstance(part, ast.Expr) or _keeps_its_result(part)]
        if len(written) != len(body):
            return  # a program, which calls for itself
        tree = written[0] if len(written) == 1 else ast.Tuple(written)
        nodes = tree.elts if isinstance(tree, (ast.List, ast.Tuple)) else [tree]
        calls = [_python_call(node, names) for node in nodes[:MOST_CALLS]]
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return
    yield from calls


def _identifier(found: re.Match[str], names: dict[str, str]) -> str:
    """A name for Python in place of one that it cannot have; what stands in quotation marks stays."""
    name = found["name"]
    if name is None or _NAME.fullmatch(name) is not None:
        return found[0]
    return names.setdefault(name, f"tool_{len(names)}_")


def _keeps_its_result(part: ast.stmt) -> TypeGuard[ast.Assign]:
    """`x = area(base=10)`."""
    return isinstance(part, ast.Assign) and len(part.targets) == 1 and isinstance(part.targets[0], ast.Name)


def _unprinted(node: ast.expr) -> ast.expr:
    """`area(base=10)`, where it is `print(area(base=10))` or `await area(base=10)`."""
    match node:
        case ast.Await(value=ast.Call() as call):
            return call
        case ast.Call(func=ast.Name(id="print"), args=[ast.Call() as call], keywords=[]):
            return call
    return node


def _python_call(node: ast.expr, names: Mapping[str, str]) -> Call:
    if not isinstance(node, ast.Call) or node.args or any(keyword.arg is None for keyword in node.keywords):
        raise ValueError("no call with named arguments only")
    name = ast.unparse(node.func) if isinstance(node.func, (ast.Name, ast.Attribute)) else ""
    if _NAME.fullmatch(name) is None:
        raise ValueError("no name")
    arguments: dict[str, Any] = {str(each.arg): ast.literal_eval(_OfJson().visit(each.value)) for each in node.keywords}
    json.dumps(arguments, allow_nan=False)  # raises where a literal is no JSON
    original = next((mine for mine, given in names.items() if given == name), name)
    return made(original, json.loads(json.dumps(arguments)))


class _OfJson(ast.NodeTransformer):
    """Reads the literals of JSON within Python's."""

    _LITERALS: Mapping[str, bool | None] = MappingProxyType({"true": True, "false": False, "null": None})

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """`true` for True."""
        return ast.Constant(self._LITERALS[node.id]) if node.id in self._LITERALS else node
