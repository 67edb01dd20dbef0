"""Rows as programs log them: what a service answered becomes the reference, and nothing of the prompt is lost."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from local.conversion import Conversion, ConversionError, Converter

SORTER: dict[str, Any] = {"role": "system", "content": "Sort."}
ASKED: dict[str, Any] = {"role": "user", "content": "Mail 1"}
ANSWERED: dict[str, Any] = {"role": "assistant", "content": "refund"}
SAID: dict[str, Any] = {"type": "message", "id": "m", "status": "completed", **ANSWERED}
TOLD = [("system", "Sort."), ("human", "Mail 1"), ("ai", "refund")]
CLASSES = [("SystemMessage", "Sort."), ("HumanMessage", "Mail 1"), ("AIMessageChunk", "refund")]
THOUGHT: dict[str, Any] = {"type": "reasoning", "summary": []}
TOOL = {"type": "function", "function": {"name": "area", "description": "How large?", "parameters": {"type": "object"}}}
CALL: dict[str, Any] = {"id": "c", "type": "function", "function": {"name": "area", "arguments": '{"base": 2}'}}


def read(row: Any, **options: Any) -> tuple[dict[str, Any], str]:
    """The one row that a row becomes, and what the conversion told."""
    converter = Converter(Conversion(**options))
    (line,) = converter.lines(io.BytesIO(json.dumps(row).encode()), "rows.jsonl")
    return json.loads(line), "\n".join(converter.notes.said())


def refusal_of(row: Any, **options: Any) -> str:
    with pytest.raises(ConversionError) as caught:
        read(row, **options)
    return str(caught.value)


def chosen(reason: str = "stop") -> dict[str, Any]:
    return {"object": "chat.completion", "choices": [{"index": 0, "finish_reason": reason, "message": ANSWERED}]}


@pytest.mark.parametrize(
    "row",
    [
        dict(chosen(), messages=[SORTER, ASKED]),
        {"messages": [SORTER, ASKED], "response": chosen()},
        {"messages": [SORTER, ASKED], "response": {"status_code": 200, "body": chosen()}},
        {"messages": [SORTER, ASKED], "output": {"object": "response", "output": [THOUGHT, SAID]}},
        {"messages": [SORTER, ASKED], "response": {"output": {"message": ANSWERED}, "stopReason": "end_turn"}},
        {"messages": [SORTER, ASKED], "response": dict(SAID, content=[{"type": "text", "text": "refund"}])},
        {"instructions": "Sort.", "input": "Mail 1", "output": [THOUGHT, SAID]},
        {"instructions": "Sort.", "input": [{**ASKED, "type": "message"}, SAID]},
        {"input": {"messages": [SORTER, ASKED]}, "expectedOutput": ANSWERED},
        {"row_idx": 0, "row": {"messages": [SORTER, ASKED, ANSWERED]}, "truncated_cells": []},
        {"messages": [SORTER, ASKED, {**ANSWERED, "toxic": False, "turn": 3}]},
        {"messages": [{"type": kind, "data": {"content": text}} for kind, text in TOLD]},
        {"messages": [{"lc": 1, "id": ["x", kind], "kwargs": {"content": text}} for kind, text in CLASSES]},
        {"system": "Sort.", "conversation": [{"human": "Mail 1", "assistant": "refund"}]},
        {"conversations": [{"sender": kind, "text": text} for kind, text in TOLD]},
    ],
)  # fmt: skip
def test_what_a_service_answered_is_the_reference(row: Any) -> None:
    made, _ = read(row)
    assert made["messages"] == [SORTER, ASKED]
    assert made["reference_answer"] == "refund"


@pytest.mark.parametrize("answer", [chosen("length"), {"type": "message", "stop_reason": "max_tokens", **ANSWERED}])
def test_an_answer_that_was_cut_off_is_left_out_and_counted(answer: Any) -> None:
    rows = [{"messages": [ASKED], "response": each} for each in (answer, chosen())]
    converter = Converter(Conversion())
    body = "".join(json.dumps(row) + "\n" for row in rows).encode()
    assert len(list(converter.lines(io.BytesIO(body), "rows.jsonl"))) == 1
    assert "record without an answer (the model stopped with" in "\n".join(converter.notes.said())


@pytest.mark.parametrize("packed", [json.dumps, lambda rows: "\n".join(map(json.dumps, rows))])
def test_arrays_of_turns_are_rows(packed: Any) -> None:
    made = Converter(Conversion()).lines(io.BytesIO(packed([[SORTER, ASKED, ANSWERED]] * 2).encode()), "rows.json")
    assert [json.loads(line)["reference_answer"] for line in made] == ["refund", "refund"]


def test_mails_with_their_sender_are_no_turns() -> None:
    mails = [{"from": "a@example.org", "question": "x", "answer": str(number)} for number in range(2)]
    made = Converter(Conversion()).lines(io.BytesIO(json.dumps(mails).encode()), "mails.json")
    assert [json.loads(line)["from"] for line in made] == ["a@example.org"] * 2


def test_choices_that_are_no_answer_stay_a_part_of_the_item() -> None:
    made, _ = read({"messages": [ASKED], "choices": ["a", "b"], "right": 1})
    assert made["reference_answer"] == {"choices": ["a", "b"], "right": 1}


@pytest.mark.parametrize(
    "turns",
    [
        [{"role": "assistant", "tool_calls": [CALL]}, {"role": "tool", "tool_call_id": "c", "content": "4"}],
        [{"role": "assistant", "function_call": CALL["function"]}, {"role": "function", "content": "4"}],
        [
            {"role": "assistant", "tool_calls": [{"function": {"name": "area", "arguments": {"base": 2}}}]},
            {"role": "tool", "name": "area", "content": "4"},
        ],
        [
            {"type": "ai", "content": None, "tool_calls": [{"name": "area", "args": {"base": 2}, "id": "c"}]},
            {"type": "tool", "tool_call_id": "c", "content": "4"},
        ],
        [
            THOUGHT,
            {"type": "function_call", "call_id": "c", "name": "area", "arguments": '{"base": 2}'},
            {"type": "function_call_output", "call_id": "c", "output": "4"},
        ],
    ],
)  # fmt: skip
def test_each_call_before_the_answer_has_an_id_and_its_result(turns: Any) -> None:
    made, _ = read({"messages": [ASKED, *turns, ANSWERED]})
    _, call, result = made["messages"]
    assert [each["function"] for each in call["tool_calls"]] == [CALL["function"]]
    assert result["tool_call_id"] == call["tool_calls"][0]["id"]
    assert result["content"] == "4"


def test_a_result_that_is_an_object_becomes_its_json() -> None:
    turns = [{"role": "assistant", "tool_calls": [CALL]}, {"role": "tool", "tool_call_id": "c", "content": {"area": 4}}]
    assert read({"messages": [ASKED, *turns, ANSWERED]})[0]["messages"][-1]["content"] == '{"area": 4}'


def test_calls_that_a_service_answered_with_are_the_reference() -> None:
    calls = [{"type": "function_call", "call_id": name, "name": name, "arguments": "{}"} for name in ("f", "g")]
    made, _ = read({"input": [ASKED], "output": calls})
    assert [call["name"] for call in made["reference_answer"]["tool_calls"]] == ["f", "g"]


@pytest.mark.parametrize("content", [None, "", " "])
def test_a_system_message_that_says_nothing_is_left_out(content: str | None) -> None:
    made, told = read({"messages": [{"role": "system", "content": content}, ASKED, ANSWERED]})
    assert made["messages"] == [ASKED]
    assert "Left out: 1 x blank system message." in told


@pytest.mark.parametrize(
    "history", [[["Hi", "Hello"]], [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]]
)
@pytest.mark.parametrize("names", [("query", "response"), ("question", "answer"), ("instruction", "output")])
def test_the_turns_before_a_question_stay_in_its_prompt(history: Any, names: tuple[str, str]) -> None:
    made, _ = read({"system": "Sort.", names[0]: "Mail 1", names[1]: "refund", "history": history})
    before = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    assert made["messages"] == [SORTER, *before, ASKED]
    assert "history" not in made


def test_a_history_of_another_form_is_for_the_user_to_place() -> None:
    assert "as in --prompt '{history} {query}'" in refusal_of({"query": "x", "response": "y", "history": "Hi"})


@pytest.mark.parametrize(
    ("row", "question", "answer"),
    [
        (
            {"request": {"tools": [TOOL], "messages": [SORTER, ASKED]}, "response": chosen()},
            "request.messages",
            "response",
        ),
        ({"inputs": {"tools": [TOOL], "system": "Sort.", "text": "Mail 1"}, "label": "refund"}, "inputs.text", "label"),
    ],
)
def test_system_and_tools_beside_a_question_in_a_field_stay_the_prompt_s(row: Any, question: str, answer: str) -> None:
    made, _ = read(row, question=question, answer=answer)
    assert made == {"messages": [SORTER, ASKED], "reference_answer": "refund", "tools": [TOOL]}


@pytest.mark.parametrize(
    ("row", "way"),
    [
        ({"dialog": [ASKED, ANSWERED]}, "name the conversation, as in --question dialog"),
        ({"in": {"messages": [ASKED]}, "out": {"answer": "x"}}, "--question in.messages --answer out.answer"),
        ({"request": {"messages": [ASKED]}, "response": chosen()}, "--question request.messages --answer response"),
        ({"body": {"messages": [ASKED]}}, "take it out: jq -c '.body' FILE > rows.jsonl"),
        ({"question": "x", "kind": "a", "answerKey": "B"}, "--answer answerKey"),
        ({"question": "x", "kind": "a", "incorrect_answers": ["b"], "best_answer": "c"}, "--answer best_answer"),
        ({"text": "x", "made": {"answer": "y"}}, "--question text --answer made.answer"),
        ({"messages": [THOUGHT], "answer": "x"}, "`messages` has no turn with a text"),
    ],
)  # fmt: skip
def test_a_row_that_is_not_known_is_answered_with_its_own_names(row: Any, way: str) -> None:
    assert way in refusal_of(row)


SPELLINGS = (
    *("Reference Answer", "referenceAnswer", "Expected Output", "Correct answer", "ground-truth"),
    *("expected", "reference", "final_answer"),
)


@pytest.mark.parametrize("name", SPELLINGS)
def test_the_answer_s_name_is_known_however_it_is_spelt(name: str) -> None:
    made, _ = read({"question": "x", "__expected": "equals: y", name: "y"})
    assert made == {"messages": [{"role": "user", "content": "x"}], "reference_answer": "y", "__expected": "equals: y"}


def test_what_a_model_answered_is_not_taken_for_the_reference_beside_it() -> None:
    said = refusal_of({"prompt": "x", "response": "wrong", "reference": "right"})
    assert "the answer may be 'response' or 'reference'; name it" in said


@pytest.mark.parametrize("answer", ["answers.text.0", "answers.text[0]"])
def test_one_of_an_array_can_be_named(answer: str) -> None:
    made, _ = read({"question": "x", "answers": {"text": ["y", "z"]}}, answer=answer)
    assert made["reference_answer"] == "y"
    assert "expected the field '5', got a row with '0', '1'" in refusal_of(
        {"question": "x", "answers": ["y", "z"]}, answer="answers.5"
    )


def test_one_of_an_array_can_stand_in_the_prompt() -> None:
    made, _ = read({"q": "x", "choices": ["y", "z"], "answer": "A"}, prompt="{q} A. {choices[0]} B. {choices.1}")
    assert made["messages"] == [{"role": "user", "content": "x A. y B. z"}]


def test_a_printed_object_in_a_column_is_named_as_such() -> None:
    said = refusal_of({"prompt": "x", "reward_model": "{'ground_truth': '4'}"})
    assert "`reward_model` is a printed Python object" in said
    assert "write the column with json.dumps" in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"prompt": "Sort this."}, "names no field, so that all prompts would be the same; name one"),
        ({"prompt": "Sort {{ text }}."}, "would be the same; write {text}, with one brace"),
        ({"system": " ", "prompt": "{context} {instruction}"}, "--system is blank"),
        ({"answer": "output"}, "the row has `context` beside `instruction`"),
    ],
)
def test_no_prompt_lacks_its_text(options: dict[str, str], said: str) -> None:
    assert said in refusal_of({"instruction": "x", "context": "long", "output": "y"}, **options)


@pytest.mark.parametrize("prompt", ["<|im_start|>user\nMail 1<|im_end|>", "[INST] Mail 1 [/INST]", "\n\nHuman: Mail 1"])
def test_a_prompt_in_a_chat_template_is_told(prompt: str) -> None:
    made, told = read({"prompt": prompt, "completion": "refund"})
    assert made["messages"][0]["content"] == prompt
    assert "marks of a model's own chat template" in told
    assert "chat template" not in read({"prompt": "Mail 1", "completion": "refund"})[1]
