"""A benchmark that fails, breaks or is skipped is named on the page, and the others are noted all the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS = """
import pytest

def test_misses(note):
    note("late", 2.0, "s", bound="at most 1 s")
    assert False

@pytest.fixture
def broken():
    raise RuntimeError

def test_breaks(broken):
    pass

def test_cannot_be_here():
    pytest.skip("nothing to compare with")

def test_comes_last(note):
    note("in time", 1.0, "s", versus="another", ratio=0.9)
"""


def page_of(folder: Path, *options: str) -> str:
    """The page that these benchmarks write; empty where they write none."""
    (folder / "bench_some.py").write_text(BENCHMARKS)
    (folder / "pytest.ini").touch()
    page = folder / "page.md"
    words = ["-p", "tests.bench.conftest", "-p", "no:cacheprovider", "--rootdir", str(folder)]
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *words, "--page", str(page), *options, "bench_some.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""},
        capture_output=True,
        check=False,
    )
    return page.read_text() if page.exists() else ""


@pytest.mark.prove
def test_one_benchmark_that_fails_keeps_no_other_from_being_noted(tmp_path: Path) -> None:
    page = page_of(tmp_path)
    assert "| late | 2 s |  |  | at most 1 s |" in page
    assert "| in time | 1 s | another | 0.9x |  |" in page
    assert "Not kept in this run: `test_misses`." in page
    assert "Not measured in this run: `test_breaks`, `test_cannot_be_here`." in page


@pytest.mark.prove
def test_a_run_that_is_cut_short_writes_no_page(tmp_path: Path) -> None:
    assert page_of(tmp_path, "--exitfirst") == ""
