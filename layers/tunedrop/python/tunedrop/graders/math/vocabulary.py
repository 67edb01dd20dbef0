"""The words and signs of mathematics: every spelling of a symbol, in LaTeX, Unicode and plain text."""

from __future__ import annotations

from collections.abc import Mapping


def _words(row: str) -> frozenset[str]:
    """A row of words: one line each would hide the table."""
    return frozenset(row.split())


FUNCTIONS = _words(
    "sin cos tan cot sec csc arcsin arccos arctan arccot arcsec arccsc sinh cosh tanh ln log exp sqrt max min gcd"
    " lcm det"
)
LETTERS = _words(
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi omicron rho varrho"
    " sigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell hbar"
    " Re Im partial nabla imath jmath pi angle triangle"
)
BOUNDED = _words("sum prod int lim oint iint")
"""Written as one with their bounds: Σ_{k=1}^{n} is a name, and what follows is its factor."""
TEXT = _words("text textbf textit textrm textnormal textsf texttt mbox hbox textsc emph")
"""Commands whose argument is plain text."""
UPRIGHT = _words("operatorname mathrm rm")
"""Commands whose argument is a function (`\\operatorname{lcm}`), a unit (`\\mathrm{cm}`) or a letter."""
DRESS = _words(
    "left right big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr middle displaystyle textstyle scriptstyle limits"
    " nolimits quad qquad phantom hspace vspace boldsymbol mathbf mathit mathsf mathcal mathbb bf it boxed fbox"
    " ensuremath displaylines hline cr nonumber notag vec overrightarrow hat bar bold mathop underline mathnormal"
    " mathstrut strut ! , ; : > space bm pmb"
)
"""Commands that only dress what follows."""

_SPELLINGS: Mapping[str, str] = {
    "*": "cdot times ast star bullet",
    "/": "div",
    "<=": "le leq leqslant leqq",
    ">=": "ge geq geqslant geqq",
    "!=": "ne neq",
    "<": "lt",
    ">": "gt",
    "≈": "approx simeq thickapprox doteq",
    "≡": "sim cong equiv",
    "∈": "in",
    "∉": "notin",
    "→": "to rightarrow Rightarrow implies longrightarrow Longrightarrow mapsto",
    "∪": "cup bigcup",
    "∩": "cap",
    "∖": "setminus backslash smallsetminus",
    "∅": "emptyset varnothing",
    "∞": "infty infin",
    "±": "pm",
    "∓": "mp",
    "°": "circ degree degrees",
    "\\{": "lbrace {",
    "\\}": "rbrace }",
    "[": "lbrack",
    "]": "rbrack",
    "(": "lparen",
    ")": "rparen",
    "⟨": "langle",
    "⟩": "rangle",
    "|": "mid vert lvert rvert",
    "‖": "Vert lVert rVert parallel |",
    "⌊": "lfloor",
    "⌋": "rfloor",
    "⌈": "lceil",
    "⌉": "rceil",
    "∧": "land wedge",
    "∨": "lor vee",
    "…": "ldots dots cdots dotsc dotsb hdots vdots ddots",
    "'": "prime",
    "\\\\": "\\",
}
COMMANDS: Mapping[str, tuple[str, str]] = {
    **{command: ("symbol", symbol) for symbol, commands in _SPELLINGS.items() for command in commands.split()},
    **{function: ("function", function) for function in FUNCTIONS},
    **{letter: ("name", letter) for letter in LETTERS},
    **dict.fromkeys(("frac", "dfrac", "tfrac", "cfrac"), ("function", "frac")),
    **dict.fromkeys(("binom", "dbinom", "tbinom"), ("function", "binom")),
}
"""LaTeX command → kind and value of its token."""

PLAIN: Mapping[str, tuple[str, str]] = {
    **{function: ("function", function) for function in FUNCTIONS},
    **{
        letter: ("name", letter)
        for letter in LETTERS - {"Re", "Im", "ell", "eta", "mu", "nu", "xi", "angle", "triangle"}
    },
    **dict.fromkeys(("infinity", "inf", "infty", "oo"), ("symbol", "∞")),
    **dict.fromkeys(("degrees", "degree", "deg"), ("symbol", "°")),
    **dict.fromkeys(("percent", "pct", "percentage"), ("symbol", "%")),
    "asin": ("function", "arcsin"),
    "acos": ("function", "arccos"),
    "atan": ("function", "arctan"),
}
"""Word of plain text → kind and value of its token."""

REMARKS = _words(
    "of the in per for is to cm mm km kg ft lb lbs oz mph kph sq cu yd mi min sec hr hrs yes no not am pm AM PM Yes No"
    " and or And Or OR AND"
)
"""Short words that are words, not products of letters."""

_GREEK = "αβγδεζηθικλμνξρστυφχψω"
_GREEK_NAMES = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi rho sigma tau upsilon phi chi psi omega"
)
SIGNS: Mapping[str, tuple[str, str]] = {
    **{letter: ("name", name) for letter, name in zip(_GREEK, _GREEK_NAMES.split(), strict=True)},
    "π": ("name", "pi"),
    "√": ("function", "sqrt"),
    "∠": ("name", "angle"),
    **dict.fromkeys("−–—﹣－‐‑", ("symbol", "-")),
    **dict.fromkeys("×·⋅∗∙", ("symbol", "*")),
    **dict.fromkeys("÷∕⁄", ("symbol", "/")),
    **dict.fromkeys("≅≃", ("symbol", "≈")),
    **dict.fromkeys("≤⩽", ("symbol", "<=")),
    **dict.fromkeys("≥⩾", ("symbol", ">=")),
    **dict.fromkeys(("≠", "<>"), ("symbol", "!=")),
    **dict.fromkeys(("⇒", "->", "=>"), ("symbol", "→")),
    **dict.fromkeys("′’", ("symbol", "'")),
    "==": ("symbol", "="),
    "**": ("symbol", "^"),
    "...": ("symbol", "…"),
    "〈": ("symbol", "⟨"),
    "〉": ("symbol", "⟩"),
    "º": ("symbol", "°"),
    "（": ("symbol", "("),
    "）": ("symbol", ")"),
    "，": ("symbol", ","),
    "：": ("symbol", ":"),
    "；": ("symbol", ";"),
}
"""Sign → kind and value of its token; every other sign stands for itself."""

SUPERSCRIPTS: Mapping[str, str] = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻ⁿ", "0123456789-n", strict=True))
_FRACTIONS = "1/2 1/3 2/3 1/4 3/4 1/5 2/5 3/5 4/5 1/6 5/6 1/7 1/8 3/8 5/8 7/8 1/9 1/10"
VULGAR: Mapping[str, str] = dict(zip("½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒", _FRACTIONS.split(), strict=True))
"""Fraction written as one sign → the same with a slash."""

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
NUMBER_WORDS: Mapping[str, int] = {
    **{word: value for value, word in enumerate(_SMALL.split())},
    **{word: 10 * value for value, word in enumerate(_TENS.split(), 2)},
}
_PARTS = "third fourth fifth sixth seventh eighth ninth tenth"
FRACTION_WORDS: Mapping[str, int] = {
    **{"half": 2, "quarter": 4, "hundredth": 100, "thousandth": 1000},
    **{word: below for below, word in enumerate(_PARTS.split(), 3)},
}
"""Name of a part → how many of them make a whole."""
SCALES: Mapping[str, int] = {
    "hundred": 100, "k": 1000, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12,
    "dozen": 12, "dozens": 12, "m": 10**6, "mm": 10**6, "mn": 10**6, "b": 10**9, "bn": 10**9,
}  # fmt: skip
