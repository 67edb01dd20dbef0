"""What the OpenAI-compatible API does with each field of a request: it is done, or refused by its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_type_hints

import pytest
from openai import APIStatusError, BadRequestError, OpenAI
from openai.types.chat.completion_create_params import CompletionCreateParamsBase as ChatParams
from openai.types.completion_create_params import CompletionCreateParamsBase as TextParams
from openai.types.responses.response_create_params import ResponseCreateParamsBase as ResponseParams

from local.bedrock import LocalBedrock
from local.bedrock.mantle.fields import CHAT, RESPONSE, TEXT, Fields

MODEL = "openai.gpt-oss-20b"
TURN = {"role": "user", "content": "Who are you?"}
TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}}}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}


@pytest.mark.parametrize(("fields", "params"), [(CHAT, ChatParams), (TEXT, TextParams), (RESPONSE, ResponseParams)])
def test_every_field_that_the_sdk_can_send_is_done_or_refused(fields: Fields, params: type) -> None:
    known = fields.done | fields.labels | set(fields.choices) | set(fields.refused)
    assert set(get_type_hints(params)) <= known


def asked(client: OpenAI, path: str, body: Mapping[str, Any]) -> Any:
    """The JSON that the API answers."""
    return client.post(path, body={"model": MODEL, **body}, cast_to=object)


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("/chat/completions", {"messages": [TURN], "tools": [TOOL], "tool_choice": "required"}, "tool_choice"),
        ("/chat/completions", {"messages": [TURN], "response_format": {"type": "json_object"}}, "response_format"),
        ("/chat/completions", {"messages": [TURN], "logprobs": True}, "logprobs"),
        ("/chat/completions", {"messages": [TURN], "logit_bias": {"5": 1}}, "logit_bias"),
        ("/chat/completions", {"messages": [TURN], "frequency_penalty": 0.5}, "frequency_penalty"),
        ("/chat/completions", {"messages": [TURN], "service_tier": "flex"}, "service_tier"),
        ("/chat/completions", {"messages": [{"role": "user", "content": [IMAGE]}]}, "messages[0].content[0]"),
        ("/completions", {"prompt": "Hi", "echo": True}, "echo"),
        ("/completions", {"prompt": "Hi", "logprobs": 3}, "logprobs"),
        ("/completions", {"prompt": [1, 2, 3]}, "prompt"),
        ("/responses", {"input": "Hi", "tools": [{"type": "web_search"}]}, "tools"),
        ("/responses", {"input": "Hi", "tool_choice": "required"}, "tool_choice"),
        ("/responses", {"input": "Hi", "background": True}, "background"),
        ("/responses", {"input": "Hi", "text": {"format": {"type": "json_object"}}}, "text.format"),
        ("/responses", {"input": "Hi", "include": ["message.output_text.logprobs"]}, "include"),
        ("/responses", {"input": [{"type": "web_search_call", "id": "x", "status": "completed"}]}, "input[0]"),
    ],
)
def test_what_is_not_imitated_is_a_501_that_names_it_and_is_asked_once(
    bedrock: LocalBedrock, path: str, body: dict[str, Any], param: str
) -> None:
    before = bedrock.calls().get("CreateInference", 0)
    with (
        OpenAI(base_url=bedrock.base_url, api_key=bedrock.api_key(), max_retries=2) as client,
        pytest.raises(APIStatusError) as refusal,
    ):
        asked(client, path, body)
    assert (refusal.value.status_code, refusal.value.code, refusal.value.param) == (501, "not_imitated", param)
    assert bedrock.calls()["CreateInference"] == before + 1


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("/chat/completions", {"messages": [TURN], "thinking": {"type": "enabled"}}, "thinking"),
        ("/chat/completions", {"messages": [{**TURN, "colour": "blue"}]}, "messages[0].colour"),
        ("/chat/completions", {"messages": [TURN], "stream": True, "stream_options": {"x": 1}}, "stream_options.x"),
        ("/completions", {"prompt": "Hi", "top_k": 5}, "top_k"),
        ("/responses", {"input": "Hi", "n": 2}, "n"),
        ("/responses", {"input": "Hi", "reasoning": {"budget": 5}}, "budget"),
    ],
)
def test_a_field_that_there_is_not_is_refused_by_its_name(
    client: OpenAI, bedrock: LocalBedrock, path: str, body: dict[str, Any], param: str
) -> None:
    with pytest.raises(BadRequestError) as refusal:
        asked(client, path, body)
    assert (refusal.value.code, refusal.value.param) == ("unknown_parameter", param)
    assert refusal.value.message.count(f"Unknown parameter: '{param}'.") == 1


def test_a_switch_lets_unknown_fields_pass(client: OpenAI, bedrock: LocalBedrock) -> None:
    bedrock.set_switch("unknown_parameters", "ignore")
    assert asked(client, "/chat/completions", {"messages": [TURN], "thinking": 1})["choices"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/chat/completions", {name: values[0] for name, values in CHAT.refused.items() if values}),
        ("/chat/completions", {"reasoning_effort": "low", "user": "u", "metadata": {"a": "b"}, "top_p": 0.9}),
        ("/chat/completions", dict.fromkeys([*CHAT.refused, *CHAT.labels, *CHAT.choices, "stop", "n", "stream"])),
        ("/completions", {name: values[0] for name, values in TEXT.refused.items() if values}),
        ("/responses", {name: values[0] for name, values in RESPONSE.refused.items() if values}),
        ("/responses", {"text": {"format": {"type": "text"}, "verbosity": "low"}, "reasoning": {"summary": "auto"}}),
    ],
)
def test_values_that_ask_for_nothing_are_let_through(client: OpenAI, path: str, body: dict[str, Any]) -> None:
    question = {"messages": [TURN], "prompt": "Hi", "input": "Hi"}
    name = {"/chat/completions": "messages", "/completions": "prompt", "/responses": "input"}[path]
    assert asked(client, path, {**body, name: question[name]})["object"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
        ({"stop": [""]}, "stop"),
        ({"stop": 5}, "stop"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"top_p": 1.5}, "top_p"),
        ({"reasoning_effort": "extreme"}, "reasoning_effort"),
    ],
)
def test_a_value_out_of_bounds_is_refused_with_its_parameter(client: OpenAI, body: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequestError) as refusal:
        asked(client, "/chat/completions", {"messages": [TURN], **body})
    assert refusal.value.param == param


@pytest.mark.parametrize("stop", ["simulated", ["no such text", "simulated", "Tunedrop"]])
def test_an_answer_ends_before_the_first_of_its_stops(client: OpenAI, stop: Any) -> None:
    answer = asked(client, "/chat/completions", {"messages": [TURN], "stop": stop, "n": 2})
    assert [choice["message"]["content"] for choice in answer["choices"]] == ["This is the "] * 2
    assert {choice["finish_reason"] for choice in answer["choices"]} == {"stop"}
    assert answer["usage"]["completion_tokens"] == 2 * 3
    with client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": "Who are you?"}],
        stop=stop,
        stream=True,
    ) as stream:
        assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == "This is the "
    text = client.completions.create(model=MODEL, prompt=["Who are you?", "And who else?"], stop=stop)
    assert [(choice.index, choice.text) for choice in text.choices] == [(0, "This is the "), (1, "This is the ")]
