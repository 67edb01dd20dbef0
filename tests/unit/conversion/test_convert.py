"""Rows of other formats become the service's rows."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from local.conversion import Conversion, ConversionError, Source, convert
from local.conversion.template import Template
from tests.unit.dataset.gsm8k_rows import WALKTHROUGH, gsm8k
from tests.unit.dataset.sample_rows import as_file, rules_of
from tunedrop.catalog import Family
from tunedrop.dataset.check import check_dataset

READY_TO_DROP = Path(__file__).parents[3] / "events/datasets/gsm8k"
CLAUSES = Path(__file__).parents[2] / "data/clause_matching"


def converted(lines: list[Any] | bytes, kind: Source | None = None, **options: Any) -> list[dict[str, Any]]:
    body = io.BytesIO(lines) if isinstance(lines, bytes) else as_file(lines)
    return [json.loads(line) for line in convert(body, kind, Conversion(**options))]


@pytest.mark.parametrize(("name", "rows"), [("train", 300), ("test", 250)])
def test_the_folder_ready_to_drop_is_what_convert_makes_of_the_published_rows(name: str, rows: int) -> None:
    assert (READY_TO_DROP / f"{name}.jsonl").read_bytes() == gsm8k(name, WALKTHROUGH, rows)


def test_the_folder_ready_to_drop_is_valid_without_a_warning() -> None:
    with (READY_TO_DROP / "train.jsonl").open("rb") as train, (READY_TO_DROP / "test.jsonl").open("rb") as test:
        report = check_dataset(train, test=test, family=Family.OPEN_WEIGHT)
    assert rules_of(report) == set()
    assert (report.rows, report.test_rows) == (300, 250)


def test_a_question_and_its_answer_become_a_row_and_other_fields_stay() -> None:
    (row,) = converted(
        [{"question": "6 x 7?", "answer": "So #### 42 ", "topic": "maths", "n": 1}], final_answer_after="####"
    )
    assert row == {
        "messages": [{"role": "user", "content": "6 x 7?"}],
        "reference_answer": "So #### 42 ",
        "ground_truth": "42",
        "topic": "maths",
        "n": 1,
    }


def test_a_template_puts_fields_into_the_prompt_and_takes_them_out_of_the_row() -> None:
    rows = [{"text": "It broke.", "team": {"a": 1}, "label": "bug", "id": "7"}]
    (row,) = converted(rows, prompt="{{{team}}} Classify: {text}", answer="label", system="Be short.")
    assert row == {
        "messages": [
            {"role": "system", "content": "Be short."},
            {"role": "user", "content": '{{"a":1}} Classify: It broke.'},
        ],
        "reference_answer": "bug",
        "id": "7",
    }


def test_csv_with_quotes_line_breaks_and_a_byte_order_mark_is_read() -> None:
    body = '\ufeffquestion,answer,source\r\n"Say ""hi"",\nplease",hé,x\r\n2?,two,y\r\n'.encode()
    assert converted(body) == [
        {"messages": [{"role": "user", "content": 'Say "hi",\nplease'}], "reference_answer": "hé", "source": "x"},
        {"messages": [{"role": "user", "content": "2?"}], "reference_answer": "two", "source": "y"},
    ]


def test_the_stream_of_a_csv_stays_open() -> None:
    body = io.BytesIO(b"question,answer\na,b\n")
    list(convert(body, None, Conversion()))
    assert not body.closed


def test_openai_s_rows_keep_their_conversation_and_their_item_becomes_the_answer() -> None:
    messages = [{"role": "developer", "content": "Be short."}, {"role": "user", "content": "6 x 7?"}]
    expected = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "6 x 7?"}]
    assert converted([{"messages": messages, "n": 42, "unit": "legs"}], Source.OPENAI) == [
        {"messages": expected, "reference_answer": {"n": 42, "unit": "legs"}}
    ]
    assert converted([{"messages": messages, "n": 42, "reference_answer": "42"}], Source.OPENAI) == [
        {"messages": expected, "reference_answer": "42", "n": 42}
    ]
    assert converted([{"messages": messages, "n": 42, "unit": "legs"}], Source.OPENAI, answer="n") == [
        {"messages": expected, "reference_answer": "42", "unit": "legs"}
    ]
    answered = [*messages, {"role": "assistant", "content": "42"}]
    assert converted([{"messages": answered}], Source.OPENAI) == [{"messages": expected, "reference_answer": "42"}]


def test_a_template_words_the_last_user_message_of_openai_s_rows_anew() -> None:
    rows = [{"messages": [{"role": "user", "content": "6 x 7?"}], "reference_answer": "42", "unit": "legs"}]
    (row,) = converted(rows, Source.OPENAI, prompt="{content} Answer in {unit}.")
    assert row["messages"] == [{"role": "user", "content": "6 x 7? Answer in legs."}]


@pytest.mark.parametrize(
    ("rows", "kind", "options", "message"),
    [
        ([{"q": 1}], "qa", {}, "line 1: expected the field 'question', got a row with 'q'"),
        ([{"question": "x"}], "qa", {}, "line 1: expected the field 'answer'"),
        ([b'{"question": "x", "answer": "y"}', b"{"], "qa", {}, "line 2: the line ends too early"),
        ([[1]], "qa", {}, "row 1: expected an object, got 1"),
        (
            [{"question": "x", "answer": "y"}], "qa", {"final_answer_after": "##"},
            "line 1: expected an answer with '##', got 'y'",
        ),
        ([{"question": "x", "answer": "y"}], "qa", {"prompt": "{text}"}, "line 1: expected the field 'text'"),
        ([b'{"question": "x", "answer": {"a": [1, -1e400]}}'], "qa", {}, "line 1: `answer.a[1]`: the number is"),
        ([b'{"question": "\\ud800", "answer": "y"}'], "qa", {}, "line 1: half a surrogate pair"),
        ([{"messages": []}], "openai", {}, "line 1: expected `messages`, an array of objects, got an empty array"),
        ([{"messages": [{"role": "user", "content": "x"}]}], "openai", {}, "field 'answer', got a row with no other"),
        ([{"messages": [{"role": "user"}], "n": 1}], "openai", {"answer": "m"}, "line 1: expected the field 'm'"),
        (b"question,question\na,b\n", None, {}, "line 1: expected a header of different names"),
        (b"", None, {}, "the file is empty; expected a header and rows"),
        (b"question,answer\na,b,c\n", None, {}, "line 2: expected 2 columns, as in the header"),
        (b"question,answer\n\xff\x81,b\n", None, {}, "line 2: not UTF-8 (invalid start byte), and"),
        (b'question,answer\n"a,b\n', None, {}, "not readable as CSV: unexpected end of data"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_turned_is_named(rows: Any, kind: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConversionError) as caught:
        converted(rows, Source(kind) if kind else None, **options)
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["{", "}", "a {} b", "{a} {", "{{a}"])
def test_a_template_with_a_lone_brace_is_refused(text: str) -> None:
    with pytest.raises(ConversionError, match="the prompt template has"):
        Template(text)


ASKED = {"role": "user", "content": "Q?"}
SAID = {"role": "assistant", "content": "x"}
CALLS = [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]


@pytest.mark.parametrize(
    ("row", "options", "messages", "reference"),
    [
        ({"messages": [ASKED, SAID], "label": "y"}, {"answer": "label"}, [ASKED], "y"),
        ({"question": "Q?", "answer": CALLS}, {}, [ASKED], {"tool_calls": CALLS}),
        ({"x": "Q", "y": "a"}, {"prompt": "{x}?", "answer": "y"}, [{**ASKED, "content": "Q?"}], "a"),
        ({"x": "Q", "y": "a"}, {"prompt": "{x}, {x}?", "answer": "y"}, [{**ASKED, "content": "Q, Q?"}], "a"),
    ],
)
def test_the_answer_is_found_and_the_prompt_is_without_it(
    row: dict[str, Any], options: dict[str, Any], messages: list[Any], reference: Any
) -> None:
    assert converted([row], **options) == [{"messages": messages, "reference_answer": reference}]


@pytest.mark.parametrize(
    ("row", "options", "said"),
    [
        ({"messages": [SAID], "label": "y"}, {"answer": "label"}, "the conversation is the assistant's answer alone"),
        ({"question": "q", "a": " ", "b": ""}, {"answer": "a,b"}, "all of a,b are blank"),
        (
            {"question": "q", "answer": "5 #### 7", "ground_truth": "7"},
            {"final_answer_after": "####"},
            "a field 'ground_truth' of its own",
        ),
        (
            {"messages": [{"role": "system", "content": "s"}, SAID]},
            {"prompt": "{content}!"},
            "expected a user message for the prompt template",
        ),
        (b'{"question": "' + b"x" * 5_000_000 + b'", "answer": "a"}\n', {}, "line 1: the line is 5,000,031 bytes long"),
    ],
)
def test_a_row_that_cannot_be_converted_is_refused_with_why(row: Any, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConversionError, match=said):
        converted(row if isinstance(row, bytes) else [row], **options)
