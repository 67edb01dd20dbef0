"""Tools, their calls and their results, as other formats write them, become OpenAI's; nothing of them is lost."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from local.conversion import Conversion, Converter

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
