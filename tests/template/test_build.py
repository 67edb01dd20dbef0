"""`make build` makes what Lambda runs, on a machine that has neither Lambda's platform nor its Python."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from checks import sam_template

MOST_BYTES = 120 * 1000 * 1000
"""Most bytes of both layers unzipped; Lambda allows 250 MB, functions included, and large layers start slowly."""

AARCH64 = 183
"""ELF's number of the machine (`e_machine`, bytes 18 and 19 of a shared object)."""


def build_layer(folder: Path) -> Path:
    """Run the layer's own build into `folder`, with this environment's uv."""
    words = ["make", "--makefile", "layers/dependencies/Makefile", "build-DependenciesLayer"]
    words += [f"ARTIFACTS_DIR={folder}", f"UV={Path(sys.executable).parent / 'uv'}"]
    subprocess.run(words, cwd=sam_template.ROOT, check=True, capture_output=True)
    return folder


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.prove
def test_the_dependencies_layer_is_small_for_arm64_and_python_3_13_and_the_same_every_time(tmp_path: Path) -> None:
    layer = build_layer(tmp_path / "one")
    objects = list(layer.rglob("*.so"))
    assert {int.from_bytes(path.read_bytes()[18:20], "little") for path in objects} == {AARCH64}
    versioned = [path.name for path in objects if ".cpython-" in path.name]
    assert versioned
    assert all(".cpython-313-" in name for name in versioned)

    package = sam_template.ROOT / "layers/tunedrop/python"
    own = sum(path.stat().st_size for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc")
    assert sum(path.stat().st_size for path in layer.rglob("*") if path.is_file()) + own < MOST_BYTES

    assert contents(layer) == contents(build_layer(tmp_path / "two"))


@pytest.mark.prove
def test_make_build_needs_no_python_but_3_11(tmp_path: Path) -> None:
    python = shutil.which("python3.11", path="/usr/bin:/usr/local/bin:/opt/homebrew/bin")
    if python is None:
        pytest.skip("no Python 3.11 of the system's own on this machine")
    project = tmp_path / "project"
    left_out = shutil.ignore_patterns(
        ".git", ".venv", ".venvs", ".aws-sam", "build", "tests", "__pycache__", ".*_cache"
    )
    shutil.copytree(sam_template.ROOT, project, ignore=left_out)
    only = tmp_path / "bin"
    only.mkdir()
    for name in ("python3", "python3.11"):
        (only / name).symlink_to(python)
    passed_on = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_", "SSL_"))}
    # Without the user's own folder no version manager is found, and so no other Python.
    environment = {**passed_on, "HOME": str(tmp_path), "PATH": f"{only}:/usr/bin:/bin"}
    words = ["make", "build"]
    ended = subprocess.run(words, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "template.yaml is a valid SAM Template" in ended.stdout + ended.stderr
    built = project / ".aws-sam/build"
    assert (built / "template.yaml").is_file()
    assert (built / "DependenciesLayer/python/pydantic").is_dir()
