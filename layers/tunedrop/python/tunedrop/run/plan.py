"""The plan of an evaluation: its shards, and their answers as they lie in the run's folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tunedrop.evaluation.answers import Answer, AnswerLineBrokenError, read_answers
from tunedrop.run import folder as names
from tunedrop.run.folder import RunFolder


@dataclass(frozen=True, slots=True)
class Shard:
    """Some rows of the test set, asked of one candidate model, for one Lambda.

    Rows `first_row` to `first_row + rows - 1` of `rows_file`, bytes `start` to `end - 1`.
    """

    number: int
    candidate: str
    model: str
    first_row: int
    rows: int
    start: int
    end: int
    rows_file: str = names.TEST_ROWS


_KINDS = (
    ("number", int),
    ("candidate", str),
    ("model", str),
    ("first_row", int),
    ("rows", int),
    ("start", int),
    ("end", int),
    ("rows_file", str),
)


def load_plan(run_folder: RunFolder) -> list[Shard]:
    """The shards as they were planned, of all rounds. Raises RunFileMissing, RunFileBroken."""
    document = run_folder.read_json(names.PLAN)
    try:
        shards = [Shard(**shard) for shard in document["shards"]]
    except (LookupError, TypeError) as error:
        raise run_folder.broken(names.PLAN, f"it is not a plan of shards ({type(error).__name__})") from error
    if not shards or any(not isinstance(getattr(shard, name), kind) for shard in shards for name, kind in _KINDS):
        raise run_folder.broken(names.PLAN, "it names no shards, or something that is not a shard")
    if [shard.number for shard in shards] != list(range(len(shards))):
        raise run_folder.broken(names.PLAN, "its shards are not numbered one after the other")
    if any(shard.first_row < 0 or shard.rows < 1 or not 0 <= shard.start < shard.end for shard in shards):
        raise run_folder.broken(names.PLAN, "it has a shard without rows")
    return shards


def validation_shards(shards: Iterable[Shard]) -> list[Shard]:
    """Those by which a checkpoint is chosen."""
    return [shard for shard in shards if shard.rows_file == names.VALIDATION]


def comparison_shards(shards: Iterable[Shard]) -> list[Shard]:
    """Those of the test set."""
    return [shard for shard in shards if shard.rows_file == names.TEST_ROWS]


def answers_prefix(shard: int) -> str:
    """Where the answers of a shard lie in the run's folder: one object a part."""
    return f"{names.ANSWERS}{shard:05}/"


def read_shard(run_folder: RunFolder, shard: Shard, *, samples: int) -> Iterator[Answer]:
    """Every answer of a shard, part by part. Raises RunFileBroken for a line that is no answer of its rows."""
    for name in run_folder.names(answers_prefix(shard.number)):
        try:
            for answer in read_answers(run_folder.lines(name), source=name):
                of_this = answer.candidate == shard.candidate and answer.sample < samples
                if not of_this or not 0 <= answer.row - shard.first_row < shard.rows:
                    raise run_folder.broken(name, f"it has an answer of {answer.candidate} to row {answer.row}")
                yield answer
        except AnswerLineBrokenError as error:
            raise run_folder.broken(name, str(error)) from error
