"""The complete check of a dataset: rules, duplicates, leakage, secrets and statistics, in one pass over each file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import BinaryIO, Final

from tunedrop.catalog import Family, Model
from tunedrop.dataset.bounds import GUIDANCE_MAX_ROWS, MAX_ROWS, MIN_ROWS, READ_ROWS
from tunedrop.dataset.file_check import FileCheck
from tunedrop.dataset.findings import Findings
from tunedrop.dataset.fitting import Refused, kind_that_fits
from tunedrop.dataset.leakage import MAX_PAIRS, WARNED_LENGTH, LeakageIndex
from tunedrop.dataset.packed import TOO_LARGE
from tunedrop.dataset.report import DatasetReport, LeakageReport, Setting
from tunedrop.dataset.suggestions import suggest
from tunedrop.graders.sample import Grader

_CHOOSE: Final = "change the answers as the message says, or choose another kind of grader in recipe.yaml."

_PUT_TOGETHER: Final = ("composite", "judge")
"""Kinds that are chosen for what their options say: no other kind stands in for them."""
_MEND_OPTIONS: Final = "Change the rows, or `grader.options` in recipe.yaml, as the message says."

TRAIN: Final = "train"
TEST: Final = "test"


def check_dataset(
    train: BinaryIO,
    *,
    test: BinaryIO | None = None,
    family: Family,
    grader: Grader | None = None,
    model: Model | None = None,
    row_cap: bool = True,
    progress: Callable[[int], None] | None = None,
    setting: Setting | None = None,
    most_prompt_tokens: int | None = None,
    packing: Mapping[str, str] = {},
    trained_part: float = 1.0,
) -> DatasetReport:
    """Check a training file, and the test file that belongs to it, and say everything that is wrong at once.

    Each stream is read from where it stands to its end, by `read(n)`, and a seekable one twice where a prompt may be
    repeated. Memory stays flat whatever its size, the test file's prompts aside, whose runs of words are indexed to
    find them in the training file. Nothing in a file makes this raise; only the streams' own errors come through.

    `grader`: asked row by row whether it can use `reference_answer`. `model`: its context bounds the prompts, and its
    hyperparameters the suggestions. `row_cap=False`: without the service's 100 to 20,000 rows, for files that are not
    sent as they are. `progress`: called with the number of bytes after each read. `setting`: what the recipe says, for
    the report. `most_prompt_tokens`: the longest prompt that the recipe lets the training use. `packing`: what is
    wrong with the packing or the size of a file, by the file's name. `trained_part`: the part of the training file's
    rows that the recipe does not keep apart, for the suggestions.
    """
    findings = Findings(family)
    most = READ_ROWS if row_cap else None
    index: LeakageIndex | None = None
    test_check: FileCheck | None = None
    if test is not None:
        # First the test file: its index is what the training file streams past.
        index = LeakageIndex()
        test_check = FileCheck(
            TEST, findings, family, grader=grader, model=model, compare=index.add, progress=progress, most_lines=most,
        )  # fmt: skip
        test_check.read(test)
        index.finish()
    compare = None if index is None else index.compare
    train_check = FileCheck(
        TRAIN, findings, family, grader=grader, model=model, compare=compare, progress=progress, most_lines=most,
        most_prompt_tokens=most_prompt_tokens,
    )  # fmt: skip
    train_check.read(train)
    for file, problem in packing.items():
        if problem:
            findings.withdraw(file)
            findings.add("file-size" if problem.startswith(TOO_LARGE) else "file-packed", file, None, problem)
    if row_cap:
        _check_row_count(findings, train_check.rows, train_check.lines_checked)
    for each in (train_check, test_check):
        if each is not None and each.refused:
            _say_what_fits(findings, each.file, each.refused, setting)
        if each is not None and each.rows:
            each.named.report(findings, each.file)
    leakage = _leakage(findings, index) if index is not None else None
    return DatasetReport(
        family=family,
        findings=findings,
        train=train_check.facts(),
        test=test_check.facts() if test_check is not None else None,
        leakage=leakage,
        suggested=suggest(train_check.rows, train_check.statistics, family, model, trained_part),
        setting=setting,
    )


def _say_what_fits(findings: Findings, file: str, refused: list[Refused], setting: Setting | None) -> None:
    """Put into the hint which grader refused the references, and which kind could use them."""
    named = f"The {setting.grader_kind} grader" if setting is not None else "The grader"
    usual = ", by default," if setting is not None and setting.grader != setting.grader_kind else ""
    if setting is not None and setting.grader_kind in _PUT_TOGETHER:
        findings.hint("reference-grader", file, _MEND_OPTIONS)
        return
    kind = kind_that_fits(refused, setting.grader_kind if setting is not None else "")
    if kind is None:
        if usual:
            findings.hint("reference-grader", file, f"{named}{usual} cannot use them: {_CHOOSE}")
        return
    findings.hint(
        "reference-grader", file, f"{named}{usual} cannot use them; `grader: {{kind: {kind}}}` in recipe.yaml can."
    )


def _check_row_count(findings: Findings, rows: int, lines_checked: int) -> None:
    if rows == 0:
        return  # file-empty says it better
    if rows < MIN_ROWS:
        says = f"the file has {rows:,} row{'s' * (rows != 1)}, and a training needs at least {MIN_ROWS:,}"
        findings.add("rows-few", TRAIN, None, says, got=f"{rows:,} rows")
    elif rows > MAX_ROWS:
        says = f"the file has {rows:,} rows, and a training takes at most {MAX_ROWS:,}"
        if rows > READ_ROWS:
            says += f"; only its first {lines_checked:,} lines were checked"
        findings.add("rows-many", TRAIN, None, says, got=f"{rows:,} rows")
    elif rows > GUIDANCE_MAX_ROWS:
        findings.add("rows-guidance", TRAIN, None, f"the file has {rows:,} rows", got=f"{rows:,} rows")


def _leakage(findings: Findings, index: LeakageIndex) -> LeakageReport:
    exact = index.exact()
    for test_line, train_line in exact:
        findings.add(
            "leakage-exact", TEST, test_line, f"the prompt is also in line {train_line} of the training file",
            field="messages", got=f"training line {train_line}",
        )  # fmt: skip
    exact_lines = {line for line, _ in exact}
    pairs = index.pairs()
    for pair in pairs:
        if pair.words >= WARNED_LENGTH and pair.test_line not in exact_lines:
            findings.add(
                "leakage-overlap", TEST, pair.test_line,
                f"{pair.words} words in a row are also in line {pair.train_line} of the training file: “{pair.run}”",
                field="messages", got=f"{pair.words} words of training line {pair.train_line}",
            )  # fmt: skip
    return LeakageReport(len(exact), index.counts(), index.rows, index.left_out, tuple(pairs[:MAX_PAIRS]))
