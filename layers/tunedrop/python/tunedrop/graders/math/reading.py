"""What an answer's text means: a formula, a list, a tuple, an interval, a set, an equation, a number in any base."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from tunedrop.graders.late_pattern import late
from tunedrop.graders.math.formula import MAX_DEPTH, decimals_of, read_formula
from tunedrop.graders.math.meaning import Bracket, Digits, Formula, Listing, Meaning, Relation, Union, Words
from tunedrop.graders.math.stretches import AND, SEPARATORS, at_top, balanced, split, without_end
from tunedrop.graders.math.tokens import NotMathsError, Token, is_ambiguous, tokenize

_RELATIONS = frozenset({"=", "<", ">", "<=", ">=", "!=", "≈", "≡", "∈", "∉", "→"})
_SET_OPERATORS = "∪∩∖"
_OPENINGS = ("(", "[", "]", "⟨", "\\{", "{")
_CLOSINGS = (")", "]", "[", "⟩", "\\}", "}")
_SYSTEMS = ("cases", "aligned", "align", "gathered")


@lru_cache(maxsize=4096)
def readings(text: str) -> tuple[Meaning, ...]:
    """What a text may mean as mathematics: nothing, one thing, or two where a comma may separate thousands or items."""
    found: list[Meaning] = []
    for join in (True, False) if is_ambiguous(text) else (True,):
        try:
            meaning = _everything(tokenize(text, join_thousands=join), 0)
        except NotMathsError:
            continue
        if meaning not in found:
            found.append(meaning)
    return tuple(found)


def _everything(tokens: Sequence[Token], depth: int) -> Meaning:
    """Statements, separated by commas, "and" or "or"."""
    tokens = without_end(tokens)
    if not tokens or depth > MAX_DEPTH:
        raise NotMathsError("nothing, or too deep")
    if tokens[0].kind == "begin" and tokens[0].value in _SYSTEMS:
        return _system(tokens, depth)
    if tokens[0].value == "\\{" and tokens[-1].kind == "end":  # \left\{\begin{array}{l} … \end{array}\right.
        return _system(tokens[1:], depth)
    groups = split(tokens, (";", "∨"))
    joined = split(tokens, AND) if len(groups) == 1 else []
    if len({_names(group) for group in joined}) == 1:
        groups = joined
    if len(groups) > 1 and all(groups):
        found = [_assigned(group, depth) for group in groups]
        if all(found) and len({len(each.items) for each in found if each is not None}) == 1:
            return Listing(tuple(each for each in found if each is not None))
    items = tuple(_statement(piece, depth) for piece in split(tokens, SEPARATORS) if piece)
    if not items:
        raise NotMathsError("separators alone")
    return items[0] if len(items) == 1 else Listing(_each_excluded(items))


def _each_excluded(items: tuple[Meaning, ...]) -> tuple[Meaning, ...]:
    """The items, where the first is `x ≠ 1` and the others are values, as `x ≠` each."""
    first, *others = items
    if (
        not isinstance(first, Relation)
        or first.operators != ("!=",)
        or not all(isinstance(each, Formula) for each in others)
    ):
        return items
    return (first, *(Relation((first.parts[0], each), ("!=",)) for each in others))


def _names(tokens: Sequence[Token]) -> tuple[str, ...]:
    """What stands before each `=`: `p=5, q=2 and p=7, q=2` is two pairs, `p=5, q=2 and r=7` is none."""
    return tuple(one.value for one, other in pairwise(tokens) if other.value == "=")


def _assigned(tokens: Sequence[Token], depth: int) -> Bracket | None:
    """`p=5, q=2` as the tuple (5, 2), where it stands beside others of its kind: `p=5,q=2; p=7,q=2`."""
    pieces = [piece for piece in split(without_end(tokens), (",",)) if piece]
    if len(pieces) < 2 or not all(
        len(piece) > 2 and piece[0].kind == "name" and piece[1].value == "=" for piece in pieces
    ):
        return None
    return Bracket("(", tuple(_side(piece[2:], depth + 1) for piece in pieces), ")")


def _system(tokens: Sequence[Token], depth: int) -> Meaning:
    """Equations one below the other."""
    end = next((index for index, token in enumerate(tokens) if token.kind == "end"), len(tokens))
    lines = split([token for token in tokens[1:end] if token.value != "&"], ("\\\\",))
    return Listing(tuple(_everything(line, depth + 1) for line in lines if without_end(line)))


def _statement(tokens: Sequence[Token], depth: int) -> Meaning:
    """Sides with relations between them."""
    cuts = [index for index, token in at_top(tokens) if token.kind == "symbol" and token.value in _RELATIONS]
    if not cuts:
        return _side(tokens, depth)
    operators = tuple(tokens[cut].value for cut in cuts)
    pieces = split(tokens, _RELATIONS)
    if not pieces[0] and operators[0] in ("=", "≈"):  # "= 5"
        operators, pieces = operators[1:], pieces[1:]
    if not all(pieces):
        raise NotMathsError("a relation with an empty side")
    parts = (_named_side(pieces[0], depth), *(_side(piece, depth) for piece in pieces[1:]))
    return Relation(parts, operators) if operators else parts[0]


def _named_side(tokens: Sequence[Token], depth: int) -> Meaning:
    """The left side, which may be words: `Area = 5`, `\\text{total} = 7`."""
    try:
        return _everything(tokens, depth + 1)
    except NotMathsError:
        return Words(" ".join(token.value for token in tokens))


def _side(tokens: Sequence[Token], depth: int) -> Meaning:
    """Sets with operators between them, something in brackets, a number in another base, or a formula."""
    operators = {token.value for _, token in at_top(tokens) if token.kind == "symbol" and token.value in _SET_OPERATORS}
    if operators:
        pieces = split(tokens, _SET_OPERATORS)
        if len(operators) > 1 or not all(pieces):
            raise NotMathsError("mixed set operators")
        return Union(operators.pop(), tuple(_side(piece, depth + 1) for piece in pieces))
    found = _bracket(tokens, depth) or _digits(tokens)
    return found or Formula(read_formula(tokens, depth), decimals_of(tokens))


def _bracket(tokens: Sequence[Token], depth: int) -> Meaning | None:
    first, last, inside = tokens[0], tokens[-1], tokens[1:-1]
    if len(tokens) == 1:
        return Listing((), braces=True) if first.value == "∅" else None
    if first.kind != "symbol" or first.value not in _OPENINGS or last.kind != "symbol" or last.value not in _CLOSINGS:
        return None
    if not balanced(inside):
        return None
    if first.value in ("\\{", "{") and last.value in ("\\}", "}"):
        return _braces(inside, first.value, depth + 1)
    pieces = split(inside, SEPARATORS)
    if len(pieces) == 1:  # brackets around one thing: a formula's own, or around an equation
        related = any(token.value in _RELATIONS for _, token in at_top(inside))
        return _everything(inside, depth + 1) if related else None
    if not all(pieces):
        raise NotMathsError("an empty item")
    items = tuple(_statement(piece, depth + 1) for piece in pieces)
    return Bracket("[" if first.value == "[" else "(", items, "]" if last.value == "]" else ")")


def _braces(inside: Sequence[Token], opening: str, depth: int) -> Meaning:
    if depth > MAX_DEPTH:
        raise NotMathsError("too deep")
    conditions = split(inside, "|:")
    if opening == "\\{" and len(conditions) == 2 and all(conditions):
        return _everything(conditions[1], depth)  # {x | x > 5} is x > 5
    pieces = [piece for piece in split(inside, SEPARATORS) if piece]
    if opening == "{" and len(pieces) == 1:
        return _everything(inside, depth)
    return Listing(tuple(_statement(piece, depth) for piece in pieces), braces=opening == "\\{")


_BASE_DIGITS = late(r"[0-9][0-9A-Za-z.]*")


def _digits(tokens: Sequence[Token]) -> Digits | None:
    """`204_5`, `1A_{16}`."""
    cut = next((index for index, token in enumerate(tokens) if token.value == "_"), 0)
    above = tokens[:cut]
    base = [token.value for token in tokens[cut + 1 :] if token.value not in "{}()"]
    if not cut or len(base) != 1 or not base[0].isdigit() or not 2 <= int(base[0][:4]) <= 36:
        return None
    if any(token.kind not in ("number", "name") or (place and token.spaced) for place, token in enumerate(above)):
        return None
    digits = "".join(token.value for token in above)
    return Digits(digits.upper(), int(base[0])) if _BASE_DIGITS.fullmatch(digits) else None
