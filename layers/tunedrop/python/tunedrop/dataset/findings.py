"""What a check found: grouped by rule and file, every line kept as a number, examples up to a cap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace

from tunedrop.catalog import Family
from tunedrop.dataset.rule import Rule, Severity
from tunedrop.dataset.rules import RULES

MAX_EXAMPLES = 500
"""Findings of one rule in one file that are kept whole; the rest are counted, with their lines."""
MAX_RANGES = 1_000
"""Ranges of lines that are kept for one rule in one file; what lies beyond is counted only."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, in words for the data's owner."""

    rule: str
    severity: Severity
    file: str
    """`train` or `test`."""
    line: int | None
    """Counted from 1; None where the whole file is meant."""
    field: str
    """Path within the row, as in `messages[0].content`; empty where the whole line is meant."""
    expected: str
    got: str
    message: str
    hint: str


@dataclass(slots=True)
class Group:
    """All findings of one rule in one file."""

    rule: Rule
    severity: Severity
    file: str
    count: int = 0
    examples: list[Finding] = field(default_factory=list)
    ranges: list[tuple[int, int]] = field(default_factory=list)
    """First and last line of each run of lines, in the order found."""

    def lines(self) -> str:
        """The lines as a person writes them: `3, 17-20`; ends in `…` where ranges were left out."""
        text = ", ".join(f"{first}" if first == last else f"{first}-{last}" for first, last in sorted(self.ranges))
        return f"{text}, …" if len(self.ranges) == MAX_RANGES else text

    def add_lines(self, first: int, last: int) -> None:
        """Note that these lines have a finding, without counting it."""
        if self.ranges and self.ranges[-1][0] <= first <= self.ranges[-1][1] + 1:
            self.ranges[-1] = (self.ranges[-1][0], max(self.ranges[-1][1], last))
        elif len(self.ranges) < MAX_RANGES:
            self.ranges.append((first, last))


MAX_GOT = 3
"""Different things got that are told of findings that else say the same."""


@dataclass(frozen=True, slots=True)
class Told:
    """Findings of one rule that say the same, but for their lines."""

    finding: Finding
    """The first of them."""
    count: int
    lines: str


def folded(group: Group) -> list[Told]:
    """A group's findings, those that say the same told once, in the order in which they were found.

    Where more than MAX_GOT of them differ only in what was got, they are told once, with the first of what was got.
    Where all that are kept say the same, so do those that are only counted.
    """
    got: dict[tuple[str, ...], dict[str, None]] = {}
    for finding in group.examples:
        got.setdefault(_said(finding), {})[finding.got] = None
    alike: dict[tuple[str, ...], Group] = {}
    firsts: dict[tuple[str, ...], Finding] = {}
    for finding in group.examples:
        said, first = _said(finding), finding
        if len(got[said]) > MAX_GOT:
            first = replace(finding, got=f"{', '.join(list(got[said])[:MAX_GOT])}, …")
        key = (*said, first.got)
        part = alike.setdefault(key, Group(group.rule, group.severity, group.file))
        firsts.setdefault(key, first)
        part.count += 1
        if finding.line is not None:
            part.add_lines(finding.line, finding.line)
    if len(alike) == 1:
        return [Told(finding, group.count, group.lines()) for finding in firsts.values()]
    return [Told(firsts[key], part.count, part.lines()) for key, part in alike.items()]


def _said(finding: Finding) -> tuple[str, ...]:
    return finding.field, finding.expected, finding.message, finding.hint


class Findings:
    """Collects findings for one family. Memory is bounded by the caps, however many are added."""

    def __init__(self, family: Family) -> None:
        self._severity = {rule.id: rule.severity[family] for rule in RULES.values()}
        self._groups: dict[tuple[str, str], Group] = {}

    def add(
        self,
        rule_id: str,
        file: str,
        line: int | None,
        message: str,
        *,
        field: str = "",
        expected: str | None = None,
        got: str = "",
        hint: str | None = None,
    ) -> None:
        """Note one finding. A rule that does not apply to the family is left out."""
        group = self._group(rule_id, file)
        if group is None:
            return
        group.count += 1
        if line is not None:
            group.add_lines(line, line)
        if len(group.examples) < MAX_EXAMPLES:
            rule = group.rule
            group.examples.append(
                Finding(
                    rule_id,
                    group.severity,
                    file,
                    line,
                    field,
                    rule.expected if expected is None else expected,
                    got,
                    message,
                    rule.hint if hint is None else hint,
                )
            )

    def add_lines(self, rule_id: str, file: str, first: int, last: int) -> None:
        """Count one finding for each of these lines, without words: for lines beyond the examples."""
        group = self._group(rule_id, file)
        if group is not None:
            group.count += last - first + 1
            group.add_lines(first, last)

    def has(self, rule_id: str, file: str) -> bool:
        """Whether this rule was found broken in this file."""
        return (rule_id, file) in self._groups

    def full(self, rule_id: str, file: str) -> bool:
        """Whether another finding of this rule is only counted, so that its words need not be found."""
        group = self._groups.get((rule_id, file))
        return group is not None and len(group.examples) >= MAX_EXAMPLES

    def hint(self, rule_id: str, file: str, hint: str) -> None:
        """Let the findings of this rule in this file that have no hint of their own say what to do in these words."""
        group = self._groups.get((rule_id, file))
        if group is not None:
            group.examples = [
                replace(finding, hint=hint) if finding.hint == group.rule.hint else finding
                for finding in group.examples
            ]

    def withdraw(self, file: str) -> None:
        """Forget what was found in a file, where a later look explains all of it better."""
        for key in [key for key in self._groups if key[1] == file]:
            del self._groups[key]

    def _group(self, rule_id: str, file: str) -> Group | None:
        severity = self._severity[rule_id]
        if severity is None:
            return None
        return self._groups.setdefault((rule_id, file), Group(RULES[rule_id], severity, file))

    def groups(self) -> list[Group]:
        """Errors first, then warnings, then notes; within these in the order of the rules."""
        order = {rule_id: place for place, rule_id in enumerate(RULES)}
        severities = list(Severity)
        return sorted(
            self._groups.values(),
            key=lambda group: (severities.index(group.severity), order[group.rule.id], group.file != "train"),
        )

    def count(self, severity: Severity) -> int:
        """How many findings of this severity there are, beyond the caps too."""
        return sum(group.count for group in self._groups.values() if group.severity is severity)

    def __iter__(self) -> Iterator[Finding]:
        for group in self.groups():
            yield from group.examples


def finding_json(finding: Finding) -> dict[str, str | int | None]:
    """The finding as it stands in findings.json."""
    return asdict(finding)
