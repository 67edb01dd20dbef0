"""Formulas: from tokens to a tree that can be evaluated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from tunedrop.graders.late_pattern import late
from tunedrop.graders.math.expression import OF_ANGLES, Node
from tunedrop.graders.math.stretches import OPENING, closing_of, is_and, split
from tunedrop.graders.math.tokens import NotMathsError, Token

MAX_DEPTH = 40
"""How deep brackets, fractions and exponents may be nested: no text can exhaust the stack."""
_POSTFIX: Mapping[str, str] = {"!": "!", "%": "percent", "°": "degrees"}
_LETTER = late(r"[\s(]*([A-Za-z])[\s).]*")
_MATRICES = frozenset({"pmatrix", "bmatrix", "vmatrix", "matrix", "Bmatrix", "Vmatrix", "smallmatrix", "array"})


def read_formula(tokens: Sequence[Token], depth: int = 0) -> Node:
    """The tree of a formula. Raises NotMathsError where the tokens are none."""
    return _FormulaReader(tokens, depth).value()


class _FormulaReader:
    """Reads one stretch of tokens by recursive descent: sums of products of powers of values."""

    def __init__(self, tokens: Sequence[Token], depth: int) -> None:
        self.tokens = tokens
        self.depth = depth
        self.at = 0
        if depth > MAX_DEPTH:
            raise NotMathsError("too deep")

    def _inside(self, tokens: Sequence[Token]) -> _FormulaReader:
        return _FormulaReader(tokens, self.depth + 1)

    def value(self) -> Node:
        """All the tokens as one formula."""
        node = self.sum()
        if self.at != len(self.tokens):
            raise NotMathsError(f"unexpected {self.tokens[self.at].value!r}")
        return node

    def _peek(self) -> Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def _take(self, value: str) -> bool:
        token = self._peek()
        if token is not None and token.kind == "symbol" and token.value == value:
            self.at += 1
            return True
        return False

    def sum(self) -> Node:
        sign = next((sign for sign in "±∓" if self._take(sign)), None)
        node: Node = self.product()
        if sign is not None:
            node = (sign, node)
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
        whole = before.kind == "number" and "." not in before.value and node[0] in ("number", "negate")
        if before.kind == "number" and token.kind == "number":
            if node[0] == "^" or (node[0] == "*" and node[2][0] == "^"):  # 2^6 3^5
                return ("*", node, self.power())
            following = self.tokens[self.at + 1 : self.at + 3]
            slashed = [part.kind for part in following] == ["symbol", "number"] and following[0].value == "/"
            if not (whole and slashed and token.spaced and "." not in token.value):
                raise NotMathsError("two numbers side by side")
            self.at += 3
            return _mixed(node, ("/", ("number", _fraction(token.value)), ("number", _fraction(following[1].value))))
        factor = self.power()
        plain = factor[0] == "/" and factor[1][0] == factor[2][0] == "number"
        if whole and plain and token.kind == "function":
            return _mixed(node, factor)
        if whole and token.kind == "function" and factor[0] == "percent" and factor[1][0] == "/":  # 33\frac13\%
            return ("percent", _mixed(node, factor[1]))
        return ("*", node, factor)

    def _starts_factor(self, token: Token) -> bool:
        if token.kind in ("number", "name", "function", "begin", "repeating"):
            return True
        if token.kind != "symbol":
            return False
        if token.value == "|":  # one more bar must follow to close it
            return any(later.value == "|" for later in self.tokens[self.at + 1 :])
        return token.value in ("(", "[", "{", "⌊", "⌈", "∞")

    def signed(self) -> Node:
        signs = 0
        while True:
            if self._take("-"):
                signs += 1
            elif not self._take("+"):
                break
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
        self._deepen()
        node = self.postfix(self.atom())
        if self._take("^"):
            node = ("^", node, self._exponent())
        self.depth -= 1
        return node

    def _deepen(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise NotMathsError("too deep")

    def postfix(self, node: Node) -> Node:
        """What may follow a value: a factorial, a percent sign, degrees, a unit or a remark in words."""
        while (token := self._peek()) is not None:
            if token.kind == "text":
                if is_and(token):
                    raise NotMathsError("a word between")
                self.at += 1
                if self._take("^"):  # cm^2
                    self.atom()
            elif token.kind == "symbol" and token.value in _POSTFIX:
                self.at += 1
                node = (_POSTFIX[token.value], node)
            elif token.kind == "symbol" and token.value == "^" and self._degrees_follow():
                node = ("degrees", node)
            elif not self._take("'"):
                break
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

    def atom(self) -> Node:
        token = self._next("a value")
        letter = _LETTER.fullmatch(token.value) if token.kind == "text" else None
        if letter is not None:
            return ("name", letter[1])
        read = {
            "number": lambda value: ("number", _fraction(value)),
            "repeating": lambda value: ("number", _repeating(value)),
            "name": self._name,
            "function": self._function,
            "begin": self._matrix,
            "symbol": self._symbol,
        }.get(token.kind)
        if read is None:
            raise NotMathsError(f"{token.value!r} where a value was expected")
        self._deepen()
        node: Node = read(token.value)
        self.depth -= 1
        return node

    def _symbol(self, sign: str) -> Node:
        if sign in OPENING:
            return self._group(sign)
        if sign in ("|", "‖"):
            return self._bars(sign)
        if sign == "∞":
            return ("name", "∞")
        raise NotMathsError(f"{sign!r} where a value was expected")

    def _next(self, expected: str) -> Token:
        token = self._peek()
        if token is None:
            raise NotMathsError(f"an end where {expected} was expected")
        self.at += 1
        return token

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
        return self._next("a subscript").value

    def _group(self, opening: str) -> Node:
        end = closing_of(self.tokens, self.at, opening)
        inside = self.tokens[self.at : end]
        self.at = end + 1
        if not inside:
            raise NotMathsError("empty brackets")
        node = self._inside(inside).value()
        return {"⌊": ("floor", node), "⌈": ("ceiling", node)}.get(opening, node)

    def _bars(self, bar: str) -> Node:
        end = next((n for n in range(self.at, len(self.tokens)) if self.tokens[n].value == bar), None)
        if end is None or end == self.at:
            raise NotMathsError("a bar alone")
        node = self._inside(self.tokens[self.at : end]).value()
        self.at = end + 1
        return ("abs", node)

    def _function(self, name: str) -> Node:
        if name in ("frac", "binom"):
            above = self._argument(digit=True)
            return ("/" if name == "frac" else name, above, self._argument(digit=True))
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
        if base is not None and name != "log":
            raise NotMathsError(f"{name} with a subscript")
        arguments = self._call_arguments()
        if name in OF_ANGLES and exponent == ("negate", ("number", Fraction(1))):  # sin^{-1} x
            return ("call", "arc" + name, arguments)
        node: Node = ("call", name, arguments) if base is None else ("log_base", base, arguments[0])
        return node if exponent is None else ("^", node, exponent)

    def _call_arguments(self) -> list[Node]:
        token = self._peek()
        if token is None:
            raise NotMathsError("a function of nothing")
        if token.kind == "symbol" and token.value in ("(", "{", "[", "\\{"):
            self.at += 1
            end = closing_of(self.tokens, self.at, token.value)
            inside = self.tokens[self.at : end]
            self.at = end + 1
            pieces = split(inside, ",")
            return [self._inside(piece).value() for piece in pieces]
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
        if name not in _MATRICES:
            raise NotMathsError(f"\\begin{{{name}}}")
        end = next((n for n in range(self.at, len(self.tokens)) if self.tokens[n].kind == "end"), None)
        if end is None:
            raise NotMathsError(f"\\begin{{{name}}} without its end")
        rows: list[list[Node]] = []
        for line in split(self.tokens[self.at : end], ("\\\\",)):
            if not line:
                continue
            cells = split(line, "&")
            rows.append([self._inside(cell).value() for cell in cells])
        if not rows or len({len(row) for row in rows}) != 1:
            raise NotMathsError("rows of different lengths")
        self.at = end + 1
        return ("abs", ("matrix", rows)) if name == "vmatrix" else ("matrix", rows)


def decimals_of(tokens: Sequence[Token]) -> int | None:
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
