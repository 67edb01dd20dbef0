"""Blank and misspelled answers are told; fields and rows can be left out."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from local.conversion import Conversion, ConversionError, Converter

TABLE = """question,intent,priority,customer,id
a,refund,low,Ann,1
b,refund,low,Ann,2
c,,low,Ann,3
d,Refund,low,Ann,4
e,bug,low ,Ann,5
f,bug,,Ann,6
g,bug,low,Ann,7
"""


def converted(table: str, name: str = "t.csv", **options: Any) -> tuple[list[dict[str, Any]], list[str]]:
    converter = Converter(Conversion(**options))
    rows = [json.loads(line) for line in converter.lines(io.BytesIO(table.encode()), name)]
    return rows, converter.notes.said()


def test_labels_are_counted_and_blank_ones_are_named_with_their_rows() -> None:
    rows, said = converted(TABLE, answer="intent,priority")
    assert len(rows) == 7
    assert said[-6:] == [
        "Values of `intent`: bug (3), refund (2), Refund (1).",
        "Some values of `intent` differ only in case or white space: 'refund', 'Refund'.",
        "Values of `priority`: low (5), 'low ' (1).",
        "Some values of `priority` differ only in case or white space: 'low', 'low '.",
        "`intent` is blank in 1 row: line 4. If a blank is no answer, leave such rows out with --skip-blank-answers.",
        "`priority` is blank in 1 row: line 7. If a blank is no answer, leave such rows out with --skip-blank-answers.",
    ]


def test_answers_that_are_no_labels_are_not_counted() -> None:
    many = "question,answer\n" + "".join(f"q{n},{n % 21}\n" * 3 for n in range(21))
    different = "question,answer\nq1,a\nq2,b\nq3,c\n"
    long = "question,answer\n" + f"q,{chr(120) * 41}\n" * 4
    for table in (many, different, long):
        assert not [line for line in converted(table)[1] if line.startswith("Values")], table[:30]


def test_an_object_of_many_fields_counts_only_some_of_them() -> None:
    rows = [{"question": "q", "answer": {f"f{n}": "a" for n in range(50)}}] * 4
    said = converted("".join(json.dumps(row) + "\n" for row in rows), name="t.jsonl")[1]
    assert sum(line.startswith("Values") for line in said) == 20


def test_rows_with_a_blank_answer_can_be_left_out_and_are_counted() -> None:
    rows, said = converted(TABLE, answer="intent,priority", skip_blank_answers=True)
    assert [row["id"] for row in rows] == ["1", "2", "4", "5", "7"]
    assert "Left out: 2 x row with a blank answer." in said
    rows, said = converted(TABLE, answer="intent", skip_blank_answers=True)
    assert [row["id"] for row in rows] == ["1", "2", "4", "5", "6", "7"]
    assert "Left out: 1 x row with a blank answer." in said


def test_a_blank_answer_says_how_all_such_rows_are_left_out() -> None:
    with pytest.raises(ConversionError, match=r"^line 4: the answer is blank; .* --skip-blank-answers$"):
        converted(TABLE, answer="intent")


def test_a_call_without_arguments_is_not_blank() -> None:
    row = {"question": "q", "answer": {"name": "stop", "arguments": {}}}
    rows, said = converted(json.dumps(row), name="t.jsonl", skip_blank_answers=True)
    assert len(rows) == 1
    assert not [line for line in said if "blank" in line]


def test_fields_to_drop_are_in_no_row() -> None:
    rows, said = converted(TABLE, answer="intent,priority", drop=("customer", "question"))
    assert {tuple(row) for row in rows} == {("messages", "reference_answer", "id")}
    assert not [line for line in said if line.startswith("Kept")]


def test_a_field_to_drop_within_another_leaves_the_rest() -> None:
    row = {"question": "q", "answer": "a", "meta": {"mail": "x", "team": "y"}}
    rows, _ = converted(json.dumps(row), name="t.jsonl", drop=("meta.mail",))
    assert rows[0]["meta"] == {"team": "y"}


def test_a_misspelled_field_to_drop_ends_the_conversion() -> None:
    with pytest.raises(ConversionError, match=r"^--drop custmer: expected .*; do you mean 'customer'\?$"):
        converted(TABLE, answer="intent,priority", drop=("custmer",))


def test_a_field_to_drop_may_be_in_some_rows_only() -> None:
    table = '{"question":"q","answer":"a"}\n{"question":"q","answer":"b","mail":"m"}\n'
    rows, _ = converted(table, name="t.jsonl", drop=("mail",))
    assert not [row for row in rows if "mail" in row]
