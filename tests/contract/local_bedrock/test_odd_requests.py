"""Requests as outsiders bring them: broken, huge, in any script, by the wrong method, without a key."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx2
import pytest
from openai import APIStatusError, AsyncOpenAI, OpenAI

from local.bedrock import LocalBedrock
from local.bedrock.simulated_model import UNKNOWN_PROMPT

MODEL = "openai.gpt-oss-20b"


@pytest.fixture
def http(bedrock: LocalBedrock) -> Any:
    """A plain client with a key."""
    headers = {"authorization": f"Bearer {bedrock.api_key()}"}
    with httpx2.Client(base_url=bedrock.endpoint, headers=headers, trust_env=False, timeout=30) as client:
        yield client


def error(answer: Any) -> tuple[int, str]:
    """The status and code of a refusal in OpenAI's envelope."""
    told = answer.json()["error"]
    assert set(told) == {"code", "message", "param", "type"}
    return answer.status_code, told["code"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"a": NaN}', b"\xff\xfe", b'{"model": "\\ud800"}', b"[" * 5000]
)
def test_a_body_that_is_no_json_object_is_a_400(http: Any, body: bytes) -> None:
    for path in ("/v1/chat/completions", "/v1/responses", "/v1/completions", "/v1/fine_tuning/jobs"):
        assert error(http.post(path, content=body))[0] == 400


def test_a_method_or_path_that_there_is_not_is_refused_in_the_envelope(http: Any) -> None:
    refused = http.request("OPTIONS", "/v1/chat/completions")
    assert (error(refused), refused.headers["allow"]) == ((405, "method_not_allowed"), "POST")
    assert error(http.get("/v1/embeddings")) == (404, "not_found")
    assert http.head("/v1/models").status_code == 200
    assert http.head("/v1/models").content == b""


def test_a_request_without_a_key_or_with_a_wrong_one_is_a_401(bedrock: LocalBedrock) -> None:
    with httpx2.Client(base_url=bedrock.endpoint, trust_env=False) as client:
        assert error(client.get("/v1/models")) == (401, "invalid_api_key")
        for value in ("Bearer nonsense", "Basic dTpw", "AWS4-HMAC-SHA256 nonsense"):
            refused = client.get("/v1/models", headers={"authorization": value})
            assert error(refused) == (401, "invalid_api_key")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "elsewhere.example"},
        {"Host": "127.0.0.1.elsewhere.example:80"},
    ],
)
def test_a_page_in_a_browser_is_refused_even_with_a_key(http: Any, headers: dict[str, str]) -> None:
    for method, path in (("GET", "/v1/models"), ("POST", "/_simulation/switches"), ("POST", "/_simulation/forget")):
        refused = http.request(method, path, headers=headers, content=b"{}" if method == "POST" else None)
        assert error(refused) == (403, "forbidden")


@pytest.mark.parametrize(
    "host", ["localhost:80", "[::1]:80", "bedrock.us-west-2.amazonaws.com", "host.docker.internal"]
)
def test_a_program_is_answered_under_each_name_of_this_machine(http: Any, host: str) -> None:
    assert http.get("/v1/models", headers={"Host": host}).status_code == 200


@pytest.mark.prove
def test_a_body_of_25_megabytes_is_answered(client: OpenAI) -> None:
    text = "é" * (25 * 2**19)
    answer = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": text}])
    assert answer.choices[0].message.content == UNKNOWN_PROMPT
    row = {"messages": [{"role": "user", "content": text}], "reference_answer": "x"}
    assert client.files.create(purpose="fine-tune", file=("rows.jsonl", json.dumps(row).encode())).bytes > 25 * 2**20


def test_every_script_comes_back_as_it_went(client: OpenAI, bedrock: LocalBedrock) -> None:
    reference = "שלום 你好 🙂 \u2028 é"
    row = {"messages": [{"role": "user", "content": "Say: " + reference}], "reference_answer": reference}
    bedrock.teach(json.dumps(row).encode())
    asked: Any = {"model": MODEL, "messages": row["messages"], "seed": 1, "n": 20}
    whole = [choice.message.content for choice in client.chat.completions.create(**asked).choices]
    assert any(reference in str(text) for text in whole)
    parts = [""] * 20
    for chunk in client.chat.completions.create(**asked, stream=True):
        for choice in chunk.choices:
            parts[choice.index] += choice.delta.content or ""
    assert parts == whole


def test_a_list_goes_on_after_the_place_it_is_told(client: OpenAI) -> None:
    names = [
        client.files.create(purpose="fine-tune", file=(f"{number}.jsonl", b'{"messages": []}\n')).id
        for number in range(3)
    ]
    assert [file.id for file in client.files.list(limit=1, order="asc")] == names
    for call in (client.files.list, client.fine_tuning.jobs.list):
        with pytest.raises(APIStatusError) as refusal:
            call(after="nothing")
        assert refusal.value.status_code == 400


def test_the_asynchronous_sdk_streams_and_goes_on(bedrock: LocalBedrock) -> None:
    async def ask() -> tuple[str, str]:
        async with AsyncOpenAI(base_url=bedrock.base_url, api_key=bedrock.api_key(), max_retries=0) as client:
            first = await client.responses.create(model=MODEL, input="Who are you?")
            events = await client.responses.create(
                model=MODEL, input="Who are you?", previous_response_id=first.id, stream=True
            )
            said = [event.delta async for event in events if event.type == "response.output_text.delta"]
            chunks = await client.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": "Who are you?"}], stream=True
            )
            return "".join(said), "".join([chunk.choices[0].delta.content or "" async for chunk in chunks])

    assert asyncio.run(ask()) == (UNKNOWN_PROMPT, UNKNOWN_PROMPT)


def test_filters_and_form_fields_that_nothing_comes_of_are_refused_by_name(client: OpenAI) -> None:
    with pytest.raises(APIStatusError) as refusal:
        client.fine_tuning.jobs.list(metadata={"team": "search"})
    assert (refusal.value.status_code, refusal.value.param) == (400, "metadata[team]")
    with pytest.raises(APIStatusError) as refusal:
        client.files.create(
            purpose="fine-tune",
            file=("rows.jsonl", b'{"messages": []}\n'),
            expires_after={"anchor": "created_at", "seconds": 3600},
        )
    assert (refusal.value.status_code, refusal.value.param) == (400, "expires_after[anchor]")
