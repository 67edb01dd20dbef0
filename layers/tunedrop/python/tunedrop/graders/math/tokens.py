"""LaTeX and plain mathematics as one stream of tokens."""

from __future__ import annotations

import re
from typing import NamedTuple

from tunedrop.graders.late_pattern import late
from tunedrop.graders.math.vocabulary import (
    BOUNDED,
    COMMANDS,
    DRESS,
    FUNCTIONS,
    PLAIN,
    REMARKS,
    SIGNS,
    SUPERSCRIPTS,
    TEXT,
    UPRIGHT,
    VULGAR,
)

MAX_LENGTH = 4_000
"""Longest text read as mathematics; the longest answer in MATH has some 200 characters."""
MAX_TOKENS = 1_500
MAX_NAME = 12
"""Longest command that is read as a name, where it is none that we know."""


class NotMathsError(ValueError):
    """The text cannot be read as mathematics (or is longer or deeper than anything that should be)."""


class Token(NamedTuple):
    """`kind` is one of: number, name, function, symbol, text, begin, end, repeating."""

    kind: str
    value: str
    spaced: bool = False
    """Whether white space stood before it."""


_TOKEN = late(
    r"(?P<space>\s+|~)"
    r"|(?P<number>\d+(?:\.\d+)?|\.\d+)"
    r"|\\(?P<command>[A-Za-z]+|.)"
    r"|(?P<word>[A-Za-z]+)"
    r"|(?P<sign><=|>=|!=|<>|==|\*\*|->|=>|\.\.\.|.)",
    re.DOTALL | re.ASCII,
)
# Separators of thousands that can be nothing else, and those that may also separate the items of a list.
_SURE_SEPARATOR = late(r"\s{0,2}\{\s?,\s?\}\s{0,2}|,\s?\\!\s?|\\,(?=\d{3})|\\!(?=\d{3})")
_SURE_THOUSANDS = late(r"(?<![\d.])(?!0[, ])\d{1,3}(?:\0\d{3})+(?!\d)", re.ASCII)
_THOUSANDS = late(r"(?<![\d.])(?!0[, ])\d{1,3}(?:(?:,\d{3})+|(?: \d{3})+)(?!\d)", re.ASCII)
_CHOOSE = late(r"\{([^{}\\]{1,40})\\choose(?![A-Za-z])([^{}\\]{1,40})\}|(\w{1,9})\s{0,3}\\choose\s{1,3}(\w{1,9})")
_GLUED_AND = late(r"(?<=[\d)\]}])(and|or)(?=[A-Z\d(\\-]|[a-z]\b)")
"""`W(x)=1orW(x)=-1`, where the spaces were lost."""
_GLUED_SPACE = late(r"q?quad([A-Za-z]+)")
_REPEATING = late(r"(\d{0,20})\.(\d{0,20})\s?\\overline\s?(?:\{(\d{1,20})\}|(\d))", re.ASCII)
_DOTTED = late(r"(\d{0,20})\.(\d{0,20})\s?\\dot\s?\{?\s?(\d)\s?\}?(?:(\d{0,18})\s?\\dot\s?\{?\s?(\d)\s?\}?)?", re.ASCII)
"""`0.\\dot{3}` and `0.\\dot{1}4285\\dot{7}`: dots over the first and the last digit that repeat."""
_ELLIPSIS = late(r"(\d{0,20})\.(\d{0,8}?)(\d{1,6}?)\3{2,20}(?:\\l?dots|\.\.\.|…)", re.ASCII)


_HALF_OPEN = late(r"(?:\\left\s{0,2})?([\[\]])([^\[\]]{1,80}[,;][^\[\]]{1,80}?)(?:\\right\s{0,2})?([\[\]])")


def _with_round_brackets(match: re.Match[str]) -> str:
    """`]0, 2[` is how much of the world writes the open interval (0, 2)."""
    return f"{'(' if match[1] == ']' else '['}{match[2]}{')' if match[3] == '[' else ']'}"


def is_ambiguous(text: str) -> bool:
    """Whether a comma or space in the text may separate thousands or items: `1,234`."""
    return _THOUSANDS.search(text) is not None


def tokenize(text: str, *, join_thousands: bool = True) -> list[Token]:
    """The tokens of a formula. Raises NotMathsError where it is too long or holds what no formula holds."""
    if len(text) > MAX_LENGTH:
        raise NotMathsError(f"{len(text)} characters")
    tokens: list[Token] = []
    spaced = False
    position = 0
    text = _prepare(text, join_thousands=join_thousands)
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:  # pragma: no cover - the last branch takes any character
            raise NotMathsError(text[position])
        position = match.end()
        kind = match.lastgroup
        value = match.group()
        if kind == "space":
            spaced = True
            continue
        if kind == "number":
            tokens.append(Token("number", value, spaced))
        elif kind == "command":
            position = _command(match.group("command"), text, position, tokens, spaced)
        elif kind == "word":
            tokens.extend(_word(value, spaced))
        else:
            tokens.extend(_sign(value, spaced))
        spaced = False
        if len(tokens) > MAX_TOKENS:
            raise NotMathsError("too many tokens")
    return tokens


def _prepare(text: str, *, join_thousands: bool) -> str:
    if "begin{" not in text or "\\\\begin{" in text:
        text = text.replace("\\\\", "\\")  # doubly escaped LaTeX, as JSON pasted into JSON leaves it
    if "\\" in text or "{" in text:
        text = _SURE_SEPARATOR.sub("\0", text)
        text = _SURE_THOUSANDS.sub(lambda match: match.group().replace("\0", ""), text).replace("\0", ",")
    if "\\choose" in text:
        text = _CHOOSE.sub(lambda m: f"\\binom{{{m[1] or m[3]}}}{{{m[2] or m[4]}}}", text)
    if "]" in text or "[" in text:
        text = _HALF_OPEN.sub(_with_round_brackets, text)
    text = text.replace("\\not\\in", "\\notin").replace("\\not \\in", "\\notin")
    text = _GLUED_AND.sub(r" \1 ", text)
    if join_thousands:
        text = _THOUSANDS.sub(lambda match: match.group().replace(",", "").replace(" ", ""), text)
    text = text.replace("\\%", "%").replace("\\$", "").replace("$", "").replace("\\#", "").replace("\\&", "&")
    if "overline" in text:
        text = _REPEATING.sub(lambda m: f" \\repeating{{{m[1] or 0}.{m[2]}.{m[3] or m[4]}}}", text)
    elif "\\dot" in text and _DOTTED.search(text):
        text = _DOTTED.sub(lambda m: f" \\repeating{{{m[1] or 0}.{m[2]}.{m[3]}{m[4] or ''}{m[5] or ''}}}", text)
    elif "…" in text or "..." in text or "dots" in text:
        text = _ELLIPSIS.sub(lambda m: f" \\repeating{{{m[1] or 0}.{m[2]}.{m[3]}}}", text)
    return text


def _command(name: str, text: str, position: int, tokens: list[Token], spaced: bool) -> int:
    """Read one command; give the position after it and what it swallows."""
    if name in COMMANDS:
        tokens.append(Token(*COMMANDS[name], spaced))
    elif name in BOUNDED:
        return _with_bounds(name, text, position, tokens, spaced)
    elif name in TEXT or name in ("begin", "end", "repeating"):
        inner, position = braced(text, position)
        kind = "text" if name in TEXT else name
        if kind == "text" and inner.strip() in ("percent", "pct", "per cent", "%", "\\%"):
            tokens.append(Token("symbol", "%", spaced))
            return position
        tokens.append(Token(kind, inner if kind == "text" else inner.strip().rstrip("*"), spaced))
        if kind == "begin" and tokens[-1].value in ("array", "tabular"):
            _, position = braced(text, position)
    elif name in UPRIGHT:
        inner, after = braced(text, position)
        word = inner.strip()
        if word in FUNCTIONS or len(word) > 1:
            tokens.append(Token("function" if word in FUNCTIONS else "text", word, spaced))
            return after
    elif (glued := _GLUED_SPACE.fullmatch(name)) is not None:
        tokens.extend(_word(glued[1], True))  # \\quadx, where a space was lost
    elif name in DRESS or name.isspace():
        if name in ("left", "right") and text[position : position + 1] == ".":
            position += 1
    elif name.isalpha() and len(name) <= MAX_NAME and text[position : position + 1] != "{":
        tokens.append(Token("name", name, spaced))  # a sign that we do not know is one of the answer's own
    else:
        raise NotMathsError(f"\\{name}")
    return position


def _with_bounds(name: str, text: str, position: int, tokens: list[Token], spaced: bool) -> int:
    for _ in range(2):
        rest = text[position:].lstrip()
        if rest[:7] == "\\limits":
            rest = rest[7:].lstrip()
        if rest[:1] not in ("_", "^"):
            break
        bound, end = braced(rest, 1)
        name += rest[0] + "".join(bound.split())
        position = len(text) - len(rest) + end
    tokens.append(Token("name", name, spaced))
    return position


def braced(text: str, position: int) -> tuple[str, int]:
    """The text within the braces that open at (or after white space at) `position`, and where it ends."""
    while position < len(text) and text[position].isspace():
        position += 1
    if position >= len(text) or text[position] != "{":
        return text[position : position + 1], min(len(text), position + 1)
    depth = 0
    for end in range(position, len(text)):
        if text[end] == "{" and text[end - 1] != "\\":
            depth += 1
        elif text[end] == "}" and text[end - 1] != "\\":
            depth -= 1
            if depth == 0:
                return text[position + 1 : end], end + 1
    return text[position + 1 :], len(text)


def _word(word: str, spaced: bool) -> list[Token]:
    if word in PLAIN:
        return [Token(*PLAIN[word], spaced)]
    if word == "U" and spaced:
        return [Token("symbol", "∪", spaced)]
    if word in REMARKS or len(word) > 3:
        return [Token("text", word, spaced)]
    return [Token("name", letter, spaced and not number) for number, letter in enumerate(word)]


def _sign(sign: str, spaced: bool) -> list[Token]:
    if sign in SUPERSCRIPTS:
        power = SUPERSCRIPTS[sign]
        return [Token("symbol", "^"), Token("number" if power.isdigit() else "name", power)]
    if sign in VULGAR:
        above, below = VULGAR[sign].split("/")
        return [Token("function", "frac", True), Token("number", above), Token("number", below)]
    if sign in SIGNS:
        return [Token(*SIGNS[sign], spaced)]
    if sign.isalpha():
        raise NotMathsError(sign)
    return [Token("symbol", sign, spaced)]
