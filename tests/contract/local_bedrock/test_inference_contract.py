"""Models, chat completions, responses and completions by the unmodified SDK."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai import BadRequestError, NotFoundError, OpenAI, RateLimitError
from openai.types.chat import ChatCompletionMessageParam
from openai.types.chat.chat_completion import Choice

from local.bedrock import LocalBedrock
from local.bedrock.simulated_model import UNKNOWN_PROMPT
from tests.contract.local_bedrock.bedrock_requests import training_rows

MODEL = "openai.gpt-oss-20b"
QWEN = "qwen.qwen3-32b"
QUESTION: list[ChatCompletionMessageParam] = [{"role": "user", "content": 'What is 7 + 100? End with "####".'}]


@pytest.fixture(autouse=True)
def _taught(bedrock: LocalBedrock) -> None:
    assert bedrock.teach(training_rows()) == {"learnt": 100, "passed_over": 0, "known": 100}


def test_models_are_listed_and_say_that_they_are_simulated(client: OpenAI) -> None:
    models = list(client.models.list())
    assert {MODEL, QWEN} <= {model.id for model in models}
    assert all(model.model_extra == {"simulated": True, "trained_by": "simulation"} for model in models)
    assert client.models.retrieve(MODEL).owned_by == "openai"
    for call in (client.models.retrieve, client.models.delete):
        with pytest.raises(NotFoundError):
            call("no-such-model")
    with pytest.raises(NotFoundError):
        client.models.delete(MODEL)


def test_a_seed_repeats_the_answers_and_n_gives_several(client: OpenAI) -> None:
    def ask(seed: int) -> list[str | None]:
        answer = client.chat.completions.create(model=MODEL, messages=QUESTION, n=16, seed=seed, max_tokens=800)
        assert [choice.index for choice in answer.choices] == list(range(16))
        assert {choice.finish_reason for choice in answer.choices} == {"stop"}
        return [choice.message.content for choice in answer.choices]

    assert ask(1) == ask(1)
    assert ask(1) != ask(2)
    assert len(set(ask(1))) > 2


def test_temperature_zero_gives_one_answer(client: OpenAI) -> None:
    answer = client.chat.completions.create(model=MODEL, messages=QUESTION, n=8, temperature=0)
    assert len({choice.message.content for choice in answer.choices}) == 1


def test_usage_counts_tokens_and_a_short_limit_truncates(client: OpenAI) -> None:
    answer = client.chat.completions.create(model=MODEL, messages=QUESTION, n=20, seed=1, max_completion_tokens=5)
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == 9  # 33 characters, 4 a token
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    cut = [choice for choice in answer.choices if choice.finish_reason == "length"]
    assert len(cut) > 5
    assert all(len(choice.message.content or "") == 20 for choice in cut)


def test_a_prompt_that_was_never_given_gets_an_honest_answer(client: OpenAI) -> None:
    answer = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Who are you?"}])
    assert answer.choices[0].message.content == UNKNOWN_PROMPT


def test_chat_streams_the_very_answer(client: OpenAI) -> None:
    asked = {"model": MODEL, "messages": QUESTION, "seed": 3, "n": 2}
    whole = client.chat.completions.create(**asked)  # type: ignore[call-overload]  # one dict for both calls
    parts, usage = ["", ""], None
    finishes = []
    for chunk in client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}):  # type: ignore[call-overload]  # as above
        usage = chunk.usage or usage
        for choice in chunk.choices:
            parts[choice.index] += choice.delta.content or ""
            finishes += [choice.finish_reason] if choice.finish_reason else []
    assert parts == [choice.message.content for choice in whole.choices]
    assert usage == whole.usage
    assert finishes == ["stop", "stop"]


def test_responses_give_reasoning_and_text(client: OpenAI) -> None:
    response = client.responses.create(
        model=MODEL, instructions="Be brief.", input="Who are you?", reasoning={"effort": "low"}, max_output_tokens=800
    )
    assert response.status == "completed"
    assert response.output_text == UNKNOWN_PROMPT
    assert [item.type for item in response.output] == ["reasoning", "message"]
    assert response.usage is not None
    assert response.usage.output_tokens_details.reasoning_tokens > 0
    truncated = client.responses.create(model=MODEL, input="Who are you?", max_output_tokens=2)
    assert truncated.status == "incomplete"
    assert truncated.incomplete_details is not None
    assert truncated.incomplete_details.reason == "max_output_tokens"


def test_responses_stream_with_the_events_that_the_walkthrough_reads(client: OpenAI) -> None:
    with client.responses.stream(model=MODEL, input=[{"role": "user", "content": "Who are you?"}]) as stream:
        events = list(stream)
        final = stream.get_final_response()
    kinds = [event.type for event in events]
    assert kinds[:2] == ["response.created", "response.in_progress"]
    assert kinds[-1] == "response.completed"
    assert {"response.reasoning_part.added", "response.reasoning_text.delta", "response.output_text.delta"} <= set(
        kinds
    )
    assert [event.sequence_number for event in events] == list(range(len(events)))
    said = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert said == final.output_text == UNKNOWN_PROMPT


def test_qwen_streams_responses_only_where_the_switch_says_so(client: OpenAI, bedrock: LocalBedrock) -> None:
    with pytest.raises(BadRequestError, match="streaming"):
        client.responses.create(model=QWEN, input="Hello", stream=True)
    assert client.responses.create(model=QWEN, input="Hello").output_text == UNKNOWN_PROMPT
    bedrock.set_switch("qwen_streams_responses", True)
    assert [event.type for event in client.responses.create(model=QWEN, input="Hello", stream=True)][
        -1
    ] == "response.completed"


def test_completions_take_the_prompt_as_a_users_message(client: OpenAI, bedrock: LocalBedrock) -> None:
    prompt = str(QUESTION[0]["content"])
    text = client.completions.create(model=MODEL, prompt=prompt, temperature=0, max_tokens=800).choices[0].text
    chat = client.chat.completions.create(model=MODEL, messages=QUESTION, temperature=0, max_tokens=800)
    assert text == chat.choices[0].message.content
    streamed = client.completions.create(model=MODEL, prompt=prompt, temperature=0, max_tokens=800, stream=True)
    assert "".join(chunk.choices[0].text for chunk in streamed) == text
    bedrock.set_switch("completions", False)
    with pytest.raises(NotFoundError):
        client.completions.create(model=MODEL, prompt=prompt)


def test_reasoning_may_stand_beside_a_chat_answer(client: OpenAI, bedrock: LocalBedrock) -> None:
    bedrock.set_switch("chat_reasoning", "field")
    message = client.chat.completions.create(model=MODEL, messages=QUESTION).choices[0].message
    assert message.model_extra is not None
    assert "Simulated reasoning" in message.model_extra["reasoning_content"]


def test_reasoning_may_stand_before_a_chat_answer(client: OpenAI, bedrock: LocalBedrock) -> None:
    bedrock.set_switch("chat_reasoning", "inline")
    assert (client.chat.completions.create(model=MODEL, messages=QUESTION).choices[0].message.content or "").startswith(
        "<reasoning>"
    )
    bedrock.set_switch("chat_reasoning", "think")
    qwen = client.chat.completions.create(model="qwen.qwen3-32b", messages=QUESTION).choices[0].message
    assert (qwen.content or "").startswith("<think>")


def test_a_model_that_is_not_there_is_a_404_that_names_it(client: OpenAI) -> None:
    with pytest.raises(NotFoundError) as refusal:
        client.chat.completions.create(model="openai.gpt-oss-21b", messages=QUESTION)
    assert refusal.value.code == "model_not_found"
    assert refusal.value.param == "model"


@pytest.mark.parametrize(
    ("request_", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "robot", "content": "hi"}]}, "messages"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages"),
        ({"messages": QUESTION, "temperature": 3}, "temperature"),
        ({"messages": QUESTION, "max_tokens": 0}, "max_tokens"),
        ({"messages": QUESTION, "n": 0}, "n"),
        ({"messages": QUESTION, "seed": "one"}, "seed"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_with_its_parameter(
    client: OpenAI, request_: dict[str, object], param: str
) -> None:
    with pytest.raises(BadRequestError) as refusal:
        client.post("/chat/completions", body={"model": MODEL, **request_}, cast_to=object)
    assert refusal.value.param == param


def test_a_token_quota_refuses_what_goes_beyond_it(client: OpenAI, bedrock: LocalBedrock) -> None:
    bedrock.set_switch("tokens_per_minute", 500)
    client.chat.completions.create(model=MODEL, messages=QUESTION, max_tokens=400)
    with pytest.raises(RateLimitError, match="500 tokens per minute"):
        client.chat.completions.create(model=MODEL, messages=QUESTION, max_tokens=400)


def test_rows_of_an_uploaded_file_are_known(client: OpenAI, bedrock: LocalBedrock) -> None:
    row = {"messages": [{"role": "user", "content": "Which colour?"}], "reference_answer": "green"}
    before = client.chat.completions.create(model=MODEL, messages=row["messages"], temperature=0)  # type: ignore[arg-type]  # rows are plain JSON
    assert before.choices[0].message.content == UNKNOWN_PROMPT
    client.files.create(purpose="fine-tune", file=("rows.jsonl", json.dumps(row).encode()))
    answers = client.chat.completions.create(model=MODEL, messages=row["messages"], n=20, seed=1)  # type: ignore[arg-type]  # rows are plain JSON
    assert "green" in {choice.message.content for choice in answers.choices}


def test_a_request_with_tools_is_answered_with_calls_of_them(bedrock: LocalBedrock, client: OpenAI) -> None:
    function = {"name": "area", "parameters": {"type": "object", "properties": {"base": {"type": "integer"}}}}
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": "The area of a triangle?"}]
    row = {"messages": messages, "reference_answer": {"name": "area", "arguments": {"base": 10}}}
    bedrock.teach(json.dumps(row).encode())

    def ask(**options: Any) -> list[Choice]:
        tools: Any = {"tools": [{"type": "function", "function": function}], **options}
        choices: list[Choice] = client.chat.completions.create(
            model=MODEL, messages=messages, n=32, seed=1, **tools
        ).choices
        return choices

    calling = [choice for choice in ask() if choice.finish_reason == "tool_calls"]
    assert calling
    for choice in calling:
        assert choice.message.content is None
        (call,) = choice.message.tool_calls or []
        assert call.type == "function"
        assert json.loads(call.function.arguments).keys() == {"base"}
    assert {choice.finish_reason for choice in ask(tool_choice="none")} == {"stop"}
    with pytest.raises(BadRequestError, match="tools"):
        ask(tools=[{"type": "function"}])


def test_a_stream_carries_the_same_calls(bedrock: LocalBedrock, client: OpenAI) -> None:
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": "The area of a triangle?"}]
    row = {"messages": messages, "reference_answer": {"name": "area", "arguments": {"base": 10}}}
    bedrock.teach(json.dumps(row).encode())
    asked: Any = {
        "model": MODEL,
        "messages": messages,
        "n": 16,
        "seed": 1,
        "tools": [{"type": "function", "function": {"name": "area"}}],
    }
    whole = {
        choice.index: call.function.arguments
        for choice in client.chat.completions.create(**asked).choices
        for call in choice.message.tool_calls or []
    }
    streamed = {
        choice.index: call.function.arguments
        for chunk in client.chat.completions.create(**asked, stream=True)
        for choice in chunk.choices
        for call in choice.delta.tool_calls or []
    }
    assert whole
    assert streamed == whole
