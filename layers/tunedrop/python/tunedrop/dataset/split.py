"""The hold-out: a test set split off a training file, where none was dropped with it.

A row's side is decided by its own prompt: the first 8 bytes of SHA-256 of the normalised prompt, read as a fraction of
2^64, below the share. So adding, removing or reordering rows moves no other row, and duplicates stay on one side.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from tunedrop.dataset.bounds import MIN_ROWS
from tunedrop.dataset.prompts import normalised

_MOST_HELD_BACK: Final = 2_000
"""Test rows that are kept in memory until the training side is known to have its least number of rows."""


class _Placed(Protocol):
    """A row that knows where its prompt falls between 0 and 1."""

    @property
    def fraction(self) -> float: ...


_Row = TypeVar("_Row", bound=_Placed)


@dataclass(frozen=True, slots=True)
class Split:
    """How many rows went where."""

    train_rows: int
    test_rows: int


def holdout_fraction(prompt: str) -> float:
    """Where a prompt falls between 0 and 1; it is held out below the share."""
    return int.from_bytes(hashlib.sha256(normalised(prompt)).digest()[:8], "big") / 2**64


class HoldOut(Generic[_Row]):
    """Sends rows, one after the other, to `train` or to `test`.

    `share` is the expected part of rows that is held out, more than 0 and less than 1. Where the training side would
    have fewer than `least_train_rows` (the service's minimum), the rows with the highest fractions stay there, so that
    only a set of little more than that many rows depends on its size.
    """

    def __init__(
        self,
        train: Callable[[_Row], None],
        test: Callable[[_Row], None],
        *,
        share: float,
        least_train_rows: int = MIN_ROWS,
    ) -> None:
        if not 0 < share < 1:
            raise ValueError(f"share: expected more than 0 and less than 1, got {share}")
        self._train = train
        self._test = test
        self._share = share
        self._least_train_rows = least_train_rows
        self._train_rows = 0
        self._test_rows = 0
        self._held_back: list[_Row] = []

    def add(self, row: _Row) -> None:
        """Send the next row to its side, or hold it back until its side is known."""
        if row.fraction >= self._share:
            self._train(row)
            self._train_rows += 1
        elif self._train_rows < self._least_train_rows and len(self._held_back) < _MOST_HELD_BACK:
            self._held_back.append(row)
        else:
            self._test(row)
            self._test_rows += 1

    def close(self) -> Split:
        """Send the rows that were held back to their sides, after the last row."""
        # Where rows beyond those held back went to the test side, keeping some would tear duplicates apart.
        missing = 0 if self._test_rows else self._least_train_rows - self._train_rows
        kept = _kept_for_training([row.fraction for row in self._held_back], missing)
        for place, row in enumerate(self._held_back):
            (self._train if place in kept else self._test)(row)
        return Split(self._train_rows + len(kept), self._test_rows + len(self._held_back) - len(kept))


def _kept_for_training(fractions: Sequence[float], missing: int) -> set[int]:
    """Places of the rows that go back to the training side: the highest fractions, equal ones (duplicates) together."""
    kept: set[int] = set()
    by_fraction: dict[float, list[int]] = {}
    for place, fraction in enumerate(fractions):
        by_fraction.setdefault(fraction, []).append(place)
    for fraction in sorted(by_fraction, reverse=True):
        if len(kept) >= missing:
            break
        kept.update(by_fraction[fraction])
    return kept
