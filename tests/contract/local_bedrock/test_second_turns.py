"""Conversations by the Responses API: what a client sends for a second turn, and what is kept for it."""

from __future__ import annotations

from typing import Any

import pytest
from openai import APIStatusError, BadRequestError, NotFoundError, OpenAI
from openai.types.responses import ResponseFunctionToolCallParam
from openai.types.responses.response_input_param import FunctionCallOutput

from local.bedrock import LocalBedrock
from local.bedrock.records import Records
from local.bedrock.response_store import ResponseStore

MODEL = "openai.gpt-oss-20b"
CALL: ResponseFunctionToolCallParam = {
    "type": "function_call",
    "call_id": "call_1",
    "name": "look_up",
    "arguments": "{}",
}


def characters_asked(response: Any) -> int:
    """About how long the prompt was: its tokens, of four characters each."""
    assert response.usage is not None
    return 4 * int(response.usage.input_tokens)


def test_a_second_turn_goes_on_from_the_response_that_it_names(client: OpenAI, bedrock: LocalBedrock) -> None:
    first = client.responses.create(model=MODEL, instructions="Be brief.", input="x" * 400)
    assert first.model_dump()["store"] is True
    second = client.responses.create(model=MODEL, input="y" * 40, previous_response_id=first.id)
    assert second.previous_response_id == first.id
    assert characters_asked(second) >= 440 + len(first.output_text)
    bedrock.restart()
    third = client.responses.create(model=MODEL, input="z", previous_response_id=second.id)
    assert characters_asked(third) > characters_asked(second)
    sent = list(client.responses.input_items.list(third.id, order="asc", limit=2))
    assert [item.type for item in sent] == ["message", "reasoning", "message"] * 2 + ["message"]
    assert client.responses.retrieve(second.id) == second


def test_the_prompt_of_a_second_turn_is_that_of_the_same_chat(client: OpenAI, bedrock: LocalBedrock) -> None:
    turns = [("user", "What is 7?"), ("assistant", "A number."), ("user", "Which?")]
    row = '{"messages": [%s], "reference_answer": "green"}'
    messages = ", ".join(f'{{"role": "{role}", "content": "{text}"}}' for role, text in turns)
    bedrock.teach((row % messages).encode())
    items: Any = [
        {"role": "user", "content": [{"type": "input_text", "text": "What is 7?"}]},
        {"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm."}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "A number."}]},
        {"role": "user", "content": "Which?"},
    ]
    said = {client.responses.create(model=MODEL, input=items).output_text for _ in range(20)}
    assert "green" in said


def test_calls_and_their_outputs_are_part_of_the_conversation(client: OpenAI) -> None:
    output: FunctionCallOutput = {"type": "function_call_output", "call_id": "call_1", "output": "w" * 400}
    items: Any = [{"role": "user", "content": "Look it up."}, CALL, output]
    response = client.responses.create(model=MODEL, input=items)
    assert characters_asked(response) >= 400
    parts: Any = [{"type": "input_text", "text": "w" * 400}]
    again = client.responses.create(model=MODEL, input=[*items[:2], {**output, "output": parts}])
    assert characters_asked(again) == characters_asked(response)
    with pytest.raises(BadRequestError, match="No tool call found for function call output with call_id call_2"):
        client.responses.create(model=MODEL, input=[*items[:2], {**output, "call_id": "call_2"}])
    next_turn = client.responses.create(model=MODEL, input=[CALL], previous_response_id=response.id)
    after: Any = [{**output, "output": "done"}]
    assert client.responses.create(model=MODEL, input=after, previous_response_id=next_turn.id).status == "completed"


def test_an_item_that_was_answered_can_be_sent_by_its_id(client: OpenAI) -> None:
    first = client.responses.create(model=MODEL, input="Who are you?")
    reference: Any = {"type": "item_reference", "id": first.output[-1].id}
    second = client.responses.create(model=MODEL, input=[reference, {"role": "user", "content": "Go on."}])
    assert characters_asked(second) >= len(first.output_text)
    with pytest.raises(BadRequestError, match="'msg_none' not found"):
        client.responses.create(model=MODEL, input=[{"type": "item_reference", "id": "msg_none"}])


def test_a_response_that_is_not_kept_is_not_found(client: OpenAI) -> None:
    unkept = client.responses.create(model=MODEL, input="Hi", store=False, include=["reasoning.encrypted_content"])
    assert unkept.model_dump()["store"] is False
    assert unkept.output[0].model_dump()["encrypted_content"]
    deleted = client.responses.create(model=MODEL, input="Hi")
    with pytest.raises(BadRequestError, match="background"):
        client.responses.cancel(deleted.id)
    client.responses.delete(deleted.id)
    for gone in (unkept.id, deleted.id, "resp_none"):
        with pytest.raises(NotFoundError):
            client.responses.retrieve(gone)
        with pytest.raises(BadRequestError) as refusal:
            client.responses.create(model=MODEL, input="Hi", previous_response_id=gone)
        assert refusal.value.code == "previous_response_not_found"


@pytest.mark.prove
def test_a_streamed_response_is_kept_too(client: OpenAI) -> None:
    with client.responses.stream(model=MODEL, input="Hi") as stream:
        final = stream.get_final_response()
    assert client.responses.retrieve(final.id).output_text == final.output_text


@pytest.mark.parametrize(
    ("item", "where"),
    [
        ({"role": "robot", "content": "Hi"}, "input[0].role"),
        ({"role": "user", "content": 5}, "input[0].content"),
        ({"role": "user", "content": [{"type": "input_text"}]}, "input[0].content[0]"),
        ({**CALL, "arguments": {}}, "input[0].arguments"),
        ({"type": "function_call_output", "call_id": "call_1"}, "input[0].output"),
        ("Hi", "input[0]"),
    ],
)
def test_an_item_that_is_none_is_refused_with_its_place(client: OpenAI, item: Any, where: str) -> None:
    with pytest.raises(BadRequestError) as refusal:
        client.responses.create(model=MODEL, input=[item])
    assert f"'{where}'" in refusal.value.message


def test_an_image_among_the_parts_is_refused_by_name(client: OpenAI) -> None:
    part: Any = {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "auto"}
    with pytest.raises(APIStatusError) as refusal:
        client.responses.create(model=MODEL, input=[{"role": "user", "content": [part]}])
    assert (refusal.value.status_code, "input_image" in refusal.value.message) == (501, True)


def test_the_oldest_responses_make_room_for_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.bedrock.response_store._MOST", 3)
    records = Records(None)
    store = ResponseStore(records)
    for number in range(5):
        store.put({"id": f"resp_{number}", "previous_response_id": None, "output": []}, [])
    assert [number for number in range(5) if store.get(f"resp_{number}")] == [2, 3, 4]
    monkeypatch.setattr("local.bedrock.response_store._MOST_BYTES", 1000)
    store = ResponseStore(records)
    store.put({"id": "resp_long", "previous_response_id": None, "output": []}, [{"text": "x" * 2000}])
    assert [name for name in ("resp_2", "resp_3", "resp_4", "resp_long") if store.get(name)] == ["resp_long"]
