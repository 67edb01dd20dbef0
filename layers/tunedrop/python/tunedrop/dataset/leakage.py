"""Test prompts that the training file holds too: exactly, or in long runs of words.

The index is built on the test file (some thousand rows) and the training file streams past it. Runs are counted in
words, lower-cased, as in the contamination studies of GPT-3 (arXiv:2005.14165, appendix C: 13-grams). What the prompts
of a file have in common, such as "Let's think step by step", is no leakage: words that all test prompts begin or end
with, and runs that more than one in twenty of them have, are left out.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

from tunedrop.dataset.prompts import normalised
from tunedrop.dataset.show import cleaned

RUN_LENGTHS: Final = (8, 10, 13)
"""Lengths of runs, in words, for which test rows are counted."""
SHORTEST: Final = RUN_LENGTHS[0]
WARNED_LENGTH: Final = RUN_LENGTHS[-1]
LONGEST: Final = 64
"""A run is followed for so many words; a longer one counts as this long."""
MAX_PAIRS: Final = 20
MAX_EXCERPT: Final = 300
"""Characters of each prompt that a pair shows."""
MAX_INDEXED_WORDS: Final = 500_000
"""Words of the test file that are indexed, in some 60 MB. GSM8K's whole test set has 61,000."""
# A run is the prompts' own wording, not the task's, when more than this part of the test rows have it (and some at
# least).
_SHARED_PART: Final = 0.05
_SHARED_LEAST: Final = 10

_WORD = re.compile(r"\w+")


def words_of(text: str) -> list[str]:
    """The words of a text, lower-cased."""
    return _WORD.findall(text.lower())


@dataclass(frozen=True, slots=True)
class Pair:
    """A test row and the first training row with its longest run of words."""

    test_line: int
    train_line: int
    words: int
    """Length of the run; LONGEST stands for more, too."""
    run: str
    """The run itself, lower-cased, without punctuation."""
    test_text: str
    train_text: str


@dataclass(slots=True)
class _TestRow:
    line: int
    text: str
    words: list[str]
    exact_line: int = 0
    """The first training line with the same prompt; 0 where there is none."""
    longest: int = 0
    start: int = 0
    """Where in `words` the longest run starts."""
    train_line: int = 0
    train_text: str = ""


class LeakageIndex:
    """The test file's prompts: add them all, then compare the training file's, row by row."""

    def __init__(self) -> None:
        self._rows: list[_TestRow] = []
        self._prompts: dict[int, list[int]] = {}
        self._runs: dict[int, list[tuple[int, int]]] = {}
        """Hash of a run of SHORTEST words → test row and place of its first word, once a test row."""
        self._indexed_words = 0
        self.left_out = 0
        """Test rows beyond MAX_INDEXED_WORDS, which are compared exactly but not by runs."""

    def add(self, line: int, prompt: str, user_text: str) -> None:
        """Add one test row: its line, its prompt as compared exactly, and what the user says in it."""
        words = words_of(user_text)
        self._indexed_words += len(words)
        if self._indexed_words > MAX_INDEXED_WORDS:
            words = []
            self.left_out += 1
        self._prompts.setdefault(hash(normalised(prompt)), []).append(len(self._rows))
        self._rows.append(_TestRow(line, user_text[:MAX_EXCERPT], words))

    def finish(self) -> None:
        """Call once, after the last test row and before the first comparison."""
        _strip_what_all_share([row.words for row in self._rows if row.words])
        hashed = [_run_hashes(row.words) for row in self._rows]
        counts = Counter(run for runs in hashed for run in set(runs))
        allowed = max(_SHARED_LEAST, _SHARED_PART * len(self._rows))
        shared = {run for run, count in counts.items() if count > allowed}
        for place, runs in enumerate(hashed):
            # A run that only touches the shared wording is left out as well: "... he have let's think step by step".
            blocked = bytearray(len(runs) + 2 * SHORTEST)
            for start, run in enumerate(runs):
                if run in shared:
                    blocked[start + 1 : start + 2 * SHORTEST] = b"\x01" * (2 * SHORTEST - 1)
            seen: set[int] = set()
            for start, run in enumerate(runs):
                if not blocked[start + SHORTEST] and run not in seen:
                    seen.add(run)
                    self._runs.setdefault(run, []).append((place, start))

    def compare(self, line: int, prompt: str, user_text: str) -> None:
        """Compare one training row with every test row. Time is linear in the row's words, but for LONGEST."""
        for place in self._prompts.get(hash(normalised(prompt)), ()):
            self._rows[place].exact_line = self._rows[place].exact_line or line
        words = words_of(user_text)
        for start, run in enumerate(_run_hashes(words)):
            for place, test_start in self._runs.get(run, ()):
                row = self._rows[place]
                length = _run_length(words, start, row.words, test_start)
                if length > row.longest:
                    row.longest, row.start, row.train_line = length, test_start, line
                    row.train_text = user_text[:MAX_EXCERPT]

    @property
    def rows(self) -> int:
        """Test rows that were added."""
        return len(self._rows)

    def exact(self) -> list[tuple[int, int]]:
        """Test line and training line of every prompt that both files hold (apart from case and white space)."""
        return [(row.line, row.exact_line) for row in self._rows if row.exact_line]

    def counts(self) -> dict[int, int]:
        """For each of RUN_LENGTHS, how many test rows share at least one run of so many words with a training row."""
        return {length: sum(row.longest >= length for row in self._rows) for length in RUN_LENGTHS}

    def pairs(self, shortest: int = SHORTEST) -> list[Pair]:
        """The test rows with a run of at least `shortest` words, the longest runs first."""
        found = sorted((row for row in self._rows if row.longest >= shortest), key=lambda row: (-row.longest, row.line))
        return [
            Pair(
                row.line,
                row.train_line,
                row.longest,
                cleaned(" ".join(row.words[row.start : row.start + row.longest])),
                cleaned(row.text),
                cleaned(row.train_text),
            )
            for row in found
        ]


def _run_hashes(words: list[str]) -> list[int]:
    return [hash(tuple(words[start : start + SHORTEST])) for start in range(len(words) - SHORTEST + 1)]


def _run_length(words: list[str], start: int, others: list[str], other_start: int) -> int:
    """How many words agree from here on, at most LONGEST; 0 where two runs only share a hash."""
    length = 0
    for word, other in zip(words[start : start + LONGEST], others[other_start : other_start + LONGEST], strict=False):
        if word != other:
            break
        length += 1
    return length


def _strip_what_all_share(rows: list[list[str]]) -> None:
    """Take the words off that all rows begin and end with, in place; none where there are too few rows to tell."""
    if len(rows) < _SHARED_LEAST:
        return
    first = rows[0]
    for side in (slice(None), slice(None, None, -1)):
        shared = first[side]
        for row in rows:
            shared = shared[: _run_length_whole(shared, row[side])]
        if shared:
            for row in rows:
                if side.step is None:
                    del row[: len(shared)]
                else:
                    del row[len(row) - len(shared) :]


def _run_length_whole(words: list[str], others: list[str]) -> int:
    return next(
        (place for place, (word, other) in enumerate(zip(words, others, strict=False)) if word != other),
        min(len(words), len(others)),
    )
