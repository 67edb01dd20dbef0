"""Stretches of tokens: what stands outside all brackets, and where a stretch falls into pieces."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence

from tunedrop.graders.late_pattern import late
from tunedrop.graders.math.tokens import NotMathsError, Token

OPENING: Mapping[str, str] = {"(": ")", "[": "]", "⟨": "⟩", "\\{": "\\}", "⌊": "⌋", "⌈": "⌉", "{": "}"}
_CLOSING = frozenset(OPENING.values())
SEPARATORS = frozenset({",", ";", "∧", "∨"})
AND = frozenset({"∧", "and"})
"""Cuts at "and" and "or" alone."""
_AND = late(r"^\W*(?:and|or)\W*$", re.IGNORECASE)


def is_and(token: Token) -> bool:
    """Whether a token is the word "and" or "or"."""
    return token.kind == "text" and _AND.match(token.value) is not None


def at_top(tokens: Sequence[Token]) -> list[tuple[int, Token]]:
    """The tokens outside all brackets, with their places."""
    found = []
    depth = 0
    for index, token in enumerate(tokens):
        if token.kind == "begin" or (token.kind == "symbol" and token.value in OPENING):
            depth += 1
        elif token.kind == "end" or (token.kind == "symbol" and token.value in _CLOSING):
            depth -= 1
        elif depth <= 0:
            found.append((index, token))
    return found


def split(tokens: Sequence[Token], cuts: Container[str]) -> list[Sequence[Token]]:
    """The pieces between the symbols that cut, outside all brackets; the word "and" or "or" cuts where a comma does,
    or where `cuts` has "and"."""
    pieces = []
    start = 0
    for index, token in at_top(tokens):
        if (token.kind == "symbol" and token.value in cuts) or (("," in cuts or "and" in cuts) and is_and(token)):
            pieces.append(tokens[start:index])
            start = index + 1
    pieces.append(tokens[start:])
    return pieces


def balanced(tokens: Sequence[Token]) -> bool:
    """Whether the brackets within close within: `(1)(2)` is not one pair of brackets."""
    depth = 0
    for token in tokens:
        if token.kind != "symbol":
            continue
        if token.value in OPENING:
            depth += 1
        elif token.value in _CLOSING:
            depth -= 1
            if depth < 0:
                return False
    return depth == 0


def without_end(tokens: Sequence[Token]) -> Sequence[Token]:
    """Without the punctuation that ends a sentence."""
    end = len(tokens)
    while end and tokens[end - 1].kind == "symbol" and tokens[end - 1].value in (".", ",", ";", ":", "?"):
        end -= 1
    start = 0
    while start < end and tokens[start].kind == "symbol" and tokens[start].value in (":", ",", "."):
        start += 1
    return tokens[start:end]


def closing_of(tokens: Sequence[Token], start: int, opening: str) -> int:
    """Where the bracket that was opened before `start` is closed. Raises NotMathsError where it is not."""
    closing = OPENING[opening]
    depth = 0
    for index in range(start, len(tokens)):
        token = tokens[index]
        if token.kind != "symbol":
            continue
        if token.value == closing and depth == 0:
            return index
        if token.value == opening:
            depth += 1
        elif token.value == closing:
            depth -= 1
    raise NotMathsError(f"{opening!r} that is never closed")
