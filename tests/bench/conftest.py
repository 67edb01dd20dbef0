"""What the benchmarks measured becomes a page: `note` takes each figure, `--page FILE` writes them down.

    .venv/bin/python -m pytest tests/bench -s --page docs/benchmarks.md

A figure that is the point of a comparison comes with its `ratio` to the usual way, measured in the same run.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.benchmark_page import Figure, Note, write_page

FIGURES: pytest.StashKey[list[Figure]] = pytest.StashKey()
LOOPS: pytest.StashKey[list[float]] = pytest.StashKey()
LAST_FIGURES = Path("build/benchmarks.json")
"""The figures of the run before, so that the page can say how far two runs differ."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--page FILE`."""
    parser.addoption("--page", type=Path, default=None, help="write the figures of the benchmarks as a page")


def pytest_configure(config: pytest.Config) -> None:
    """No figure yet."""
    config.stash[FIGURES], config.stash[LOOPS] = [], []


@pytest.fixture(autouse=True)
def speed(request: pytest.FixtureRequest) -> Iterator[None]:
    """How fast the machine is before and after each benchmark: other work on it slows a figure without a ratio."""

    def loop() -> float:
        began = time.process_time()
        sum(i * i for i in range(10**6))
        return (time.process_time() - began) * 1000

    loops = request.config.stash[LOOPS]
    loops.append(loop())
    yield
    loops.append(loop())


@pytest.fixture
def note(request: pytest.FixtureRequest) -> Note:
    """Writes down one figure: `note("check of 200 MB", 2.4, "s", versus="the usual loop", ratio=1.3)`.

    `ratio` is how many times better it is than `versus`: above 1 is better. `bound` is what the test holds it to, as
    text ("at most 80").
    """
    area = Path(request.node.path).stem.removeprefix("bench_").replace("_", " ")
    figures = request.config.stash[FIGURES]

    def add(
        name: str, value: float, unit: str, *, versus: str = "", ratio: float | None = None, bound: str = ""
    ) -> None:
        figures.append(Figure(area, name, value, unit, versus, ratio, bound))

    return add


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write the page, where all benchmarks had their turn; it names those that failed or were skipped."""
    page = session.config.getoption("--page", None)
    ended = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
    if page is None or session.shouldstop or session.shouldfail or exitstatus not in ended:
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    stats = reporter.stats if reporter else {}
    named = {
        kind: [report.nodeid.partition("::")[2] for report in stats.get(kind, [])]
        for kind in ("failed", "error", "skipped")
    }
    figures, loops = session.config.stash.get(FIGURES, []), session.config.stash[LOOPS]
    told = write_page(
        page,
        figures,
        session.config.rootpath / LAST_FIGURES,
        loops=loops,
        missed=named["failed"],
        unmeasured=named["error"] + named["skipped"],
    )
    print(told)  # noqa: T201 - the last line of `make bench`
