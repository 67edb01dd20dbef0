"""The hold-out: a test set split off a training file, where none was dropped with it.

A row's side is decided by its own prompt: the first 8 bytes of SHA-256 of the normalised prompt, read as a fraction of
2^64, below the share. So adding, removing or reordering rows moves no other row, and duplicates stay on one side.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

import orjson

from tunedrop.dataset.json_line import read_line
from tunedrop.dataset.lines import Lines, Overlong
from tunedrop.dataset.prompts import normalised, prompt_text
from tunedrop.dataset.rules import MIN_ROWS
from tunedrop.outcomes import DatasetInvalid

DEFAULT_SHARE: Final = 0.1
_MOST_HELD_BACK: Final = 2_000
"""Test rows that are kept in memory until the training side is known to have its least number of rows."""


@dataclass(frozen=True, slots=True)
class Split:
    """How many rows went where."""

    train_rows: int
    test_rows: int


def holdout_fraction(prompt: str) -> float:
    """Where a prompt falls between 0 and 1; it is held out below the share."""
    return int.from_bytes(hashlib.sha256(normalised(prompt)).digest()[:8], "big") / 2**64


def split_holdout(
    source: BinaryIO,
    train: BinaryIO,
    test: BinaryIO,
    *,
    share: float = DEFAULT_SHARE,
    least_train_rows: int = MIN_ROWS,
) -> Split:
    """Write each row of `source`, as it is, to `train` or `test`; blank lines and a byte order mark are left out.

    `share` is the expected part of rows that is held out, more than 0 and less than 1. Where the training side would
    have fewer than `least_train_rows` (the service's minimum), the rows with the highest fractions stay there, so that
    only a set of little more than that many rows depends on its size.

    Reads the stream once, in flat memory. Raises DatasetInvalid where a line is not a row with messages: check first.
    """
    if not 0 < share < 1:
        raise ValueError(f"share: expected more than 0 and less than 1, got {share}")
    train_rows = test_rows = 0
    held_back: list[tuple[float, bytes]] = []
    for line, raw in _numbered(source):
        text = raw.strip()
        if not text:
            continue
        fraction = holdout_fraction(_prompt_of(line, text))
        if fraction >= share:
            train.write(text + b"\n")
            train_rows += 1
        elif train_rows < least_train_rows and len(held_back) < _MOST_HELD_BACK:
            held_back.append((fraction, text))
        else:
            test.write(text + b"\n")
            test_rows += 1
    # Where rows beyond those held back went to the test side, keeping some would tear duplicates apart.
    kept = _kept_for_training(held_back, 0 if test_rows else least_train_rows - train_rows)
    for place, (_, text) in enumerate(held_back):
        (train if place in kept else test).write(text + b"\n")
    return Split(train_rows + len(kept), test_rows + len(held_back) - len(kept))


def _numbered(source: BinaryIO) -> Iterator[tuple[int, bytes]]:
    line = 0
    for part in Lines(source):
        if isinstance(part, Overlong):
            raise DatasetInvalid(f"line {line + 1} is {part.length:,} bytes long; check the file before it is split")
        for raw in part.split(b"\n"):
            line += 1
            yield line, raw


def _kept_for_training(held_back: list[tuple[float, bytes]], missing: int) -> set[int]:
    """Places of the rows that go back to the training side: the highest fractions, equal ones (duplicates) together."""
    kept: set[int] = set()
    by_fraction: dict[float, list[int]] = {}
    for place, (fraction, _) in enumerate(held_back):
        by_fraction.setdefault(fraction, []).append(place)
    for fraction in sorted(by_fraction, reverse=True):
        if len(kept) >= missing:
            break
        kept.update(by_fraction[fraction])
    return kept


def _prompt_of(line: int, text: bytes) -> str:
    row: Any
    try:
        row = orjson.loads(text)
    except orjson.JSONDecodeError:
        row = read_line(text).value
    messages = row.get("messages") if isinstance(row, dict) else None
    if not isinstance(messages, list):
        raise DatasetInvalid(
            f"line {line}: expected a row with `messages`, got something else; check the file before it is split"
        )
    return prompt_text(messages)
