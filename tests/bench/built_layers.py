"""The layers as the build makes them, for the machine that measures: with their bytecode, and without it.

Their packages are those of this machine's processor, since arm64's do not run on another one. All else is what
`sam build` makes.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from checks import sam_template

PACKAGES_OF = {"x86_64": "x86_64-manylinux_2_28", "aarch64": "aarch64-manylinux_2_28", "arm64": "aarch64-apple-darwin"}
PACKAGES_OF_MAC = {"x86_64": "x86_64-apple-darwin", "arm64": "aarch64-apple-darwin"}


class Layers(NamedTuple):
    """Where one build of both layers lies: `root` holds nothing else."""

    root: Path

    @property
    def folders(self) -> tuple[Path, Path]:
        """What is put on Python's path, in Lambda's order: the layer that is named last goes first."""
        return self.root / "tunedrop/python", self.root / "dependencies/python"

    def modules(self) -> int:
        """How many modules have bytecode."""
        return sum(1 for _ in self.root.rglob("*.pyc"))

    def megabytes(self) -> float:
        """Unzipped, in millions of bytes."""
        return sum(path.stat().st_size for path in self.root.rglob("*") if path.is_file()) / 1e6


def build(folder: Path) -> Layers:
    """Both layers by their own Makefiles, with this environment's uv."""
    names = PACKAGES_OF if sys.platform == "linux" else PACKAGES_OF_MAC
    words = [f"UV={Path(sys.executable).parent / 'uv'}", f"PLATFORM={names[platform.machine()]}"]
    for layer, target in (("dependencies", "DependenciesLayer"), ("tunedrop", "TunedropLayer")):
        made = ["make", "--makefile", f"layers/{layer}/Makefile", f"build-{target}", f"ARTIFACTS_DIR={folder / layer}"]
        subprocess.run([*made, *words], cwd=sam_template.ROOT, check=True, capture_output=True)
    return Layers(folder)


def install_boto3(folder: Path) -> Path:
    """The boto3 of the layer as pip installs it, with its bytecode: the folder for Python's path."""
    uv, packages = str(Path(sys.executable).parent / "uv"), folder / "python"
    words = [
        uv,
        "pip",
        "install",
        "--quiet",
        "--target",
        str(packages),
        "--link-mode",
        "copy",
        "--only-binary",
        ":all:",
    ]
    versions = [f"boto3=={version('boto3')}", f"botocore=={version('botocore')}"]
    subprocess.run([*words, *versions], cwd=sam_template.ROOT, check=True, capture_output=True)
    compiled = ["sh", "layers/compile.sh", str(folder)]
    subprocess.run(compiled, cwd=sam_template.ROOT, check=True, capture_output=True, env={**os.environ, "UV": uv})
    return packages


def without_bytecode(layers: Layers, folder: Path) -> Layers:
    """The same layers as they were built before they had bytecode."""
    shutil.copytree(layers.root, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return Layers(folder)


def read_only(layers: Layers) -> list[str]:
    """The words that go before a command so that it finds the layers mounted read-only, as /opt is.

    Where no program may mount anything, the folders lose their write permission instead, which root does not heed.
    """
    script = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
    words = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    words += ["sh", "-c", script, str(layers.root)]
    if shutil.which("unshare") and subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0:
        return words
    if os.geteuid() == 0:
        raise RuntimeError("root may write everywhere and may mount nothing here: run the benchmark as another user")
    for path in (layers.root, *layers.root.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o222)
    return []
