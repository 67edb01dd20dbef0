"""LaTeX and plain mathematics as one stream of tokens."""

from __future__ import annotations

import re
from typing import NamedTuple

MAX_LENGTH = 4_000
"""Longest text read as mathematics; the longest answer in MATH has some 200 characters."""
MAX_TOKENS = 1_500


class NotMathsError(ValueError):
    """The text cannot be read as mathematics (or is longer or deeper than anything that should be)."""


class Token(NamedTuple):
    """`kind` is one of: number, name, function, symbol, text, begin, end, repeating."""

    kind: str
    value: str
    spaced: bool = False
    """Whether white space stood before it."""


# Commands that are another spelling of a symbol.
_SYMBOLS = {
    **dict.fromkeys(("cdot", "times", "ast", "star", "bullet"), "*"),
    **dict.fromkeys(("div",), "/"),
    **dict.fromkeys(("le", "leq", "leqslant", "leqq"), "<="),
    **dict.fromkeys(("ge", "geq", "geqslant", "geqq"), ">="),
    **dict.fromkeys(("ne", "neq"), "!="),
    **dict.fromkeys(("lt",), "<"),
    **dict.fromkeys(("gt",), ">"),
    **dict.fromkeys(("approx", "simeq", "thickapprox", "doteq"), "≈"),
    **dict.fromkeys(("sim", "cong", "equiv"), "≡"),
    **dict.fromkeys(("in",), "∈"),
    **dict.fromkeys(("to", "rightarrow", "Rightarrow", "implies", "longrightarrow", "Longrightarrow", "mapsto"), "→"),
    **dict.fromkeys(("cup", "bigcup"), "∪"),
    **dict.fromkeys(("cap",), "∩"),
    **dict.fromkeys(("setminus", "backslash", "smallsetminus"), "∖"),
    **dict.fromkeys(("emptyset", "varnothing"), "∅"),
    **dict.fromkeys(("infty", "infin"), "∞"),
    **dict.fromkeys(("pm",), "±"),
    **dict.fromkeys(("mp",), "∓"),
    **dict.fromkeys(("circ", "degree", "degrees"), "°"),
    **dict.fromkeys(("lbrace",), "\\{"),
    **dict.fromkeys(("rbrace",), "\\}"),
    **dict.fromkeys(("lbrack",), "["),
    **dict.fromkeys(("rbrack",), "]"),
    **dict.fromkeys(("lparen",), "("),
    **dict.fromkeys(("rparen",), ")"),
    **dict.fromkeys(("langle",), "⟨"),
    **dict.fromkeys(("rangle",), "⟩"),
    **dict.fromkeys(("mid", "vert", "lvert", "rvert"), "|"),
    **dict.fromkeys(("Vert", "lVert", "rVert", "parallel"), "‖"),
    **dict.fromkeys(("lfloor", "rfloor", "lceil", "rceil"), ""),
    **dict.fromkeys(("land", "wedge"), "∧"),
    **dict.fromkeys(("lor", "vee"), "∨"),
    **dict.fromkeys(("ldots", "dots", "cdots", "dotsc", "dotsb", "hdots", "vdots", "ddots"), "…"),
    **dict.fromkeys(("prime",), "'"),
}
for _bracket in ("lfloor", "rfloor", "lceil", "rceil"):
    _SYMBOLS[_bracket] = {"lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉"}[_bracket]

_CHARACTERS = {
    "−": "-", "–": "-", "—": "-", "﹣": "-", "－": "-", "‐": "-", "‑": "-",
    "×": "*", "·": "*", "⋅": "*", "∗": "*", "∙": "*", "÷": "/", "∕": "/", "⁄": "/",
    "≤": "<=", "≥": ">=", "⩽": "<=", "⩾": ">=", "≠": "!=", "≅": "≈", "≃": "≈", "⇒": "→",
    "√": "√", "⟨": "⟨", "⟩": "⟩", "〈": "⟨", "〉": "⟩", "º": "°", "∅": "∅", "′": "'", "’": "'",
    "（": "(", "）": ")", "，": ",", "：": ":", "；": ";",
}  # fmt: skip
_SUPERSCRIPTS = {"²": "2", "³": "3", "¹": "1", "⁰": "0", "⁴": "4", "⁵": "5", "⁶": "6", "⁷": "7", "⁸": "8", "⁹": "9", "⁻": "-", "ⁿ": "n"}  # fmt: skip  # noqa: E501 (one row)
_VULGAR = {"½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅕": "1/5", "⅖": "2/5", "⅗": "3/5", "⅘": "4/5", "⅙": "1/6", "⅚": "5/6", "⅛": "1/8", "⅜": "3/8", "⅝": "5/8", "⅞": "7/8"}  # fmt: skip  # noqa: E501 (one row)

FUNCTIONS = frozenset(
    "sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh ln log exp sqrt max min gcd lcm det arcsec arccsc"
    " arccot".split()
)
GREEK = frozenset(
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi omicron rho varrho"
    " sigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell hbar"
    " Re Im partial nabla imath jmath".split()
)
_GREEK_LETTERS = dict(zip("αβγδεζηθικλμνξρστυφχψω", "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi rho sigma tau upsilon phi chi psi omega".split(), strict=True))  # fmt: skip  # noqa: E501 (one row)
# Commands that only dress what follows.
_DRESS = frozenset(
    "left right big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr middle displaystyle textstyle scriptstyle limits"
    " nolimits quad qquad phantom hspace vspace boldsymbol mathbf mathrm mathit mathsf mathcal mathbb bf rm it"
    " operatorname boxed fbox ensuremath displaylines hline cr nonumber notag vec overrightarrow hat bar bold mathop"
    " underline mathnormal mathstrut strut ! , ; : > space bm pmb".split()
)
# Written as one with their bounds: Σ_{k=1}^{n} is a name, and what follows is its factor.
_OPERATORS = frozenset(["sum", "prod", "int", "lim", "oint", "iint"])
_TEXT = frozenset("text textbf textit textrm textnormal textsf texttt mbox hbox textsc emph".split())
_SKIPPED = re.compile(r"\\(?:[!,;:> ]|quad|qquad|displaystyle|left\s*\.|right\s*\.)")
_TOKEN = re.compile(
    r"(?P<space>\s+|~)"
    r"|(?P<number>\d+(?:\.\d+)?|\.\d+)"
    r"|\\(?P<command>[A-Za-z]+|.)"
    r"|(?P<word>[A-Za-z]+)"
    r"|(?P<operator><=|>=|!=|<>|==|\*\*|->|=>|\.\.\.|.)",
    re.DOTALL | re.ASCII,
)
# Separators of thousands that can be nothing else, and those that may also separate the items of a list.
_SURE_SEPARATOR = re.compile(r"\s*\{\s*,\s*\}\s*|,\s*\\!\s*|\\,(?=\d{3})|\\!(?=\d{3})")
_SURE_THOUSANDS = re.compile(r"(?<![\d.])(?!0[, ])\d{1,3}(?:\0\d{3})+(?!\d)", re.ASCII)
_THOUSANDS = re.compile(r"(?<![\d.])(?!0[, ])\d{1,3}(?:(?:,\d{3})+|(?: \d{3})+)(?!\d)", re.ASCII)
_REPEATING = re.compile(r"(\d*)\.(\d*)\s*\\overline\s*(?:\{(\d+)\}|(\d))", re.ASCII)
_ELLIPSIS = re.compile(r"(\d*)\.(\d*?)(\d{1,6}?)\3{2,}(?:\\l?dots|\.\.\.|…)", re.ASCII)


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
        if match is None:  # cannot be: the last branch takes any character
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
            tokens.extend(_operator(value, spaced))
        spaced = False
        if len(tokens) > MAX_TOKENS:
            raise NotMathsError("too many tokens")
    return tokens


def _prepare(text: str, *, join_thousands: bool) -> str:
    if "begin{" not in text:
        text = text.replace("\\\\", "\\")  # doubly escaped LaTeX, as JSON pasted into JSON leaves it
    if "\\" in text or "{" in text:
        text = _SURE_SEPARATOR.sub("\0", text)
        text = _SURE_THOUSANDS.sub(lambda match: match.group().replace("\0", ""), text).replace("\0", ",")
    if join_thousands:
        text = _THOUSANDS.sub(lambda match: match.group().replace(",", "").replace(" ", ""), text)
    text = text.replace("\\%", "%").replace("\\$", "").replace("$", "").replace("\\#", "").replace("\\&", "&")
    if "overline" in text:
        text = _REPEATING.sub(lambda m: f" \\repeating{{{m[1] or 0}.{m[2]}.{m[3] or m[4]}}}", text)
    elif "…" in text or "..." in text or "dots" in text:
        text = _ELLIPSIS.sub(lambda m: f" \\repeating{{{m[1] or 0}.{m[2]}.{m[3]}}}", text)
    return text


def _command(name: str, text: str, position: int, tokens: list[Token], spaced: bool) -> int:
    """Read one command; give the position after it and what it swallows."""
    if name in _TEXT:
        inner, position = braced(text, position)
        tokens.append(Token("text", inner, spaced))
    elif name in ("begin", "end"):
        inner, position = braced(text, position)
        tokens.append(Token(name, inner.strip().rstrip("*"), spaced))
        if name == "begin" and inner.strip() in ("array", "tabular"):
            _, position = braced(text, position)
    elif name == "repeating":
        inner, position = braced(text, position)
        tokens.append(Token("repeating", inner, spaced))
    elif name in ("frac", "dfrac", "tfrac", "cfrac", "binom", "dbinom", "tbinom", "sqrt"):
        tokens.append(Token("function", name.lstrip("dtc") if name != "cfrac" else "frac", spaced))
    elif name in FUNCTIONS:
        tokens.append(Token("function", name, spaced))
    elif name in _OPERATORS:
        position = _with_bounds(name, text, position, tokens, spaced)
    elif name in GREEK or name == "pi":
        tokens.append(Token("name", name, spaced))
    elif name in _SYMBOLS:
        tokens.append(Token("symbol", _SYMBOLS[name], spaced))
    elif name in "{}":
        tokens.append(Token("symbol", "\\" + name, spaced))
    elif name == "|":
        tokens.append(Token("symbol", "‖", spaced))
    elif name == "\\":
        tokens.append(Token("symbol", "\\\\", spaced))
    elif name == "operatorname" or name == "mathrm" or name == "rm":
        inner, after = braced(text, position)
        if inner.strip() in FUNCTIONS:
            tokens.append(Token("function", inner.strip(), spaced))
            return after
        if len(inner.strip()) > 1:
            tokens.append(Token("text", inner, spaced))
            return after
    elif name in _DRESS or name.isspace():
        if name in ("left", "right") and position < len(text) and text[position] == ".":
            position += 1
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


_WORDS = {
    "pi": ("name", "pi"),
    "infinity": ("symbol", "∞"),
    "inf": ("symbol", "∞"),
    "infty": ("symbol", "∞"),
    "oo": ("symbol", "∞"),
    "degrees": ("symbol", "°"),
    "degree": ("symbol", "°"),
    "percent": ("symbol", "%"),
    "pct": ("symbol", "%"),
    "percentage": ("symbol", "%"),
    "asin": ("function", "arcsin"),
    "acos": ("function", "arccos"),
    "atan": ("function", "arctan"),
    "U": ("symbol", "∪"),
}


def _word(word: str, spaced: bool) -> list[Token]:
    if word in FUNCTIONS:
        return [Token("function", word, spaced)]
    if word in _WORDS and (word != "U" or spaced):
        kind, value = _WORDS[word]
        return [Token(kind, value, spaced)]
    if word in GREEK:
        return [Token("name", word, spaced)]
    if word.lower() in ("and", "or") or len(word) > 3:
        return [Token("text", word, spaced)]
    return [Token("name", letter, spaced and not number) for number, letter in enumerate(word)]


def _operator(value: str, spaced: bool) -> list[Token]:
    if value in _SUPERSCRIPTS:
        return [Token("symbol", "^"), Token("number" if value.isdigit() else "name", _SUPERSCRIPTS[value])]
    if value in _VULGAR:
        above, below = _VULGAR[value].split("/")
        return [Token("function", "frac", True), Token("number", above), Token("number", below)]
    if value in _GREEK_LETTERS:
        return [Token("name", _GREEK_LETTERS[value], spaced)]
    if value == "π":
        return [Token("name", "pi", spaced)]
    if value == "√":
        return [Token("function", "sqrt", spaced)]
    value = {"**": "^", "<>": "!=", "==": "=", "->": "→", "=>": "→", "...": "…"}.get(
        value, _CHARACTERS.get(value, value)
    )
    if value.isalpha() and not value.isascii():
        raise NotMathsError(value)
    return [Token("symbol", value, spaced)]
