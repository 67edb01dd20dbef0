"""`tunedrop demo`: GSM8K through the whole pipeline on this machine."""

from __future__ import annotations

import argparse
import gzip
import shutil
from pathlib import Path
from typing import Any, BinaryIO, cast

from local.command import exits, language_model, places
from local.command.help_text import Wrapped
from local.command.run import add_run_options, take_through_and_tell

GSM8K = places.REPOSITORY / "events/datasets/gsm8k"
SUMS = places.REPOSITORY / "events/datasets/sums"
PUBLISHED_TEST_SET = places.REPOSITORY / "tests/data/gsm8k/test.jsonl.gz"
_PROMPT = '{question} Let\'s think step by step and output the final answer after "####".'

_DESCRIPTION = """\
Take GSM8K (grade school maths: 300 training rows, 250 test rows) through the whole pipeline on this machine. The
pipeline checks the dataset, rehearses the grader, trains a model, compares it with its base, and sends a notice. The
training and the model are simulated.

With --model WEIGHTS, a real language model answers and is trained on this machine, on sums of two numbers, which even a
very small one can learn: `make demo REAL=1`."""


def add_parser(subparsers: Any) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "demo",
        help="take GSM8K through the whole pipeline on this machine",
        description=_DESCRIPTION,
        epilog=f"{language_model.HELP}\n\n{exits.TEXT}",
        formatter_class=Wrapped,
    )
    parser.add_argument("--full", action="store_true", help="test on all 1,319 rows of GSM8K's test set, not on 250")
    add_run_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Take GSM8K through the pipeline; the exit code that its status has."""
    from local.command.dataset_folder import DatasetFolder

    if arguments.weights:
        if arguments.full:
            raise exits.UsageError("--full is for the simulation's demo; a language model has a dataset of its own")
        folder = SUMS
    else:
        folder = full_test_set(places.FULL_GSM8K) if arguments.full else GSM8K
    return take_through_and_tell(DatasetFolder.open(folder), arguments)


def full_test_set(folder: Path) -> Path:
    """Write a folder with the demo's training rows and all of GSM8K's test rows, in the same format; the folder."""
    from local.conversion import Conversion, Source, convert

    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(GSM8K / "train.jsonl", folder / "train.jsonl")
    with gzip.open(PUBLISHED_TEST_SET) as published, (folder / "test.jsonl").open("wb") as test:
        conversion = Conversion(prompt=_PROMPT, final_answer_after="####")
        test.writelines(convert(cast(BinaryIO, published), Source.QUESTION_ANSWER, conversion))
    return folder
