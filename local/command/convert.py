"""`tunedrop convert`: rows of another format, turned into the rows that the service trains on."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from local.command import exits
from local.command.byte_progress import ByteProgress

if TYPE_CHECKING:
    from tunedrop.dataset.convert import Conversion, Source

_DESCRIPTION = """\
Turns question/answer rows (JSON Lines, such as GSM8K's own), CSV with a header, or OpenAI's RFT rows into rows of
`messages` and `reference_answer`. Fields that are not used stay fields of the row, which the grader is given.

A row that cannot be turned ends it, with its line; the output is then not written."""

_EXAMPLES = """\
examples:
  tunedrop convert questions.jsonl --output train.jsonl --prompt '{question} Answer with a number.'
  tunedrop convert gsm8k.jsonl --output train.jsonl --final-answer-after '####'
  tunedrop convert tickets.csv --output train.jsonl --prompt 'Classify: {text}' --answer label
  tunedrop convert openai_rft.jsonl --output train.jsonl --answer reference"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `convert` to the command."""
    parser = subparsers.add_parser(
        "convert",
        help="turn question/answer rows, CSV or OpenAI's RFT rows into the service's format",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="file to turn")
    parser.add_argument("--output", metavar="FILE", type=Path, required=True, help="file to write, such as train.jsonl")
    parser.add_argument(
        "--from",
        dest="source",
        choices=("auto", "qa", "csv", "openai"),
        default="auto",
        help="format; auto if not given",
    )
    parser.add_argument("--prompt", metavar="TEMPLATE", help="the user's message, with {field} for a field of the row")
    parser.add_argument("--system", metavar="TEXT", help="a system message to put first")
    parser.add_argument("--question", metavar="FIELD", default="question", help="field with the prompt (no --prompt)")
    parser.add_argument("--answer", metavar="FIELD", help="field that becomes reference_answer; answer if not given")
    parser.add_argument("--final-answer-after", metavar="MARK", help="what follows MARK becomes ground_truth")
    parser.add_argument("--rows", metavar="N", type=_count, help="turn the first N rows only")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Turn the file; 0 when it was written, 2 where a row cannot be turned (and nothing was written)."""
    from tunedrop.dataset.convert import Conversion, ConversionError

    conversion = Conversion(
        prompt=arguments.prompt,
        system=arguments.system,
        question=arguments.question,
        answer=arguments.answer,
        final_answer_after=arguments.final_answer_after,
    )
    try:
        rows = _convert(arguments.file, arguments.output, _source(arguments), conversion, arguments.rows)
    except ConversionError as error:
        raise _CannotConvert(f"{arguments.file}: {error}. Nothing was written.") from error
    except OSError as error:
        raise exits.UsageError(f"{error.filename}: {error.strerror}") from error
    print(f"Wrote {arguments.output}: {rows:,} row{'s' * (rows != 1)}.")
    return exits.SUCCEEDED


class _CannotConvert(exits.CommandError):
    """A row is not what it should be: what was given cannot be trained on."""

    exit_code = exits.REJECTED


def _source(arguments: argparse.Namespace) -> Source:
    from tunedrop.dataset.convert import Source, detect

    if arguments.source != "auto":
        return Source(arguments.source)
    with arguments.file.open("rb") as file:
        return detect(file.read(64 * 1024), arguments.file.name)


def _convert(path: Path, output: Path, source: Source, conversion: Conversion, rows: int | None) -> int:
    """Write beside the output and move it there at the end, so that half a file is never taken for a whole one."""
    from tunedrop.dataset.convert import convert

    count = 0
    with path.open("rb") as file, ByteProgress("converting", path.stat().st_size) as progress:
        handle, name = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name}.")
        try:
            with os.fdopen(handle, "wb") as target:
                for line in convert(file, source, conversion, rows):
                    target.write(line)
                    count += 1
                    progress(len(line))
            Path(name).chmod(0o644)
            Path(name).replace(output)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    return count


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of rows, 1 or more")
    return number
