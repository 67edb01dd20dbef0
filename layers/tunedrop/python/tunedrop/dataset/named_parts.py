"""What the recipe's grader options name in the references, and how many references lack it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from tunedrop.dataset.findings import Findings
from tunedrop.dataset.show import shown
from tunedrop.graders.named import NamingGrader
from tunedrop.graders.sample import JSON, Grader
from tunedrop.nearest import nearest

_ROWS_FOR_NAMES = 50
"""Rows whose names are kept, to suggest one of them."""


class NamedParts:
    """Counts, for each name that the options give, the references that have it and those that lack it."""

    def __init__(self, grader: Grader | None) -> None:
        self._grader = grader if isinstance(grader, NamingGrader) else None
        self._rows: Counter[tuple[str, str]] = Counter()
        self._found: Counter[tuple[str, str]] = Counter()
        self._in_each: set[tuple[str, str]] = set()
        self._names: dict[str, None] = {}
        self._looked_at = 0

    def look(self, reference: JSON, row: Mapping[str, JSON]) -> None:
        """Count a row whose reference the grader can use."""
        if self._grader is None:
            return
        named = self._grader.named(reference, row)
        if named and self._looked_at < _ROWS_FOR_NAMES:
            self._looked_at += 1
            self._names |= dict.fromkeys(self._grader.names(reference))
        for each in named:
            key = each.option, each.name
            self._rows[key] += 1
            self._found[key] += each.found
            if each.in_each:
                self._in_each.add(key)

    def report(self, findings: Findings, file: str) -> None:
        """Warn of each name that no reference has; note each field that some of them lack."""
        for (option, name), rows in self._rows.items():
            lacking = rows - self._found[option, name]
            told = f"`grader.options.{option}` names {shown(name)}, which"
            if lacking == rows:
                near = nearest(name, self._names)
                hint = f"Did you mean {shown(near)}? Mend it in recipe.yaml." if near else None
                says = f"{told} none of {rows:,} references has"
                findings.add("grader-names-nothing", file, None, says, got=shown(name), hint=hint)
            elif lacking and (option, name) in self._in_each:
                says = f"{told} {lacking:,} of {rows:,} references lack"
                findings.add("grader-names-few", file, None, says, got=f"{lacking:,} without it")
