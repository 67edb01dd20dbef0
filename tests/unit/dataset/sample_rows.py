"""Good rows, and files made of lines."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from typing import Any

from tunedrop.catalog import Family
from tunedrop.dataset.check import check_dataset
from tunedrop.dataset.findings import Finding
from tunedrop.dataset.report import DatasetReport


def a_row(number: int, **other: Any) -> dict[str, Any]:
    """A row that no rule has anything to say about; every number gives another prompt."""
    return {
        "messages": [{"role": "user", "content": f"How many legs do {number} ants have?"}],
        "reference_answer": str(6 * number),
        **other,
    }


def good_rows(count: int = 120) -> list[dict[str, Any]]:
    return [a_row(number) for number in range(1, count + 1)]


def as_line(row: Any) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode()


def as_file(lines: Iterable[bytes | Any]) -> io.BytesIO:
    """A file of lines: bytes as they are, anything else as JSON."""
    return io.BytesIO(b"".join((line if isinstance(line, bytes) else as_line(line)) + b"\n" for line in lines))


def check(lines: Iterable[bytes | Any], *, test: Iterable[bytes | Any] | None = None, **options: Any) -> DatasetReport:
    tested = None if test is None else as_file(test)
    return check_dataset(as_file(lines), test=tested, **{"family": Family.OPEN_WEIGHT, **options})


def rules_of(report: DatasetReport) -> set[str]:
    return {finding.rule for finding in report.findings}


def found(report: DatasetReport, rule: str) -> list[Finding]:
    return [finding for finding in report.findings if finding.rule == rule]
