"""The rules of who may import whom (pyproject.toml, tool.importlinter; told in docs/architecture.md)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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


def test_a_pure_module_that_talks_to_a_service_is_caught(tmp_path: Path) -> None:
    import shutil

    for part in ("pyproject.toml", "embedded_aws", "local", "checks", "confirm", "accept", "layers/tunedrop"):
        source, target = REPOSITORY / part, tmp_path / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    planted = tmp_path / "layers/tunedrop/python/tunedrop/identity.py"
    planted.write_text(planted.read_text() + "\nimport boto3\n")
    result = lint(tmp_path)
    assert result.returncode != 0
    assert "tunedrop.identity is not allowed to import boto3" in result.stdout
