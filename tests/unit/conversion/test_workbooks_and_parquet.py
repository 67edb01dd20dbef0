"""`convert` reads spreadsheets, Parquet and Zstandard; what cannot be read is told in a sentence."""

from __future__ import annotations

import contextlib
import io
import json
import random
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from backports import zstd

from local.conversion import Conversion, ConversionError, Converter
from local.conversion.workbooks import MOST_BYTES
from tests.unit.conversion.written_files import a_date, parquet, workbook

HEADER = ["question", "answer"]


def read(body: bytes, **conversion: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Converter(Conversion(**conversion)).lines(io.BytesIO(body), "file")]


def said(rows: list[dict[str, Any]]) -> list[tuple[str, Any]]:
    return [(row["messages"][-1]["content"], row["reference_answer"]) for row in rows]


@pytest.mark.parametrize(
    ("cells", "made"),
    [
        pytest.param([["6 times 7?", 42]], [("6 times 7?", "42")], id="a whole number"),
        pytest.param([["half?", 0.5]], [("half?", "0.5")], id="a number"),
        pytest.param([["true?", True]], [("true?", "true")], id="true"),
        pytest.param([["when?", a_date(46027)]], [("when?", "2026-01-05")], id="a date"),
        pytest.param([["when?", a_date(46027.5)]], [("when?", "2026-01-05T12:00:00")], id="a time of a day"),
        pytest.param([["a", "b"], [None, None], ["", " "], ["c", "d"]], [("a", "b"), ("c", "d")], id="blank rows"),
        pytest.param([["<a> & \u00e9\nb", "12,5"]], [("<a> & \u00e9\nb", "12,5")], id="signs"),
        pytest.param([["id", "00420"]], [("id", "00420")], id="a text of digits"),
        pytest.param([["big", 12345678901234567890.0]], [("big", "1.2345678901234567e+19")], id="a large number"),
    ],
)
def test_a_cell_becomes_the_text_that_is_seen(cells: list[list[object]], made: list[tuple[str, str]]) -> None:
    assert said(read(workbook({"Sheet1": [HEADER, *cells]}))) == made


def test_the_header_may_stand_below_blank_rows_and_other_columns_are_kept() -> None:
    rows = read(workbook({"S": [[None], [*HEADER, "team"], ["a", "b", "red"], ["c", "d", None]]}))
    assert [row.get("team") for row in rows] == ["red", ""]


def test_a_merged_cell_stands_for_all_that_it_covers() -> None:
    body = workbook({"S": [HEADER, ["a", "yes"], ["b", None], ["c", None]]}, merged="B2:B4")
    assert said(read(body)) == [("a", "yes"), ("b", "yes"), ("c", "yes")]


def test_the_only_visible_sheet_with_rows_is_taken_or_the_one_that_is_named() -> None:
    sheets = {"Read me": [], "Data": [HEADER, ["a", "b"]], "Old": [HEADER, ["c", "d"]]}
    assert said(read(workbook(sheets, hidden=["Old"]))) == [("a", "b")]
    assert said(read(workbook(sheets), sheet="Old")) == [("c", "d")]
    with pytest.raises(
        ConversionError, match="^the workbook has 2 sheets with rows: 'Data', 'Old'; name one, as in --sheet 'Data'$"
    ):
        read(workbook(sheets))
    with pytest.raises(ConversionError, match="^there is no sheet 'New'; there are 'Read me', 'Data', 'Old'$"):
        read(workbook(sheets), sheet="New")


def _bomb() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
            for _ in range(MOST_BYTES // 2**20 + 1):
                part.write(bytes(2**20))
    return written.getvalue()


def _lying() -> bytes:
    """A workbook whose part says that it is one byte long."""
    body = bytearray(workbook({"S": [HEADER, ["a", "b"]]}))
    entry = body.rfind(b"PK\x01\x02")
    body[entry + 24 : entry + 28] = (1).to_bytes(4, "little")
    return bytes(body)


def _misplaced() -> bytes:
    """A workbook whose list of parts is said to stand further on, so that its parts stand before the start."""
    body = bytearray(workbook({"S": [HEADER, ["a", "b"]]}))
    end = body.rfind(b"PK\x05\x06")
    begun = int.from_bytes(body[end + 16 : end + 20], "little")
    body[end + 16 : end + 20] = (begun + 64).to_bytes(4, "little")
    return bytes(body)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (workbook({"S": []}), "the file is empty"),
        (workbook({"S": [HEADER]}), "the file holds no row"),
        (workbook({"S": [["Tickets", "Tickets"], HEADER, ["a", "b"]]}), "row 1: expected a header of different names"),
        (workbook({"S": [HEADER, ["a", "b", "c"]]}), "row 2: a cell stands beyond"),
        (workbook({"S": [HEADER, ["a", None]]}), "row 2: the answer is blank"),
        (workbook({"S": [HEADER, ["a", "b"]]})[:-30], "the workbook is cut off or broken"),
        (_lying(), "the workbook"),
        (_misplaced(), "the workbook is cut off or broken"),
        (b"PK\x03\x04[Content_Types].xml", "the workbook is cut off or broken"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "the workbook cannot be read"),
        (b"PAR1" + bytes(50) + b"PAR1", "the Parquet file cannot be read"),
        (b"PAR1abc", "the Parquet file cannot be read"),
        (b"\x28\xb5\x2f\xfdabc", "a Zstandard file that is cut off or broken"),
        (zstd.compress(b'{"question": "a", "answer": "b"}\n' * 50)[:-6], "a Zstandard file that is cut off"),
        (zstd.compress(zstd.compress(b"a")), "packed twice"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_in_a_sentence(body: bytes, message: str) -> None:
    with pytest.raises(ConversionError) as caught:
        read(body)
    assert message in str(caught.value)


@pytest.mark.prove
def test_a_workbook_that_unpacks_to_too_much_is_refused_before_it_is_read() -> None:
    with pytest.raises(ConversionError, match=r"the workbook unpacks to 5\d\d,\d{3},\d{3} bytes, at most"):
        read(_bomb())


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("<f>1+1</f><v></v>", "the cell B2 holds a formula whose value was never saved"),
        ("<f>1+1</f>", "the cell B2 holds a formula whose value was never saved"),
        ("<v>#N/A</v>", "the cell B2 holds the error '#N/A'"),
    ],
)
def test_a_formula_without_a_value_is_no_blank_cell(cell: str, message: str) -> None:
    body = io.BytesIO(workbook({"A": [["question", "answer"], ["x", "MARK"]]}))
    written = io.BytesIO()
    with zipfile.ZipFile(body) as old, zipfile.ZipFile(written, "w") as new:
        for part in old.namelist():
            text = old.read(part).decode()
            kind = ' t="e"' if "#N/A" in cell else ""
            marked = re.sub(r"<c r=\"B2\"[^>]*>.*?</c>", f'<c r="B2"{kind}>{cell}</c>', text)
            new.writestr(part, marked)
    with pytest.raises(ConversionError, match=message):
        read(written.getvalue())


def test_what_is_wrong_with_sheets_is_told_without_other_advice() -> None:
    body = workbook({"One": [["question", "answer"]], "Two": [["question", "answer"]]})
    with pytest.raises(ConversionError, match=r"^the workbook has 2 sheets with rows: 'One', 'Two'; name one"):
        read(body)
    with pytest.raises(ConversionError, match=r"do you mean 'Two'\?$"):
        read(body, sheet="two")
    with pytest.raises(ConversionError, match="take rows above the header, such as a title"):
        read(workbook({"A": [["Mail of May"], ["question", "answer"]]}))


def test_parquet_keeps_each_digit_of_a_decimal_and_texts_kept_as_bytes(tmp_path: Path) -> None:
    body = parquet("SELECT 'x'::BLOB AS question, 12345678901234567890.12::DECIMAL(38, 2) AS answer", tmp_path)
    assert said(read(body)) == [("x", "12345678901234567890.12")]


def test_rows_of_parquet_are_those_of_json(tmp_path: Path) -> None:
    messages = "[{'role': 'user', 'content': 'a'}, {'role': 'assistant', 'content': 'b'}]"
    query = f"SELECT {messages} AS messages, 1 AS id, DATE '2026-01-05' AS day, 2.5 AS w, 'NaN'::DOUBLE AS n, NULL AS z"
    (row,) = read(parquet(query, tmp_path))
    assert said([row]) == [("a", "b")]
    assert (row["day"], row["w"], row["n"], row["z"]) == ("2026-01-05", 2.5, None, None)


def test_nested_answers_and_prompts_of_parquet_are_found(tmp_path: Path) -> None:
    query = (
        "SELECT [{'role': 'user', 'content': 'What is ' || i || '?'}] AS prompt, "
        "{'style': 'rule', 'ground_truth': i::VARCHAR} AS reward_model FROM range(2500) t(i)"
    )
    assert said(read(parquet(query, tmp_path)))[-1] == ("What is 2499?", "2499")


def test_bytes_in_parquet_are_refused_by_name(tmp_path: Path) -> None:
    body = parquet("SELECT 'a' AS question, 'b' AS answer, {'bytes': '\\x89PNG'::BLOB, 'path': 'y'} AS image", tmp_path)
    with pytest.raises(ConversionError, match="row 1: 'image' holds bytes, such as an image"):
        read(body)


def test_zstandard_is_unpacked_in_all_its_frames() -> None:
    body = b"".join(zstd.compress(json.dumps({"question": q, "answer": "b"}).encode() + b"\n") for q in "xy")
    assert said(read(body)) == [("x", "b"), ("y", "b")]


def fuzzed(seed: int, inputs: int) -> None:
    """Files with bytes changed: rows or a ConversionError, never anything else."""
    chosen = random.Random(seed)
    bodies = [
        workbook({"S": [HEADER, ["a", 1], ["b", a_date(46027)]]}, merged="A2:A3"),
        zstd.compress(b'{"question": "a", "answer": "b"}\n' * 9),
    ]
    for _ in range(inputs):
        body = bytearray(chosen.choice(bodies))
        for _ in range(chosen.randint(1, 6)):
            body[chosen.randrange(4, len(body))] = chosen.randrange(256)
        if chosen.random() < 0.3:
            body = body[: chosen.randrange(4, len(body))]
        with contextlib.suppress(ConversionError):
            read(bytes(body))


def test_changed_bytes_make_no_traceback() -> None:
    fuzzed(1, 150)


@pytest.mark.prove
def test_many_changed_bytes_make_no_traceback() -> None:
    fuzzed(2, 20_000)
