"""Rows that come twice, found in 16 bytes a line, whatever the size of the file.

Keys are Python's own 64-bit hashes (SipHash, keyed anew in each process), so two different rows of a file of 1.5
million are taken for the same with a chance of 6e-8, and nobody can make a file whose rows collide on purpose.
"""

from __future__ import annotations

import heapq
import re
from array import array
from collections.abc import Iterator, Sequence
from itertools import compress
from typing import Final, NamedTuple

from tunedrop.dataset.findings import MAX_EXAMPLES, Findings
from tunedrop.dataset.prompts import normalised_keys

_BUCKETS: Final = 256
_BUCKET_MASK: Final = _BUCKETS - 1
_PART: Final = 2**17
"""Keys that are held as Python's own numbers at once, in some 10 MB at most."""

# A repeated prompt is one of these, by what else is the same as in the first row with it.
_RULES: Final = ("duplicate-row", "duplicate-prompt", "duplicate-conflict")
_WORDS: Final = {
    "duplicate-row": "the same prompt and answer as line {first}",
    "duplicate-prompt": "the same prompt as line {first}, apart from case and white space",
    "duplicate-conflict": "the same prompt as line {first}, but another answer",
}


class Repeat(NamedTuple):
    """The line at `place` has the key of the earlier one at `first`; places count from 0."""

    place: int
    first: int


class Keys:
    """One 8-byte key a line, in the order of the lines; 0 for a line without one."""

    def __init__(self) -> None:
        self._keys = array("q")

    def __len__(self) -> int:
        return len(self._keys)

    def extend(self, keys: list[int]) -> None:
        """Add the keys of the next lines."""
        self._keys.extend(array("q", keys))

    def put(self, place: int, keys: list[int]) -> None:
        """Add the keys of the lines from `place`, at or after the next one; the lines between have none."""
        self.extend([0] * (place - len(self._keys)))
        self.extend(keys)

    def repeats(self) -> Iterator[Repeat]:
        """Every line whose key an earlier line has, in no order. Memory: 4 bytes a line, and one bucket's keys."""
        if not self._any_repeated():
            return
        buckets = [array("I") for _ in range(_BUCKETS)]
        adders = [bucket.append for bucket in buckets]
        keys = self._keys
        for place, key in enumerate(keys):
            if key:
                adders[key & _BUCKET_MASK](place)
        for bucket in buckets:
            seen: dict[int, int] = {}
            for place in bucket:
                first = seen.setdefault(keys[place], place)
                if first != place:
                    yield Repeat(place, first)

    def _any_repeated(self) -> bool:
        """Whether there is anything to look for: several times faster than looking, and mostly there is not."""
        parts = 1
        while len(self._keys) > parts * _PART and parts < _BUCKETS:
            parts *= 2
        bytes_of_keys = memoryview(self._keys).cast("B")[:: self._keys.itemsize].tobytes()
        for remainder in range(parts):
            chosen = bytes_of_keys.translate(bytes(byte & (parts - 1) == remainder for byte in range(256)))
            repeated = chosen.count(1) - len(set(compress(self._keys, chosen)))
            if repeated and (remainder or repeated >= self._keys.count(0)):
                return True
        return False


class Tags:
    """Four bytes of a key a line: enough to tell texts apart that have something else in common (1 in 4e9 fails)."""

    def __init__(self) -> None:
        self._tags = array("i")

    def __getitem__(self, place: int) -> int:
        return self._tags[place]

    def extend(self, keys: list[int]) -> None:
        """Add the tags of the next lines, from their 8-byte keys."""
        self._tags.extend(array("i", array("q", keys).tobytes())[::2])


class Prompts:
    """The prompts of a file's lines, by their keys: normalised, exact, and the answer's."""

    def __init__(self) -> None:
        self.normalised = Keys()
        self.exact = Tags()
        self.answer = Tags()

    def add(self, prompts: Sequence[str | None], answers: Sequence[str | None]) -> None:
        """Add the next lines' prompts and answers; None where a line has none."""
        self.normalised.extend(normalised_keys(prompts))
        self.exact.extend(list(map(hash, prompts)))
        self.answer.extend(list(map(hash, answers)))

    def report(self, findings: Findings, file: str) -> None:
        """Find repeated prompts, and say of each whether prompt and answer are the same, or not even the answer."""
        kinds = bytearray(len(self.normalised))
        earliest: dict[str, list[tuple[int, int]]] = {rule: [] for rule in _RULES}
        for place, first in self.normalised.repeats():
            rule = self._rule(place, first)
            kinds[place] = _RULES.index(rule) + 1
            heap = earliest[rule]  # a heap with the latest line on top, so that the earliest remain
            if len(heap) < MAX_EXAMPLES:
                heapq.heappush(heap, (-place, first))
            elif -place > heap[0][0]:
                heapq.heapreplace(heap, (-place, first))
        for rule in _RULES:
            heap = earliest[rule]
            for negative, first in sorted(heap, reverse=True):
                says = _WORDS[rule].format(first=first + 1)
                findings.add(rule, file, 1 - negative, says, field="messages", got=f"line {first + 1} again")
            if len(heap) == MAX_EXAMPLES:
                rest = 1 - heap[0][0]
                for run in re.compile(bytes([_RULES.index(rule) + 1]) + b"+").finditer(kinds, rest):
                    findings.add_lines(rule, file, run.start() + 1, run.end())

    def _rule(self, place: int, first: int) -> str:
        if self.answer[place] != self.answer[first]:
            return "duplicate-conflict"
        return "duplicate-row" if self.exact[place] == self.exact[first] else "duplicate-prompt"
