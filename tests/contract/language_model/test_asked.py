"""A real language model asked through each API: what is told of its answers is true of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from openai import BadRequestError, OpenAI

from local.bedrock import LocalBedrock
from local.bedrock.handle import LanguageModelHere
from tests.contract.language_model.pace import PACE
from tests.contract.local_bedrock.bedrock_requests import native_client

pytestmark = pytest.mark.prove

MODEL = "openai.gpt-oss-20b"
NOVA = "us.amazon.nova-2-lite-v1:0"
ASKED: list[Any] = [{"role": "user", "content": "add 2 and 3"}]
PROMPT_TOKENS = len("u:add 2 and 3|a:")  # the tokenizer's tokens are letters


def chat(client: OpenAI, **settings: Any) -> Any:
    return client.chat.completions.create(
        **{"model": MODEL, "messages": ASKED, "max_tokens": 20, "seed": 1, **settings}
    )


def test_counts_and_reasons_are_those_of_the_tokens(client: OpenAI) -> None:
    answer = chat(client, n=3)
    texts = [choice.message.content for choice in answer.choices]
    assert len(set(texts)) == 3
    assert answer.usage.prompt_tokens == PROMPT_TOKENS
    said = 0
    for choice in answer.choices:
        assert (choice.finish_reason == "length") == (len(choice.message.content) == 20)
        said += len(choice.message.content) + (choice.finish_reason == "stop")  # the end's token counts
    assert answer.usage.completion_tokens == said
    assert answer.system_fingerprint == "tiny"
    assert "reasoning_content" not in answer.choices[0].message.model_extra


def test_a_seed_repeats_an_answer_and_none_does_not(client: OpenAI) -> None:
    first, second, other = (chat(client, seed=seed).choices[0].message.content for seed in (5, 5, 6))
    assert first == second != other
    assert len({chat(client, seed=None).choices[0].message.content for _ in range(4)}) > 1


def test_at_temperature_0_every_answer_is_the_same(client: OpenAI) -> None:
    answers = {chat(client, temperature=0, seed=seed).choices[0].message.content for seed in (1, 2, 3)}
    assert len(answers) == 1


def test_many_at_once_answer_as_each_alone(client: OpenAI) -> None:
    alone = [chat(client, seed=seed, temperature=0.5).choices[0].message.content for seed in range(6)]
    together = chat(client, n=2, seed=0, temperature=0.5)
    assert together.choices[0].message.content == alone[0]


def test_a_stop_ends_the_answer_before_it(client: OpenAI) -> None:
    whole = chat(client, max_tokens=40).choices[0].message.content
    stop = whole[5:7]
    answer = chat(client, max_tokens=40, stop=[stop])
    assert answer.choices[0].message.content == whole[: whole.index(stop)]
    assert answer.choices[0].finish_reason == "stop"


def test_a_stream_is_the_answer_in_pieces(client: OpenAI) -> None:
    answer = chat(client, n=2)
    texts, reasons, usage, pieces = ["", ""], ["", ""], None, 0
    for chunk in chat(client, n=2, stream=True, stream_options={"include_usage": True}):
        usage = chunk.usage or usage
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
            pieces += bool(choice.delta.content)
            reasons[choice.index] = choice.finish_reason or reasons[choice.index]
    assert texts == [choice.message.content for choice in answer.choices]
    assert reasons == [choice.finish_reason for choice in answer.choices]
    assert usage == answer.usage
    assert pieces > 10


def test_responses_answer_and_stream(client: OpenAI) -> None:
    settings: dict[str, Any] = {"model": MODEL, "input": "add 2 and 3", "max_output_tokens": 20, "temperature": 0}
    answer = client.responses.create(**settings)
    assert answer.usage is not None
    assert answer.usage.input_tokens == PROMPT_TOKENS
    assert answer.usage.output_tokens_details.reasoning_tokens == 0
    assert [item.type for item in answer.output] == ["message"]
    events = list(client.responses.create(**settings, stream=True))
    deltas = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert deltas == answer.output_text
    last = events[-1]
    assert last.type in ("response.completed", "response.incomplete")
    assert last.response.output_text == deltas
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert client.responses.retrieve(last.response.id).output_text == deltas


def test_a_prompt_beyond_the_context_is_refused(client: OpenAI) -> None:
    for stream in (False, True):
        with pytest.raises(BadRequestError, match="context has 256"):
            chat(client, messages=[{"role": "user", "content": "a" * 300}], stream=stream)


def test_the_models_say_whose_weights_they_are(client: OpenAI) -> None:
    model = client.models.retrieve(MODEL)
    weights = {"name": "tiny", "licence": "apache-2.0"}
    assert model.model_extra == {"simulated": False, "trained_by": "local", "weights": weights}


def test_nothing_calls_itself_simulated(client: OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(model=MODEL, messages=ASKED, max_tokens=5)
    assert raw.headers["x-tunedrop-trained-by-local"] == "true"
    assert "simulated" not in str(dict(raw.headers)) + raw.text


@pytest.fixture
def runtime(tmp_path_factory: pytest.TempPathFactory, tiny: LanguageModelHere) -> Iterator[Any]:
    """Bedrock's runtime, in the Region of Nova."""
    folder = tmp_path_factory.mktemp("nova")
    with LocalBedrock.start(state_folder=folder, region="us-east-1", language_model=tiny, switches=PACE) as bedrock:
        yield native_client("bedrock-runtime", bedrock.endpoint)


def test_converse_answers_and_streams(runtime: Any) -> None:
    asked: dict[str, Any] = {
        "modelId": NOVA,
        "messages": [{"role": "user", "content": [{"text": "add 2 and 3"}]}],
        "inferenceConfig": {"temperature": 0.0, "maxTokens": 12},
    }
    answer = runtime.converse(**asked)
    text = answer["output"]["message"]["content"][0]["text"]
    assert answer["usage"]["inputTokens"] == PROMPT_TOKENS
    assert (answer["stopReason"] == "max_tokens") == (answer["usage"]["outputTokens"] == 12 == len(text))
    streamed = "".join(
        event["contentBlockDelta"]["delta"]["text"]
        for event in runtime.converse_stream(**asked)["stream"]
        if "contentBlockDelta" in event
    )
    assert streamed == text
