"""A dataset's report on the terminal: the verdict first, then what to look at, then what is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from local.command.terminal import lay_out, open_console
from tunedrop.dataset import description
from tunedrop.dataset.findings import folded
from tunedrop.dataset.rule import Severity
from tunedrop.dataset.rules import RULES

if TYPE_CHECKING:
    from tunedrop.dataset.findings import Finding
    from tunedrop.dataset.findings import Group as FindingGroup
    from tunedrop.dataset.report import DatasetReport

MAX_EXAMPLES = 3
"""Findings of one rule that are printed; --json and --page have more."""

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
_MARKS = {Severity.ERROR: "✗", Severity.WARNING: "!", Severity.NOTE: "·"}
_SAID = ("duplicate-", "leakage-", "personal-", "secret-", "rows-")
"""Rules whose findings' messages say what was got."""
_BLOCKS = " ▁▂▃▄▅▆▇█"


def print_report(report: DatasetReport, name: str) -> None:
    """Print the whole report to standard output."""
    console = open_console()
    lay_out(console, _verdict(report, name))
    if report.setting is not None and report.setting.recipe_problem is not None:
        lay_out(console, _recipe(report.setting.recipe_problem))
    lay_out(console, _facts("Looked at with", description.looked_at(report)))
    for group in report.findings.groups():
        lay_out(console, _group(group))
    if report.leakage is not None:
        lay_out(console, _leakage(report))
    if report.suggested is not None:
        lay_out(console, _facts("What is in it", description.facts(report), _prompt_bars(report)))
        lay_out(console, _facts("Where to start", description.suggestions(report)))
    if report.fixable:
        lay_out(console, Text(f"A corrected copy fixes {', '.join(report.fixable)}: add --corrected COPY.", "bold"))


def _verdict(report: DatasetReport, name: str) -> RenderableType:
    style = "green" if report.valid else "red"
    body = Text.assemble((description.headline(report), f"bold {style}"), "\n", description.explanation(report))
    return Panel(body, title=Text(name), title_align="left", border_style=style, box=box.ROUNDED, expand=False)


def _recipe(problem: str) -> RenderableType:
    """Each thing that is wrong with the recipe on a line of its own."""
    lines = [Text.assemble(("✗ error ", "bold red"), line) for line in problem.split("; recipe field")]
    for line in lines[1:]:
        line.plain = line.plain.replace("✗ error ", "✗ error recipe field", 1)
    return Padding(Group(*lines), (0, 0, 1, 0))


def _group(group: FindingGroup) -> RenderableType:
    style = _STYLES[group.severity]
    head = Text.assemble(
        (f"{_MARKS[group.severity]} {group.severity} ", style),
        (group.rule.id, "bold"),
        f"  {group.count:,} in the {description.FILE_NAMES[group.file]}",
    )
    lines = group.lines()
    if lines and group.count > 1:
        head.append(f", {description.lines_said(lines)}", "dim")
    parts: list[RenderableType] = [head, Padding(Text(group.rule.reason), (0, 0, 0, 2))]
    table = Table(box=None, show_header=False, padding=(0, 1), pad_edge=False)
    table.add_column(justify="right", style="dim", no_wrap=True)
    table.add_column(ratio=1)
    said = folded(group)
    for each in said[:MAX_EXAMPLES]:
        line = each.finding.line
        place = "file" if line is None else f"{line}" if each.count == 1 else f"{each.count:,} x"
        table.add_row(place, _example(each.finding))
    parts.append(Padding(table, (0, 0, 0, 2)))
    hidden = group.count - sum(each.count for each in said[:MAX_EXAMPLES])
    if hidden:
        parts.append(Padding(Text(f"and {hidden:,} more", "dim"), (0, 0, 0, 2)))
    hint = description.hint(said, group)
    parts.append(Padding(Text.assemble(("→ ", style), hint), (0, 0, 1, 2)))
    return Group(*parts)


def _example(finding: Finding) -> Text:
    text = Text(finding.message)
    if finding.field:
        text.append(f"  {finding.field}", "cyan")
    if finding.got and finding.got not in finding.message and not finding.rule.startswith(_SAID):
        text.append(f"  got {finding.got}", "dim")
    if finding.rule == "json-syntax" and finding.hint != RULES[finding.rule].hint:
        text.append(f"  {finding.hint}", "dim")
    return text


def _leakage(report: DatasetReport) -> RenderableType:
    found = report.leakage
    assert found is not None  # noqa: S101 - the caller asks only where there is a test file
    rows = [
        ("same prompt", f"{found.exact:,} of {found.test_rows:,} test rows"),
        *((f"{length} words in a row", f"{count:,} test rows") for length, count in found.runs.items()),
    ]
    return _facts("Rows that are in both the test file and the training file", rows)


def _facts(title: str, rows: list[tuple[str, str]], more: RenderableType | None = None) -> RenderableType:
    table = Table(box=None, show_header=False, padding=(0, 1), pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(ratio=1)
    for label, value in rows:
        table.add_row(Text(label), Text(value))
    parts: list[RenderableType] = [Text(title, "bold"), Padding(table, (0, 0, 0, 2))]
    if more is not None:
        parts.append(Padding(more, (0, 0, 0, 2)))
    return Padding(Group(*parts), (0, 0, 1, 0))


def _prompt_bars(report: DatasetReport) -> RenderableType:
    """The prompts' lengths as a line of blocks."""
    least, most, heights = description.prompt_bars(report)
    highest = max(heights) or 1
    blocks = "".join(_BLOCKS[-(-height * (len(_BLOCKS) - 1) // highest)] for height in heights)
    return Text.assemble(("prompts  ", "dim"), f"{least:,} ", (blocks, "blue"), f" {most:,} tokens (estimated)")
