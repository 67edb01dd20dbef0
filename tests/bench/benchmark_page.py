"""The page of the benchmarks: every figure with its unit and ratio, the machine, the versions, the date."""

from __future__ import annotations

import dataclasses
import datetime
import importlib.metadata
import itertools
import json
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

Note = Callable[..., None]
"""Writes down one figure: the fixture `note`."""

PACKAGES = ("boto3", "moto", "openai", "pydantic", "math-verify", "numpy", "scipy")
HEAD = """\
# Benchmarks

`make bench` measures everything again and writes this page; nobody edits it by hand. Figures that are compared were
measured in the same run. A ratio above 1 means better than the other, below 1 worse. A benchmark fails if a figure is
beyond what it is held to. A simulation takes the place of Amazon Bedrock in these runs: no figure says how long a
training, or an answer of a model, takes at Amazon.
"""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure. `ratio`: how many times better than `versus`; `bound`: what the benchmark holds it to."""

    area: str
    name: str
    value: float
    unit: str
    versus: str = ""
    ratio: float | None = None
    bound: str = ""

    @property
    def key(self) -> str:
        return f"{self.area}: {self.name}"


def write_page(
    page: Path,
    figures: Sequence[Figure],
    last: Path,
    *,
    missed: Sequence[str],
    unmeasured: Sequence[str],
    loops: Sequence[float],
) -> str:
    """Write the page, and the figures for the next run to be compared with; one sentence about both.

    `missed`: the benchmarks that failed in this run, by name; `unmeasured`: those that could not begin, or not here.
    `loops`: milliseconds of one and the same loop, before and after each benchmark, at least one.
    """
    before = _read(last)
    page.parent.mkdir(parents=True, exist_ok=True)
    compared = _compared(figures, before)
    for what, names in (("Not kept", missed), ("Not measured", unmeasured)):
        if names:
            compared += f"\n\n{what} in this run: {', '.join(f'`{name}`' for name in names)}."
    page.write_text("\n".join([HEAD, *_machine(loops), "", *_tables(figures), compared, ""]), encoding="utf-8")
    last.parent.mkdir(parents=True, exist_ok=True)
    last.write_text(json.dumps({figure.key: dataclasses.asdict(figure) for figure in figures}, indent=1))
    return f"{len(figures)} figures written to {page}. {compared}"


def _read(last: Path) -> dict[str, Figure]:
    try:
        return {key: Figure(**told) for key, told in json.loads(last.read_text()).items()}
    except (FileNotFoundError, ValueError, TypeError):
        return {}


def _machine(loops: Sequence[float]) -> list[str]:
    versions = [f"{name} {_version(name)}" for name in PACKAGES]
    return [
        f"- date: {datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC",
        f"- machine: {os.cpu_count()} cores of {_cpu_model()}, {_memory()}, {platform.system()} {platform.release()}",
        f"- its speed: `sum(i * i for i in range(10**6))` took {min(loops):.0f} to {max(loops):.0f} ms of processor"
        " time, measured before and after each benchmark",
        f"- versions: Python {platform.python_version()}, {', '.join(versions)}",
    ]


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _memory() -> str:
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB of memory"


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _tables(figures: Sequence[Figure]) -> list[str]:
    lines: list[str] = []
    for area, of_area in itertools.groupby(sorted(figures, key=lambda figure: figure.area), lambda each: each.area):
        lines += [f"## {area[0].upper()}{area[1:]}", "", "| what | measured | compared with | ratio | held to |"]
        lines += ["|---|---:|---|---:|---|"]
        for each in of_area:
            ratio = f"{_short(each.ratio)}x" if each.ratio is not None else ""
            lines.append(f"| {each.name} | {_short(each.value)} {each.unit} | {each.versus} | {ratio} | {each.bound} |")
        lines.append("")
    return lines


def _short(value: float) -> str:
    """Three digits that count: 0.0123, 1.23, 12.3, 1,234."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _compared(figures: Sequence[Figure], before: dict[str, Figure]) -> str:
    changes = [
        (abs(figure.value / before[figure.key].value - 1), figure)
        for figure in figures
        if figure.key in before and before[figure.key].value
    ]
    if not changes:
        return "No earlier run on this machine to compare with."
    middle = sorted(change for change, _ in changes)[len(changes) // 2]
    most, figure = max(changes, key=lambda each: each[0])
    return (
        f"Beside the run before it on this machine, half of the {len(changes)} figures differ by at most {middle:.0%}; "
        f"the most that any differs is {most:.0%} ({figure.key}: {_short(before[figure.key].value)} {figure.unit} "
        f"before, {_short(figure.value)} {figure.unit} now)."
    )
