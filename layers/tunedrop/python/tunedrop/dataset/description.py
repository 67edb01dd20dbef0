"""A report in words and numbers for people: what the page and the terminal both say."""

from __future__ import annotations

from tunedrop.dataset.report import DatasetReport
from tunedrop.dataset.rules import Severity
from tunedrop.dataset.statistics import estimated_tokens

MAX_LINES_SHOWN = 160
"""Characters of a list of line numbers."""
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
    return f"Not valid: {counted(errors, 'error')}{more}"


def explanation(report: DatasetReport) -> str:
    """What the verdict means, in one sentence."""
    if report.valid:
        return f"{counted(report.rows, 'row')} can be trained on."
    return "Nothing is trained on until the errors are mended; warnings and notes do not stand in the way."


def facts(report: DatasetReport) -> list[tuple[str, str]]:
    """What is in the training file: label and value."""
    statistics = report.train.statistics
    said = [
        ("rows", f"{report.rows:,} ({report.train.bytes:,} bytes, SHA-256 {report.train.sha256[:16]}…)"),
        ("messages", ", ".join(f"{count:,} {role}" for role, count in statistics.roles().items()) or "none"),
        ("prompt, tokens (estimated)", _percentiles(statistics.prompt_bytes.summary())),
        ("reference answer, tokens (estimated)", _percentiles(statistics.answer_bytes.summary())),
        ("answers are", _most_common(dict(statistics.answers.most_common()))),
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
