"""`tunedrop grade`: scores answers in a file or on standard input with a grader, as the deployed one would."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from local.command import exits, judging
from local.command.help_text import Wrapped
from local.command.own_grader import name_of
from local.command.printable import say
from tunedrop.graders.kinds import KINDS, OWN_PREFIX

if TYPE_CHECKING:
    from tunedrop.graders.row_options import RowGrader
    from tunedrop.recipe import GraderChoice

PARALLEL_ROWS = 64
"""Rows graded at a time by a grader that works on several at once; the others answer line by line."""

_DESCRIPTION = """\
Grade answers. Each row of the JSONL file holds `messages`, whose last turn is the model's answer, and
`reference_answer` (in any of the layouts that the training service may send). The command prints one result for each
row, in order, in the form that the service expects of a grader.

If a line is not such a row, the command names it on standard error, prints `grader_error` as its result, and exits
with code 2. If it can grade no row, the exit code is 1. A judge needs a model: `tunedrop up` gives a simulated one, or
set OPENAI_BASE_URL and OPENAI_API_KEY to another endpoint with OpenAI's interface."""


@dataclass(frozen=True, slots=True)
class _Row:
    """One line: its number, and its row or what is wrong with it."""

    number: int
    row: dict[str, Any]
    fault: str = ""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `grade` to the command."""
    parser = subparsers.add_parser(
        "grade",
        help="score answers in a JSONL file with a grader",
        description=_DESCRIPTION,
        formatter_class=Wrapped,
    )
    parser.add_argument("file", metavar="FILE", help="JSONL file, or - for standard input")
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--grader", metavar="KIND", help=f"one of {', '.join(KINDS)}")
    chosen.add_argument(
        "--recipe",
        type=Path,
        metavar="FILE|FOLDER",
        help="the grader and the options of this recipe, or of the recipe in this folder; if no grader is chosen, the "
        "recipe beside FILE",
    )
    chosen.add_argument(
        "--grader-file", type=Path, metavar="FILE", help="a grader of your own: `tunedrop grader new` begins one"
    )
    parser.add_argument(
        "--options",
        metavar="JSON|FILE",
        help="the grader's options, as JSON or as a JSON file; if not given, the recipe's or the kind's own",
    )
    parser.add_argument("--explain", action="store_true", help="add a sentence to each result that gives the reason")
    parser.add_argument(
        "--agreement",
        metavar="FIELD",
        help="compare with people's labels (true, false or a reward) in this field of the rows, and say at the end how "
        "far the grader agrees with them",
    )
    parser.add_argument("--deadline", type=_seconds, metavar="SECONDS", help="stop grading a row after this time")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Grade the rows and print their answers.

    2 where a line was malformed, 1 where no row could be graded. Raises UsageError before any row.
    """
    from tunedrop.graders.kinds import Trust
    from tunedrop.graders.row_options import RowGrader
    from tunedrop.graders.sample import OptionsError

    kind, options = _chosen(arguments)
    try:
        grader = RowGrader.of(kind, options if arguments.options is None else _options(arguments.options))
    except OptionsError as error:
        raise exits.UsageError(str(error)) from error
    if grader.trust is Trust.JUDGE:
        judging.require_endpoint()
    with ExitStack() as opened:
        lines: IO[bytes] = sys.stdin.buffer
        if arguments.file != "-":
            try:
                lines = opened.enter_context(Path(arguments.file).open("rb"))
            except OSError as error:
                raise exits.UsageError(f"{arguments.file} cannot be read: {error.strerror}.") from error
        return _grade(lines, grader, arguments)


def _chosen(arguments: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """The kind of grader and its options, of the command line or of a recipe."""
    from tunedrop.graders.own_file import FOLDER_VARIABLE

    if arguments.grader is not None:
        return arguments.grader, {}
    if arguments.grader_file is not None:
        os.environ[FOLDER_VARIABLE] = str(arguments.grader_file.parent.resolve())
        return f"{OWN_PREFIX}{name_of(arguments.grader_file)}", {}
    beside = None if arguments.file == "-" else Path(arguments.file).parent
    grader = _grader_of_recipe(arguments.recipe or beside, named=arguments.recipe is not None)
    if grader.kind_of_rows is None:
        raise exits.UsageError("the recipe's grader is a Lambda function of your own, which cannot run here")
    return grader.kind_of_rows, grader.options


def _grader_of_recipe(place: Path | None, *, named: bool) -> GraderChoice:
    from local.command.dataset_folder import DEFAULT_REGION
    from local.command.validate import recipe_at
    from tunedrop.outcomes import RecipeInvalid
    from tunedrop.recipe_resolution import resolve

    try:
        written = {} if place is None else recipe_at(place)
        if not written and not named:
            raise exits.UsageError("name a grader: --grader KIND, --grader-file FILE or --recipe FILE")
        # Nothing else in the recipe matters here.
        return resolve({name: value for name, value in written.items() if name == "grader"}, DEFAULT_REGION).grader
    except RecipeInvalid as error:
        raise exits.UsageError(str(error)) from error


def _grade(lines: IO[bytes], grader: RowGrader, arguments: argparse.Namespace) -> int:
    from tunedrop.graders.batch import grade_batch
    from tunedrop.graders.contract import answer_ungraded, is_ungraded
    from tunedrop.graders.workers import Workers

    name = "standard input" if arguments.file == "-" else arguments.file
    malformed = graded = 0
    reason = ""
    agreement = judging.Labels(arguments.agreement) if arguments.agreement else None
    size = PARALLEL_ROWS if grader.terms({}).at_once > 1 else 1
    write = sys.stdout.write
    with Workers(grader) as workers:
        for rows in _chunks(_rows(lines), size):
            answers = iter(
                grade_batch(
                    [row.row for row in rows if not row.fault],
                    grader,
                    sample_deadline_seconds=arguments.deadline,
                    explain=True,
                    workers=workers,
                )
            )
            for row in rows:
                if row.fault:
                    malformed += 1
                    say(f"tunedrop: {name}, line {row.number}: {row.fault}", to_stderr=True)
                    told = answer_ungraded(str(row.number), row.fault, explain=arguments.explain)
                else:
                    told = next(answers)
                    if is_ungraded(told):
                        reason = reason or str(told["explanation"])
                    else:
                        graded += 1
                    if agreement is not None:
                        agreement.add(row.row, told)
                    if not arguments.explain:
                        del told["explanation"]
                write(json.dumps(told) + "\n")
            if arguments.file == "-":
                sys.stdout.flush()
    sys.stdout.flush()
    if agreement is not None:
        say(agreement.told(), to_stderr=True)
    if not graded and reason:
        say(f"tunedrop: no row could be graded. The first: {reason}", to_stderr=True)
        return exits.FAILED
    return exits.REJECTED if malformed else exits.SUCCEEDED


def _rows(lines: IO[bytes]) -> Iterator[_Row]:
    from tunedrop.graders.contract import SampleError, read_sample

    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            read_sample(row, str(number))
        except RecursionError:
            yield _Row(number, {}, "the JSON is nested too deeply to be read")
        except SampleError as error:
            yield _Row(number, {}, f"not a row with an answer: {error}")
        except ValueError as error:
            yield _Row(number, {}, f"not JSON: {error}")
        else:
            yield _Row(number, row if _has_id(row) else {**row, "id": str(number)})


def _has_id(row: dict[str, Any]) -> bool:
    metadata = row.get("metadata")
    places = [row, metadata] if isinstance(metadata, dict) else [row]
    return any(place.get(key) is not None for place in places for key in ("id", "task_id"))


def _chunks(rows: Iterator[_Row], size: int) -> Iterator[list[_Row]]:
    chunk: list[_Row] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _options(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    given = text
    if not text.lstrip().startswith("{"):
        try:
            given = Path(text).read_text(encoding="utf-8")
        except OSError as error:
            raise exits.UsageError(f"--options {text}: neither a JSON object nor a file: {error.strerror}.") from error
    try:
        options = json.loads(given)
    except ValueError as error:
        raise exits.UsageError(f"--options is not JSON: {error}.") from error
    if not isinstance(options, dict):
        raise exits.UsageError(f"--options must be a JSON object, got a {type(options).__name__}.")
    return options


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value <= 900:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 900 seconds")
    return value
