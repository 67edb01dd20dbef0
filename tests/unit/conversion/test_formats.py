"""The rows of other tools become the service's rows, with their system prompt and their reference, or are refused."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from local.conversion import Conversion, ConversionError, Converter

ASKED = {"role": "user", "content": "Mail 1"}
SORTER = {"role": "system", "content": "Sort."}
CALL = {"id": "c", "type": "function", "function": {"name": "area", "arguments": '{"base": 2}'}}
CALLED = {"name": "area", "arguments": {"base": 2}}
TOOLS = [{"type": "function", "function": {"name": "area", "parameters": {"type": "object"}}}]


def converter_of(row: Any, **options: Any) -> tuple[dict[str, Any], str]:
    """The one row that a row becomes, and what the conversion told."""
    converter = Converter(Conversion(**options))
    (line,) = converter.lines(io.BytesIO(json.dumps(row).encode()), "rows.jsonl")
    return json.loads(line), "\n".join(converter.notes.said())


@pytest.mark.parametrize(
    ("title", "row"),
    [
        ("OpenAI", {"messages": [{**SORTER, "role": "developer"}, ASKED], "reference_answer": "refund"}),
        ("OpenAI", {"messages": [SORTER, ASKED, {"role": "assistant", "content": "refund"}]}),
        ("OpenAI", {"messages": [SORTER, ASKED, {"role": "assistant", "content": "refund", "refusal": None}]}),
        ("OpenAI", {"system": "Sort.", "messages": [ASKED, {"role": "assistant", "content": "refund"}]}),
        ("eval-protocol", {"messages": [SORTER, ASKED], "ground_truth": "refund"}),
        (
            "eval-protocol",
            {"messages": [SORTER, ASKED, {"role": "assistant", "content": "?"}], "ground_truth": "refund"},
        ),
        ("evals", {"input": [SORTER, ASKED], "ideal": "refund"}),
        ("TRL", {"prompt": [SORTER, ASKED], "solution": "refund"}),
        ("TRL", {"prompt": "Mail 1", "completion": "refund", "system": "Sort."}),
        ("TRL", {"prompt": [SORTER, ASKED], "completion": [{"role": "assistant", "content": "refund"}]}),
        ("verl", {"prompt": [SORTER, ASKED], "reward_model": {"ground_truth": "refund"}}),
        (
            "ShareGPT",
            {
                "system": "Sort.",
                "conversations": [{"from": "human", "value": "Mail 1"}, {"from": "gpt", "value": "refund"}],
            },
        ),
        (
            "ShareGPT",
            {
                "conversations": [
                    {"from": "system", "value": "Sort."},
                    {"from": "user", "value": "Mail 1"},
                    {"from": "assistant", "value": "refund"},
                ]
            },
        ),
        ("Alpaca", {"system": "Sort.", "instruction": "Mail 1", "input": "", "output": "refund"}),
        (
            "Converse",
            {
                "schemaVersion": "bedrock-conversation-2024",
                "system": [{"text": "Sort."}],
                "messages": [
                    {"role": "user", "content": [{"text": "Mail 1"}, {"cachePoint": {"type": "default"}}]},
                    {"role": "assistant", "content": [{"reasoningContent": {"x": 1}}, {"text": "refund"}]},
                ],
            },
        ),
        (
            "Gemini",
            {
                "systemInstruction": {"parts": [{"text": "Sort."}]},
                "contents": [
                    {"role": "user", "parts": [{"text": "Mail 1"}]},
                    {"role": "model", "parts": [{"text": "refund"}]},
                ],
            },
        ),
        ("question/answer", {"system_prompt": "Sort.", "query": "Mail 1", "answer": "refund"}),
    ],
)
def test_each_format_keeps_its_system_prompt_and_its_reference(title: str, row: dict[str, Any]) -> None:
    made, told = converter_of(row)
    assert made == {"messages": [SORTER, ASKED], "reference_answer": "refund"}
    assert title in told.splitlines()[0]


def logged(asked: Any, answered: Any, **more: Any) -> dict[str, Any]:
    return {
        "schemaType": "ModelInvocationLog", "accountId": "1", "requestId": "r-1", "modelId": "m",
        "input": {"inputBodyJson": asked, "inputTokenCount": 1}, "output": {"outputBodyJson": answered}, **more,
    }  # fmt: skip


CONVERSE = {"system": [{"text": "Sort."}], "messages": [{"role": "user", "content": [{"text": "Mail 1"}]}]}
ANTHROPIC = {"system": "Sort.", "messages": [{"role": "user", "content": "Mail 1"}]}


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        (CONVERSE, {"output": {"message": {"role": "assistant", "content": [{"text": "refund"}]}}}),
        (ANTHROPIC, {"role": "assistant", "content": [{"type": "text", "text": "refund"}]}),
        (
            ANTHROPIC,
            [{"type": "message_start"}, {"delta": {"type": "text_delta", "text": "ref"}}, {"delta": {"text": "und"}}],
        ),
        ({"messages": [SORTER, ASKED]}, {"choices": [{"message": {"role": "assistant", "content": "refund"}}]}),
        (
            CONVERSE,
            {"output": {"message": {"role": "assistant", "content": [{"text": "refund"}]}}, "stopReason": "end_turn"},
        ),
    ],
)
def test_a_logged_call_becomes_what_was_asked_and_answered(asked: Any, answered: Any) -> None:
    made, told = converter_of(logged(asked, answered))
    assert made == {"messages": [SORTER, ASKED], "reference_answer": "refund", "id": "r-1", "modelId": "m"}
    assert "reference_answer is made of what the model answered then." in told


MESSAGE = {"output": {"message": {"role": "assistant", "content": [{"text": "refund"}]}}}


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ({"inputText": "Mail 1"}, {"results": [{"outputText": "refund", "completionReason": "FINISH"}]}),
        ({"prompt": "Mail 1"}, {"generation": "refund", "stop_reason": "stop"}),
        ({"prompt": "Mail 1"}, {"outputs": [{"text": "refund", "stop_reason": "stop"}]}),
    ],
)
def test_a_logged_call_of_one_text_is_a_user_s_message(asked: Any, answered: Any) -> None:
    made, _ = converter_of(logged(asked, answered))
    assert (made["messages"], made["reference_answer"]) == ([ASKED], "refund")


def test_a_record_of_batch_inference_is_read_as_a_logged_call_is() -> None:
    made, _ = converter_of({"recordId": "r-1", "modelInput": CONVERSE, "modelOutput": MESSAGE})
    assert made == {"messages": [SORTER, ASKED], "reference_answer": "refund", "id": "r-1"}


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (logged(CONVERSE, None, errorCode="ThrottlingException"), "ThrottlingException"),
        (logged(CONVERSE, {**MESSAGE, "stopReason": "max_tokens"}), "max_tokens"),
        (logged(CONVERSE, {**MESSAGE, "stopReason": "guardrail_intervened"}), "guardrail_intervened"),
        (logged(ANTHROPIC, [{"delta": {"text": "ref"}}, {"delta": {"stop_reason": "max_tokens"}}]), "max_tokens"),
        (logged(ANTHROPIC, {"choices": [{"message": {"content": "x"}, "finish_reason": "length"}]}), "length"),
        (logged({"inputText": "x"}, {"embedding": [0.1]}), "an embedding"),
    ],
)
def test_a_logged_call_without_a_whole_answer_is_left_out_and_counted(record: Any, why: str) -> None:
    converter = Converter(Conversion())
    body = "\n".join(map(json.dumps, [logged(CONVERSE, MESSAGE), record]))
    assert len(list(converter.lines(io.BytesIO(body.encode()), "log.json"))) == 1
    assert any(why in line and "Left out: 1 x" in line for line in converter.notes.said())


@pytest.mark.parametrize(
    ("label", "about", "answer"),
    [
        (1, {"class-name": "refund"}, "refund"),
        ([0, 3], {"class-map": {"0": "late", "3": "refund"}}, {"labels": ["late", "refund"]}),
        (7, {"type": "groundtruth/custom"}, "7"),
    ],
)
def test_a_ground_truth_manifest_gives_the_name_of_the_class(label: Any, about: dict[str, Any], answer: Any) -> None:
    made, _ = converter_of({"source": "Mail 1", "job": label, "job-metadata": about})
    assert (made["messages"], made["reference_answer"]) == ([ASKED], answer)


@pytest.mark.parametrize(
    ("last", "answer"),
    [
        ({"role": "assistant", "tool_calls": [CALL]}, CALLED),
        ({"role": "assistant", "content": None, "tool_calls": [CALL, CALL]}, {"tool_calls": [CALLED, CALLED]}),
        ({"role": "assistant", "content": "So:", "tool_calls": [CALL]}, {"tool_calls": [CALLED], "content": "So:"}),
        ({"role": "assistant", "function_call": CALL["function"]}, CALLED),
    ],
)
def test_calls_of_tools_in_the_last_turn_become_the_reference_and_the_tools_stay(last: Any, answer: Any) -> None:
    made, _ = converter_of({"messages": [ASKED, last], "tools": TOOLS})
    assert made == {"messages": [ASKED], "reference_answer": answer, "tools": TOOLS}


def test_several_columns_become_one_reference_and_numbers_only_where_asked() -> None:
    row = {"text": "Mail 1", "intent": "late", "priority": "2", "code": "007"}
    names = {"question": "text", "answer": "intent, priority,code"}
    made, _ = converter_of(row, **names, numbers=("priority",))
    assert made["reference_answer"] == {"intent": "late", "priority": 2, "code": "007"}
    assert converter_of(row, **names)[0]["reference_answer"]["priority"] == "2"


def test_nested_fields_are_named_by_their_path_and_the_rest_stays() -> None:
    row = {"data": {"question": "Mail 1", "n": 1}, "reward_model": {"ground_truth": "refund", "style": "rule"}}
    made, _ = converter_of(row, prompt="{data.question}", answer="reward_model.ground_truth")
    assert made == {
        "messages": [ASKED], "reference_answer": "refund", "data": {"n": 1}, "reward_model": {"style": "rule"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "made"),
    [(42, "42"), (0.5, "0.5"), (True, "true"), (["a", "b"], {"answer": ["a", "b"]}), ({"a": 1}, {"a": 1})],
)
def test_an_answer_is_a_text_or_an_object_as_the_service_takes_it(answer: Any, made: Any) -> None:
    assert converter_of({"question": "Mail 1", "answer": answer})[0]["reference_answer"] == made


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]},
            "is 'image_url', but the service trains on text only",
        ),
        (
            {"messages": [{"role": "user", "content": [{"image": {"format": "png"}}]}]},
            "is 'image', but the service trains on text only",
        ),
        ({"contents": [{"role": "model", "parts": [{"functionCall": {}}]}]}, "is 'functionCall'; write calls as"),
        ({"messages": [{"role": "assistant", "content": [{"toolUse": {}}]}]}, "expected a call with a name"),
        ({"conversations": [{"from": "function_call", "value": "{}"}]}, "expected a call as JSON, with `name`"),
        ({"conversations": [{"from": "observation", "value": "4"}]}, "a tool's result without a call before it"),
        ({"conversations": [{"from": "alien", "value": "x"}]}, "expected a role such as 'user'"),
        (
            {"question": "x", "answer": "y", "image": "a.png"},
            "the row has `image`, but the service trains on text only",
        ),
        ({"messages": [ASKED], "answer": "x", "toolConfig": {"tools": [1]}}, "tools[0]: expected a tool, got 1"),
        ({"question": [[ASKED]], "answer": "y"}, "expected `question`, a text, got an array of 1"),
        ({"question": "x", "answer": " "}, "the answer is blank; give the row its answer"),
        ({"question": " ", "answer": "y"}, "the prompt is blank"),
        ({"prompt": "x", "chosen": "a", "rejected": "b"}, "--answer chosen makes it the reference"),
        ({"chosen": [ASKED], "rejected": [ASKED]}, "without a `prompt`; write the turns before the answer"),
        ({"prompt": "x", "completion": "a", "label": False}, "`label` marks the answer of `completion` as unwanted"),
        ({"data": {"text": "x", "intent": "y"}}, "as in --question data.text --answer data.intent"),
        ({"instruction": "x", "context": "long", "response": "y"}, "as in --prompt '{context} {instruction}', or name"),
        ({"question": "x", "choices": ["a", "b"], "answer": 1}, "as in --prompt '{question} {choices}', or name"),
        ({"source": "x", "a-metadata": {}, "b-metadata": {}}, "name one, as in --answer a-metadata.class-name"),
        ({"question": "x", "solution": "a", "ideal": "b"}, "the answer may be 'solution' or 'ideal'; name it"),
        ({"id": "7", "text": "x", "label": "late"}, "name it, as in --question text --answer label"),
        ({"text": "x", "intent": "late"}, "name it, as in --question text --answer intent"),
        ({"question": "x", "anwser": "y"}, "name it, as in --answer anwser"),
        ({"source-ref": "s3://b/k", "job": 1, "job-metadata": {}}, "the text is in another file, 's3://b/k'"),
        ({"source": "x", "job": -1, "job-metadata": {"failure-reason": "late"}}, "labelling this row failed"),
        (logged({"prompt": "[INST]Mail 1[/INST]"}, {}), "the prompt is in a model's own chat template"),
        ({**logged(CONVERSE, {}), "input": {"inputBodyS3Path": "s3://b/k"}}, "the input is in another file"),
        (logged(CONVERSE, {"weird": 1}), "expected the model's message in `output.outputBodyJson`"),
        ({"messages": [SORTER, ASKED], "system": "Other.", "answer": "x"}, "would be a second system message"),
        ({"messages": [ASKED, {"role": "assistant", "content": ""}]}, "the assistant's last message is blank"),
    ],
)
def test_what_is_no_text_or_has_no_answer_is_refused_by_its_name(row: Any, message: str) -> None:
    with pytest.raises(ConversionError) as caught:
        converter_of(row)
    assert message in str(caught.value)


def test_what_is_left_out_and_what_only_the_grader_sees_is_told() -> None:
    row = {"messages": [ASKED, {"role": "assistant", "content": "?"}], "ground_truth": "refund", "topic": "mail"}
    _, told = converter_of(row)
    assert "Left out: 1 x the assistant's last message, as `ground_truth` is the reference." in told
    assert "Kept for the grader, not shown to the model: topic (--drop leaves fields out)." in told


def test_one_of_several_labels_is_named() -> None:
    row = {"source": "Mail 1", "a": 1, "a-metadata": {"class-name": "late"}, "b": 0, "b-metadata": {"class-name": "x"}}
    assert converter_of(row, answer="a-metadata.class-name")[0]["reference_answer"] == "late"


def test_a_question_alone_is_the_prompt_where_it_is_named() -> None:
    row = {"question": "Mail 1", "choices": ["a", "b"], "answer": "a"}
    made, _ = converter_of(row, question="question")
    assert made == {"messages": [ASKED], "reference_answer": "a", "choices": ["a", "b"]}


@pytest.mark.parametrize(
    ("chunks", "said"),
    [
        ([{"choices": [{"delta": {"content": part}}]} for part in ("re", "fund")], "refund"),
        ([{"outputText": part, "completionReason": None} for part in ("re", "fund")], "refund"),
        ([{"generation": part, "stop_reason": None} for part in ("re", "fund")], "refund"),
        ([{"outputs": [{"text": part}]} for part in ("re", "fund")], "refund"),
    ],
)
def test_a_streamed_answer_of_every_model_is_joined(chunks: list[Any], said: str) -> None:
    assert converter_of(logged({"messages": [ASKED]}, chunks))[0]["reference_answer"] == said


@pytest.mark.parametrize("key", ["message", "@message"])
def test_records_of_a_log_are_read_as_cloudwatch_exports_them(key: str) -> None:
    record = logged({"messages": [ASKED]}, {"choices": [{"message": {"role": "assistant", "content": "refund"}}]})
    assert converter_of({"timestamp": 1, key: json.dumps(record)})[0]["reference_answer"] == "refund"


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ({"taskType": "TEXT_IMAGE"}, "an image or a video"),
        ({"query": "x", "documents": ["y"]}, "a ranking"),
        ({"source": "INPUT", "content": []}, "a guardrail's judgement"),
    ],
)
def test_calls_that_asked_for_no_text_are_left_out_of_a_log(body: Any, what: str) -> None:
    with pytest.raises(ConversionError, match=f"the call asked for {what}"):
        converter_of(logged(body, {}))


@pytest.mark.parametrize(
    ("row", "options", "reference"),
    [
        (
            {"messages": [ASKED], "output": {"message": {"role": "assistant", "content": [{"text": "refund"}]}}},
            {},
            "refund",
        ),
        (
            {"conversations": [{"from": "human", "value": "Mail 1"}], "chosen": {"from": "gpt", "value": "refund"}},
            {"answer": "chosen"},
            "refund",
        ),
        (
            {"input": {"messages": [ASKED]}, "preferred_output": [{"role": "assistant", "content": "refund"}]},
            {"answer": "preferred_output"},
            "refund",
        ),
        ({"request": {"messages": [ASKED]}, "answer": "refund"}, {"question": "request.messages"}, "refund"),
        ({"messages": [{"author": "user", "content": "Mail 1"}, {"author": "bot", "content": "refund"}]}, {}, "refund"),
        ({"messages": [{"type": "human", "content": "Mail 1"}, {"type": "ai", "content": "refund"}]}, {}, "refund"),
        ({"contents": [{"parts": [{"text": "Mail 1"}]}], "answer": "refund"}, {}, "refund"),
    ],
)
def test_turns_in_other_forms_become_prompt_and_reference(row: Any, options: Any, reference: str) -> None:
    made, _ = converter_of(row, **options)
    assert (made["messages"], made["reference_answer"]) == ([ASKED], reference)


def test_the_instructions_of_responses_are_the_system_message() -> None:
    made, _ = converter_of({"instructions": "Sort.", "input": [ASKED], "output": "refund", "id": None})
    assert made == {"messages": [{"role": "system", "content": "Sort."}, ASKED], "reference_answer": "refund"}


@pytest.mark.parametrize(
    ("row", "options", "message"),
    [
        ({"body": {"messages": [ASKED]}, "id": "1"}, {}, "take it out: jq -c '.body' FILE > rows.jsonl"),
        ({"premise": "x", "hypothesis": "y", "label": 1}, {}, "as in --question premise --answer label"),
        ({"input": {"text": "x"}, "answer": "y"}, {}, "--question input.text"),
        ({"messages": [ASKED]}, {}, "give each row its answer"),
        ({"conversations": [{"from": "gpt", "value": "x"}], "kto_tag": False}, {}, "as unwanted"),
        ({"messages": "[{'role': 'user'}]", "answer": "x"}, {}, "this is a printed Python list"),
        ({"text": "x", "answer": "y"}, {"prompt": 'As {"a": 1}: {text}'}, "as {{ and }}"),
        ({"question": "x", "answer": "so ####"}, {"final_answer_after": "####"}, "an answer after '####'"),
    ],
)
def test_the_way_that_a_refusal_names_is_one_that_works(row: Any, options: Any, message: str) -> None:
    with pytest.raises(ConversionError) as caught:
        converter_of(row, **options)
    assert message in str(caught.value)
