"""`tunedrop validate`: the dataset's complete check, before anything is uploaded."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from local.command import exits, which_stack
from local.command.byte_progress import ByteProgress
from local.command.help_text import Wrapped

if TYPE_CHECKING:
    from tunedrop.catalog import Model
    from tunedrop.dataset.report import DatasetReport
    from tunedrop.graders.sample import Grader

DEFAULT_MODEL = "openai.gpt-oss-20b"

_DESCRIPTION = """\
Check each line of a training file as the service would read it: encoding, JSON, messages, answers, duplicates,
secrets, lengths. With a test file, also check what the two files share. In a folder, check all that a run would check:
also the recipe, whether the recipe's grader can use the references, and whether rows are left to test on. If a folder
is valid here, `tunedrop run FOLDER` does not reject its dataset. The command reports all faults at once, each with its
line, the reason and a hint.

The exit code is 0 if the dataset is valid and 2 if it is not. The command uploads nothing and changes nothing; with
--remote, it uploads a copy, and the stack's own API makes the same check."""

_EXAMPLES = """\
examples:
  tunedrop validate train.jsonl
  tunedrop validate events/datasets/gsm8k                    with test.jsonl and recipe.yaml, if there are any
  tunedrop validate train.jsonl --test test.jsonl --model qwen.qwen3-32b --grader math
  tunedrop validate train.jsonl --json | jq '.findings[] | [.line, .rule, .message]'
  tunedrop validate my_folder --remote --stack tunedrop-dev
  tunedrop validate train.jsonl --corrected mended.jsonl     write a copy without the faults that it can mend"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `validate` to the command."""
    parser = subparsers.add_parser(
        "validate",
        help="check a dataset before it is uploaded",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=Wrapped,
    )
    parser.add_argument(
        "file", metavar="FOLDER|FILE", help="the dataset's folder, its training file alone, or - for standard input"
    )
    parser.add_argument("--test", metavar="FILE", type=Path, help="test file: checked too, and compared with FILE")
    parser.add_argument("--model", metavar="ID", help=f"model to train; if not given, the recipe's, or {DEFAULT_MODEL}")
    parser.add_argument(
        "--grader", metavar="KIND", help="grader that must be able to use every reference; if not given, the recipe's"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of text")
    parser.add_argument("--page", metavar="HTML", type=Path, help="also write the findings as a page")
    parser.add_argument(
        "--corrected", metavar="COPY", type=Path, help="also write a corrected copy of the training file"
    )
    parser.add_argument(
        "--remote",
        action="store_true",
        help="let a stack check the folder (as does --stack): uploads it, and starts no run",
    )
    which_stack.add_options(parser)
    parser.add_argument("--no-row-cap", action="store_true", help="ignore the service's limits of 100 and 20,000 rows")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check, print the report, write what was asked for. Raises UsageError where something named is not there."""
    if arguments.remote or arguments.stack or arguments.api or arguments.profile:
        from local.command.remote_validation import check

        return check(Path(arguments.file), arguments)
    train, test = _files(arguments)
    if train is not None and Path(arguments.file).is_dir():
        from local.command.unused_files import tell_unused

        if arguments.test is None:
            tell_unused(Path(arguments.file))
        report = _check_folder(Path(arguments.file), train, test, arguments)
    else:
        model, grader = _model(arguments.model or DEFAULT_MODEL), _grader(arguments.grader)
        report = _check(train, test, model, grader, row_cap=not arguments.no_row_cap)
    if arguments.page is not None:
        from tunedrop.dataset.findings_page import render_page

        _write(arguments.page, render_page(report, arguments.file).encode("utf-8"))
    if arguments.corrected is not None:
        _write_corrected(train, arguments.corrected)
    if arguments.json:
        print(json.dumps(report.to_json(), ensure_ascii=True, indent=2))
    else:
        from local.command.dataset_report import print_report

        print_report(report, arguments.file)
    return exits.SUCCEEDED if report.valid else exits.REJECTED


def _check_folder(folder: Path, train: Path, test: Path | None, arguments: argparse.Namespace) -> DatasetReport:
    """The check that a run of this folder makes; a recipe that cannot be used is told, and the rows are looked at."""
    from local.command import own_grader
    from local.command.dataset_folder import DatasetFolder
    from tunedrop.dataset.with_recipe import check_slices, check_with_recipe, setting_of, slices_written
    from tunedrop.outcomes import RecipeInvalid
    from tunedrop.recipe import Recipe
    from tunedrop.recipe_grader import grader_of
    from tunedrop.recipe_resolution import resolve

    written: dict[str, Any] = {}
    problem = None
    try:
        written = {**written_recipe(folder), **({"model": arguments.model} if arguments.model else {})}
        dataset = DatasetFolder.open(folder)
        if arguments.grader:
            written["grader"] = {"kind": arguments.grader}
        elif dataset.grader is not None:
            written = own_grader.graded_by(own_grader.name_of(dataset.grader), written)
        recipe = resolve(written, dataset.region)
        grader_of(recipe)
    except RecipeInvalid as error:
        recipe, problem = Recipe(model=DEFAULT_MODEL), str(error)
    row_cap = not arguments.no_row_cap
    if problem is None:
        with ExitStack() as files:
            opened = _opened(files, train, test)
            return check_with_recipe(
                opened.train, test=opened.test, recipe=recipe, row_cap=row_cap, packing=opened.packing,
                progress=opened.progress,
            )  # fmt: skip
    report = _check(train, test, recipe.catalog_model, None, row_cap=row_cap)
    check_slices(report, slices_written(written))
    named = replace(setting_of(recipe, has_test=test is not None), recipe_problem=problem)
    not_looked_at = ("whether the grader can use the references, as the recipe is not valid",)
    return replace(report, setting=replace(named, grader="of no valid recipe", not_looked_at=not_looked_at))


def written_recipe(folder: Path) -> Mapping[str, Any]:
    """What the folder's recipe says; nothing where there is none. Raises RecipeInvalid: it says nothing, or several."""
    from tunedrop.identity import RECIPE_NAMES
    from tunedrop.outcomes import RecipeInvalid

    found = [folder / name for name in RECIPE_NAMES if (folder / name).is_file()]
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise RecipeInvalid(f"expected one recipe, got several: {names}; remove all but one.")
    return recipe_at(found[0]) if found else {}


def recipe_at(place: Path) -> Mapping[str, Any]:
    """What a recipe's file says, or the recipe of a folder. Raises as `written_recipe`, and UsageError without one."""
    from tunedrop.recipe_text import RECIPE_BYTES, parse

    if place.is_dir():
        return written_recipe(place)
    with _open(place) as file:
        return parse(file.read(RECIPE_BYTES + 1), place.name)


@dataclass(frozen=True, slots=True)
class _Opened:
    """The files of a dataset, unpacked. `packing`: what is wrong with the packing of each."""

    train: BinaryIO
    test: BinaryIO | None
    packing: Mapping[str, str]
    progress: Callable[[int], None]


def _opened(files: ExitStack, train: Path | None, test: Path | None) -> _Opened:
    """Open them until `files` is closed; `train` None: standard input, which is read as it is."""
    from tunedrop.dataset.packed import plain

    opened: dict[str, BinaryIO] = {}
    packing: dict[str, str] = {}
    for name, path in (("train", train), ("test", test)):
        if path is not None:
            opened[name], packing[name] = files.enter_context(plain(files.enter_context(_open(path))))
    size = None if train is None else sum(file.seek(0, os.SEEK_END) for file in opened.values())
    for file in opened.values():
        file.seek(0)
    progress = files.enter_context(ByteProgress("checking", size))
    return _Opened(opened.get("train", sys.stdin.buffer), opened.get("test"), packing, progress)


def _check(
    train: Path | None, test: Path | None, model: Model, grader: Grader | None, *, row_cap: bool
) -> DatasetReport:
    from tunedrop.dataset.check import check_dataset

    with ExitStack() as files:
        opened = _opened(files, train, test)
        return check_dataset(
            opened.train, test=opened.test, family=model.family, grader=grader, model=model, row_cap=row_cap,
            progress=opened.progress, packing=opened.packing,
        )  # fmt: skip


def _files(arguments: argparse.Namespace) -> tuple[Path | None, Path | None]:
    """The training file (None: standard input) and the test file, where there is one."""
    from local.command.dataset_folder import DatasetFolder
    from tunedrop.identity import TEST_NAMES

    test: Path | None = arguments.test
    if arguments.file == "-":
        if arguments.corrected is not None:
            raise exits.UsageError("--corrected: standard input cannot be read twice; name a file")
        return None, test
    train = Path(arguments.file)
    if train.is_dir():
        folder = train
        train = DatasetFolder.open(folder).train
        found = [folder / name for name in TEST_NAMES if (folder / name).is_file()]
        if test is None and len(found) > 1:
            raise exits.UsageError(f"{folder} has {' and '.join(TEST_NAMES)}; keep one of them")
        if test is None and found:
            test = found[0]
    if arguments.corrected is not None and arguments.corrected.exists() and arguments.corrected.samefile(train):
        raise exits.UsageError("--corrected: the copy would overwrite its own source; name another file")
    return train, test


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise exits.UsageError(f"{path} cannot be read: {error.strerror}") from error


def _write(path: Path, body: bytes) -> None:
    try:
        path.write_bytes(body)
    except OSError as error:
        raise exits.UsageError(f"{path} cannot be written: {error.strerror}") from error


def _write_corrected(train: Path | None, copy: Path) -> None:
    from tunedrop.dataset.correct import write_corrected
    from tunedrop.dataset.packed import plain

    if train is None:
        return
    try:
        with train.open("rb") as file, plain(file) as (source, _), copy.open("wb") as target:
            done = write_corrected(source, target)
    except OSError as error:
        raise exits.UsageError(f"{copy} cannot be written: {error.strerror}") from error
    print(f"Wrote {copy}: mended {done}.", file=sys.stderr)


def _model(model_id: str) -> Model:
    from tunedrop import catalog
    from tunedrop.outcomes import RecipeInvalid

    try:
        return catalog.find(model_id)
    except RecipeInvalid as error:
        raise exits.UsageError(f"--model: {str(error).removeprefix('recipe field `model`: ')}") from error


def _grader(kind: str | None) -> Grader | None:
    if kind is None:
        return None
    from tunedrop.graders.row_options import RowGrader
    from tunedrop.graders.sample import OptionsError

    try:
        return RowGrader.of(kind)
    except OptionsError as error:
        raise exits.UsageError(f"--grader: {error}") from error
