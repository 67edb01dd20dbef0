"""From tokens to what an answer is made of: formulas, tuples, sets, intervals, equations, matrices, lists, words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TypeAlias

from tunedrop.graders.math.expression import Node
from tunedrop.graders.math.tokens import NotMathsError, Token, is_ambiguous, tokenize

MAX_DEPTH = 40
RELATIONS = frozenset({"=", "<", ">", "<=", ">=", "!=", "≈", "≡", "∈", "→"})


@dataclass(frozen=True, slots=True)
class Formula:
    """A number or an expression; `decimals` is how many digits a plain decimal number shows, else None."""

    node: Node
    decimals: int | None = None


@dataclass(frozen=True, slots=True)
class Bracket:
    """Several items in brackets: an ordered tuple, or an interval where there are two. `⟨` is read as `(`."""

    opening: str
    items: tuple[Meaning, ...]
    closing: str


@dataclass(frozen=True, slots=True)
class Listing:
    """Items separated by commas, "and" or "or", without brackets, or within set braces: order does not matter."""

    items: tuple[Meaning, ...]
    braces: bool = False


@dataclass(frozen=True, slots=True)
class Union:
    """Sets joined by ∪, ∩ or ∖."""

    operator: str
    parts: tuple[Meaning, ...]


@dataclass(frozen=True, slots=True)
class Relation:
    """A chain such as `0 < x <= 5` or `y = 2x + 1`: one part more than operators."""

    parts: tuple[Meaning, ...]
    operators: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Digits:
    """A number written in a base other than ten: `204_5`."""

    digits: str
    base: int


@dataclass(frozen=True, slots=True)
class Words:
    """Text that is no formula, in its normal form."""

    text: str


Meaning: TypeAlias = Formula | Bracket | Listing | Union | Relation | Digits | Words


def read(text: str, *, join_thousands: bool = True) -> Meaning:
    """The meaning of a formula's text. Raises NotMathsError where it has none."""
    return _Reader(tokenize(text, join_thousands=join_thousands), 0).everything()


_LETTER = re.compile(r"[\s(]*([A-Za-z])[\s).]*")
_AND = re.compile(r"^\W*(?:and|or)\W*$", re.IGNORECASE)
_OPENING = {"(": ")", "[": "]", "⟨": "⟩", "\\{": "\\}", "⌊": "⌋", "⌈": "⌉", "{": "}"}


class _Reader:
    """Reads one stretch of tokens. Depth is bounded, so that no text can exhaust the stack."""

    def __init__(self, tokens: Sequence[Token], depth: int) -> None:
        if depth > MAX_DEPTH:
            raise NotMathsError("too deep")
        self.tokens = tokens
        self.depth = depth
        self.at = 0

    # ---- structure -------------------------------------------------------------------------------------------

    def everything(self) -> Meaning:
        tokens = _without_end(self.tokens)
        if not tokens:
            raise NotMathsError("nothing")
        if tokens[0].value in ("cases", "aligned", "align", "gathered") and tokens[0].kind == "begin":
            return self._system(tokens)
        pieces = _split(tokens, _is_separator)
        if len(pieces) > 1:
            items = [self._within(piece).statement() for piece in pieces if piece]
            if not items:
                raise NotMathsError("separators alone")
            return items[0] if len(items) == 1 else Listing(tuple(items))
        return self._within(tokens).statement()

    def _system(self, tokens: Sequence[Token]) -> Meaning:
        """Equations one below the other."""
        end = next((index for index, token in enumerate(tokens) if token.kind == "end"), len(tokens))
        lines = _split([token for token in tokens[1:end] if token.value != "&"], lambda token: token.value == "\\\\")
        return Listing(tuple(self._within(_without_end(line)).statement() for line in lines if _without_end(line)))

    def _within(self, tokens: Sequence[Token]) -> _Reader:
        return _Reader(tokens, self.depth + 1)

    def statement(self) -> Meaning:
        """Relations between sides."""
        cuts = [index for index, token in _at_top(self.tokens) if token.kind == "symbol" and token.value in RELATIONS]
        if not cuts:
            return self._within(self.tokens).side()
        operators = tuple(self.tokens[cut].value for cut in cuts)
        parts = []
        for start, end in zip([-1, *cuts], [*cuts, len(self.tokens)], strict=True):
            piece = self.tokens[start + 1 : end]
            if piece:
                parts.append(self._within(piece).named_side() if start == -1 else self._within(piece).side())
            elif start == -1 and operators[0] in ("=", "≈"):
                operators = operators[1:]  # "= 5"
            else:
                raise NotMathsError("a relation with an empty side")
        return Relation(tuple(parts), operators) if operators else parts[0]

    def named_side(self) -> Meaning:
        """The left side, which may be words: `Area = 5`, `\\text{total} = 7`, `\\angle A = 30`."""
        try:
            return self.everything()
        except NotMathsError:
            return Words(" ".join(token.value for token in self.tokens))

    def side(self) -> Meaning:
        """Unions of sets, brackets, or a formula."""
        cuts = [index for index, token in _at_top(self.tokens) if token.kind == "symbol" and token.value in "∪∩∖"]
        if cuts:
            operator = self.tokens[cuts[0]].value
            pieces = _split(self.tokens, lambda token: token.kind == "symbol" and token.value in "∪∩∖")
            if len({self.tokens[cut].value for cut in cuts}) > 1 or not all(pieces):
                raise NotMathsError("mixed set operators")
            return Union(operator, tuple(self._within(piece).side() for piece in pieces))
        bracket = self._bracket()
        if bracket is not None:
            return bracket
        digits = self._digits()
        if digits is not None:
            return digits
        return self._formula()

    def _bracket(self) -> Meaning | None:
        first, last = self.tokens[0], self.tokens[-1]
        if len(self.tokens) < 2 or first.kind != "symbol" or first.value not in ("(", "[", "]", "⟨", "\\{", "{"):
            if len(self.tokens) == 1 and first.value == "∅":
                return Listing((), braces=True)
            return None
        if last.kind != "symbol" or last.value not in (")", "]", "[", "⟩", "\\}", "}"):
            return None
        inside = self.tokens[1:-1]
        if not _balanced(inside):
            return None
        if first.value in ("\\{", "{") and last.value in ("\\}", "}"):
            return self._braces(inside, first.value)
        pieces = _split(inside, _is_separator)
        if len(pieces) < 2:
            if first.value in "(⟨" and inside and any(t.value in RELATIONS for _, t in _at_top(inside)):
                return self._within(inside).everything()
            return None
        if not all(pieces):
            raise NotMathsError("an empty item")
        opening = "(" if first.value in "(⟨" else "[" if first.value == "[" else "("
        closing = ")" if last.value in ")⟩" else "]" if last.value == "]" else ")"
        return Bracket(opening, tuple(self._within(piece).statement() for piece in pieces), closing)

    def _braces(self, inside: Sequence[Token], opening: str) -> Meaning | None:
        if not inside:
            return Listing((), braces=True)
        conditions = _split(inside, lambda token: token.kind == "symbol" and token.value in ("|", ":"))
        if opening == "\\{" and len(conditions) == 2 and all(conditions):
            return self._within(conditions[1]).everything()  # {x | x > 5} is x > 5
        pieces = _split(inside, _is_separator)
        if opening == "{" and len(pieces) == 1:
            return self._within(inside).everything()
        items = tuple(self._within(piece).statement() for piece in pieces if piece)
        return Listing(items, braces=opening == "\\{")

    def _digits(self) -> Digits | None:
        kinds = [token.kind for token in self.tokens[:2]]
        if len(self.tokens) < 3 or kinds[0] not in ("number", "name") or self.tokens[-1].value == "_":
            return None
        cut = next((index for index, token in enumerate(self.tokens) if token.value == "_"), 0)
        below = [token.value for token in self.tokens[cut + 1 :] if token.value not in "{}()"]
        above = self.tokens[:cut]
        if not cut or len(below) != 1 or not below[0].isdigit() or not 2 <= int(below[0]) <= 36:
            return None
        if any(token.kind not in ("number", "name") or (n and token.spaced) for n, token in enumerate(above)):
            return None
        digits = "".join(token.value for token in above)
        if not re.fullmatch(r"[0-9A-Za-z.]+", digits) or not digits[0].isdigit():
            return None
        return Digits(digits.upper(), int(below[0]))

    def _formula(self) -> Formula:
        return Formula(self._within(self.tokens).value(), _decimals(self.tokens))

    def value(self) -> Node:
        """All the tokens as one formula."""
        node = self.sum()
        if self.at != len(self.tokens):
            raise NotMathsError(f"unexpected {self.tokens[self.at].value!r}")
        return node

    # ---- formulas --------------------------------------------------------------------------------------------

    def _peek(self) -> Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def _take(self, value: str) -> bool:
        token = self._peek()
        if token is not None and token.kind == "symbol" and token.value == value:
            self.at += 1
            return True
        return False

    def sum(self) -> Node:
        node: Node | None = None
        if self._take("±"):
            node = ("±", ("number", Fraction(0)), self.product())
        elif self._take("∓"):
            node = ("∓", ("number", Fraction(0)), self.product())
        if node is None:
            node = self.product()
        while True:
            token = self._peek()
            if token is None or token.kind != "symbol" or token.value not in ("+", "-", "±", "∓"):
                return node
            self.at += 1
            node = (token.value, node, self.product())

    def product(self) -> Node:
        node = self.signed()
        while True:
            token = self._peek()
            if token is None:
                return node
            if token.kind == "symbol" and token.value in ("*", "/"):
                self.at += 1
                node = (token.value, node, self.signed())
            elif token.kind == "symbol" and token.value == ":" and self.at + 1 < len(self.tokens):
                self.at += 1
                node = ("ratio", node, self.signed())
            elif self._starts_factor(token):
                node = self._implied(node, token)
            else:
                return node

    def _implied(self, node: Node, token: Token) -> Node:
        """A product without a sign, or a mixed number: `2 1/2`, `2\\frac{1}{2}`."""
        before = self.tokens[self.at - 1]
        if before.kind == "text":
            raise NotMathsError("words between two values")
        if before.kind == "number" and token.kind == "number":
            if node[0] == "^" or (node[0] == "*" and node[2][0] == "^"):  # 2^6 3^5
                return ("*", node, self.power())
            if "." in before.value or "." in token.value or not token.spaced or node[0] not in ("number", "negate"):
                raise NotMathsError("two numbers side by side")
            following = self.tokens[self.at + 1 : self.at + 3]
            if [part.kind for part in following] != ["symbol", "number"] or following[0].value != "/":
                raise NotMathsError("two numbers side by side")
            fraction = ("/", self.power(), ("number", Fraction(self._number_after_slash())))
            return _mixed(node, fraction)
        is_fraction = token.kind == "function" and token.value == "frac"
        factor = self.power()
        if is_fraction and before.kind == "number" and "." not in before.value and node[0] in ("number", "negate"):
            if factor[0] == "/" and factor[1][0] == "number" and factor[2][0] == "number":
                return _mixed(node, factor)
        return ("*", node, factor)

    def _number_after_slash(self) -> str:
        self.at += 2
        return self.tokens[self.at - 1].value

    def _starts_factor(self, token: Token) -> bool:
        if token.kind in ("number", "name", "function", "begin", "repeating"):
            return True
        if token.kind != "symbol":
            return False
        if token.value == "|":
            return self._bars_ahead()
        return token.value in ("(", "[", "{", "⌊", "⌈", "∞")

    def _bars_ahead(self) -> bool:
        return any(token.value == "|" for token in self.tokens[self.at + 1 :]) and not self.inside_bars

    inside_bars = False

    def signed(self) -> Node:
        signs = 0
        while True:
            if self._take("-"):
                signs += 1
            elif not self._take("+"):
                break
            if self.at > len(self.tokens):
                raise NotMathsError("a sign alone")
        node = self.power()
        return ("negate", node) if signs % 2 else node

    def power(self) -> Node:
        node = self.postfix(self.atom())
        if self._take("^"):
            node = ("^", node, self._exponent())
            node = self.postfix(node)
        return node

    def _exponent(self) -> Node:
        if self._take("-"):
            return ("negate", self._exponent())
        if self._take("+"):
            return self._exponent()
        token = self._peek()
        if token is not None and token.kind == "symbol" and token.value == "°":
            raise NotMathsError("an exponent of degrees")
        self.deepen()
        node = self.postfix(self.atom())
        if self._take("^"):
            node = ("^", node, self._exponent())
        self.depth -= 1
        return node

    def deepen(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise NotMathsError("too deep")

    def postfix(self, node: Node) -> Node:
        while True:
            token = self._peek()
            if token is None or token.kind not in ("symbol", "text"):
                return node
            if token.kind == "text":
                if _AND.match(token.value):
                    raise NotMathsError("a word between")
                self.at += 1  # a unit, a remark
                self._skip_power_of_unit()
            elif token.value == "!":
                self.at += 1
                node = ("!", node)
            elif token.value == "%":
                self.at += 1
                node = ("percent", node)
            elif token.value == "°":
                self.at += 1
                node = ("degrees", node)
            elif token.value == "^" and self._degrees_follow():
                node = ("degrees", node)
            elif token.value == "'":
                self.at += 1
            else:
                return node

    def _degrees_follow(self) -> bool:
        following = [token.value for token in self.tokens[self.at + 1 : self.at + 4]]
        if following[:1] == ["°"]:
            self.at += 2
            return True
        if following == ["{", "°", "}"]:
            self.at += 4
            return True
        return False

    def _skip_power_of_unit(self) -> None:
        if self._take("^"):
            self.atom()

    def atom(self) -> Node:
        token = self._peek()
        if token is None:
            raise NotMathsError("an end where a value was expected")
        self.at += 1
        if token.kind == "number":
            return ("number", _fraction(token.value))
        if token.kind == "repeating":
            return ("number", _repeating(token.value))
        if token.kind == "name":
            return self._name(token.value)
        if token.kind == "function":
            self.deepen()
            node = self._function(token.value)
            self.depth -= 1
            return node
        if token.kind == "begin":
            return self._matrix(token.value)
        if token.kind == "text" and (letter := _LETTER.fullmatch(token.value)) is not None:
            return ("name", letter[1])
        if token.kind == "symbol":
            if token.value in _OPENING:
                return self._group(token.value)
            if token.value in ("|", "‖"):
                return self._bars(token.value)
            if token.value == "∞":
                return ("name", "∞")
        raise NotMathsError(f"{token.value!r} where a value was expected")

    def _name(self, name: str) -> Node:
        if self._take("_"):
            name = f"{name}_{self._subscript()}"
        while self._take("'"):
            name += "'"
        return ("name", name)

    def _subscript(self) -> str:
        if self._take("{"):
            parts = []
            while (token := self._peek()) is not None and not self._take("}"):
                parts.append(token.value)
                self.at += 1
            return "".join(parts)
        token = self._peek()
        if token is None:
            raise NotMathsError("an empty subscript")
        self.at += 1
        return token.value

    def _group(self, opening: str) -> Node:
        end = self._matching(opening)
        inside = self.tokens[self.at : end]
        self.at = end + 1
        if not inside:
            raise NotMathsError("empty brackets")
        node = self._within(inside).value()
        return {"⌊": ("floor", node), "⌈": ("ceiling", node)}.get(opening, node)

    def _matching(self, opening: str) -> int:
        closing = _OPENING[opening]
        depth = 0
        for index in range(self.at, len(self.tokens)):
            token = self.tokens[index]
            if token.kind != "symbol":
                continue
            if token.value == closing and depth == 0:
                return index
            if token.value == opening:
                depth += 1
            elif token.value == closing:
                depth -= 1
        raise NotMathsError(f"{opening!r} that is never closed")

    def _bars(self, bar: str) -> Node:
        end = next((n for n in range(self.at, len(self.tokens)) if self.tokens[n].value == bar), None)
        if end is None or end == self.at:
            raise NotMathsError("a bar alone")
        node = self._within(self.tokens[self.at : end]).value()
        self.at = end + 1
        return ("abs", node)

    def _function(self, name: str) -> Node:
        if name == "frac":
            above, below = self._argument(digit=True), self._argument(digit=True)
            return ("/", above, below)
        if name == "binom":
            return ("binom", self._argument(digit=True), self._argument(digit=True))
        if name == "sqrt":
            degree: Node = ("number", Fraction(2))
            if self._take("["):
                degree = self._group("[")
            return ("root", self._argument(), degree)
        return self._named_function(name)

    def _named_function(self, name: str) -> Node:
        base: Node | None = None
        exponent: Node | None = None
        for _ in range(2):
            if self._take("_"):
                base = self._argument()
            if self._take("^"):
                exponent = self._exponent()
        if name == "exp" or name == "ln" or name == "log" or base is None:
            arguments = self._call_arguments()
        else:
            raise NotMathsError(f"{name} with a subscript")
        node: Node = (
            ("log_base", base, arguments[0]) if name == "log" and base is not None else ("call", name, arguments)
        )
        if exponent is not None:
            if exponent == ("negate", ("number", Fraction(1))) and name in ("sin", "cos", "tan", "cot", "sec", "csc"):
                return ("call", "arc" + name, arguments)
            return ("^", node, exponent)
        return node

    def _call_arguments(self) -> list[Node]:
        token = self._peek()
        if token is None:
            raise NotMathsError("a function of nothing")
        if token.kind == "symbol" and token.value in ("(", "{", "[", "\\{"):
            self.at += 1
            end = self._matching(token.value)
            inside = self.tokens[self.at : end]
            self.at = end + 1
            pieces = _split(inside, lambda part: part.kind == "symbol" and part.value == ",")
            return [self._within(piece).value() for piece in pieces]
        node = self.power()  # sin 2x, cos b cos a: a product up to the next function
        while (token := self._peek()) is not None and token.kind in ("number", "name"):
            node = ("*", node, self.power())
        return [node]

    def _argument(self, *, digit: bool = False) -> Node:
        """What \\frac, \\sqrt … take: braces, or one letter or number; of `\\frac12` each one `digit`."""
        token = self._peek()
        if token is None:
            raise NotMathsError("a missing argument")
        if digit and token.kind == "number" and len(token.value) > 1 and "." not in token.value:
            both = (Token("number", token.value[0]), Token("number", token.value[1:]))
            self.tokens = [*self.tokens[: self.at], *both, *self.tokens[self.at + 1 :]]
        return self.signed() if token.value == "-" else self.atom()

    def _matrix(self, name: str) -> Node:
        if name not in ("pmatrix", "bmatrix", "vmatrix", "matrix", "Bmatrix", "Vmatrix", "smallmatrix", "array"):
            raise NotMathsError(f"\\begin{{{name}}}")
        end = next((n for n in range(self.at, len(self.tokens)) if self.tokens[n].kind == "end"), None)
        if end is None:
            raise NotMathsError(f"\\begin{{{name}}} without its end")
        rows: list[list[Node]] = []
        for line in _split(self.tokens[self.at : end], lambda token: token.value == "\\\\"):
            if not line:
                continue
            cells = _split(line, lambda token: token.kind == "symbol" and token.value == "&")
            rows.append([self._within(cell).value() for cell in cells])
        if not rows or len({len(row) for row in rows}) != 1:
            raise NotMathsError("rows of different lengths")
        self.at = end + 1
        return ("abs", ("matrix", rows)) if name == "vmatrix" else ("matrix", rows)


def _decimals(tokens: Sequence[Token]) -> int | None:
    """How many digits after the point a decimal number shows: of 2.31 · 10^{-3}, five; None for any other formula."""
    plain = [token.value for token in tokens if token.value not in ("+", "%", "°", "{", "}") and token.kind != "text"]
    if plain[:1] == ["-"]:
        plain = plain[1:]
    if not plain or not plain[0].replace(".", "", 1).isdigit():
        return None
    places = len(plain[0].partition(".")[2])
    if len(plain) == 1:
        return places
    if plain[1:4] != ["*", "10", "^"] or not plain[-1].isdigit() or len(plain[-1]) > 3:
        return None
    if len(plain) == 6 and plain[4] == "-":
        return places + int(plain[5])
    return max(0, places - int(plain[4])) if len(plain) == 5 else None


def _mixed(whole: Node, fraction: Node) -> Node:
    return ("-", whole, fraction) if whole[0] == "negate" else ("+", whole, fraction)


def _fraction(digits: str) -> Fraction:
    if len(digits) > 1_000:
        raise NotMathsError("a number of more than 1,000 digits")
    return Fraction("0" + digits if digits.startswith(".") else digits)


def _repeating(parts: str) -> Fraction:
    whole, fixed, cycle = parts.split(".")
    shift = 10 ** len(fixed)
    return Fraction(int(whole + fixed or "0"), shift) + Fraction(int(cycle), shift * (10 ** len(cycle) - 1))


def _is_separator(token: Token) -> bool:
    return (token.kind == "symbol" and token.value in (",", ";", "∧", "∨")) or (
        token.kind == "text" and _AND.match(token.value) is not None
    )


def _at_top(tokens: Sequence[Token]) -> list[tuple[int, Token]]:
    """The tokens outside all brackets, with their places."""
    found = []
    depth = 0
    for index, token in enumerate(tokens):
        if token.kind == "begin" or (token.kind == "symbol" and token.value in ("(", "[", "{", "\\{", "⟨", "⌊", "⌈")):
            depth += 1
        elif token.kind == "end" or (token.kind == "symbol" and token.value in (")", "]", "}", "\\}", "⟩", "⌋", "⌉")):
            depth -= 1
        elif depth <= 0:
            found.append((index, token))
    return found


def _split(tokens: Sequence[Token], is_cut: object) -> list[Sequence[Token]]:
    assert callable(is_cut)
    pieces = []
    start = 0
    for index, token in _at_top(tokens):
        if is_cut(token):
            pieces.append(tokens[start:index])
            start = index + 1
    pieces.append(tokens[start:])
    return pieces


def _balanced(tokens: Sequence[Token]) -> bool:
    """Whether the brackets within close within: `(1)(2)` is not one pair of brackets."""
    depth = 0
    for token in tokens:
        if token.kind != "symbol":
            continue
        if token.value in ("(", "[", "{", "\\{", "⟨"):
            depth += 1
        elif token.value in (")", "]", "}", "\\}", "⟩"):
            depth -= 1
            if depth < 0:
                return False
    return depth == 0


def _without_end(tokens: Sequence[Token]) -> Sequence[Token]:
    """Without the punctuation that ends a sentence."""
    end = len(tokens)
    while end and tokens[end - 1].kind == "symbol" and tokens[end - 1].value in (".", ",", ";", ":", "?"):
        end -= 1
    start = 0
    while start < end and tokens[start].kind == "symbol" and tokens[start].value in (":", ",", "."):
        start += 1
    return tokens[start:end]


@lru_cache(maxsize=4096)
def readings(text: str) -> tuple[Meaning, ...]:
    """What a text may mean as mathematics: nothing, one thing, or two where a comma may separate thousands or items."""
    found: list[Meaning] = []
    for join in (True, False) if is_ambiguous(text) else (True,):
        try:
            meaning = read(text, join_thousands=join)
        except NotMathsError:
            continue
        if meaning not in found:
            found.append(meaning)
    return tuple(found)
