"""Where Responses, Converse and InvokeModel show what a model thought, by the switches; the answer stays the same."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from openai import AsyncOpenAI, OpenAI

from local.bedrock import LocalBedrock
from local.bedrock.native.turn import REDACTED, Shown
from local.bedrock.simulated_model import REASONING, UNKNOWN_PROMPT
from tests.contract.local_bedrock.bedrock_requests import native_client
from tunedrop.graders.contract import read_sample
from tunedrop.graders.deployed import wire_form
from tunedrop.graders.graded import Rollout
from tunedrop.sampling.nova import NovaSampler
from tunedrop.sampling.open_weight import OpenWeightSampler
from tunedrop.sampling.question import Asking, Question, Reply

if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient

MODEL, QWEN = "openai.gpt-oss-20b", "qwen.qwen3-32b"
PROFILE = "us.amazon.nova-2-lite-v1:0"
TURN: Any = {"role": "user", "content": [{"text": "Who are you?"}]}
BLOCKS: dict[Shown, list[dict[str, Any]]] = {
    "redacted": [{"reasoningContent": {"reasoningText": {"text": REDACTED}}}, {"text": UNKNOWN_PROMPT}],
    "text": [{"reasoningContent": {"reasoningText": {"text": REASONING}}}, {"text": UNKNOWN_PROMPT}],
    "inline": [{"text": f"<thinking>{REASONING}</thinking>\n{UNKNOWN_PROMPT}"}],
    "none": [{"text": UNKNOWN_PROMPT}],
}


def thinking(effort: str) -> dict[str, Any]:
    return {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": effort}}


@pytest.fixture
def runtime(nova_bedrock: LocalBedrock) -> BedrockRuntimeClient:
    made: BedrockRuntimeClient = native_client("bedrock-runtime", nova_bedrock.endpoint)
    return made


@pytest.mark.parametrize("way", BLOCKS)
def test_nova_shows_its_thoughts_as_the_switch_says_streamed_or_not(
    nova_bedrock: LocalBedrock, runtime: BedrockRuntimeClient, way: Shown
) -> None:
    nova_bedrock.set_switch("converse_reasoning", way)
    asked: Any = {"modelId": PROFILE, "messages": [TURN], "additionalModelRequestFields": thinking("low")}
    told = runtime.converse(**asked)
    assert told["output"]["message"]["content"] == BLOCKS[way]
    body = json.dumps({"messages": [TURN], **thinking("low")})
    invoked = json.loads(runtime.invoke_model(modelId=PROFILE, body=body)["body"].read())
    assert invoked["output"]["message"] == told["output"]["message"]
    unthought = runtime.converse(modelId=PROFILE, messages=[TURN])
    assert unthought["output"]["message"]["content"] == BLOCKS["none"]
    assert told["usage"]["outputTokens"] > unthought["usage"]["outputTokens"], "thoughts are charged, shown or not"

    streams: list[list[Any]] = [list(runtime.converse_stream(**asked)["stream"])]
    chunks = runtime.invoke_model_with_response_stream(modelId=PROFILE, body=body)["body"]
    streams.append([json.loads(event["chunk"]["bytes"]) for event in chunks])
    for events in streams:
        said: dict[int, list[Any]] = {}
        for delta in (each["contentBlockDelta"] for each in events if "contentBlockDelta" in each):
            said.setdefault(delta["contentBlockIndex"], []).append(delta["delta"])
        joined = [
            {"reasoningContent": {"reasoningText": {"text": "".join(each["reasoningContent"]["text"] for each in of)}}}
            if "reasoningContent" in of[0]
            else {"text": "".join(each["text"] for each in of)}
            for of in said.values()
        ]
        assert joined == BLOCKS[way]


@pytest.mark.parametrize("way", BLOCKS)
def test_the_answer_that_is_graded_is_the_same_however_nova_shows_its_thoughts(
    nova_bedrock: LocalBedrock, runtime: BedrockRuntimeClient, way: Shown
) -> None:
    nova_bedrock.set_switch("converse_reasoning", way)
    sampler = NovaSampler(runtime)
    asking = Asking(PROFILE, max_tokens=500, temperature=0.0, reasoning_effort="medium")
    reply = asyncio.run(sampler.ask(asking, Question([{"role": "user", "content": "Who are you?"}], seed=1)))
    sample = read_sample({"messages": [{"role": "assistant", "content": reply.text}]}, "1")
    assert sample.answer == UNKNOWN_PROMPT
    content: Any = BLOCKS[way]
    assert read_sample({"messages": [{"role": "assistant", "content": content}]}, "1").answer == UNKNOWN_PROMPT


@pytest.mark.parametrize("way", ["redacted", "text", "none"])
def test_novas_thoughts_beside_the_answer_are_measured_and_hidden_ones_are_not(
    nova_bedrock: LocalBedrock, runtime: BedrockRuntimeClient, way: str
) -> None:
    nova_bedrock.set_switch("converse_reasoning", way)
    asking = Asking(PROFILE, max_tokens=500, temperature=0.0, reasoning_effort="medium")
    reply = asyncio.run(NovaSampler(runtime).ask(asking, Question([{"role": "user", "content": "Hi"}], seed=1)))
    assert reply.thought == (REASONING if way == "text" else "")
    sample = read_sample(wire_form(Rollout("1", {"messages": []}, reply.text, reply.thought)), "1")
    assert sample.thought_length == (len(REASONING) if way == "text" else None)


@pytest.mark.parametrize("way", ["field", "inline", "none"])
def test_thoughts_beside_a_chat_answer_are_measured_as_those_in_it(bedrock: LocalBedrock, way: str) -> None:
    bedrock.set_switch("chat_reasoning", way)

    async def ask() -> Reply:
        async with AsyncOpenAI(base_url=bedrock.base_url, api_key=bedrock.api_key()) as client:
            question = Question([{"role": "user", "content": "Hi"}], seed=1)
            return await OpenWeightSampler(client).ask(Asking(MODEL, max_tokens=500, temperature=0.0), question)

    reply = asyncio.run(ask())
    sample = read_sample(wire_form(Rollout("1", {"messages": []}, reply.text, reply.thought)), "1")
    assert sample.answer == UNKNOWN_PROMPT
    assert sample.thought_length == (None if way == "none" else len(REASONING))


@pytest.mark.parametrize(
    ("config", "settings", "why"),
    [
        ({"type": "enabled", "maxReasoningEffort": "extreme"}, {}, "maxReasoningEffort"),
        ({"type": "enabled"}, {}, "maxReasoningEffort"),
        ({"type": "on"}, {}, "reasoningConfig"),
        ({"type": "enabled", "maxReasoningEffort": "low", "budget": 5}, {}, "reasoningConfig"),
        ({"type": "enabled", "maxReasoningEffort": "high"}, {"temperature": 0.5}, "temperature cannot be used"),
        ({"type": "enabled", "maxReasoningEffort": "high"}, {"topP": 0.5, "maxTokens": 9}, "topP, maxTokens cannot"),
    ],
)
def test_an_effort_that_nova_does_not_take_is_refused(
    runtime: BedrockRuntimeClient, config: dict[str, Any], settings: Any, why: str
) -> None:
    fields = {"reasoningConfig": config}
    asked: Any = {"messages": [TURN], "inferenceConfig": settings, "additionalModelRequestFields": fields}
    body = json.dumps({"messages": [TURN], "inferenceConfig": settings, **fields})
    with pytest.raises(ClientError, match=f"ValidationException.*{why}"):
        runtime.converse(modelId=PROFILE, **asked)
    with pytest.raises(ClientError, match=f"ValidationException.*{why}"):
        runtime.invoke_model(modelId=PROFILE, body=body)


def test_thinking_at_the_highest_effort_and_turned_off_are_taken(runtime: BedrockRuntimeClient) -> None:
    for fields, blocks in ((thinking("high"), 2), ({"reasoningConfig": {"type": "disabled"}}, 1)):
        told = runtime.converse(modelId=PROFILE, messages=[TURN], additionalModelRequestFields=fields)
        assert len(told["output"]["message"]["content"]) == blocks


@pytest.mark.parametrize(
    ("way", "model", "text"),
    [
        ("item", MODEL, UNKNOWN_PROMPT),
        ("item", QWEN, UNKNOWN_PROMPT),
        ("inline", MODEL, f"<reasoning>{REASONING}</reasoning>{UNKNOWN_PROMPT}"),
        ("inline", QWEN, UNKNOWN_PROMPT),
        ("think", QWEN, f"<think>\n{REASONING}\n</think>\n\n{UNKNOWN_PROMPT}"),
        ("none", MODEL, UNKNOWN_PROMPT),
    ],
)
def test_a_response_shows_reasoning_as_the_switch_says(
    bedrock: LocalBedrock, client: OpenAI, way: str, model: str, text: str
) -> None:
    bedrock.set_switch("responses_reasoning", way)
    told = client.responses.create(model=model, input="Who are you?")
    beside = ["reasoning"] if (way, model) == ("item", MODEL) else []
    assert [item.type for item in told.output] == [*beside, "message"]
    assert told.output_text == text
    content: Any = told.model_dump()["output"]
    assert read_sample({"messages": [{"role": "assistant", "content": content}]}, "1").answer == UNKNOWN_PROMPT
