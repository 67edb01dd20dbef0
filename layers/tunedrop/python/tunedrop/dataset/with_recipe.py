"""A dataset looked at together with its recipe: the one check that a run, the API and `tunedrop validate` make.

What is valid here is not rejected by a run for its dataset.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, BinaryIO, Final

from tunedrop.dataset.check import TEST, TRAIN, check_dataset
from tunedrop.dataset.fitting_defaults import with_fitting_defaults
from tunedrop.dataset.grader_batches import check_batch
from tunedrop.dataset.report import DatasetReport, Setting
from tunedrop.dataset.written_rows import Row, divide, rows_of
from tunedrop.recipe import GraderChoice, Recipe
from tunedrop.recipe_grader import grader_of

_PROMPT_LENGTH: Final = "maxPromptLength"
_OF_FORMAT: Final = frozenset({"messages", "reference_answer", "id"})


def check_with_recipe(
    train: BinaryIO,
    *,
    test: BinaryIO | None,
    recipe: Recipe,
    progress: Callable[[int], None] | None = None,
    row_cap: bool = True,
    packing: Mapping[str, str] = {},
) -> DatasetReport:
    """Check the files as `check_dataset` does, by the recipe's model and grader, and what the recipe asks of the rows.

    `train` must be seekable: where the files are valid so far it is read again, to see whether a test set, and rows to
    choose a checkpoint by, would be left.

    Raises:
        RecipeInvalid: the grader's options are wrong.
    """
    model = recipe.catalog_model
    start = train.tell()
    setting = setting_of(recipe, has_test=test is not None)
    report = check_dataset(
        train,
        test=test,
        family=model.family,
        grader=grader_of(recipe),
        model=model,
        row_cap=row_cap,
        progress=progress,
        setting=setting,
        most_prompt_tokens=_most_prompt_tokens(recipe),
        packing=packing,
        trained_part=(part := trained_part(recipe, has_test=test is not None)),
    )
    _check_default_grader(report, setting)
    check_slices(report, recipe.evaluation.slices)
    if report.valid and row_cap:
        train.seek(start)
        check_batch(report, train, with_fitting_defaults(recipe, round(report.rows * part)))
        train.seek(start)
        _check_what_is_left(report, train, recipe, has_test=test is not None)
    return report


def setting_of(recipe: Recipe, *, has_test: bool) -> Setting:
    """What the dataset is looked at with, in words."""
    kind = recipe.grader.kind
    usual = kind == GraderChoice().kind and not recipe.grader.options
    return Setting(
        model=recipe.model,
        grader_kind=kind,
        grader=f"{kind}, by default" if usual else kind,
        test_set="test.jsonl" if has_test else f"{recipe.evaluation.holdout:.0%} of the training rows, kept apart",
        not_looked_at=(
            ("whether the grader can use the references: only your own function can tell",) if kind == "own" else ()
        ),
    )


def trained_part(recipe: Recipe, *, has_test: bool) -> float:
    """The part of the training rows that is left to train on, when those to test on and to choose by are kept apart."""
    part = 1.0 if has_test else 1 - recipe.evaluation.holdout
    return part * (1 - recipe.evaluation.validation) if recipe.chooses_checkpoint else part


def _check_default_grader(report: DatasetReport, setting: Setting) -> None:
    """Refuse references that are words where nobody chose the grader: a guess is not worth a training's price."""
    statistics = report.train.statistics
    answers = sum(statistics.answers.values())
    if setting.grader == setting.grader_kind or not answers or statistics.worded * 2 < answers:
        return
    report.findings.add(
        "grader-unchosen", TRAIN, None,
        f"{statistics.worded:,} of {answers:,} references are words: the {setting.grader_kind} grader, by default, "
        "cannot use them as mathematics; `grader: {kind: exact}` in recipe.yaml can compare them",
        got=f"{setting.grader_kind}, by default",
    )  # fmt: skip


def check_slices(report: DatasetReport, slices: tuple[str, ...]) -> None:
    """Note each slice whose field no row of the test set has, with the nearest field that there is."""
    file, facts = (TRAIN, report.train) if report.test is None else (TEST, report.test)
    fields = facts.statistics.fields
    for name in slices:
        if name in fields or name in _OF_FORMAT or not facts.rows:
            continue
        near = get_close_matches(name, list(fields), n=1, cutoff=0.5)
        there = f"do you mean `{near[0]}`?" if near else f"rows have {', '.join(fields) or 'no other fields'}"
        report.findings.add("slice-missing", file, None, f"no row has the field `{name}`; {there}", got=f"`{name}`")


def _most_prompt_tokens(recipe: Recipe) -> int | None:
    given = recipe.hyperparameters.get(_PROMPT_LENGTH)
    return given if isinstance(given, int) else None


def _check_what_is_left(report: DatasetReport, train: BinaryIO, recipe: Recipe, *, has_test: bool) -> None:
    """Divide rows as ValidateDataset does, until it is sure that each part has one; note which would have none."""
    empty = set() if has_test else {"test"}
    if recipe.chooses_checkpoint:
        empty.add("validation")
    if not empty:
        return  # all rows are trained on

    def until_sure() -> Iterator[Row]:
        for row in rows_of(train):
            yield row
            if not empty:  # what was given to a part before the end stays there
                return

    rows = report.rows
    parts = divide(
        until_sure(), recipe, has_test=has_test,
        train=lambda _: None, test=lambda _: empty.discard("test"), validation=lambda _: empty.discard("validation"),
    )  # fmt: skip
    if parts.test_rows == 0:
        report.findings.add(
            "holdout-empty", TRAIN, None,
            f"training needs all {rows} rows, so none is left to test on", got=f"{rows} rows",
        )  # fmt: skip
    elif parts.validation_rows == 0:
        report.findings.add(
            "validation-empty", TRAIN, None,
            f"training needs all {rows} rows, so none is left to choose a checkpoint by",
            got=f"{rows} rows",
        )  # fmt: skip


def slices_written(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The slices that a recipe's document asks for, though the recipe as a whole is not valid."""
    evaluation = document.get("evaluation")
    found = evaluation.get("slices") if isinstance(evaluation, Mapping) else None
    given = found if isinstance(found, list) else document.get("slices")
    return tuple(name for name in given if isinstance(name, str))[:5] if isinstance(given, list) else ()
