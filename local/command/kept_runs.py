"""The folders of runs that lie on this machine, below build/runs: found by a run's id, or fetched from its bucket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.command import places
from local.command.exits import UsageError

REPORT = "report.json"
PAGE = "report.html"


@dataclass(frozen=True, slots=True)
class KeptRun:
    """The folder of an ended run, with its report."""

    folder: Path
    report: dict[str, Any]

    @property
    def run_id(self) -> str:
        return str(self.report["run_id"])

    @property
    def page(self) -> Path:
        return self.folder / PAGE


def find(name: str) -> KeptRun:
    """The run of this id, in this folder, the only one whose id begins so, or the latest of the runs of this name.

    Raises:
        UsageError: there is none, or several; names those that there are.
    """
    if (Path(name) / REPORT).is_file():
        return _read(Path(name))
    kept = sorted(path.parent for path in places.RUNS.glob(f"*/{REPORT}"))
    if not kept:
        raise UsageError(f"there is no run in {places.shown(places.RUNS)}; make one with `tunedrop demo`")
    found = [folder for folder in kept if folder.name == name] or [each for each in kept if each.name.startswith(name)]
    if len(found) == 1:
        return _read(found[0])
    latest = sorted(found or kept, key=lambda folder: (folder / REPORT).stat().st_mtime, reverse=True)
    named = next((run for run in map(_read, latest) if run.report["name"] == name), None)
    if named is not None:
        return named
    told = ", ".join(folder.name for folder in latest[:5])
    what = "several runs begin with" if found else "there is no run"
    raise UsageError(f"{what} {name!r} in {places.shown(places.RUNS)}; the latest ones: {told}")


def newest_first() -> Iterator[KeptRun]:
    """The runs that lie on this machine, the one that ended last first."""
    for path in sorted(places.RUNS.glob(f"*/{REPORT}"), key=lambda path: path.stat().st_mtime, reverse=True):
        yield _read(path.parent)


def latest() -> KeptRun:
    """The run that ended last.

    Raises:
        UsageError: there is none.
    """
    return next(newest_first(), None) or find("")


def fetch(bucket: str, run_id: str) -> KeptRun:
    """Copy what a run wrote from its bucket, with the environment's credentials and Region, and read it.

    Raises:
        UsageError: no such run has a report there.
    """
    import boto3

    from local.command.copying import copy_folder
    from tunedrop.run.folder import RunFolder

    run_folder = RunFolder(boto3.client("s3"), bucket, run_id)
    if not run_folder.exists(REPORT):
        raise UsageError(
            f"{run_folder.uri(REPORT)} does not exist: the run has not ended, or belongs to another bucket"
        )
    return _read(copy_folder(run_folder, places.RUNS / run_id))


def _read(folder: Path) -> KeptRun:
    return KeptRun(folder, json.loads((folder / REPORT).read_bytes()))
