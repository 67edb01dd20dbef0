"""ValidateDataset: checks every line, writes the findings, and writes the files that are trained and tested on."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, cast

from tunedrop.dataset.correct import write_corrected
from tunedrop.dataset.description import reason
from tunedrop.dataset.findings_page import render_page
from tunedrop.dataset.fitting_defaults import with_fitting_defaults
from tunedrop.dataset.report import DatasetReport
from tunedrop.dataset.with_recipe import check_with_recipe
from tunedrop.dataset.written_rows import RowsFile, divide, rows_of
from tunedrop.outcomes import DatasetInvalid, InputMissing
from tunedrop.recipe import Recipe
from tunedrop.resources import Resources
from tunedrop.run import folder as names
from tunedrop.run.folder import RunFolder
from tunedrop.run.inputs import fetch_plain
from tunedrop.run.record import RunRecord
from tunedrop.run.record_parts import CheckedDataset
from tunedrop.states.decision import Decision


@dataclass(frozen=True, slots=True)
class Validated(Decision):
    """The dataset is `valid`; `rows` rows of it are for the training."""

    rows: int


def run(event: Mapping[str, Any], resources: Resources) -> Validated:
    """Check the pinned files, write findings, training file and test file into the run's folder, and note them.

    Input: `run_id`.

    Raises:
        DatasetInvalid: at least one line cannot be trained on; the message names the first ones with their lines.
        InputMissing: a pinned version is gone.
        LimitExceeded: the run would use up more than the operator allows a run, or its team in a month.
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
        parts, lines = _write_files(run_folder, train, None if record.test is None else test, recipe)
    tested_on = record.test or record.train
    run_folder.write_json(names.TEST_LINES, {"file": tested_on.key.rpartition("/")[2], "lines": lines})
    dataset = replace(
        parts,
        sha256=report.train.sha256,
        test_sha256=report.test.sha256 if report.test else None,
        findings=run_folder.uri(names.FINDINGS),
        warnings=report.to_json()["counts"]["warning"],
    )
    changes: dict[str, Any] = {"dataset": dataset, "stage": "ValidateDataset"}
    fitting = with_fitting_defaults(recipe, dataset.rows or 0)
    _require_room(record, fitting, dataset, resources)
    if recipe.trains and fitting is not recipe:
        changes["recipe"] = fitting.model_dump(mode="json")
    resources.runs.update(run_id, changes)
    return Validated("valid", rows=dataset.rows or 0)


def _require_room(record: RunRecord, recipe: Recipe, dataset: CheckedDataset, resources: Resources) -> None:
    """Check the operator's limits, and reserve what the run may use in its team's month. Raises LimitExceeded."""
    limits = resources.limits
    if not limits.given:
        return
    from tunedrop.limits.limits import planned

    team, wanted = record.team or "", planned(recipe, rows=dataset.rows or 0, test_rows=dataset.test_rows or 0)
    limits.require(wanted, team)
    resources.months.reserve(record.run_id, team, wanted, limits.of_month(team))


def _write_findings(run_folder: RunFolder, report: DatasetReport, name: str, files: Mapping[str, BinaryIO]) -> None:
    """Write the findings as JSON and as a page, and a corrected copy of each file that can be mended automatically."""
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


def _write_files(
    run_folder: RunFolder, train: BinaryIO, test: BinaryIO | None, recipe: Recipe
) -> tuple[CheckedDataset, list[int]]:
    """Write train.jsonl, test.jsonl and, if the recipe wants the best checkpoint, validation.jsonl.

    Their rows, and the lines of the dropped file that the test rows come from. Without a test set some training rows
    become it.
    """
    with (
        tempfile.TemporaryFile() as train_file,
        tempfile.TemporaryFile() as test_file,
        tempfile.TemporaryFile() as validation_file,
    ):
        files = {names.TRAIN: train_file, names.TEST: test_file, names.VALIDATION: validation_file}
        written = {name: RowsFile(_binary(file), recipe.grader) for name, file in files.items()}
        parts = divide(
            rows_of(train, placed=test is None or recipe.chooses_checkpoint),
            recipe,
            has_test=test is not None,
            train=written[names.TRAIN].write,
            test=written[names.TEST].write,
            validation=written[names.VALIDATION].write,
        )
        if test is not None:
            for row in rows_of(test, placed=False):
                written[names.TEST].write(row)
        if parts.validation_rows is None:
            del files[names.VALIDATION]
        for name, file in files.items():
            file.seek(0)
            run_folder.write(name, _binary(file), "application/jsonl")
    dataset = CheckedDataset(
        rows=parts.rows,
        test_rows=written[names.TEST].rows,
        validation_rows=parts.validation_rows,
        test_set="held out" if test is None else "dropped",
    )
    return dataset, written[names.TEST].lines.tolist()


def _binary(file: Any) -> BinaryIO:
    # typeshed types a temporary file as IO[bytes], which is the same for every method that is used here.
    return cast(BinaryIO, file)
