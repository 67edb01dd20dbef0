"""`tunedrop convert`: rows of another format, turned into the rows that the service trains on."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from local.command import exits
from local.command.byte_progress import ByteProgress
from local.command.help_text import Wrapped
from tunedrop.dataset.show import cleaned

if TYPE_CHECKING:
    from local.conversion import Converter

_FORMATS = (
    *("auto", "csv", "qa", "openai", "trl", "verl", "sharegpt", "alpaca", "converse", "eval-protocol", "gemini"),
    *("evals", "ground-truth", "invocation-log"),
)

_DESCRIPTION = """\
Make rows of `messages` and `reference_answer` from files as people have them. The command reads CSV, TSV and other
tables with a header, spreadsheets (.xlsx, .xls, .ods), Parquet, JSON Lines, and one JSON document with all rows; packed
by gzip, bzip2, xz or Zstandard; in UTF-8, UTF-16, Windows-1252.

It recognises, row by row, question/answer rows (such as GSM8K's), and the rows of OpenAI, TRL, verl, ShareGPT, Alpaca,
Converse, Gemini, Fireworks' eval-protocol, SageMaker Ground Truth, and Bedrock's invocation log. It keeps the other
fields in the row, so that the grader gets them. It says how it read the file and what it left out.

If the command cannot convert a row, it stops, names the line, and writes nothing."""

_EXAMPLES = """\
examples:
  tunedrop convert questions.jsonl --output train.jsonl --prompt '{question} Answer with a number.'
  tunedrop convert gsm8k.jsonl.gz --output train.jsonl --final-answer-after '####'
  tunedrop convert tickets.csv --output train.jsonl --prompt 'Classify: {text}' --answer label
  tunedrop convert tickets.csv --output train.jsonl --question text --answer intent,priority --numbers priority
  tunedrop convert tickets.xlsx --output train.jsonl --prompt '{subject}: {body}' --answer intent,priority
      --drop customer --skip-blank-answers
  tunedrop convert verl.jsonl --output train.jsonl --answer reward_model.ground_truth
  tunedrop convert openai_rft.jsonl --output train.jsonl --answer reference"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `convert` to the command."""
    parser = subparsers.add_parser(
        "convert",
        help="make rows from spreadsheets, JSON and the rows of other tools",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=Wrapped,
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="file to convert")
    parser.add_argument("--output", metavar="FILE", type=Path, required=True, help="file to write, such as train.jsonl")
    parser.add_argument(
        "--from",
        dest="source",
        metavar="FORMAT",
        choices=_FORMATS,
        default="auto",
        help=f"format of the file (csv) or of its rows, if it is not recognised; one of {', '.join(_FORMATS)}",
    )
    parser.add_argument(
        "--prompt", metavar="TEMPLATE", help="the user's message, with {field} for a field of the row ({a.b}: within a)"
    )
    parser.add_argument("--system", metavar="TEXT", help="a system message to put first")
    parser.add_argument(
        "--question", metavar="FIELD", help="field with the prompt, instead of --prompt; if not given, question"
    )
    parser.add_argument(
        "--answer",
        metavar="FIELD",
        help="field that becomes reference_answer (a.b: within a; a,b: several, as one object); "
        "if not given, the field that the format names, or the assistant's last message",
    )
    parser.add_argument(
        "--numbers", metavar="FIELDS", default="", help="fields of a table to write as numbers, such as a,b"
    )
    parser.add_argument("--final-answer-after", metavar="MARK", help="what follows MARK becomes ground_truth")
    parser.add_argument("--rows", metavar="N", type=_count, help="convert the first N rows only")
    parser.add_argument(
        "--delimiter",
        metavar="SIGN",
        type=_sign,
        help="the sign between a table's columns; if not given, recognised from the rows",
    )
    parser.add_argument(
        "--encoding",
        metavar="NAME",
        help="the text's encoding, such as shift_jis; if not given, recognised from the bytes",
    )
    parser.add_argument(
        "--drop",
        metavar="FIELDS",
        default="",
        help="fields to leave out of the rows, such as customer,created; if not given, the grader gets all fields that "
        "are not used",
    )
    parser.add_argument(
        "--skip-blank-answers",
        action="store_true",
        help="leave out rows whose answer, or one of its fields, is blank, and count them",
    )
    parser.add_argument("--sheet", metavar="NAME", help="sheet of a workbook; if not given, the only one with rows")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Turn the file; 0 when it was written, 2 where a row cannot be turned (and nothing was written)."""
    from local.conversion import Conversion, ConversionError, Converter, Source

    conversion = Conversion(
        prompt=arguments.prompt,
        system=arguments.system,
        question=arguments.question,
        answer=arguments.answer,
        numbers=_names(arguments.numbers),
        final_answer_after=arguments.final_answer_after,
        delimiter=arguments.delimiter,
        encoding=arguments.encoding,
        sheet=arguments.sheet,
        drop=_names(arguments.drop),
        skip_blank_answers=arguments.skip_blank_answers,
    )
    if arguments.output.is_dir():
        raise exits.UsageError(
            f"{arguments.output} is a folder; name the file to write, such as {arguments.output / 'train.jsonl'}"
        )
    kind = None if arguments.source in ("auto", "csv") else Source(arguments.source)
    try:
        converter = Converter(conversion, kind, table=arguments.source == "csv")
        rows = _convert(arguments.file, arguments.output, converter, arguments.rows)
    except ConversionError as error:
        raise _CannotConvert(
            f"{arguments.file}: {error}{'.' * (not str(error).endswith('?'))} Nothing was written."
        ) from error
    except OSError as error:
        raise exits.UsageError(f"{error.filename or arguments.file}: {error.strerror or error}") from error
    print(f"Wrote {arguments.output}: {rows:,} row{'s' * (rows != 1)}.")
    for sentence in converter.notes.said():
        print(cleaned(sentence))
    return exits.SUCCEEDED


class _CannotConvert(exits.CommandError):
    """A row is not what it should be: what was given cannot be trained on."""

    exit_code = exits.REJECTED


def _convert(path: Path, output: Path, converter: Converter, rows: int | None) -> int:
    """Write beside the output and move it there at the end, so that half a file is never taken for a whole one."""
    count = 0
    with path.open("rb") as file, ByteProgress("converting", path.stat().st_size) as progress:
        handle, name = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name}.")
        try:
            with os.fdopen(handle, "wb") as target:
                for line in converter.lines(file, path.name, rows):
                    target.write(line)
                    count += 1
                    progress(len(line))
            Path(name).chmod(0o644)
            Path(name).replace(output)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    return count


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _count(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of rows, 1 or more")
    return number


def _sign(text: str) -> str:
    sign = {"tab": "\t", "\\t": "\t"}.get(text, text)
    if len(sign) != 1 or sign in '\r\n"':
        raise argparse.ArgumentTypeError(f"{text!r} is not one character, such as ; or tab")
    return sign
