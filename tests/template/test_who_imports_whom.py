"""The rules of who may import whom (pyproject.toml, tool.importlinter; told in docs/architecture.md)."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINT_IMPORTS, "--no-cache", "--config", folder / "pyproject.toml"],
        cwd=folder,
        env={"PYTHONPATH": f"{folder}:{folder / 'layers/tunedrop/python'}"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_nobody_imports_whom_it_may_not() -> None:
    result = lint(REPOSITORY)
    assert result.returncode == 0, result.stdout


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of all code that the rules are about."""
    folder = tmp_path_factory.mktemp("copied")
    for part in ("pyproject.toml", "embedded_aws", "local", "checks", "confirm", "accept", "layers/tunedrop"):
        source, target = REPOSITORY / part, folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    return folder


PLANTED = {
    "a pure module that talks to a service": (
        "identity.py", "import boto3", "tunedrop.identity is not allowed to import boto3",
    ),
    "a module that imports a layer above its own": (
        "run/record.py", "import tunedrop.training.backend", "tunedrop.run is not allowed to import tunedrop.training",
    ),
    "a state that imports another one": (
        "states/poll_job.py", "import tunedrop.states.submit_job",
        "tunedrop.states.poll_job is not allowed to import tunedrop.states.submit_job",
    ),
    "two modules that import each other": (
        "graders/sample.py", "import tunedrop.graders.kinds", "No cycles are allowed in tunedrop.graders",
    ),
    "a module that no layer names": ("helpers.py", "", "tunedrop.helpers"),
}  # fmt: skip


IN_EACH_RUN = ("a state that imports another one", "a module that no layer names")


@pytest.mark.parametrize(
    "what", [each if each in IN_EACH_RUN else pytest.param(each, marks=pytest.mark.prove) for each in PLANTED]
)
def test_an_import_that_breaks_a_rule_is_named(copied: Path, what: str) -> None:
    name, line, message = PLANTED[what]
    module = copied / "layers/tunedrop/python/tunedrop" / name
    before = module.read_text() if module.exists() else None
    module.write_text(f"{before or ''}\n{line}\n")
    try:
        result = lint(copied)
    finally:
        module.unlink() if before is None else module.write_text(before)
    assert result.returncode != 0
    assert message in result.stdout
