"""`make lint` fails for a planted fault: each of its checks, on a small copy of the project."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from checks.sam_template import ROOT

PIPELINE = "statemachine/rft_pipeline.asl.yaml"
TEMPLATE = "template.yaml"
TESTS = "tests/test_nothing.py"
CLOCK = "layers/tunedrop/python/tunedrop/clock.py"
COPIED = (
    "Makefile",
    "pyproject.toml",
    "samconfig.toml",
    TEMPLATE,
    "statemachine",
    "docs/subscribers",
    "checks",
    CLOCK,
    "local/__init__.py",
    "confirm/__init__.py",
    "accept/__init__.py",
)


class Planted(NamedTuple):
    """A fault in place of `text` in a file."""

    file: str
    text: str
    fault: str


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template, the machines, the checks, and one module of the package to plant faults in."""
    copy = tmp_path_factory.mktemp("project")
    for name in COPIED:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            # Pages are made from the package, which is not copied.
            left_out = shutil.ignore_patterns(
                "__pycache__", "cost.py", "written_parts.py", "notices_page.py", "before_deploy.py"
            )
            shutil.copytree(ROOT / name, copy / name, ignore=left_out)
        else:
            shutil.copy(ROOT / name, copy / name)
    for place in (
        "functions/nothing.py",
        "embedded_aws/__init__.py",
        "client/tunedrop_client/__init__.py",
        TESTS,
    ):
        (copy / place).parent.mkdir(parents=True)
        (copy / place).write_text('"""In place of what needs the whole package."""\n')
    return copy


def make(project: Path, target: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the target with the tools of this environment, which is not made anew."""
    installed = ".venv/.installed"
    words = ["make", "-o", installed, f"BIN={Path(sys.executable).parent}", f"INSTALLED={installed}", target]
    return subprocess.run(words, cwd=project, env=environment, capture_output=True, text=True, check=False)


def lint_with(project: Path, planted: Planted, target: str) -> str:
    """What `make TARGET` says of the fault; it must have failed."""
    path = project / planted.file
    before = path.read_text()
    assert planted.text in before, f"{planted.file} has changed: plant the fault elsewhere"
    path.write_text(before.replace(planted.text, planted.fault, 1))
    try:
        ended = make(project, target)
    finally:
        path.write_text(before)
    assert ended.returncode != 0, ended.stdout
    return ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("target", "planted", "said"),
    [
        ("lint-style", Planted(CLOCK, "import annotations\n", "import annotations\nimport os\n"), "F401"),
        ("lint-style", Planted(CLOCK, "def now() ->", "def  now() ->"), "would be reformatted"),
        pytest.param(
            "lint-style",
            Planted(TESTS, '"""\n', f'"""\n\n\ndef test_{"a" * 76}() -> None: ...\n'),
            "has 81 characters, at most 80",
            marks=pytest.mark.prove,
        ),
        pytest.param(
            "lint-types",
            Planted(CLOCK, "-> bool:", "-> str:"),
            "Incompatible return value type",
            marks=pytest.mark.prove,
        ),
        ("lint-machines", Planted(PIPELINE, "Next: WaitForTraining", "Next: WaitForTrainin"), "[dangling]"),
        pytest.param(
            "lint-machines",
            Planted(PIPELINE, "$states.input.settle_seconds", "$states.input."),
            "[jsonata]",
            marks=pytest.mark.prove,
        ),
        pytest.param(
            "lint-machines",
            Planted(TEMPLATE, "        PollJob: !GetAtt PollJob.Arn\n", ""),
            "[substitution]",
            marks=pytest.mark.prove,
        ),
        pytest.param(
            "lint-template",
            Planted(TEMPLATE, "RetentionInDays: 30", "RetentionInDays: 31"),
            "E3030",
            marks=pytest.mark.prove,
        ),
        pytest.param(
            "lint-template", Planted(PIPELINE, "Type: Choice", "Type: Choose"), "E3601", marks=pytest.mark.prove
        ),
    ],
)
def test_lint_finds(project: Path, target: str, planted: Planted, said: str) -> None:
    assert said in lint_with(project, planted, target)


@pytest.mark.prove
def test_lint_finds_nothing_where_nothing_is_wrong(project: Path) -> None:
    # Imports are looked at in the whole project alone.
    for target in ("lint-style", "lint-types", "lint-template", "lint-machines"):
        ended = make(project, target)
        assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.prove
def test_lint_finds_an_import_against_the_rules(tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "build").mkdir()
    for name in ("layers", "local", "checks"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    ended = make(tmp_path, "lint-imports", environment=imports_from(tmp_path))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    clock = tmp_path / CLOCK
    clock.write_text(clock.read_text() + "\nimport local.bedrock.training\n")
    ended = make(tmp_path, "lint-imports", environment=imports_from(tmp_path))
    assert ended.returncode != 0
    assert "tunedrop.clock -> local.bedrock.training" in ended.stdout


def imports_from(folder: Path) -> dict[str, str]:
    """The environment of a process that imports the project from `folder`."""
    return {**os.environ, "PYTHONPATH": f"{folder}:{folder / 'layers/tunedrop/python'}"}
