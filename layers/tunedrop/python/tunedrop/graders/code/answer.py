"""Finding the program in a model's answer."""

from __future__ import annotations

import ast
import builtins
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from tunedrop.graders.json_answer import NotOneDocument, read_answer

LONGEST_ANSWER = 256 * 1024
"""Characters of an answer that are looked at: far beyond any solution, far below what could stall a parser."""
_FENCE = re.compile(
    r"^([ \t]*)(?:[-*+][ \t]+|\d{1,3}[.)][ \t]+)?(`{3,}|~{3,})[ \t]*\{?\.?([\w+#-]*)([^\n`]*)$", re.MULTILINE
)
_PYTHON = frozenset({"", "python", "py", "py3", "python3", "python2", "pycon", "ipython", "sage"})
_READS_INPUT = re.compile(r"\binput\s*\(|\bstdin\b|\bopen\s*\(\s*0\b|\bos\.read\s*\(\s*0\b|\bfileinput\b")
_QUOTED_FENCE, _QUOTE = re.compile(r"^> ?(?:`{3}|~{3})", re.MULTILINE), re.compile(r"^> ?", re.MULTILINE)
_PROMPT = re.compile(r"^[ \t]*(?:>>>|\.\.\.)(?: |$)", re.MULTILINE)
_START = re.compile(r"^(?:(?:def|class|import|from|async def)\b|@)", re.MULTILINE)
_INDENTED_START = re.compile(r"^([ \t]+)(?:def|class|import|from|async def)\b", re.MULTILINE)
_TAGGED = re.compile(
    r"\[(?:PYTHON|BEGIN|CODE|ANSWER)\]\s*?\n(.*?)(?:\[(?:/(?:PYTHON|CODE|ANSWER)|DONE|END)\]|\Z)"
    r"|<(?:code|python|answer|solution)(?:[ \t][^<>\n]{0,80})?>"
    r"(?:\s*?\n|(?=(?:def|class|import|from|async def)\s|@))(.*?)(?:</(?:code|python|answer|solution)>|\Z)"
    r"|\\begin\{(?:lstlisting|minted|verbatim|python|code)\}[^\n]{0,80}\n(.*?)(?:\\end\{|\Z)",
    re.DOTALL,
)
"""How models of some prompts mark their program instead of a fence."""
_LANGUAGE_ALONE = re.compile(r"\s*(?:python3?|py)[ \t]*\n", re.IGNORECASE)
_UNSEEN = re.compile("[\ufeff\u200b\u200c\u200d\u2060]")
_MEMBERS = ("code", "python_code", "python", "solution", "program", "implementation", "source", "completion", "answer")
"""Members of a JSON answer that hold its program."""
_KNOWN = frozenset(dir(builtins))
_LONGEST_CUT, _MOST_CUTS = 32 * 1024, 60
"""Characters of an answer without fences, and how many shorter pieces of it are parsed, to find the program in it."""


@dataclass(frozen=True, slots=True)
class _Block:
    """One fenced block and what it says about names."""

    source: str
    defined: frozenset[str]
    """Names bound at the top level; methods of a class `Solution` too, since tests may call them by name."""
    missing: frozenset[str]
    """Names that it uses and nowhere binds."""
    parses: bool
    imports: bool
    """Whether it is imports and nothing else."""
    declares: bool
    """Whether it consists of imports, definitions and assignments, and so shows and asks nothing."""


def program_of(answer: str, names: Sequence[str]) -> str:
    """The program in an answer. `names`: what the tests call; empty where the program reads standard input.

    For each name the last fenced block that defines it counts, because models correct themselves; blocks of imports
    and helpers that it needs come with it, examples of use do not. Where no block defines a name: the last block that
    reads input, else all Python blocks. An answer without fences is the program itself, without the prose around it.
    A fence that is never closed (a cut-off answer) runs to the end. Line ends are made Python's.
    """
    text = answer[:LONGEST_ANSWER].replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n")
    if _QUOTED_FENCE.search(text):
        text = _QUOTE.sub("", text)
    text = _member(text)
    found = _all_blocks(text) or ["".join(groups) for groups in _TAGGED.findall(text)] or _blocks_that_define(text)
    return _visible(_chosen(found, names) if found else _without_prose(text))


def _chosen(found: Sequence[str], names: Sequence[str]) -> str:
    """The program out of the blocks of an answer."""
    blocks = [_described(source) for source in found]
    chosen = {
        max(holders)
        for name in names
        if (holders := [place for place, block in enumerate(blocks) if name in block.defined])
    }
    if not chosen and not names:
        readers = [place for place, block in enumerate(blocks) if block.parses and _READS_INPUT.search(block.source)]
        chosen = {readers[-1]} if readers else set()
    if not chosen:
        whole = "\n\n".join(found)
        return whole if _tree(whole) else "\n\n".join(b.source for b in blocks if b.parses) or whole
    return "\n\n".join(blocks[place].source for place in sorted(_with_helpers(blocks, chosen)))


def _member(text: str) -> str:
    """The program of an answer that is a JSON object, `{"code": "…"}`; any other text as it is."""
    if not text.lstrip().startswith(("{", "```json")):
        return text
    try:
        document = read_answer(text, "fence")
    except NotOneDocument:
        return text
    held = next((document[name] for name in _MEMBERS if name in document), None) if isinstance(document, dict) else None
    return held if isinstance(held, str) else text


def _visible(source: str) -> str:
    """The source without what nobody sees and Python does not read: a byte order mark, hard and zero-width spaces."""
    if _tree(source) is not None:
        return source
    plain = _UNSEEN.sub("", source).replace("\u00a0", " ")
    return plain if _tree(plain) is not None else source


def _all_blocks(text: str) -> list[str]:
    """The Python blocks; the first one may have its opening fence in the prompt."""
    marks = list(_FENCE.finditer(text))
    if len(marks) % 2 and not marks[0][3] and _is_program(head := text[: marks[0].start()]):
        return [head, *_blocks(text[marks[0].end() :])]
    return _blocks(text)


def _blocks_that_define(text: str) -> list[str]:
    """The blocks of a fence that names another language, or none that is known, and hold Python's definitions."""
    return [block for block in _blocks(text, any_language=True) if _is_program(block)]


def _is_program(text: str) -> bool:
    """Whether a text is Python as a whole, and defines something or reads input: most single words are Python, too."""
    return bool(_START.search(text) or _READS_INPUT.search(text)) and _tree(text) is not None


def _with_helpers(blocks: Sequence[_Block], chosen: set[int]) -> set[int]:
    """The chosen blocks and those that define what they need; of several definitions the last one before counts."""
    last = max(chosen)
    chosen = chosen | {place for place, block in enumerate(blocks[:last]) if block.parses and block.imports}
    looked_for: set[str] = set()
    while True:
        bound = frozenset[str]().union(*(blocks[place].defined for place in chosen))
        missing = frozenset[str]().union(*(blocks[place].missing for place in chosen)) - bound - looked_for
        if not missing:
            return chosen
        name = min(missing)
        looked_for.add(name)
        holders = [place for place, block in enumerate(blocks) if name in block.defined and block.parses]
        holders = [place for place in holders if blocks[place].declares] or holders
        before = [place for place in holders if place < last]
        chosen |= {(before or holders)[-1]} if holders else set()


def _blocks(text: str, *, any_language: bool = False) -> list[str]:
    """The sources of the Python blocks, in order, without the indentation that their fence has."""
    blocks: list[str] = []
    opened: tuple[str, str, int, int] | None = None
    for fence in _FENCE.finditer(text):
        indent, marks, language = len(fence[1].expandtabs(4)), fence[2], fence[3].lower()
        if opened is None:
            beside = fence[4].lstrip()  # code on the fence's own line
            starts = fence.end() - len(beside) if _START.match(beside) else fence.end() + 1
            opened = (marks, language, starts, indent)
        elif marks[0] == opened[0][0] and len(marks) >= len(opened[0]) and not language and indent <= opened[3] + 3:
            if any_language or opened[1] in _PYTHON:
                blocks.append(_dedented(text[opened[2] : fence.start()], opened[1]))
            opened = None
    if opened is not None and (any_language or opened[1] in _PYTHON):
        blocks.append(_dedented(text[opened[2] :], opened[1]))
    return [block for block in blocks if block.strip()]


def _dedented(source: str, language: str) -> str:
    """Without the indentation that all lines share (a block in a list), and without a console's prompts."""
    lines = source.split("\n")
    if language == "pycon" or source.lstrip().startswith(">>> "):
        return "\n".join(_PROMPT.sub("", line) for line in lines if _PROMPT.match(line))
    shared = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[shared:] for line in lines) if shared else source


def _described(source: str) -> _Block:
    tree = _tree(source)
    if tree is None:
        return _Block(source, _defined_by_sight(source), frozenset(), parses=False, imports=False, declares=False)
    defined: set[str] = set()
    for statement in tree.body:
        defined |= _bound(statement)
        if isinstance(statement, ast.ClassDef) and statement.name == "Solution":
            defined |= {
                part.name for part in statement.body if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef))
            }
    used: set[str] = set()
    bound: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                used.add(name)
            case ast.arg(arg=name) | ast.Name(id=name) | ast.ExceptHandler(name=str(name)):
                bound.add(name)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.Import() | ast.ImportFrom():
                bound |= _bound(node)
    declares = all(
        isinstance(
            statement,
            (
                ast.Import,
                ast.ImportFrom,
                ast.FunctionDef,
                ast.AsyncFunctionDef,
                ast.ClassDef,
                ast.Assign,
                ast.AnnAssign,
            ),
        )
        or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
        for statement in tree.body
    )
    imports = all(isinstance(statement, (ast.Import, ast.ImportFrom)) for statement in tree.body)
    missing = frozenset(used - bound - _KNOWN)
    return _Block(source, frozenset(defined), missing, parses=True, imports=imports, declares=declares)


def _bound(statement: ast.AST) -> set[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            return {alias.asname or alias.name.partition(".")[0] for alias in aliases}
        case ast.Assign() | ast.AnnAssign() | ast.If() | ast.Try():
            return {
                part.id if isinstance(part, ast.Name) else part.name
                for part in ast.walk(statement)
                if (isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store))
                or (isinstance(part, (ast.FunctionDef, ast.ClassDef)) and not isinstance(statement, ast.Assign))
            }
    return set()


def _defined_by_sight(source: str) -> frozenset[str]:
    """What a block that does not parse (another language's, a cut-off one) seems to define."""
    found = re.findall(r"^(?:(?:async[ \t]+)?def|class)[ \t]+(\w+)|^(\w+)[ \t]*[:=]", source, re.MULTILINE)
    return frozenset(one or other for one, other in found)


def _without_prose(text: str) -> str:
    """The longest piece from the first definition on that is Python; the text itself where there is none."""
    text = _LANGUAGE_ALONE.sub("", text, count=1) if _LANGUAGE_ALONE.match(text) else text
    if text.lstrip().startswith(">>> "):
        return _dedented(text, "")
    if _tree(text):
        return text
    start = _START.search(text)
    if len(text) > _LONGEST_CUT:
        return text
    if start is None:
        return _indented_program(text)
    lines = text[start.start() :].split("\n")
    ends = [number for number in range(len(lines), 0, -1) if number == len(lines) or _may_end(lines, number)]
    for end in ends[:_MOST_CUTS]:
        piece = "\n".join(lines[:end])
        if _tree(piece):
            return piece
    return text


def _may_end(lines: Sequence[str], number: int) -> bool:
    """Whether a program may end before this line: behind a blank one, or where one that is not indented follows."""
    return not lines[number - 1].strip() or not lines[number].startswith((" ", "\t"))


def _indented_program(text: str) -> str:
    """The first piece that Markdown sets as code by indenting it; the text itself where there is none."""
    start = _INDENTED_START.search(text)
    if start is None:
        return text
    lines = []
    for line in text[start.start() :].split("\n"):
        if line.strip() and not line.startswith(start[1]):
            break
        lines.append(line)
    piece = _dedented("\n".join(lines), "")
    return piece if _tree(piece) else text


def _tree(source: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings(action="ignore", category=SyntaxWarning):  # it would quote the answer in the log
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
