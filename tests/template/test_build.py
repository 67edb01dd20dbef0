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
"""Most bytes of both layers unzipped; Lambda allows 250 MB, functions included."""

MAGIC_OF_3_13 = (3571).to_bytes(2, "little") + b"\r\n"
"""How the bytecode of every Python 3.13 begins (CPython's Lib/importlib/_bootstrap_external.py)."""

UNCHECKED_HASH = 1
"""The flags of bytecode that Python takes without a look at the module (PEP 552)."""

AARCH64 = 183
"""ELF's number of the machine (`e_machine`, bytes 18 and 19 of a shared object)."""


def build_layer(layer: str, folder: Path) -> Path:
    """Run the layer's own build into `folder`, with this environment's uv."""
    words = ["make", "--makefile", f"layers/{layer}/Makefile", f"build-{layer.capitalize()}Layer"]
    words += [f"ARTIFACTS_DIR={folder}", f"UV={Path(sys.executable).parent / 'uv'}"]
    subprocess.run(words, cwd=sam_template.ROOT, check=True, capture_output=True)
    return folder


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def without_bytecode(layer: Path) -> list[str]:
    """The layer's modules for which Lambda's Python would not take bytecode from the layer."""
    missing = []
    for module in layer.rglob("*.py"):
        compiled = module.parent / "__pycache__" / f"{module.stem}.cpython-313.pyc"
        begin = compiled.read_bytes()[:8] if compiled.is_file() else b""
        if begin != MAGIC_OF_3_13 + UNCHECKED_HASH.to_bytes(4, "little"):
            missing.append(str(module.relative_to(layer)))
    return missing


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def needs_python_3_13() -> None:
    words = ["sh", "local/find_python.sh", "3.13"]
    if subprocess.run(words, cwd=sam_template.ROOT, capture_output=True, check=False).returncode != 0:
        pytest.skip("no Python 3.13 on this machine: the layers have no bytecode here")


@pytest.mark.prove
def test_the_packages_own_layer_has_bytecode_that_lambda_takes_unchecked(tmp_path: Path) -> None:
    needs_python_3_13()
    layer = build_layer("tunedrop", tmp_path / "one")
    assert without_bytecode(layer) == []
    compiled = (layer / "python/tunedrop/__pycache__/identity.cpython-313.pyc").read_bytes()
    assert b"/opt/python/tunedrop/identity.py" in compiled


def test_a_layer_is_built_without_bytecode_where_no_python_3_13_is_to_be_had(tmp_path: Path) -> None:
    (tmp_path / "uv").write_text("#!/bin/sh\nexit 2\n")
    (tmp_path / "uv").chmod(0o755)
    elsewhere = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYENV_ROOT": str(tmp_path)}
    if shutil.which("python3.13", path=elsewhere["PATH"]):
        pytest.skip("the system's own Python is 3.13")
    layer = tmp_path / "layer"
    shutil.copytree(sam_template.ROOT / "layers/tunedrop", layer, ignore=shutil.ignore_patterns("__pycache__"))
    words = ["sh", "layers/compile.sh", str(layer)]
    ended = subprocess.run(
        words,
        cwd=sam_template.ROOT,
        env={**elsewhere, "UV": str(tmp_path / "uv")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert f"No Python 3.13 to compile {layer} with" in ended.stderr
    assert list(layer.rglob("*.pyc")) == []


@pytest.mark.prove
def test_the_dependencies_layer_is_small_for_lambda_and_the_same_each_time(tmp_path: Path) -> None:
    needs_python_3_13()
    layer = build_layer("dependencies", tmp_path / "one")
    objects = list(layer.rglob("*.so"))
    assert {int.from_bytes(path.read_bytes()[18:20], "little") for path in objects} == {AARCH64}
    versioned = [path.name for path in objects if ".cpython-" in path.name]
    assert versioned
    assert all(".cpython-313-" in name for name in versioned)
    assert without_bytecode(layer) == []
    own = build_layer("tunedrop", tmp_path / "own")
    assert size(layer) + size(own) < MOST_BYTES
    assert contents(layer) == contents(build_layer("dependencies", tmp_path / "two"))
    assert contents(own) == contents(build_layer("tunedrop", tmp_path / "somewhere/else"))


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
    assert "WARNING: DependenciesLayer has no bytecode" in ended.stderr or not without_bytecode(
        built / "DependenciesLayer"
    )
