"""What a file is: tables and their delimiters, encodings, packed files, JSON documents, and what is no text."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import random
from typing import Any

import pytest
from backports import zstd

from local.conversion import Conversion, ConversionError, Converter

SORTED = [("Late again", "delay"), ("Money back", "refund")]


def read(body: bytes, name: str, **options: Any) -> tuple[list[tuple[str, Any]], str]:
    """The prompts and references of a file with the columns `text` and `intent`, and what was told."""
    converter = Converter(Conversion(**{"question": "text", "answer": "intent", **options}))
    rows = [json.loads(line) for line in converter.lines(io.BytesIO(body), name)]
    return [(row["messages"][0]["content"], row["reference_answer"]) for row in rows], "\n".join(converter.notes.said())


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("before", ["", "\ufeff"])
def test_the_delimiter_of_a_table_is_told_by_its_rows(delimiter: str, line_end: str, before: str) -> None:
    rows = [("text", "intent", "priority"), ("Late, again; yes", "delay", "1"), ("Money back", "refund", "2")]
    table = before + line_end.join(delimiter.join(f'"{cell}"' for cell in row) for row in rows)
    assert read(table.encode(), "x.csv")[0] == [("Late, again; yes", "delay"), ("Money back", "refund")]


@pytest.mark.parametrize(
    "table",
    [
        "sep=;\ntext;intent\nLate again;delay\nMoney back;refund\n",
        "SEP=,\r\ntext,intent\r\nLate again,delay\r\nMoney back,refund\r\n",
        "\n\ntext,intent,\nLate again,delay,\n,,\nMoney back,refund,\n,,\n,,\n",
        "text,intent\n\nLate again,delay\n,\n , \nMoney back,refund\n",
        "sep=\t\ntext\tintent\nLate again\tdelay\nMoney back\trefund\n",
        ",text,intent\n0,Late again,delay\n1,Money back,refund\n",
    ],
)
def test_what_spreadsheets_write_is_read(table: str) -> None:
    assert read(table.encode(), "x.csv")[0] == SORTED


@pytest.mark.parametrize(
    ("table", "prompt", "told"),
    [
        ('text,intent\n"He said \\"no\\", twice",late\n', 'He said "no", twice', "a backslash before the quotes"),
        ('text, intent\n"a, b", "late"\n', "a, b", "with spaces before its quotes"),
        ('text\tintent\n"Only opened\tlate\n', '"Only opened', "with quotes as signs of the text"),
        ("| text | intent |\n|---|---|\n| a \\| b | late |\n", "a | b", "with bars"),
        ('# Mail\n\n| text | intent |\n|---|---|\n| "a" b | late |\n', '"a" b', "1 x line above the table"),
    ],
)
def test_quotes_and_delimiters_within_cells_are_read_as_they_are_meant(table: str, prompt: str, told: str) -> None:
    rows, said = read(table.encode(), "x.csv")
    assert rows == [(prompt, "late")]
    assert told in said


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("Mail of May,\ntext,intent\na,b\n", "'Mail of May': take lines above it out"),
        ("text^intent\na^b\n", "name the sign between them, as in --delimiter ';'"),
        ("Late again,delay\nMoney back,refund\n", "if it is a row, write the names above it"),
        ("text,intent\nLa\0te,delay\n", "line 2: a NUL byte"),
        ('text,intent\n"a "b", c\n', "write a quote within a value twice"),
    ],
)
def test_a_table_that_is_read_in_another_way_than_meant_says_so(table: str, message: str) -> None:
    with pytest.raises(ConversionError) as caught:
        read(table.encode(), "x.csv")
    assert message in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_wide_encodings_are_told_without_a_mark_in_any_script(encoding: str) -> None:
    rows = [("遅れています", "遅延"), ("返金", "返金")]
    table = "text,intent\n" + "".join(f"{text},{intent}\n" for text, intent in rows)
    assert read(table.encode(encoding), "x.csv")[0] == rows


@pytest.mark.parametrize("path", ["tickets", "a.b", "a.b.c"])
def test_the_only_array_of_rows_within_a_document_is_found(path: str) -> None:
    document: Any = [{"text": text, "intent": intent} for text, intent in SORTED]
    for key in reversed(path.split(".")):
        document = {key: document}
    rows, told = read(json.dumps(document).encode(), "x.json")
    assert rows == SORTED
    assert f"the array `{path}`" in told


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"a": [{"text": "x"}] * 2, "b": [{"text": "x"}] * 2}, "2 arrays: 'a', 'b'; take one out: jq -c '.a[]'"),
        ({"columns": ["text"], "index": [0], "data": [["x"]]}, "write it by DataFrame.to_json"),
        ([["text", "intent"]], "write each row as an object with the columns' names"),
        (['{"text": "x"}'], "the row is JSON within a text: take it out by jq -c fromjson"),
        ({"rows": [{"row_idx": 0, "row": {}, "truncated_cells": ["text"]}]}, "the dataset viewer cut 'text'"),
    ],
)
def test_a_document_without_rows_says_how_to_get_them(document: Any, message: str) -> None:
    with pytest.raises(ConversionError) as caught:
        read(json.dumps(document).encode(), "x.json")
    assert message in str(caught.value)


def test_blank_rows_are_counted() -> None:
    _, told = read(b"text,intent\nLate again,delay\n,\n,\nMoney back,refund\n,\n", "x.csv")
    assert "Left out: 3 x blank row." in told


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("shape", ["table", "lines"])
def test_the_encoding_is_told_by_the_bytes_and_named(encoding: str, shape: str) -> None:
    text = "text,intent\nZurück bitte – schön,réfund\n"
    if shape == "lines":
        text = json.dumps({"text": "Zurück bitte – schön", "intent": "réfund"}, ensure_ascii=False)
    rows, told = read(text.encode(encoding), "x.csv" if shape == "table" else "x.jsonl")
    assert rows == [("Zurück bitte – schön", "réfund")]
    assert {"cp1252": "Windows-1252 text", "utf-8-sig": "Read as"}.get(encoding, encoding[:6].upper()) in told


@pytest.mark.parametrize("words", [("Größe", "für"), ("à Noël", "Été"), ("„ja“ – ½ €", "größer")])
def test_a_few_western_letters_are_enough_to_tell_windows_1252(words: tuple[str, str]) -> None:
    rows, told = read("text,intent\n{},{}\n".format(*words).encode("cp1252"), "x.csv")
    assert rows == [words]
    assert "Windows-1252" in told


def test_what_stands_beside_the_rows_of_a_document_is_counted() -> None:
    body = json.dumps({"train": ROWS, "test": ROWS[:1], "version": 2}).encode()
    rows, told = read(body, "x.json")
    assert rows == SORTED
    assert "Left out: 1 x 'test' of the document, beside `train` (1 rows)." in told
    assert "Left out: 1 x 'version' of the document, beside `train`." in told


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "text,intent\nこんにちは世界,挨拶\n".encode("shift_jis"),
            "name the file's encoding, as in --encoding shift_jis",
        ),
        (b"text,intent\n\xcf\xf0\xe8\xe2\xe5\xf2 \xec\xe8\xf0,\xef\xf0\xe8\n", "do not look like Windows-1252"),
        ("text,intent\nschön,a\n".encode() + "schön,b\n".encode("cp1252"), "line 3: not UTF-8"),
    ],
)
def test_bytes_that_do_not_tell_their_encoding_are_refused(body: bytes, message: str) -> None:
    with pytest.raises(ConversionError) as caught:
        read(body, "x.csv")
    assert message in str(caught.value)


def test_an_encoding_that_is_named_is_used() -> None:
    body = "text,intent\nこんにちは,挨拶\n".encode("shift_jis")
    assert read(body, "x.csv", encoding="shift_jis")[0] == [("こんにちは", "挨拶")]
    for wrong in ("ascii", "nonsense", "base64"):
        with pytest.raises(ConversionError):
            read(body, "x.csv", encoding=wrong)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_packed_files_are_unpacked_and_a_broken_one_is_told(pack: Any) -> None:
    packed = pack(b"text;intent\nLate again;delay\nMoney back;refund\n" + b"x;y\n" * 3000)
    assert read(packed, "x.csv.gz")[0][:2] == SORTED
    with pytest.raises(ConversionError, match="cut off or broken"):
        read(packed[: len(packed) // 2], "x.csv.gz")


ROWS = [{"text": text, "intent": intent} for text, intent in SORTED]


@pytest.mark.parametrize(
    "document",
    [
        json.dumps(ROWS),
        json.dumps(ROWS, indent=2),
        "\ufeff" + json.dumps(ROWS),
        json.dumps({"data": ROWS, "version": 1}),
        json.dumps({"version": 1, "rows": ROWS}, indent=1),
        json.dumps({"rows": [{"row_idx": 0, "row": row} for row in ROWS]}),
        "[\n" + ",\n".join(map(json.dumps, ROWS)) + "\n]\n",
        "\n" + "\r\n\r\n".join(map(json.dumps, ROWS)),
        "\n".join(json.dumps(row, indent=1) for row in ROWS),
        "".join(map(json.dumps, ROWS)),
        json.dumps({"a": ROWS[0], "b": ROWS[1]}),
    ],
)
def test_one_json_document_is_read_as_its_rows(document: str) -> None:
    assert read(document.encode(), "x.json")[0] == SORTED


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"[]", "the file holds no row"),
        (b"text,intent\n", "the file holds no row"),
        (b"text,intent\n,\n", "the file holds no row"),
        (b"", "the file is empty"),
        (b'{"text": {"0": "a"}, "intent": {"0": "b"}}', "one JSON document by columns ('text', 'intent')"),
        (b'{"text": ["a", "b"], "intent": ["c", "d"]}', "one JSON document by columns ('text', 'intent')"),
        (b"\n \n", "the file is empty"),
        (b"\xef\xbb\xbf", "the file is empty"),
        (b'["a", "b"]\n["c", "d"]', "line 1: expected an object, got an array of 2"),
        (b'{"text": "a", "intent": "b"},\n{"text": "c", "intent": "d"},', "line 1: something follows the object"),
        (
            b'{"text": {"0": "a"},\n "intent": {"0": "b"}}',
            "one JSON document by columns ('text', 'intent'), expected rows",
        ),
        (b"[1]", "row 1: expected an object, got 1"),
        (b"{'text': 'a'}\n{'text': 'b'}", "This looks like a printed Python dict: write it with json.dumps"),
        (b'{"text": "a", "text": "b", "intent": "c"}\n', "line 1: the key 'text' occurs 2 times"),
        (b"ARROW1abc", "this is an Arrow file, which convert does not read; first: pandas.read_feather"),
        (b"<!DOCTYPE html><html>", "this is a web page (HTML)"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "this is a Git LFS pointer"),
        (b"%PDF-1.7", "this is a PDF"),
        (gzip.compress(b"%PDF-1.7", mtime=0), "this is a PDF"),
    ],
)
def test_a_file_that_holds_no_rows_is_named_as_what_it_is(body: bytes, message: str) -> None:
    with pytest.raises(ConversionError) as caught:
        read(body, "x")
    assert message in str(caught.value)


def test_a_row_is_named_by_the_line_on_which_it_begins() -> None:
    with pytest.raises(ConversionError, match="^line 5: expected 2 columns"):
        read(b'sep=,\ntext,intent\n"a\nb",c\n"d\ne"\n', "x.csv")


_PIECES = [
    b'{"messages": [{"role": "user", "content": "a"}]', b'"conversations": [{"from": "gpt", "value": null}]', b"\x00",
    b'{"question": "a", "answer": "b"}', b'"prompt": [{}]', b'"reward_model": 1', b"[", b"]", b"{", b"}", b",", b"\n",
    b"\r\n", b'"', b"sep=;", b"text;intent", b"\xff\xfe", b"\xef\xbb\xbf", b"\xe4", b"\x1f\x8b", b"PK\x03\x04", b"null",
    b'"source": "x", "a-metadata": []', b'{"modelId": 1, "input": {}}', b'{"contents": [{"role": "model"}]}', b"1e999",
    b'{"instruction": 1, "input": [], "history": 5}', b'"system": [{"text": 1}]', b'"tool_calls": [1]', b"\\ud800",
    b'{"conversations": [{"from": "function_call", "value": "{}"}]',
    b'{"modelInput": {"prompt": 1}, "modelOutput": {}}',
    b'"tools": "[1]"', b'"toolConfig": {"tools": [{"toolSpec": {}}]}', b'{"messages": [{"content": [{"toolUse": 1}]}]',
]  # fmt: skip


def fuzzed(seed: int, inputs: int) -> None:
    """Files of random pieces: rows or a ConversionError, never anything else."""
    pick = random.Random(seed)
    names = ["x.csv", "x.jsonl", "x", "x.tsv"]
    options: list[dict[str, Any]] = [{}, {"answer": "a,b"}, {"prompt": "{text}"}, {"numbers": ("answer",)}]
    for _ in range(inputs):
        body = b"".join(pick.choices(_PIECES, k=pick.randint(0, 12)))
        converter = Converter(Conversion(**pick.choice(options)))
        try:
            for line in converter.lines(io.BytesIO(body), pick.choice(names)):
                assert json.loads(line)["reference_answer"] not in ("", None)
        except ConversionError as error:
            assert str(error), body  # noqa: PT017 - either end is right
        converter.notes.said()


def test_no_file_of_random_pieces_ends_in_a_traceback() -> None:
    fuzzed(1, 3_000)


@pytest.mark.prove
@pytest.mark.timeout(900)
def test_no_one_of_200_000_files_of_random_pieces_ends_in_a_traceback() -> None:
    fuzzed(2, 200_000)


@pytest.mark.parametrize(
    ("name", "body", "made"),
    [
        ("x.md", b"| text | intent |\n|---|:-:|\n| a | b |\n| c d | e |\n", [("a", "b"), ("c d", "e")]),
        ("x.txt", b'{"text": "a", "intent": "b"}\n', [("a", "b")]),
        ("x.txt", b"text\tintent\na\tb\n", [("a", "b")]),
        ("x.txt", b"text|intent\na|---\n", [("a", "---")]),
        ("X.CSV.ZST", zstd.compress(b"text,intent\n{a},b\n"), [("{a}", "b")]),
    ],
)
def test_a_text_is_read_as_what_it_looks_like(name: str, body: bytes, made: list[tuple[str, str]]) -> None:
    assert read(body, name)[0] == made


@pytest.mark.parametrize("answer", ["output", "label", "target"])
def test_rows_of_input_and_answer_need_no_options(answer: str) -> None:
    body = json.dumps({"input": "a", answer: "b", "id": 7}).encode()
    (row,) = [json.loads(line) for line in Converter(Conversion()).lines(io.BytesIO(body), "x.jsonl")]
    assert (row["messages"], row["reference_answer"]) == ([{"role": "user", "content": "a"}], "b")
    assert row["id"] == "7", "the service's id is a text"


def test_a_text_beside_input_is_still_asked_for() -> None:
    body = b'{"context": "c", "input": "a", "output": "b"}'
    with pytest.raises(ConversionError, match="the row has `context` beside `input`"):
        list(Converter(Conversion()).lines(io.BytesIO(body), "x.jsonl"))


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ('[\n {"text": "x", "intent": "y"},\n]', "line 2: a comma before the closing bracket, at character 30"),
        (
            '[\r\n // two\r\n {"text": "x"}]',
            "line 2: a value is missing or misspelt, at character 2. JSON has no comments",
        ),
        ('[\n {"text": "ü",\n  \'intent\': 1}]', "line 3: a key is missing or without double quotes, at character 3"),
        ('{\n "text": "x"\n}\n{\n "text": "y",\n}\n', "line 5: a comma before the closing bracket, at character 13"),
    ],
)
def test_a_fault_of_a_document_is_told_with_its_line(document: str, said: str) -> None:
    with pytest.raises(ConversionError) as caught:
        read(document.encode(), "rows.json")
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["rows.yaml", "rows.YML", "rows.toml", "rows.sql", "rows.py"])
def test_another_kind_of_text_is_refused_by_its_name_with_a_way(name: str) -> None:
    with pytest.raises(ConversionError, match=r"by its name this is .*, which convert does not read; first: "):
        read(b"- text: x\n  intent: y\n", name)


def test_rows_by_key_may_have_different_fields() -> None:
    document = {"a": {"question": "x", "intent": "y"}, "b": {"question": "z", "intent": "y", "note": "n"}}
    assert read(json.dumps(document).encode(), "rows.json", question="question")[0] == [("x", "y"), ("z", "y")]
