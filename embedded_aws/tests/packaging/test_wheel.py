"""The package alone: its wheel, installed into an empty environment, runs the template of its README."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2]
LOCKED = PACKAGE.parent / "requirements/dev.lock"
UV = Path(sys.executable).with_name("uv")

pytestmark = pytest.mark.prove


def run(*words: str | Path, folder: Path) -> str:
    """What the program prints. The environment around it tells it of package indexes, and of nothing else."""
    passed_on = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_", "SSL_"))}
    environment = {**passed_on, "PATH": "/usr/bin:/bin", "HOME": str(folder)}
    ended = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", made, folder=PACKAGE)
    return next(made.glob("*.whl"))


def test_the_wheel_holds_the_modules_and_no_test(wheel: Path) -> None:
    names = [name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name]
    modules = {
        path.relative_to(PACKAGE.parent).as_posix() for path in PACKAGE.rglob("*.py") if "tests" not in path.parts
    }
    assert set(names) == modules


def test_the_readme_s_template_runs_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv")
    python = tmp_path / "venv/bin/python"
    run(UV, "pip", "install", "--python", python, "--constraint", LOCKED, wheel, folder=tmp_path)
    readme = (PACKAGE / "README.md").read_text()
    for name in ("template.yaml", "hello/app.py", "run.py"):
        block = re.search(rf"`{name}`.*?\n\n```\w+\n(.*?)```", readme, re.DOTALL)
        assert block is not None, name
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(block[1])
    assert run(python, "run.py", folder=tmp_path) == '"Hello, Ann!"\n'
