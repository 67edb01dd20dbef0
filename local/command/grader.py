"""`tunedrop grader new NAME`: begins a grader of one's own, one file and its test."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from local.command import exits, places
from local.command.help_text import Wrapped

_DESCRIPTION = """\
Begin a grader of your own: a file that says how to grade an answer, and a test of it. Both run as they are; change
them. `tunedrop grade`, `rehearse` and `run` take the file with --grader-file, and `make deploy` deploys every file in
the folder graders/ of this project. docs/own-graders.md shows how."""

_GRADER = '''\
"""{name}: pays for an answer that holds the reference in at most so many words."""

from collections.abc import Mapping

from tunedrop.graders.own import JSON, Grade, Sample

OPTIONS = {{"words": 20}}
"""The options that a recipe can set, with their defaults."""

DEADLINE_SECONDS = 5.0
"""What one answer gets. An answer that takes longer is ungraded: it scores 0, and counts as an error of the grader."""


def check_reference(reference: JSON, row: Mapping[str, JSON]) -> str | None:
    """Why a row cannot be graded, as a sentence; None if it can."""
    return None if isinstance(reference, str) and reference else "the reference must be a text"


def grade(sample: Sample, options: Mapping[str, JSON]) -> Grade:
    """The reward for one answer, from 0 to 1. sample has answer, reference, messages and row."""
    right = str(sample.reference) in sample.answer
    short = len(sample.answer.split()) <= int(str(options["words"]))
    return Grade(
        reward=1.0 if right and short else 0.0,
        components={{"short": float(short)}},
        correct=right,
        explanation="The reference is in the answer." if right else "The reference is not in the answer.",
    )
'''

_TEST = '''\
"""Tests of the grader {name}: pytest {shown}"""

from pathlib import Path

from tunedrop.graders.own import try_out

GRADER = Path(__file__).with_name("{name}.py")


def test_a_short_right_answer_is_paid() -> None:
    assert try_out(GRADER, "It is Paris.", "Paris").reward == 1.0


def test_a_wrong_answer_is_not_paid() -> None:
    assert try_out(GRADER, "It is Rome.", "Paris").reward == 0.0


def test_a_long_answer_is_not_paid() -> None:
    assert try_out(GRADER, "Paris " * 6, "Paris", options={{"words": 5}}).reward == 0.0
'''


def add_parser(subparsers: Any) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "grader",
        help="begin a grader of your own: one file and its test",
        description=_DESCRIPTION,
        formatter_class=Wrapped,
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    new = actions.add_parser("new", help="write NAME.py and test_NAME.py")
    new.add_argument("name", metavar="NAME", help="the grader's name in a recipe: small letters, digits and _")
    new.add_argument(
        "--folder", type=Path, default=places.OWN_GRADERS, metavar="DIR", help="where to write (default: graders/)"
    )
    new.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write both files, and say how to go on. Raises UsageError where one is there, or the name cannot be."""
    from tunedrop.graders.own_file import NAME

    name: str = arguments.name
    if re.fullmatch(NAME, name) is None or name.startswith("test_"):
        raise exits.UsageError(f"{name!r} cannot be a grader's name: use small letters, digits and _, a letter first")
    file, test = arguments.folder / f"{name}.py", arguments.folder / f"test_{name}.py"
    for path in (file, test):
        if path.exists():
            raise exits.UsageError(f"{places.shown(path)} is there already; choose another name")
    arguments.folder.mkdir(parents=True, exist_ok=True)
    file.write_text(_GRADER.format(name=name), encoding="utf-8")
    test.write_text(_TEST.format(name=name, shown=places.shown(test)), encoding="utf-8")
    tunedrop = places.typed("tunedrop")
    print(
        f"Wrote {places.shown(file)} and {places.shown(test)}. Now:\n"
        f"  {places.typed('pytest')} {places.shown(test)}\n"
        f"  {tunedrop} grade ANSWERS.jsonl --grader-file {places.shown(file)} --explain\n"
        f"  {tunedrop} rehearse FOLDER --grader-file {places.shown(file)}\n"
        f"  {tunedrop} run FOLDER --grader-file {places.shown(file)}"
    )
    return exits.SUCCEEDED
