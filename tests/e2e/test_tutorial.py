"""docs/tutorial.md: each command that it shows works, and prints the lines that it shows."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.e2e.command_runs import REPOSITORY

PAGE = (REPOSITORY / "docs/tutorial.md").read_text()
SLOW = "\n## Rehearse"
"""From this heading on, each command starts the application."""

_STEP = re.compile(
    r"^```sh\n(?P<typed>.*?)^```\n(?:\n```(?:text|json)\n(?P<shown>.*?)^```\n)?", re.MULTILINE | re.DOTALL
)
_VARIES = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|-[0-9a-f]{16}\b|simulated-[a-z0-9]{26}|\b[\d.]+ s\b")
"""Ids and times, which differ from run to run."""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder that looks like the checkout, but with a `build/` of its own."""
    for each in REPOSITORY.iterdir():
        if each.name != "build":
            (tmp_path / each.name).symlink_to(each)
    return tmp_path


@pytest.fixture
def kept_runs() -> Iterator[None]:
    """Removes the runs that the test adds to build/runs."""
    runs = REPOSITORY / "build/runs"
    before = set(runs.glob("*"))
    yield
    for folder in set(runs.glob("*")) - before:
        if "tickets" in folder.name:
            shutil.rmtree(folder)


def steps(page: str) -> list[tuple[str, str]]:
    """(what the reader types, what the page shows of its output) of each block of commands."""
    return [(step["typed"], step["shown"] or "") for step in _STEP.finditer(page)]


def follow(page: str, checkout: Path) -> None:
    """Type each block of the page, and look for each line that is shown, in its order. A line with `…` ends there."""
    for typed, shown in steps(page):
        done = subprocess.run(
            ["/usr/bin/env", "bash", "-euo", "pipefail", "-c", typed],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=checkout,
            # The tests run in the environment that `make install` made, so make only says what it would do.
            env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "MAKEFLAGS": "--dry-run"},
            check=False,
        )
        assert done.returncode == 0, f"{typed}\n{done.stdout}"
        missing = first_missing(shown.splitlines(), done.stdout.splitlines())
        assert missing is None, f"{typed}\ndoes not print\n{missing}\nbut\n{done.stdout}"


def first_missing(shown: Sequence[str], printed: Sequence[str]) -> str | None:
    """The first shown line that is not printed after the lines before it."""
    left = iter([masked(line) for line in printed])
    for line in shown:
        begin, cut, _ = masked(line).partition("…")
        if (begin or not cut) and not any(each.startswith(begin) if cut else each == begin for each in left):
            return line
    return None


def masked(line: str) -> str:
    """The line without what differs from run to run, and with single blanks."""
    return " ".join(_VARIES.sub("*", line).split())


@pytest.mark.prove
def test_the_tickets_become_a_dataset_that_is_valid_as_the_tutorial_shows(checkout: Path) -> None:
    quick = PAGE[: PAGE.index(SLOW)]
    assert sum(bool(shown) for _, shown in steps(quick)) > 5
    follow(quick, checkout)


@pytest.mark.prove
def test_the_tutorial_comes_to_its_two_verdicts_as_shown(checkout: Path, kept_runs: None) -> None:
    assert sum(bool(shown) for _, shown in steps(PAGE[PAGE.index(SLOW) :])) > 3
    follow(PAGE, checkout)


def test_each_command_of_the_tutorial_stands_in_a_block_that_is_run() -> None:
    fenced = re.findall(r"^```(\w+)\n", PAGE, re.MULTILINE)
    assert fenced.count("sh") == len(steps(PAGE))
    assert set(fenced) <= {"sh", "text", "json"}
    assert fenced.count("text") + fenced.count("json") == sum(bool(shown) for _, shown in steps(PAGE))


def test_a_line_that_is_no_longer_printed_is_found() -> None:
    printed = ["took 3.1 s", "IMPROVED   a", "rows  300 (12 bytes)"]
    assert first_missing(["took 9 s", "…", "rows 300 …"], printed) is None
    assert first_missing(["IMPROVED a", "took 9 s"], printed) == "took 9 s"
    assert first_missing(["IMPROVED"], printed) == "IMPROVED"
