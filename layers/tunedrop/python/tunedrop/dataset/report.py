"""The outcome of a check, as one object and as one JSON document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tunedrop.catalog import Family
from tunedrop.dataset.findings import Findings, finding_json
from tunedrop.dataset.leakage import Pair
from tunedrop.dataset.rule import Severity
from tunedrop.dataset.statistics import Statistics

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class FileFacts:
    """One file as a whole. `sha256` is of its bytes, in hexadecimal digits."""

    rows: int
    bytes: int
    sha256: str
    statistics: Statistics


@dataclass(frozen=True, slots=True)
class LeakageReport:
    """What the test file shares with the training file."""

    exact: int
    """Test rows whose prompt is a training prompt, apart from case and white space."""
    runs: Mapping[int, int]
    """Words in a row → test rows that share a run of so many with a training row."""
    test_rows: int
    not_compared_by_runs: int
    """Test rows beyond the index's bound."""
    pairs: tuple[Pair, ...]
    """The longest runs, each with both lines."""

    def to_json(self) -> dict[str, Any]:
        return {
            "exact": self.exact,
            "ngrams": {str(length): rows for length, rows in self.runs.items()},
            "test_rows": self.test_rows,
            "not_compared_by_ngrams": self.not_compared_by_runs,
            "pairs": [asdict(pair) for pair in self.pairs],
        }


@dataclass(frozen=True, slots=True)
class Setting:
    """What a dataset was looked at with: what its recipe says, in words."""

    model: str
    grader_kind: str
    grader: str
    """The kind, and `by default` where nobody chose it."""
    test_set: str
    not_looked_at: tuple[str, ...] = ()
    recipe_problem: str | None = None
    """Why the recipe cannot be used; None where it can."""


@dataclass(frozen=True, slots=True)
class DatasetReport:
    """Everything that a check found out."""

    family: Family
    findings: Findings
    train: FileFacts
    test: FileFacts | None
    leakage: LeakageReport | None
    suggested: Mapping[str, Any] | None
    """Where to start with hyperparameters; None where no row has a prompt."""
    setting: Setting | None = None
    """None where the files were looked at without a recipe."""

    @property
    def valid(self) -> bool:
        """Whether it can be trained on: no finding is an error, and the recipe, where there is one, can be used."""
        broken = self.setting is not None and self.setting.recipe_problem is not None
        return not broken and self.findings.count(Severity.ERROR) == 0

    @property
    def rows(self) -> int:
        """Rows of the training file: its lines that are not blank, broken ones too."""
        return self.train.rows

    @property
    def test_rows(self) -> int | None:
        """Rows of the test file; None where there is none."""
        return None if self.test is None else self.test.rows

    @property
    def statistics(self) -> Mapping[str, Any]:
        """Of the training file, with the leakage and the suggestions."""
        return {
            **self.train.statistics.to_json(),
            "leakage": None if self.leakage is None else self.leakage.to_json(),
            "suggested": self.suggested,
        }

    @property
    def fixable(self) -> list[str]:
        """The rules found broken that the corrected copy mends."""
        return sorted({group.rule.id for group in self.findings.groups() if group.rule.fixable})

    def fixable_in(self, file: str) -> bool:
        """Whether the corrected copy of this file (`train` or `test`) differs from it."""
        return any(group.rule.fixable and group.file == file for group in self.findings.groups())

    def summary(self) -> str:
        """One sentence for a notice: how many errors and warnings, and the first of them with its line."""
        errors, warnings = self.findings.count(Severity.ERROR), self.findings.count(Severity.WARNING)
        text = f"{self.rows:,} rows, {errors:,} error{'s' * (errors != 1)}, {warnings:,} warning{'s' * (warnings != 1)}"
        first = next(iter(self.findings), None)
        if first is None:
            return text
        where = f"{first.file} file" if first.line is None else f"{first.file} line {first.line:,}"
        return f"{text}; first: {where}: {first.message} ({first.rule})"

    def to_json(self) -> dict[str, Any]:
        """The document of findings.json and of `tunedrop validate --json`."""
        return {
            "format_version": FORMAT_VERSION,
            "valid": self.valid,
            "family": str(self.family),
            "recipe": None if self.setting is None else asdict(self.setting),
            "rows": self.rows,
            "test_rows": self.test_rows,
            "counts": {str(severity): self.findings.count(severity) for severity in Severity},
            "findings": [finding_json(finding) for finding in self.findings],
            "rules": [
                {
                    "rule": group.rule.id,
                    "severity": str(group.severity),
                    "file": group.file,
                    "count": group.count,
                    "shown": len(group.examples),
                    "lines": group.lines(),
                    "reason": group.rule.reason,
                    "source": group.rule.source,
                    "hint": group.rule.hint,
                    "fixable": group.rule.fixable,
                }
                for group in self.findings.groups()
            ],
            "fixable": self.fixable,
            "files": {
                name: {"rows": facts.rows, "bytes": facts.bytes, "sha256": facts.sha256}
                for name, facts in (("train", self.train), ("test", self.test))
                if facts is not None
            },
            "statistics": self.statistics,
        }
