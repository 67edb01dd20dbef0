"""Arithmetic over named scores, read by a small parser of its own: nothing of it is ever evaluated as Python.

    sum      = product { ("+" | "-") product }
    product  = unary { ("*" | "/") unary }
    unary    = ("+" | "-") unary | power
    power    = atom [ ("^" | "**") unary ]          right-associative, binds closer than a sign before it
    atom     = number | name | function "(" sum { "," sum } ")" | "(" sum ")"

The operators and functions are those that OpenAI documents for a multi grader's `calculate_output`.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import TypeAlias

from tunedrop.graders.late_pattern import late

LONGEST_FORMULA = 2_000
DEEPEST_FORMULA = 50
_TOKEN = late(r"\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|([A-Za-z_]\w*)|(\*\*|[-+*/^(),]))")

_FUNCTIONS: Mapping[str, tuple[int, int, Callable[..., float]]] = {  # name: fewest and most arguments
    "min": (1, 64, min),
    "max": (1, 64, max),
    "abs": (1, 1, abs),
    "floor": (1, 1, math.floor),
    "ceil": (1, 1, math.ceil),
    "exp": (1, 1, math.exp),
    "sqrt": (1, 1, math.sqrt),
    "log": (1, 1, math.log),
}
_Node: TypeAlias = Callable[[Mapping[str, float]], float]


class FormulaError(ValueError):
    """The formula cannot be read, names something unknown, or has no finite value."""


class Formula:
    """A formula, read once. `names` are the scores that it uses."""

    def __init__(self, text: str) -> None:
        """Raises FormulaError, naming the place."""
        if len(text) > LONGEST_FORMULA:
            raise FormulaError(f"the formula has {len(text):,} characters, more than {LONGEST_FORMULA:,}")
        self.names: set[str] = set()
        self._text = text
        self._tokens = _tokens(text)
        self._position = 0
        self._depth = 0
        self._value = self._sum()
        if self._position < len(self._tokens):
            raise FormulaError(f"unexpected {self._tokens[self._position]!r} in the formula {text!r}")

    def value(self, scores: Mapping[str, float]) -> float:
        """The formula's value. Raises FormulaError where a score is missing or the value is not a finite number."""
        try:
            value = float(self._value(scores))
        except KeyError as error:
            raise FormulaError(f"the formula uses {error.args[0]!r}, which has no score") from None
        except (ArithmeticError, ValueError, TypeError) as error:
            raise FormulaError(f"the formula {self._text!r} has no value here: {error}") from None
        if not math.isfinite(value):
            raise FormulaError(f"the formula {self._text!r} has no finite value here")
        return value

    def _sum(self) -> _Node:
        self._depth += 1
        if self._depth > DEEPEST_FORMULA:
            raise FormulaError(f"the formula nests deeper than {DEEPEST_FORMULA}")
        node = self._left_to_right(self._product, {"+": operator.add, "-": operator.sub})
        self._depth -= 1
        return node

    def _product(self) -> _Node:
        return self._left_to_right(self._unary, {"*": operator.mul, "/": operator.truediv})

    def _left_to_right(self, part: Callable[[], _Node], operators: Mapping[str, Callable[..., float]]) -> _Node:
        first = part()
        rest: list[tuple[Callable[..., float], _Node]] = []
        while self._next() in operators:
            rest.append((operators[self._take()], part()))

        def value(scores: Mapping[str, float]) -> float:
            total = first(scores)
            for combine, node in rest:
                total = combine(total, node(scores))
            return total

        return value

    def _unary(self) -> _Node:
        negative = False
        while self._next() in ("+", "-"):
            negative ^= self._take() == "-"
        node = self._power()
        return (lambda scores: -node(scores)) if negative else node

    def _power(self) -> _Node:
        base = self._atom()
        if self._next() not in ("^", "**"):
            return base
        self._take()
        self._depth += 1
        if self._depth > DEEPEST_FORMULA:
            raise FormulaError(f"the formula nests deeper than {DEEPEST_FORMULA}")
        exponent = self._unary()
        self._depth -= 1
        return lambda scores: math.pow(base(scores), exponent(scores))

    def _atom(self) -> _Node:
        token = self._take()
        if token == "(":  # noqa: S105 (a parenthesis, no password)
            node = self._sum()
            self._expect(")")
            return node
        if token[0].isdigit() or token[0] == ".":
            number = float(token)
            return lambda _: number
        if not (token[0].isalpha() or token[0] == "_"):
            raise FormulaError(f"unexpected {token!r} in the formula {self._text!r}")
        if self._next() == "(":
            return self._call(token)
        self.names.add(token)
        return lambda scores: scores[token]

    def _call(self, name: str) -> _Node:
        if name not in _FUNCTIONS:
            raise FormulaError(f"the formula calls {name!r}; known functions: {', '.join(_FUNCTIONS)}")
        fewest, most, function = _FUNCTIONS[name]
        self._expect("(")
        arguments = [self._sum()]
        while self._next() == ",":
            self._take()
            arguments.append(self._sum())
        self._expect(")")
        if not fewest <= len(arguments) <= most:
            raise FormulaError(f"{name} takes {fewest} to {most} arguments, got {len(arguments)}")
        return lambda scores: function(*(argument(scores) for argument in arguments))

    def _next(self) -> str:
        return self._tokens[self._position] if self._position < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._next()
        if not token:
            raise FormulaError(f"the formula {self._text!r} ends too early")
        self._position += 1
        return token

    def _expect(self, mark: str) -> None:
        if self._next() != mark:
            raise FormulaError(f"expected {mark!r}, got {self._next() or 'the end'!r} in the formula {self._text!r}")
        self._position += 1


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    position = 0
    end = len(text.rstrip())
    while position < end:
        found = _TOKEN.match(text, position)
        if not found:
            raise FormulaError(f"unexpected {text[position:].lstrip()[:1]!r} in the formula {text!r}")
        tokens.append(found[0].strip())
        position = found.end()
    return tokens
