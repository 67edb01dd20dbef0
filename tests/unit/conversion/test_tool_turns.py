"""Tools, their calls and their results, as other formats write them, become OpenAI's; nothing of them is lost."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest

from local.conversion import Conversion, ConversionError, Converter

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOLS = [{"type": "function", "function": {"name": "heat", "description": "How warm?", "parameters": SCHEMA}}]
ARGUMENTS = {"city": "Rome"}
ASKED = {"role": "user", "content": "Rome?"}


def row_of(row: Any) -> dict[str, Any]:
    (line,) = Converter(Conversion()).lines(io.BytesIO(json.dumps(row).encode()), "rows.jsonl")
    return dict(json.loads(line))


def converse(*blocks: Any) -> dict[str, Any]:
    spec = {"name": "heat", "description": "How warm?", "inputSchema": {"json": SCHEMA}}
    return {
        "messages": [{"role": "user", "content": [{"text": "Rome?"}]}, *blocks],
        "toolConfig": {"tools": [{"toolSpec": spec}, {"cachePoint": {"type": "default"}}]},
    }


def anthropic(*blocks: Any) -> dict[str, Any]:
    tool = {"name": "heat", "description": "How warm?", "input_schema": SCHEMA}
    return {"messages": [ASKED, *blocks], "tools": [tool]}


def sharegpt(*turns: Any) -> dict[str, Any]:
    tool = {"name": "heat", "description": "How warm?", "parameters": SCHEMA}
    return {"conversations": [{"from": "human", "value": "Rome?"}, *turns], "tools": json.dumps([tool])}


CONVERSE_CALL = {"role": "assistant", "content": [{"toolUse": {"toolUseId": "c", "name": "heat", "input": ARGUMENTS}}]}
CONVERSE_RESULT = {"role": "user", "content": [{"toolResult": {"toolUseId": "c", "content": [{"json": {"c": 21}}]}}]}
ANTHROPIC_CALL = {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "heat", "input": ARGUMENTS}]}
ANTHROPIC_RESULT = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": '{"c": 21}'}]}
SHAREGPT_CALL = {"from": "function_call", "value": json.dumps({"name": "heat", "arguments": ARGUMENTS})}
SHAREGPT_RESULT = {"from": "observation", "value": '{"c": 21}'}


@pytest.mark.parametrize(
    "row", [converse(CONVERSE_CALL), anthropic(ANTHROPIC_CALL), sharegpt(SHAREGPT_CALL)], ids=lambda row: str(len(row))
)
def test_a_call_at_the_end_is_the_reference(row: dict[str, Any]) -> None:
    made = row_of(row)
    assert made["messages"] == [ASKED]
    assert made["reference_answer"] == {"name": "heat", "arguments": ARGUMENTS}
    assert made["tools"] == TOOLS


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (converse(CONVERSE_CALL, CONVERSE_RESULT), {"role": "assistant", "content": [{"text": "21 degrees"}]}),
        (anthropic(ANTHROPIC_CALL, ANTHROPIC_RESULT), {"role": "assistant", "content": "21 degrees"}),
        (sharegpt(SHAREGPT_CALL, SHAREGPT_RESULT), {"from": "gpt", "value": "21 degrees"}),
    ],
)
def test_a_call_within_the_prompt_keeps_its_result(row: dict[str, Any], said: dict[str, Any]) -> None:
    made = row_of({**row, **{key: [*row[key], said] for key in ("messages", "conversations") if key in row}})
    asked, called, result = made["messages"]
    assert asked == ASKED
    (call,) = called["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == ARGUMENTS
    assert result == {"role": "tool", "tool_call_id": call["id"], "content": '{"c": 21}'}
    assert made["reference_answer"] == "21 degrees"
    assert made["tools"] == TOOLS


def test_a_text_beside_a_result_stays_a_user_s_message() -> None:
    blocks = [*CONVERSE_RESULT["content"], {"text": "And now?"}]
    row = converse(CONVERSE_CALL, {"role": "user", "content": blocks})
    made = row_of({**row, "answer": "x"})
    assert [turn["role"] for turn in made["messages"]] == ["user", "assistant", "tool", "user"]


def test_results_answer_the_calls_in_their_order() -> None:
    calls = [{"name": "heat", "arguments": {"city": city}} for city in ("Rome", "Oslo")]
    turns = [{"from": "function_call", "value": json.dumps(calls)}, SHAREGPT_RESULT, SHAREGPT_RESULT]
    made = row_of({**sharegpt(*turns), "answer": "x"})
    assert [turn["tool_call_id"] for turn in made["messages"][2:]] == [
        call["id"] for call in made["messages"][1]["tool_calls"]
    ]


def test_tools_that_are_none_are_no_field_of_the_row() -> None:
    assert "tools" not in row_of({"messages": [ASKED], "answer": "x", "tools": None})


def test_a_turn_s_weight_is_left_out_and_counted() -> None:
    converter = Converter(Conversion())
    row = {"messages": [{**ASKED, "weight": 0}, {"role": "assistant", "content": "x", "weight": 1}]}
    (line,) = converter.lines(io.BytesIO(json.dumps(row).encode()), "rows.jsonl")
    assert json.loads(line)["messages"] == [ASKED]
    assert "Left out: 2 x a turn's weight for the loss." in converter.notes.said()


SAYS = {"role": "assistant", "content": [{"text": "21"}]}
CHOICE: dict[str, Any] = {"toolChoice": {"auto": {}}}


def resulting(block: Any) -> dict[str, Any]:
    return {"role": "user", "content": [{"toolResult": block}]}


def asking(part: Any) -> dict[str, Any]:
    return {"role": "user", "content": [part]}


def calling(call: Any) -> dict[str, Any]:
    return {"messages": [ASKED, {"role": "assistant", "content": "", "tool_calls": [call]}]}


@pytest.mark.parametrize("part", [{"text": "21"}, "21", {"json": 21}])
def test_a_result_is_the_text_of_its_part_in_each_form(part: Any) -> None:
    made = row_of(converse(CONVERSE_CALL, resulting({"toolUseId": "c", "content": [part]}), SAYS))
    assert made["messages"][2]["content"] == "21"


def test_a_result_that_sharegpt_writes_as_an_object_becomes_its_json() -> None:
    made = row_of(sharegpt(SHAREGPT_CALL, {"from": "observation", "value": {"c": 21}}, {"from": "gpt", "value": "21"}))
    assert made["messages"][2]["content"] == '{"c": 21}'


@pytest.mark.parametrize("content", [["Rome?"], [{"guardContent": {"text": {"text": "Rome?"}}}]])
def test_a_text_that_stands_alone_or_is_guarded_is_kept(content: Any) -> None:
    made = row_of({"messages": [{"role": "user", "content": content}, {"role": "assistant", "content": "x"}]})
    assert made["messages"] == [ASKED]


def test_a_system_text_that_the_conversation_has_already_is_not_repeated() -> None:
    turns = [{"role": "system", "content": "Be short."}, ASKED, {"role": "assistant", "content": "x"}]
    assert row_of({"system": "Be short.", "messages": turns})["messages"] == turns[:2]


@pytest.mark.parametrize(
    ("row", "left_out"),
    [
        (
            {**converse(CONVERSE_CALL), "toolConfig": {**converse()["toolConfig"], **CHOICE}},
            "`toolChoice` of `toolConfig`",
        ),
        (
            {"messages": [asking({"type": "text", "text": "Rome?", "cache_control": {"a": 1}}), SAYS]},
            "'cache_control' of a text part",
        ),
    ],
)
def test_what_a_row_cannot_keep_is_counted(row: dict[str, Any], left_out: str) -> None:
    converter = Converter(Conversion())
    list(converter.lines(io.BytesIO(json.dumps(row).encode()), "rows.jsonl"))
    assert f"Left out: 1 x {left_out}." in converter.notes.said()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (converse(CONVERSE_CALL, resulting({"content": [{"image": {}}]}), SAYS), "a tool's result with 'image'"),
        (converse(CONVERSE_CALL, resulting({"content": [7]}), SAYS), "a tool's result with 7"),
        (converse(CONVERSE_CALL, resulting(7), SAYS), "expected a tool's result, got"),
        ({**converse(SAYS), "toolConfig": 7}, "expected `toolConfig`, an object, got 7"),
        ({**converse(SAYS), "toolConfig": {"tools": 7}}, "expected `tools`, an array, got 7"),
        ({**converse(SAYS), "toolConfig": {"tools": [{"toolSpec": {}}]}}, "expected a function with a name"),
        (converse({"role": "assistant", "content": [7]}), "expected a part, got 7"),
        ({"messages": [{"role": "user", "content": 7}, SAYS]}, "expected text or parts, got 7"),
        ({"messages": [asking({"guardContent": {"text": "a"}}), SAYS]}, "expected a text, got 'a'"),
        (calling({"id": "c"}), "expected a call with a function's name"),
        (
            calling({"function": {"name": "heat", "arguments": "{city"}}),
            "the arguments of the call of 'heat' are not JSON",
        ),
    ],
)
def test_a_turn_that_cannot_be_read_is_refused_with_what_was_expected(row: dict[str, Any], said: str) -> None:
    with pytest.raises(ConversionError, match=re.escape(said)):
        row_of(row)
