"""Graders of one's own on this machine: a file that is named, or lies beside the dataset; functions that are let in."""

from __future__ import annotations

import argparse
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.command import exits

if TYPE_CHECKING:
    from local.command.dataset_folder import DatasetFolder

_ALLOWED = re.compile(r"arn:[a-z-]+:lambda:[a-z0-9*-]+:[0-9*]+:function:[A-Za-z0-9_*-]+:[0-9*]+")


def add_file_option(parser: argparse.ArgumentParser) -> None:
    """Add --grader-file."""
    parser.add_argument(
        "--grader-file",
        type=Path,
        metavar="FILE",
        help="grade with your own file (`tunedrop grader new`) instead of the recipe's grader; a grader.py "
        "beside train.jsonl is used without it",
    )


def add_allow_option(parser: argparse.ArgumentParser) -> None:
    """Add --allow-grader."""
    parser.add_argument(
        "--allow-grader",
        type=_arn,
        action="append",
        default=[],
        metavar="ARN",
        help="a Lambda function that a recipe may name as its grader, with a version or * at its end; may be repeated",
    )


def parameters(allowed: Sequence[str]) -> dict[str, str]:
    """The template's parameters for the functions that are let in."""
    return {"AllowedGraders": ",".join(allowed)} if allowed else {}


@contextmanager
def with_own_grader(dataset: DatasetFolder, given: Path | None) -> Iterator[tuple[DatasetFolder, Sequence[Path]]]:
    """The dataset with a recipe that names the grader's file, and the file; both as they are where there is none.

    Raises:
        UsageError: the file cannot be a grader, or the recipe cannot be read.
    """
    path = given or dataset.grader
    if path is None:
        yield dataset, ()
        return
    name = name_of(path)
    with tempfile.TemporaryDirectory() as folder:
        yield dataset.with_recipe(Path(folder), lambda written: graded_by(name, written)), (path,)


def require_deployed(dataset: DatasetFolder) -> None:
    """A stack that this command did not start has no grader.py of the folder, unless the recipe names one of its own.

    Raises:
        UsageError: the run would be graded by another grader than the folder's.
    """
    if dataset.grader is not None and (dataset.written_recipe().get("grader") or {}).get("kind") != "own":
        raise exits.UsageError(
            f"{dataset.grader} works only with a stack that this command starts; for this one, deploy the file with "
            "the stack (docs/own-graders.md) and name it in the recipe as `grader: {kind: own, function: …}`"
        )


def name_of(path: Path) -> str:
    """The grader's name. Raises UsageError where the file is none."""
    from tunedrop.graders.own_file import NAME, read_file
    from tunedrop.graders.sample import OptionsError

    if re.fullmatch(NAME, path.stem) is None or path.suffix != ".py":
        raise exits.UsageError(f"{path}: a grader's file is named by small letters, digits and _, with .py at its end")
    try:
        return read_file(path).name
    except OptionsError as error:
        raise exits.UsageError(str(error)) from error


def graded_by(name: str, written: Mapping[str, Any]) -> dict[str, Any]:
    """The recipe as it is written, with the grader of this name; another grader's options are left out."""
    before = written.get("grader")
    kept = dict(before) if isinstance(before, Mapping) and before.get("kind", "own") == "own" else {}
    return {**written, "grader": {**kept, "kind": "own", "function": name}}


def _arn(text: str) -> str:
    if _ALLOWED.fullmatch(text) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no ARN of a function with a version or * at its end")
    return text
