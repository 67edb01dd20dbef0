"""Patterns of a schema: taken by RE2, whose time is linear, and not such that any other reader would hang.

A schema is read by more than the grader: teams check the tuned model's answers with the readers that they have, and
most of those go back and forth. A pattern is refused where that can take time exponential in the text: where it can
match one text within a repetition in two ways (`(a+)+`, `(a|a)*`). That is decided exactly, on the pattern's automaton
(Weber and Seidl 1991, "On the degree of ambiguity of finite automata", Theoretical Computer Science 88).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from typing import Any

from tunedrop.graders.sample import OptionsError

# Python's own parser of patterns: its modules have the same names since Python 3.11, and no types.
of: Any = import_module("re._constants")
parser: Any = import_module("re._parser")

LONGEST_PATTERN = 1_000
"""Characters of a pattern."""

MOST_POSITIONS = 300
"""Characters and classes of a pattern that the search for ambiguity looks at, repetitions written out up to thrice."""

MOST_STEPS = 300_000
"""Steps of the search for ambiguity: well below a second."""

MEMORY_BYTES = 1 << 20
"""What RE2 may take for a pattern."""

_Pair = tuple[int, int]
_WRITTEN_OUT = 3
_MANY = 10
"""A repetition of more than so many times, with an endless one in it, is looked at as if it were endless, too."""
_SAMPLES = [*map(chr, range(128)), "é", "Ω", "日", "\u2003", "٣"]
"""Characters by which two classes are seen to overlap: ASCII, and some of each kind beyond it."""

_ALTERNATIVE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\|", re.DOTALL)
_PROPERTY = re.compile(r"\\[pP](?:\{[^}]{1,40}\}|[A-Z])")


@lru_cache(maxsize=256)
def compiled(pattern: str, place: str) -> Any:
    """The pattern as RE2 has it.

    Raises:
        OptionsError: RE2 does not take it, or it is ambiguous within a repetition.
    """
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = MEMORY_BYTES
    if len(pattern) > LONGEST_PATTERN:
        raise OptionsError(f"`{place}` has {len(pattern):,} characters; expected at most {LONGEST_PATTERN:,}.")
    try:
        made = re2.compile(pattern, options=options)
    except re2.error as error:
        told = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else str(error)
        raise OptionsError(f"`{place}`: {pattern[:60]!r} is no pattern that RE2 takes: {told[:100]}.") from None
    if _is_ambiguous(pattern, place):
        raise OptionsError(
            f"`{place}`: {pattern[:60]!r} is too costly: within a repetition it can match the same text in several "
            "ways, which most readers need exponential time for; repeat each part once."
        )
    return made


def _is_ambiguous(pattern: str, place: str) -> bool:
    """Whether a position of the pattern can be reached from itself by two ways that read the same text."""
    # The parser makes one class of alternatives of one character each; with a group in it, each stays on its own.
    written = _ALTERNATIVE.sub(lambda found: "|()" if found[0] == "|" else found[0], _PROPERTY.sub(r"\\w", pattern))
    try:
        tree = parser.parse(written)
    except (re.error, RecursionError, OverflowError) as error:
        raise OptionsError(f"`{place}`: {pattern[:60]!r} is no pattern: {str(error)[:100]}.") from None
    automaton = _Automaton(place)
    automaton.read(tree)
    return automaton.is_ambiguous()


class _Automaton:
    """The pattern's position automaton: each character or class is a position, `after` says what may follow it."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._classes: list[list[Any]] = []
        self._after: list[set[int]] = []
        self._twice = False
        self._endless = 0

    def read(self, tree: Any) -> tuple[set[int], set[int], bool]:
        """The first and the last positions of a piece of the pattern, and whether it may match nothing."""
        first: set[int] = set()
        last: set[int] = set()
        empty = True
        for kind, value in tree:
            piece_first, piece_last, piece_empty = self._piece(kind, value)
            self._join(last, piece_first)
            first |= piece_first if empty else set()
            last = piece_last | (last if piece_empty else set())
            empty = empty and piece_empty
        return first, last, empty

    def _piece(self, kind: Any, value: Any) -> tuple[set[int], set[int], bool]:
        if kind in (of.LITERAL, of.NOT_LITERAL, of.ANY, of.IN):
            return self._position(kind, value)
        if kind is of.BRANCH:
            read = [self.read(each) for each in value[1]]
            return (
                set().union(*(first for first, _, _ in read)),
                set().union(*(last for _, last, _ in read)),
                any(empty for _, _, empty in read),
            )
        if kind is of.SUBPATTERN:
            return self.read(value[-1])
        if kind in (of.MAX_REPEAT, of.MIN_REPEAT, of.POSSESSIVE_REPEAT):
            return self._repeated(*value)
        return set(), set(), True  # anchors read nothing; RE2 has refused all else

    def _position(self, kind: Any, value: Any) -> tuple[set[int], set[int], bool]:
        if len(self._classes) >= MOST_POSITIONS:
            raise OptionsError(f"`{self._place}` has more than {MOST_POSITIONS} characters and classes to look at.")
        self._classes.append(list(value) if kind is of.IN else [(kind, value)])
        self._after.append(set())
        number = len(self._classes) - 1
        return {number}, {number}, False

    def _repeated(self, least: int, most: Any, tree: Any) -> tuple[set[int], set[int], bool]:
        before = self._endless
        endless = most == of.MAXREPEAT
        times = min(max(int(least), 1) if endless else int(most), _WRITTEN_OUT)
        first: set[int] = set()
        last: set[int] = set()
        empty = True
        for number in range(times):
            own_first, own_last, own_empty = self.read(tree)
            skippable = own_empty or number >= int(least)
            self._join(last, own_first)
            first |= own_first if empty else set()
            last = own_last | (last if skippable else set())
            empty = empty and skippable
            endless = endless or (int(most) > _MANY and self._endless > before)
            if endless and number == times - 1:
                self._endless += 1
                self._again(own_last, own_first)
        return first, last, empty or int(least) == 0

    def _again(self, last: set[int], first: set[int]) -> None:
        """The way back of an endless repetition. Two ways back between the same positions are an ambiguity."""
        for number in last:
            self._twice = self._twice or bool(self._after[number] & first)
        self._join(last, first)

    def _join(self, last: set[int], first: set[int]) -> None:
        for number in last:
            self._after[number] |= first

    def is_ambiguous(self) -> bool:
        """Whether a pair (p, p) leads to a pair of different positions and back, both reading the same text.

        That is so where one strongly connected part of the pairs' graph holds a pair of each kind.
        """
        if self._twice:
            return True
        readable = _readable(self._classes)
        steps: dict[_Pair, list[_Pair]] = {}
        waiting: list[_Pair] = [(number, number) for number in range(len(self._classes))]
        work = 0
        while waiting:
            one, other = waiting.pop()
            if (one, other) in steps:
                continue
            work += len(self._after[one]) * len(self._after[other])
            if work > MOST_STEPS:
                raise OptionsError(
                    f"`{self._place}` is too costly: its repetitions follow each other in too many ways."
                )
            steps[one, other] = [
                (min(left, right), max(left, right))
                for left in self._after[one]
                for right in self._after[other]
                if readable[left] & readable[right]
            ]
            waiting += steps[one, other]
        return any(len({one == other for one, other in part}) == 2 for part in _connected(steps))


def _connected(steps: dict[_Pair, list[_Pair]]) -> Iterator[list[_Pair]]:
    """The strongly connected parts of a graph (Tarjan 1972), without recursion."""
    number: dict[_Pair, int] = {}
    low: dict[_Pair, int] = {}
    path: list[_Pair] = []
    on_path: set[_Pair] = set()
    for start, first in steps.items():
        if start in number:
            continue
        calls = [(start, iter(first))]
        number[start] = low[start] = len(number)
        path.append(start)
        on_path.add(start)
        while calls:
            node, following = calls[-1]
            after = next(following, None)
            if after is None:
                calls.pop()
                if calls:
                    low[calls[-1][0]] = min(low[calls[-1][0]], low[node])
                if low[node] == number[node]:
                    cut = path.index(node)
                    part, path[cut:] = path[cut:], []
                    on_path.difference_update(part)
                    yield part
            elif after not in number:
                number[after] = low[after] = len(number)
                path.append(after)
                on_path.add(after)
                calls.append((after, iter(steps[after])))
            elif after in on_path:
                low[node] = min(low[node], number[after])


def _readable(classes: list[list[Any]]) -> list[frozenset[int]]:
    """Of some characters, those that each class reads: samples of all kinds, and each that the pattern names.

    Two ranges that overlap have an end of one within the other, so that they share one of these.
    """
    named = {number for each in classes for kind, value in each for number in _ends(kind, value)}
    looked_at = {*map(ord, _SAMPLES), *named}
    return [frozenset(number for number in looked_at if _reads(each, chr(number))) for each in classes]


def _ends(kind: Any, value: Any) -> tuple[int, ...]:
    if kind in (of.LITERAL, of.NOT_LITERAL):
        return (value,)
    return tuple(value) if kind is of.RANGE else ()


def _reads(items: list[Any], character: str) -> bool:
    """Whether a class, as the parser's list of its items, reads a character."""
    negated = bool(items) and items[0][0] is of.NEGATE
    return negated != any(_item_reads(kind, value, character) for kind, value in items)


def _item_reads(kind: Any, value: Any, character: str) -> bool:
    if kind is of.LITERAL:
        return bool(ord(character) == value)
    if kind is of.NOT_LITERAL:
        return bool(ord(character) != value)
    if kind is of.RANGE:
        return bool(value[0] <= ord(character) <= value[1])
    if kind is of.ANY:
        return character != "\n"
    found = _CATEGORIES.get(value)
    return found is not None and found.match(character) is not None


_CATEGORIES = {
    of.CATEGORY_DIGIT: re.compile(r"\d"),
    of.CATEGORY_NOT_DIGIT: re.compile(r"\D"),
    of.CATEGORY_SPACE: re.compile(r"\s"),
    of.CATEGORY_NOT_SPACE: re.compile(r"\S"),
    of.CATEGORY_WORD: re.compile(r"\w"),
    of.CATEGORY_NOT_WORD: re.compile(r"\W"),
}
