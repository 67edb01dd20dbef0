"""The files that are trained and tested on: every row once, in one part, with the options of the recipe's grader."""

from __future__ import annotations

import io
import json
import sys
import tracemalloc
from typing import Any

import orjson
import pytest

from tests.unit.dataset.sample_rows import a_row, as_line, good_rows
from tunedrop.dataset.written_rows import Row, RowsFile, divide, rows_of
from tunedrop.recipe import GraderChoice, Recipe
from tunedrop.recipe_resolution import resolve

OPTIONS = {"case": True}
EXACT = GraderChoice(kind="exact", options=OPTIONS)


class OnlyForwards(io.BytesIO):
    """A file that counts the bytes that were read, and cannot be read again."""

    def __init__(self, body: bytes) -> None:
        super().__init__(body)
        self.bytes_read = 0

    def read(self, size: int | None = -1) -> bytes:
        got = super().read(size)
        self.bytes_read += len(got)
        return got

    def seek(self, *_: int) -> int:
        raise AssertionError("the file is read a second time")


def recipe_of(checkpoints: str) -> Recipe:
    return resolve({"evaluation": {"checkpoints": checkpoints, "holdout": 0.2, "validation": 0.2}}, "us-west-2")


def parts_of(body: bytes, checkpoints: str, *, has_test: bool) -> dict[str, list[bytes]]:
    parts: dict[str, list[bytes]] = {"train": [], "test": [], "validation": []}
    source = OnlyForwards(body)

    def into(name: str) -> Any:
        return lambda row: parts[name].append(row.text)

    recipe = recipe_of(checkpoints)
    counted = divide(
        rows_of(source), recipe, has_test=has_test,
        train=into("train"), test=into("test"), validation=into("validation"),
    )  # fmt: skip
    assert source.bytes_read == len(body)
    assert counted.rows == len(parts["train"])
    assert (counted.test_rows or 0, counted.validation_rows or 0) == (len(parts["test"]), len(parts["validation"]))
    return parts


@pytest.mark.parametrize("has_test", [True, False])
@pytest.mark.parametrize("checkpoints", ["last", "best"])
def test_every_row_is_in_one_part_after_one_reading(checkpoints: str, has_test: bool) -> None:
    rows = [as_line(row) for row in good_rows(400)]
    parts = parts_of(b"\n".join(rows), checkpoints, has_test=has_test)
    assert sorted(row for part in parts.values() for row in part) == sorted(rows)
    assert bool(parts["test"]) is not has_test
    assert bool(parts["validation"]) is (checkpoints == "best")


def test_choosing_a_checkpoint_takes_no_row_from_the_test_set() -> None:
    body = b"\n".join(as_line(row) for row in good_rows(400))
    last, best = (parts_of(body, checkpoints, has_test=False) for checkpoints in ("last", "best"))
    assert last["test"] == best["test"]
    assert sorted(last["train"]) == sorted(best["train"] + best["validation"])


def written(body: bytes, grader: GraderChoice) -> list[bytes]:
    target = io.BytesIO()
    file = RowsFile(target, grader)
    for row in rows_of(io.BytesIO(body)):
        file.write(row)
    lines = target.getvalue().splitlines()
    assert len(lines) == file.rows
    return lines


def test_the_grader_stands_first_and_changes_no_other_byte_of_a_row() -> None:
    row = as_line(a_row(1, n=12345678901234567890123, text="ü \\u00fc"))
    (line,) = written(row, EXACT)
    field = {"kind": "exact", **OPTIONS}
    assert json.loads(line)["tunedrop_grader"] == field
    assert line == json.dumps({"tunedrop_grader": field}).encode()[:-1] + b"," + row[1:]


def test_a_row_with_options_of_its_own_keeps_them_beside_those_of_the_recipe() -> None:
    row = a_row(1, tunedrop_grader={"thoughts": "keep"}, n=2**70)
    (line,) = written(as_line(row), EXACT)
    assert json.loads(line) == {**row, "tunedrop_grader": {"kind": "exact", **OPTIONS, "thoughts": "keep"}}


def test_a_function_of_ones_own_gets_rows_without_options_as_they_are() -> None:
    rows = [as_line(a_row(number)) for number in range(3)]
    body = b"\xef\xbb\xbf" + b" \r\n\n".join(rows) + b"\n\n"
    function = "arn:aws:lambda:us-west-2:123456789012:function:f:1"
    assert written(body, GraderChoice(kind="own", function=function)) == rows


def test_a_file_is_divided_in_flat_memory() -> None:
    rows = [as_line(a_row(number, padding="x" * 4_000)) for number in range(4_000)]
    source = io.BytesIO(b"\n".join(rows))
    del rows

    def forget(_: Row) -> None:
        """Nothing is kept."""

    tracemalloc.start()
    try:
        divide(rows_of(source), recipe_of("best"), has_test=False, train=forget, test=forget, validation=forget)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8_000_000, "of 16 MB"


def test_a_row_that_passes_with_a_warning_is_written_as_every_reader_reads_it() -> None:
    line = (
        b'{"messages": [{"role": "user", "content": "a\\ud83d"}], "n": [1e999, -1e999], "k\\udc00": "\\ud83d\\ude00"}'
    )
    (row,) = rows_of(io.BytesIO(line))
    assert orjson.loads(row.text) == {
        "messages": [{"role": "user", "content": "a\ufffd"}],
        "n": [sys.float_info.max, -sys.float_info.max],
        "k\ufffd": "\U0001f600",
    }
