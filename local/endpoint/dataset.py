"""A dataset's folder as the rows that are asked: what a run would ask, read from the files themselves."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunedrop import recipe_text
from tunedrop.dataset.packed import plain
from tunedrop.dataset.with_recipe import check_with_recipe
from tunedrop.dataset.written_rows import RowsFile, divide, rows_of
from tunedrop.recipe import Recipe
from tunedrop.recipe_resolution import resolve
from tunedrop.rehearsal.sampling import choose_lines

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rows:
    """The recipe, the training rows and the test rows, of which some may be held out of `train.jsonl`."""

    recipe: Recipe
    train: list[bytes]
    test: list[bytes]
    errors: list[str]
    """What makes the dataset invalid; empty where it is valid."""

    def to_rehearse(self) -> list[Row]:
        """The rows that a run would rehearse with."""
        return [json.loads(line) for line in choose_lines(self.train, self.recipe.rehearsal.prompts)]

    def to_evaluate(self, most: int | None) -> list[Row]:
        """The first test rows, as many as the recipe or `most` says."""
        limits = [each for each in (most, self.recipe.evaluation.rows) if each]
        return [json.loads(line) for line in self.test[: min(limits, default=len(self.test))]]


def read_rows(train_file: Path, test_file: Path | None, recipe_file: Path | None, *, region: str) -> Rows:
    """Read and check the files of a dataset.

    Raises:
        RecipeInvalid: the recipe cannot be used.
    """
    written = recipe_text.parse(recipe_file.read_bytes(), recipe_file.name) if recipe_file else {}
    recipe = resolve(written, region)
    train, test = _text(train_file), _text(test_file) if test_file else None
    report = check_with_recipe(io.BytesIO(train), test=io.BytesIO(test) if test else None, recipe=recipe).to_json()
    if not report["valid"]:
        return Rows(recipe, [], [], [each["message"] for each in report["findings"] if each["severity"] == "error"])
    return _divided(recipe, train, test)


def _text(path: Path) -> bytes:
    """A file's text, unpacked where it is packed; what cannot be unpacked stays as it is, and the check names it."""
    with path.open("rb") as source, plain(source) as (text, problem):
        return path.read_bytes() if problem else text.read()


def _divided(recipe: Recipe, train: bytes, test: bytes | None) -> Rows:
    """The rows as a run would train and test on them."""
    files = [io.BytesIO() for _ in range(3)]
    to_train, to_test, to_validation = (RowsFile(file, recipe.grader) for file in files)
    divide(
        rows_of(io.BytesIO(train)),
        recipe,
        has_test=test is not None,
        train=to_train.write,
        test=to_test.write,
        validation=to_validation.write,
    )
    for row in rows_of(io.BytesIO(test or b""), placed=False):
        to_test.write(row)
    return Rows(recipe, files[0].getvalue().splitlines(), files[1].getvalue().splitlines(), [])
