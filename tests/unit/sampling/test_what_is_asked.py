"""What a row's conversation becomes where it is asked, and what a model's refusals become."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import boto3
import httpx2
import openai
import pytest

from tunedrop.sampling.converse_turns import turns_of
from tunedrop.sampling.nova import NovaSampler
from tunedrop.sampling.open_weight import OpenWeightSampler
from tunedrop.sampling.question import Asking, Question, Reply, Throttled

ASKING = Asking("model", 100, 0.0)
QUESTION = Question([{"role": "user", "content": "2 + 2?"}], seed=7)
COMPLETION = {"choices": [{"message": {"role": "assistant", "content": "4"}}]}


@pytest.mark.parametrize(
    ("written", "given"),
    [
        ('{"n": 4}', {"n": 4}),
        ("", {}),
        ("[4]", {}),
        ("{n: 4}", {}),
        ('{"n": ' * 200_000, {}),
        (None, {}),
    ],
    ids=["an object", "nothing", "a list", "no JSON", "nested without measure", "null"],
)
def test_arguments_that_are_no_object_are_asked_as_an_empty_one(written: str | None, given: dict[str, Any]) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "add", "arguments": written}}
    _, turns = turns_of([{"role": "assistant", "content": "", "tool_calls": [call]}])
    assert turns[0]["content"][0]["toolUse"]["input"] == given


def asked(*answers: httpx2.Response) -> tuple[Callable[[], Reply], list[dict[str, Any]]]:
    """Asks an endpoint that gives these answers, one after the other; and what it was asked."""
    left, seen = list(answers), list[dict[str, Any]]()

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(json.loads(request.content))
        return left.pop(0)

    client = openai.AsyncOpenAI(
        base_url="https://x.invalid/v1",
        api_key="k",
        max_retries=0,
        http_client=httpx2.AsyncClient(transport=httpx2.MockTransport(answer)),
    )
    sampler = OpenWeightSampler(client)
    return (lambda: asyncio.run(sampler.ask(ASKING, QUESTION))), seen


def refusal(status: int, **error: Any) -> httpx2.Response:
    return httpx2.Response(status, json={"error": {"message": "no", **error}})


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (refusal(400, code="content_filter"), "HTTP 400 (content_filter)"),
        (refusal(404), "HTTP 404 (NotFoundError)"),
        (refusal(422), "HTTP 422 (UnprocessableEntityError)"),
    ],
)
def test_a_question_that_the_endpoint_refuses_is_an_answer_that_says_so(answer: httpx2.Response, told: str) -> None:
    ask, _ = asked(answer)
    assert ask().refused == told


def test_an_endpoint_that_takes_no_seed_is_asked_without_one_from_then_on() -> None:
    ask, seen = asked(refusal(400, param="seed"), *(httpx2.Response(200, json=COMPLETION) for _ in range(2)))
    assert [ask().text, ask().text] == ["4", "4"]
    assert [each.get("seed") for each in seen] == [7, None, None]


@pytest.mark.parametrize(
    ("after", "seconds"),
    [("3", 3.0), ("0.5", 0.5), ("-1", 0.0), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("", None)],
)
def test_a_throttled_question_is_asked_again_when_the_endpoint_says(after: str, seconds: float | None) -> None:
    answer = refusal(429)
    answer.headers["retry-after"] = after
    ask, _ = asked(answer)
    with pytest.raises(Throttled) as throttled:
        ask()
    assert throttled.value.after_seconds == seconds


def test_a_question_that_converse_cannot_be_sent_is_an_answer_that_says_so() -> None:
    client = boto3.client(
        "bedrock-runtime", region_name="us-east-1", aws_access_key_id="local", aws_secret_access_key="local"
    )
    reply = NovaSampler(client)._converse(Asking("", 100, 0.0), QUESTION)
    assert reply.refused is not None
    assert "modelId" in reply.refused
