"""A report in words and numbers for people: what the page and the terminal both say."""

from __future__ import annotations

from collections.abc import Sequence

from tunedrop.dataset.findings import Group, Told, folded
from tunedrop.dataset.report import DatasetReport
from tunedrop.dataset.rule import Severity
from tunedrop.dataset.statistics import estimated_tokens

MAX_LINES_SHOWN = 160
"""Characters of a list of line numbers."""
MAX_KINDS_TOLD = 6
"""Kinds of error that a run's reason tells; all of them are on the page."""
MAX_EXAMPLES_TOLD = 3
_BARS = 40

FILE_NAMES = {"train": "training file", "test": "test file"}


def counted(number: int, thing: str) -> str:
    """`1 row`, `2 rows`, `1,000 rows`."""
    return f"{number:,} {thing}{'s' * (number != 1)}"


def lines_said(lines: str) -> str:
    """`line 7`, or `lines 3, 17-20`, cut after a whole entry where the list is too long to read."""
    if lines.isdecimal():
        return f"line {lines}"
    if len(lines) > MAX_LINES_SHOWN:
        lines = lines[: lines.rfind(", ", 0, MAX_LINES_SHOWN)] + ", …"
    return f"lines {lines}"


def headline(report: DatasetReport) -> str:
    """The verdict in a few words."""
    errors = report.findings.count(Severity.ERROR)
    warnings = report.findings.count(Severity.WARNING)
    if report.valid:
        return f"Valid, with {counted(warnings, 'warning')}" if warnings else "Valid"
    more = f" and {counted(warnings, 'warning')}" if warnings else ""
    if report.setting is not None and report.setting.recipe_problem is not None:
        in_rows = f", and {counted(errors, 'error')} in the rows" if errors else ""
        return f"Not valid: the recipe{in_rows}{more}"
    return f"Not valid: {counted(errors, 'error')}{more}"


def explanation(report: DatasetReport) -> str:
    """What the verdict means, in one sentence."""
    if report.valid:
        return f"{counted(report.rows, 'row')} can be trained on."
    return "Tunedrop does not train until you fix the errors; warnings and notes do not stop a run."


def reason(report: DatasetReport, page: str) -> str:
    """Why a run is rejected: each kind of error once, with how many, examples, what to do, and where the rest is."""
    count = report.findings.count(Severity.ERROR)
    groups = [group for group in report.findings.groups() if group.severity is Severity.ERROR]
    told = "; ".join(_kind(group) for group in groups[:MAX_KINDS_TOLD])
    more = (
        f"; and {counted(len(groups) - MAX_KINDS_TOLD, 'more kind')} of error" if len(groups) > MAX_KINDS_TOLD else ""
    )
    return f"{counted(count, 'error')} in the dataset: {told}{more}. All findings: {page}"


def _kind(group: Group) -> str:
    """One kind of error: its examples with their lines, and what to do."""
    said = folded(group)
    examples = "; ".join(_example(each, group.file) for each in said[:MAX_EXAMPLES_TOLD])
    left = group.count - sum(each.count for each in said[:MAX_EXAMPLES_TOLD])
    more = f"; and {left:,} more of this kind ({lines_said(group.lines())})" if left else ""
    return f"{examples}{more} → {hint(said, group).rstrip('.')}"


def hint(said: Sequence[Told], group: Group) -> str:
    """What to do about a kind of finding: what its findings all say, or else what its rule says."""
    hints = {each.finding.hint for each in said}
    return hints.pop() if len(hints) == 1 else group.rule.hint


def _example(each: Told, file: str) -> str:
    times = f"{each.count:,} times, " if each.count > 1 else ""
    where = f"{times}{file}.jsonl{f' {lines_said(each.lines)}' if each.lines else ''}"
    return f"{where}{f' `{each.finding.field}`' if each.finding.field else ''}: {each.finding.message}"


def looked_at(report: DatasetReport) -> list[tuple[str, str]]:
    """What the rows were looked at with: the recipe's model, grader and test set; and what could not be looked at."""
    setting = report.setting
    if setting is None:
        missing = "grader, hold-out, slices and prompt lengths, because the recipe sets them" + (
            "" if report.test is not None else "; and leakage, because there is no test file"
        )
        return [("not looked at", f"{missing}. Name the folder to check everything that a run would check")]
    said = [("model", setting.model), ("grader", setting.grader), ("test set", setting.test_set)]
    return [*said, *(("not looked at", each) for each in setting.not_looked_at)]


def facts(report: DatasetReport) -> list[tuple[str, str]]:
    """What is in the training file: label and value."""
    statistics = report.train.statistics
    said = [
        ("rows", f"{report.rows:,} ({report.train.bytes:,} bytes, SHA-256 {report.train.sha256[:16]}…)"),
        ("messages", ", ".join(f"{count:,} {role}" for role, count in statistics.roles().items()) or "none"),
        ("prompt, tokens (estimated)", _percentiles(statistics.prompt_bytes.summary())),
        ("reference answer, tokens (estimated)", _percentiles(statistics.answer_bytes.summary())),
        ("answers are", _most_common(dict(statistics.answers.most_common())) or "missing"),
        ("passed on to the grader", _most_common(statistics.fields) or "no other fields"),
    ]
    if report.test is not None:
        said.insert(1, ("test rows", f"{report.test.rows:,} (SHA-256 {report.test.sha256[:16]}…)"))
    return said


def suggestions(report: DatasetReport) -> list[tuple[str, str]]:
    """Hyperparameters to start with, each with its reason."""
    if report.suggested is None:
        return []
    given, why = report.suggested, report.suggested["why"]
    return [
        *((name, f"{value:,}") for name, value in given["hyperparameters"].items()),
        ("steps an epoch", f"{given['steps_per_epoch']:,}: {why['steps per epoch']}"),
        ("answers sampled an epoch", f"{given['rollouts_per_epoch']:,}: {why['rollouts per epoch']}"),
        ("prompt tokens at most", f"{given['max_prompt_tokens']:,}: {why['max prompt tokens']}"),
        ("answer tokens at most", f"{given['max_answer_tokens']:,}: {why['max answer tokens']}"),
        ("batch size", why["batch size"]),
    ]


def prompt_bars(report: DatasetReport, bars: int = _BARS) -> tuple[int, int, list[int]]:
    """The prompts' lengths as bars: least and most estimated tokens, and how many rows fall in each of `bars` parts."""
    counts = report.train.statistics.prompt_bytes.counts
    if not counts:
        return 0, 0, [0] * bars
    least, most = min(counts), max(counts)
    heights = [0] * bars
    for length, rows in counts.items():
        heights[min(bars - 1, (length - least) * bars // max(1, most - least))] += rows
    return estimated_tokens(least), estimated_tokens(most), heights


def _percentiles(summary: dict[str, int]) -> str:
    return ", ".join(f"{name} {value:,}" for name, value in summary.items())


def _most_common(counts: dict[str, int] | object, most: int = 8) -> str:
    items = list(counts.items()) if isinstance(counts, dict) else []
    text = ", ".join(f"{kind} ({rows:,})" for kind, rows in items[:most])
    return f"{text}, …" if len(items) > most else text
