"""How to get `tunedrop` onto the PATH: said once, to whoever starts it by its path."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from local.command import places

TOLD = places.BUILD / "local/path-told"


def typed() -> str:
    """What a reader types for the command: its name where the shell finds it, else its path."""
    return "tunedrop" if shutil.which("tunedrop") else places.shown(Path(sys.executable).with_name("tunedrop"))


def tell_about_path() -> None:
    """Say it on the first start at a terminal where `tunedrop` alone would not be found."""
    if not sys.stderr.isatty() or TOLD.exists() or shutil.which("tunedrop"):
        return
    command = Path(sys.executable).with_name("tunedrop")
    print(
        f"To type just `tunedrop`:  ln -s {command} ~/.local/bin/  (a folder that is on your PATH)\n"
        f"To complete its words:    tunedrop completion --help\n",
        file=sys.stderr,
    )
    TOLD.parent.mkdir(parents=True, exist_ok=True)
    TOLD.touch()
