"""ValidateDataset: checks every line, writes the findings, and writes the files that are trained and tested on."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

import orjson

from tunedrop.dataset.correct import write_corrected
from tunedrop.dataset.description import reason
from tunedrop.dataset.findings_page import render_page
from tunedrop.dataset.report import DatasetReport
from tunedrop.dataset.split import split_holdout
from tunedrop.dataset.with_recipe import check_with_recipe, validation_share
from tunedrop.graders.row_options import OPTIONS_FIELD
from tunedrop.outcomes import DatasetInvalid, InputMissing
from tunedrop.recipe import Recipe
from tunedrop.resources import Resources
from tunedrop.run import folder as names
from tunedrop.run.folder import RunFolder
from tunedrop.run.inputs import fetch_plain
from tunedrop.states.decision import Decision


@dataclass(frozen=True, slots=True)
class Validated(Decision):
    """The dataset is `valid`; `rows` of it are trained on."""

    rows: int


def run(event: Mapping[str, Any], resources: Resources) -> Validated:
    """Check the pinned files, write findings, training and test file into the run's folder, and note what they are.

    Input: `run_id`.

    Raises:
        DatasetInvalid: at least one line cannot be trained on; the message names the first ones with their lines.
        InputMissing: a pinned version is gone.
    """
    run_id, s3 = event["run_id"], resources.s3
    run_folder = resources.folder(run_id)
    record = resources.runs.load(run_id)
    recipe = record.recipe
    if record.train is None:
        raise InputMissing(f"run {run_id} has no training file pinned")
    with tempfile.TemporaryFile() as train_file, tempfile.TemporaryFile() as test_file:
        train, test = _binary(train_file), _binary(test_file)
        packing = {"train": fetch_plain(s3, record.train, train)}
        if record.test is not None:
            packing["test"] = fetch_plain(s3, record.test, test)
        report = check_with_recipe(train, test=None if record.test is None else test, recipe=recipe, packing=packing)
        _write_findings(run_folder, report, record.name, {"train": train, "test": test})
        if not report.valid:
            raise DatasetInvalid(reason(report, run_folder.uri(names.FINDINGS_PAGE)))
        for file in (train, test):
            file.seek(0)
        facts = _write_files(run_folder, train, None if record.test is None else test, recipe)
    dataset = {
        **facts,
        "sha256": report.train.sha256,
        "test_sha256": report.test.sha256 if report.test else None,
        "findings": run_folder.uri(names.FINDINGS),
        "warnings": report.to_json()["counts"]["warning"],
    }
    resources.runs.update(run_id, {"dataset": dataset, "stage": "ValidateDataset"})
    return Validated("valid", rows=facts["rows"])


def _write_findings(run_folder: RunFolder, report: DatasetReport, name: str, files: Mapping[str, BinaryIO]) -> None:
    """Write the findings as JSON and as a page, and of each file that can be mended mechanically a corrected copy."""
    run_folder.write_json(names.FINDINGS, report.to_json())
    page = render_page(report, name).encode("utf-8")
    run_folder.write(names.FINDINGS_PAGE, page, "text/html; charset=utf-8")
    for file, copy in (("train", names.CORRECTED_TRAIN), ("test", names.CORRECTED_TEST)):
        if report.fixable_in(file):
            files[file].seek(0)
            with tempfile.TemporaryFile() as corrected:
                write_corrected(files[file], _binary(corrected))
                corrected.seek(0)
                run_folder.write(copy, corrected, "application/jsonl")


def _write_files(run_folder: RunFolder, train: BinaryIO, test: BinaryIO | None, recipe: Recipe) -> dict[str, Any]:
    """Write train.jsonl, test.jsonl and, where a checkpoint is to be chosen by it, validation.jsonl.

    How many rows each has. Without a test set some training rows become it.
    """
    holdout = recipe.evaluation.holdout if test is None else 0.0
    with (
        tempfile.TemporaryFile() as train_out,
        tempfile.TemporaryFile() as test_out,
        tempfile.TemporaryFile() as kept_out,
        tempfile.TemporaryFile() as validation_out,
    ):
        if test is None:
            split = split_holdout(train, _binary(train_out), _binary(test_out), share=holdout)
            rows, test_rows = split.train_rows, split.test_rows
            if test_rows == 0:
                raise DatasetInvalid(
                    f"all {rows} rows are needed for training, so none is left to test on; "
                    "drop a test.jsonl beside train.jsonl, or more rows."
                )
        else:
            rows = _copy(train, _binary(train_out))
            test_rows = _copy(test, _binary(test_out))
        files = {names.TRAIN: _binary(train_out), names.TEST: _binary(test_out)}
        counts = {"rows": rows, "test_rows": test_rows}
        if recipe.chooses_checkpoint:
            files[names.TRAIN], files[names.VALIDATION] = _binary(kept_out), _binary(validation_out)
            train_out.seek(0)
            share = validation_share(recipe, holdout)
            split = split_holdout(_binary(train_out), files[names.TRAIN], files[names.VALIDATION], share=share)
            counts["rows"], counts["validation_rows"] = split.train_rows, split.test_rows
            if split.test_rows == 0:
                raise DatasetInvalid(
                    f"all {rows} rows are needed for training, so none is left to choose a checkpoint by; drop more "
                    "rows, or set evaluation.checkpoints to last."
                )
        for name, file in files.items():
            file.seek(0)
            _write(run_folder, name, file, recipe.grader.options)
    return {**counts, "test_set": "held out" if test is None else "dropped"}


def _write(run_folder: RunFolder, name: str, file: BinaryIO, options: Mapping[str, Any]) -> None:
    if not options:
        run_folder.write(name, file, "application/jsonl")
        return
    with tempfile.TemporaryFile() as with_options:
        _add_options(file, _binary(with_options), options)
        with_options.seek(0)
        run_folder.write(name, with_options, "application/jsonl")


def _copy(source: BinaryIO, target: BinaryIO) -> int:
    """The rows as they are, without blank lines and a byte order mark; how many."""
    rows = 0
    for line in source:
        text = (line.removeprefix(b"\xef\xbb\xbf") if rows == 0 else line).strip()
        if text:
            target.write(text + b"\n")
            rows += 1
    return rows


def _add_options(source: BinaryIO, target: BinaryIO, options: Mapping[str, Any]) -> None:
    written = json.dumps({OPTIONS_FIELD: options}).encode()[:-1]
    for line in source:
        row = orjson.loads(line)
        if OPTIONS_FIELD in row:
            # A row's own options win over the recipe's.
            target.write(line)
        else:
            target.write(written + b"," + line.lstrip()[1:])


def _binary(file: Any) -> BinaryIO:
    # typeshed types a temporary file as IO[bytes], which is the same for every method that is used here.
    return cast(BinaryIO, file)
