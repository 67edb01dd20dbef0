"""Where the command writes: below `build/`, which git ignores, and nowhere else."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = REPOSITORY / "build"
RUNS = BUILD / "runs"
UP_ENVIRONMENT = BUILD / "up/environment"
STACKS = BUILD / "local/stacks"
LANGUAGE_MODEL_PYTHON = REPOSITORY / ".venvs/language-model/bin/python"
"""Of an environment of its own: `make language-model`."""
LANGUAGE_MODEL_WEIGHTS = BUILD / "language-model/weights"
"""Weights that were read from GGUF, with 4 bytes a number."""
OWN_GRADERS = REPOSITORY / "graders"
"""Graders of one's own: each file is deployed with the stack, here and on AWS."""
LOG = BUILD / "local/tunedrop.log"
FULL_GSM8K = BUILD / "datasets/gsm8k-full"

KEPT_STACKS = 3
"""How many ended stacks keep their logs, for questions afterwards; each has some 100 KB."""


def shown(path: Path) -> str:
    """`path` as a user would type it: relative where it lies below the working directory."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def typed(program: str) -> str:
    """A program of this environment as a user can type it: its name if the shell would find it, else its path."""
    path = Path(sys.executable).with_name(program)
    found = shutil.which(program)
    return program if found is not None and Path(found).absolute() == path.absolute() else shown(path)


def new_stack_folder() -> Path:
    """A folder for a stack's logs and state, of its own, so that several stacks may run; old ones are removed."""
    ended = [folder for folder in sorted(STACKS.glob("*-*")) if not _alive(folder)]
    for folder in ended[: len(ended) - KEPT_STACKS + 1]:
        shutil.rmtree(folder, ignore_errors=True)
    folder = STACKS / f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}"
    folder.mkdir(parents=True)
    return folder


def _alive(folder: Path) -> bool:
    """Whether the process that the folder is named after still runs."""
    try:
        os.kill(int(folder.name.rpartition("-")[2]), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
