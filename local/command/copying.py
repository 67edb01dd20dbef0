"""A run's folder in S3 as files on this machine."""

from __future__ import annotations

from pathlib import Path

from local.command import exits
from tunedrop.run.folder import RunFolder


def copy_folder(run_folder: RunFolder, target: Path) -> Path:
    """Write everything that the run wrote below `target`, in pieces of 1 MiB; `target`.

    Raises:
        CommandError: an object's key leads out of `target`; it was not a run that wrote it.
    """
    target.mkdir(parents=True, exist_ok=True)
    for name in run_folder.names():
        path = target / name
        if ".." in path.parts or not path.is_relative_to(target):
            raise exits.CommandError(f"{run_folder.uri(name)} would be written outside of {target}; delete that object")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            for chunk in run_folder.stream(name).iter_chunks(1 << 20):
                file.write(chunk)
    return target
