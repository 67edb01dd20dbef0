"""Which fields the rows of a file have beside their messages, and which rows lack one that the others have."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from tunedrop.dataset.findings import Findings
from tunedrop.dataset.secrets import redacted
from tunedrop.dataset.show import shown
from tunedrop.dataset.statistics import MAX_KINDS, count

MAX_SHAPES: Final = 1_000
MAX_KEYS: Final = 64
"""Rows with more keys, or of more shapes, are counted field by field only."""
MAX_PLAIN_KEYS: Final = 24
"""Keys of the rows that may take the quick way; each is a part of the scan's pattern."""
_SIMPLE_KEY = re.compile(r"[A-Za-z0-9_.-]{1,40}")
KEYS_OF_FORMAT: Final = frozenset({"messages", "role", "content", "reference_answer", "id"})
_COMMON_PART: Final = 0.9
"""A field that so many rows have is taken to be meant for all."""
_FORMAT: Final = frozenset({"messages", "reference_answer", "id", "tools"})


@dataclass(slots=True)
class Shape:
    """Rows with the same keys in the same order."""

    keys: tuple[str, ...]
    first_line: int
    rows: int = 0


class Shapes:
    """Counts rows by their keys."""

    def __init__(self) -> None:
        self.plain: dict[tuple[str, ...], Shape] = {}
        """Shapes seen that a plain row may have: no tools, and few keys with simple names."""
        self.plain_keys: frozenset[str] = KEYS_OF_FORMAT
        """All keys of plain shapes and their messages, MAX_PLAIN_KEYS at most."""
        self.latest_plain: Shape | None = None
        self._others: dict[tuple[str, ...], Shape] = {}
        self._beyond: Counter[str] = Counter()
        self._rows_beyond = 0

    def add(self, line: int, row: dict[str, Any]) -> None:
        """Count one row."""
        keys = tuple(row)
        shape = self.plain.get(keys) or self._others.get(keys)
        if shape is None:
            if len(keys) > MAX_KEYS or len(self.plain) + len(self._others) >= MAX_SHAPES:
                self._rows_beyond += 1
                for key in keys:
                    count(self._beyond, key)
                return
            shapes = self.plain if self._is_plain(keys) else self._others
            shape = shapes[keys] = Shape(keys, line)
        if keys in self.plain:
            self.latest_plain = shape
        shape.rows += 1

    def add_plain(self, rows: int) -> None:
        """Count rows of the latest plain shape."""
        if self.latest_plain is not None:
            self.latest_plain.rows += rows

    def _is_plain(self, keys: tuple[str, ...]) -> bool:
        if "tools" in keys or not all(map(_SIMPLE_KEY.fullmatch, keys)):
            return False
        plain_keys = self.plain_keys.union(keys)
        if len(plain_keys) > MAX_PLAIN_KEYS:
            return False
        self.plain_keys = plain_keys
        return True

    def fields(self) -> dict[str, int]:
        """How many rows have each field that is passed on to the grader: the most common ones, MAX_KINDS at most."""
        rows = self._count_keys()
        passed_on = [(key, having) for key, having in rows.most_common() if key not in _FORMAT]
        return {_short(key): having for key, having in passed_on[:MAX_KINDS]}

    def report(self, findings: Findings, file: str) -> None:
        """Note each field that nearly all rows have, with the first row that lacks it."""
        shapes = (*self.plain.items(), *self._others.items())
        rows = self._rows_beyond + sum(shape.rows for _, shape in shapes)
        for key, having in self._count_keys().items():
            if key in _FORMAT or not _COMMON_PART * rows <= having < rows:
                continue
            lacking = [shape.first_line for keys, shape in shapes if key not in keys]
            says = f"{rows - having:,} of {rows:,} rows lack {shown(key)}, and the other rows have it"
            findings.add(
                "fields-uneven", file, min(lacking, default=None), says, field=_short(key), got="no such field"
            )

    def _count_keys(self) -> Counter[str]:
        counts = Counter(self._beyond)
        for keys, shape in (*self.plain.items(), *self._others.items()):
            for key in keys:
                counts[key] += shape.rows
        return counts


def _short(key: str) -> str:
    """A key as a report shows it; a hostile one may be long, or hold what is private."""
    return key if key.isidentifier() and len(key) <= 60 and redacted(key) == key else shown(key)
