"""The same calls of tools by every API, streamed or not, by the unmodified openai SDK and boto3."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from openai import APIStatusError, BadRequestError, OpenAI

from local.bedrock import LocalBedrock
from tests.contract.local_bedrock.bedrock_requests import native_client
from tunedrop.sampling.nova import NovaSampler
from tunedrop.sampling.question import Asking, Question

if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient

MODEL = "openai.gpt-oss-20b"
PROFILE = "us.amazon.nova-2-lite-v1:0"
SCHEMA = {"type": "object", "properties": {"base": {"type": "integer"}, "unit": {"type": "string"}}}
CALL = {"name": "area", "arguments": {"base": 10, "unit": "centimetres, squared"}}
BOTH = [CALL, {"name": "sum", "arguments": {"of": [1, 2]}}]
FLAT: list[Any] = [{"type": "function", "name": name, "parameters": SCHEMA, "strict": None} for name in ("area", "sum")]
NESTED: list[Any] = [
    {"type": "function", "function": {"name": tool["name"], "parameters": tool["parameters"]}} for tool in FLAT
]
SPECS: dict[str, Any] = {
    "tools": [{"toolSpec": {"name": tool["name"], "inputSchema": {"json": tool["parameters"]}}} for tool in FLAT]
}
PROMPTS = [f"The areas of triangle {number}?" for number in range(12)]
GREEDY: dict[str, Any] = {"temperature": 0.0}

Calls = list[dict[str, Any]]


def row(prompt: str) -> bytes:
    return json.dumps({"messages": [{"role": "user", "content": prompt}], "reference_answer": BOTH}).encode()


@pytest.fixture
def runtime(nova_bedrock: LocalBedrock) -> BedrockRuntimeClient:
    nova_bedrock.teach(b"\n".join(map(row, PROMPTS)))
    made: BedrockRuntimeClient = native_client("bedrock-runtime", nova_bedrock.endpoint)
    return made


@pytest.fixture
def taught(bedrock: LocalBedrock, client: OpenAI) -> OpenAI:
    bedrock.teach(b"\n".join(map(row, PROMPTS)))
    return client


def read(name: str, arguments: str) -> dict[str, Any]:
    return {"name": name, "arguments": json.loads(arguments)}


def chat(client: OpenAI, prompt: str, **more: Any) -> Calls:
    asked: Any = {"messages": [{"role": "user", "content": prompt}], "tools": NESTED, "temperature": 0, **more}
    (choice,) = client.chat.completions.create(model=MODEL, **asked).choices
    made = choice.message.tool_calls or []
    assert (choice.finish_reason == "tool_calls") == bool(made)
    return [read(each.function.name, each.function.arguments) for each in made if each.type == "function"]


def chat_streamed(client: OpenAI, prompt: str) -> Calls:
    asked: Any = {"messages": [{"role": "user", "content": prompt}], "tools": NESTED, "temperature": 0}
    with client.chat.completions.stream(model=MODEL, **asked) as stream:
        kinds = [event.type for event in stream]
        (choice,) = stream.get_final_completion().choices
    made = choice.message.tool_calls or []
    assert kinds.count("tool_calls.function.arguments.delta") > len(made) or not made, "in pieces"
    assert kinds.count("tool_calls.function.arguments.done") == len(made)
    return [read(each.function.name, each.function.arguments) for each in made]


def responses(client: OpenAI, prompt: str, **more: Any) -> Calls:
    response = client.responses.create(model=MODEL, input=prompt, tools=FLAT, temperature=0, **more)
    calls = [item for item in response.output if item.type == "function_call"]
    assert all(item.id and item.call_id and item.status == "completed" for item in calls)
    assert not calls or response.output_text == ""
    return [read(item.name, item.arguments) for item in calls]


def responses_streamed(client: OpenAI, prompt: str) -> Calls:
    with client.responses.stream(model=MODEL, input=prompt, tools=FLAT, temperature=0) as stream:
        events = list(stream)
        final = stream.get_final_response()
    deltas: dict[str, str] = {}
    done: dict[str, str] = {}
    for event in events:
        if event.type == "response.function_call_arguments.delta":
            deltas[event.item_id] = deltas.get(event.item_id, "") + event.delta
        elif event.type == "response.function_call_arguments.done":
            done[event.item_id] = event.arguments
    calls = [item for item in final.output if item.type == "function_call"]
    assert deltas == done == {item.id: item.arguments for item in calls}
    assert [event.sequence_number for event in events] == list(range(len(events)))
    return [read(item.name, item.arguments) for item in calls]


def of_blocks(content: list[Any]) -> Calls:
    uses = [block["toolUse"] for block in content if "toolUse" in block]
    return [{"name": each["name"], "arguments": each["input"]} for each in uses]


def of_events(events: list[Any], stop_reason: str = "tool_use") -> Calls:
    made: Calls = []
    for event in events:
        if "contentBlockStart" in event:
            made.append({"name": event["contentBlockStart"]["start"]["toolUse"]["name"], "arguments": ""})
        elif "toolUse" in event.get("contentBlockDelta", {}).get("delta", {}):
            made[-1]["arguments"] += event["contentBlockDelta"]["delta"]["toolUse"]["input"]
        elif "messageStop" in event:
            assert (event["messageStop"]["stopReason"] == stop_reason) == bool(made)
    return [read(each["name"], each["arguments"]) for each in made]


def turn(prompt: str) -> Any:
    return {"role": "user", "content": [{"text": prompt}]}


def converse(runtime: BedrockRuntimeClient, prompt: str) -> Calls:
    asked: Any = {"messages": [turn(prompt)], "toolConfig": SPECS, "inferenceConfig": GREEDY}
    told = runtime.converse(modelId=PROFILE, **asked)
    calls = of_blocks(told["output"]["message"]["content"])
    assert (told["stopReason"] == "tool_use") == bool(calls)
    return calls


def converse_streamed(runtime: BedrockRuntimeClient, prompt: str) -> Calls:
    asked: Any = {"messages": [turn(prompt)], "toolConfig": SPECS, "inferenceConfig": GREEDY}
    return of_events(list(runtime.converse_stream(modelId=PROFILE, **asked)["stream"]))


def body(prompt: str) -> str:
    return json.dumps({"messages": [turn(prompt)], "toolConfig": SPECS, "inferenceConfig": GREEDY})


def invoke(runtime: BedrockRuntimeClient, prompt: str) -> Calls:
    told = json.loads(runtime.invoke_model(modelId=PROFILE, body=body(prompt))["body"].read())
    return of_blocks(told["output"]["message"]["content"])


def invoke_streamed(runtime: BedrockRuntimeClient, prompt: str) -> Calls:
    stream = runtime.invoke_model_with_response_stream(modelId=PROFILE, body=body(prompt))["body"]
    return of_events([json.loads(event["chunk"]["bytes"]) for event in stream])


def test_the_same_calls_come_by_chat_and_responses_streamed_or_not(taught: OpenAI) -> None:
    ways: list[Callable[[OpenAI, str], Calls]] = [chat, chat_streamed, responses, responses_streamed]
    told = [[way(taught, prompt) for prompt in PROMPTS] for way in ways]
    assert BOTH in told[0], "two calls, as the reference has them"
    assert [] in told[0], "an answer that is no call"
    assert all(each == told[0] for each in told)


@pytest.mark.prove
def test_the_same_calls_come_by_converse_and_invoke_model_streamed_or_not(runtime: BedrockRuntimeClient) -> None:
    ways: list[Callable[[BedrockRuntimeClient, str], Calls]] = [converse, converse_streamed, invoke, invoke_streamed]
    told = [[way(runtime, prompt) for prompt in PROMPTS] for way in ways]
    assert BOTH in told[0]
    assert [] in told[0]
    assert all(each == told[0] for each in told)


def test_no_more_than_one_call_comes_where_none_may_be_parallel(taught: OpenAI) -> None:
    for way in (chat, responses):
        counts = {len(way(taught, prompt, parallel_tool_calls=False)) for prompt in PROMPTS}
        assert counts == {0, 1}
        assert {len(way(taught, prompt, tool_choice="none")) for prompt in PROMPTS} == {0}


def test_a_response_says_with_which_tools_it_was_asked(taught: OpenAI) -> None:
    told = taught.responses.create(model=MODEL, input="Hi", tools=FLAT, tool_choice="none", parallel_tool_calls=False)
    assert [tool.name for tool in told.tools if tool.type == "function"] == ["area", "sum"]
    assert (told.tool_choice, told.parallel_tool_calls) == ("none", False)
    for wrong in ({"type": "function"}, {"type": "function", "function": {"name": "area"}}, "area"):
        with pytest.raises(BadRequestError, match=r"tools\[0\]"):
            taught.responses.create(model=MODEL, input="Hi", tools=[wrong])  # type: ignore[list-item]  # none is a tool


def test_the_result_of_a_call_is_sent_back_for_the_next_turn(taught: OpenAI) -> None:
    for prompt in PROMPTS:
        first = taught.responses.create(model=MODEL, input=prompt, tools=FLAT, temperature=0)
        calls = [item for item in first.output if item.type == "function_call"]
        if calls:
            break
    outputs: Any = [{"type": "function_call_output", "call_id": call.call_id, "output": "x" * 400} for call in calls]
    second = taught.responses.create(model=MODEL, input=outputs, tools=FLAT, previous_response_id=first.id)
    assert second.usage is not None
    assert second.usage.input_tokens >= 100 * len(calls)


def test_the_results_of_calls_are_part_of_a_conversation_with_nova(runtime: BedrockRuntimeClient) -> None:
    for prompt in PROMPTS:
        asked: Any = {"toolConfig": SPECS, "inferenceConfig": GREEDY}
        told = runtime.converse(modelId=PROFILE, messages=[turn(prompt)], **asked)
        message: Any = told["output"]["message"]
        uses = [block["toolUse"]["toolUseId"] for block in message["content"] if "toolUse" in block]
        if len(uses) == 2:
            break
    assert len(set(uses)) == 2
    results: list[Any] = [
        {"toolResult": {"toolUseId": uses[0], "content": [{"json": {"x": "y" * 400}}]}},
        {"toolResult": {"toolUseId": uses[1], "content": [{"text": "z" * 400}], "status": "success"}},
    ]

    def answered(given: list[Any], settings: Any = asked) -> int:
        messages = [turn(prompt), message, {"role": "user", "content": given}]
        return runtime.converse(modelId=PROFILE, messages=messages, **settings)["usage"]["inputTokens"]

    assert answered(results) >= 200
    for given, settings, why in (
        (results[:1], asked, f"messages.2.content for the following Ids: {uses[1]}"),
        ([{"text": "Go on."}], asked, "Expected toolResult blocks"),
        ([*results, results[0]], asked, "exceeds the number of toolUse blocks"),
        (results, {}, "toolConfig field must be defined"),
    ):
        with pytest.raises(ClientError, match="ValidationException") as refusal:
            answered(given, settings)
        assert why in str(refusal.value)


def test_a_row_with_calls_and_results_in_its_prompt_can_be_asked(
    nova_bedrock: LocalBedrock, runtime: BedrockRuntimeClient
) -> None:
    made = {"id": "functions.area:0", "type": "function", "function": {"name": "area", "arguments": '{"base": 10}'}}
    messages: list[Any] = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "How large is it?"},
        {"role": "assistant", "content": None, "tool_calls": [made, {**made, "id": "functions.area:1"}]},
        {"role": "tool", "tool_call_id": "functions.area:0", "content": "25"},
        {"role": "tool", "tool_call_id": "functions.area:1", "content": [{"type": "text", "text": "26"}]},
    ]
    nova_bedrock.teach(json.dumps({"messages": messages, "reference_answer": CALL}).encode())
    asking = Asking(PROFILE, max_tokens=500, temperature=1.0)
    for tools in (NESTED, ()):
        replies = [asyncio.run(NovaSampler(runtime).ask(asking, Question(messages, 1, tools))) for _ in range(8)]
        assert {reply.refused for reply in replies} == {None}
        assert json.dumps(CALL) in {reply.text for reply in replies}


def test_a_choice_that_is_forced_is_refused_by_name(runtime: BedrockRuntimeClient, taught: OpenAI) -> None:
    forced: Any = {**SPECS, "toolChoice": {"any": {}}}
    body = json.dumps({"messages": [turn("Hi")], "toolConfig": forced})
    for call in (
        lambda: runtime.converse_stream(modelId=PROFILE, messages=[turn("Hi")], toolConfig=forced),
        lambda: runtime.invoke_model(modelId=PROFILE, body=body),
    ):
        with pytest.raises(ClientError, match=r"toolConfig\.toolChoice"):
            call()
    with pytest.raises(APIStatusError, match="tool_choice"):
        taught.responses.create(model=MODEL, input="Hi", tools=FLAT, tool_choice="required")
