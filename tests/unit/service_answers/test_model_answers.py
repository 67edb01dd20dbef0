"""Whatever a model's API answers is a reply, or NotAnswered, or the judge's TryAgain: a later try may get one."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import boto3
import httpx2
import openai
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.stub import Stubber

from tests.unit.service_answers.broken_bodies import HTML, broken
from tunedrop.graders.deployed import DeployedGrader
from tunedrop.graders.graded import Rollout
from tunedrop.graders.json_answer import NotOneDocument
from tunedrop.graders.judge_model import BedrockChat, TryAgain
from tunedrop.sampling.nova import NovaSampler
from tunedrop.sampling.open_weight import OpenWeightSampler
from tunedrop.sampling.question import Asking, NotAllowed, NotAnswered, Question, Reply

COMPLETION = {
    "id": "chatcmpl-1",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "#### 4"}}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 5},
}
CONVERSE = {
    "output": {"message": {"role": "assistant", "content": [{"text": "#### 4"}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 3, "outputTokens": 5},
}
GRADES = [{"id": "a", "aggregate_reward_score": 0.5, "metrics_list": [{"name": "accuracy", "value": 1.0}]}]
ASKING = Asking("model", 100, 0.0)
QUESTION = Question([{"role": "user", "content": "2 + 2?"}], seed=1)


def media(body: bytes) -> str:
    return "text/html" if body == HTML else "application/json"


def hold(reply: Reply, what: str) -> None:
    assert isinstance(reply.text, str), what
    assert isinstance(reply.finish_reason, (str, type(None))), what
    for count in (reply.prompt_tokens, reply.completion_tokens):
        assert count is None or (type(count) is int and 0 <= count < 2**53), what


def test_a_broken_completion_is_a_reply_or_is_asked_for_again() -> None:
    async def ask_all() -> None:
        for what, body in broken(COMPLETION):
            transport = httpx2.MockTransport(
                lambda request, body=body: httpx2.Response(200, content=body, headers={"content-type": media(body)})
            )
            client = openai.AsyncOpenAI(
                base_url="https://x.invalid/v1",
                api_key="k",
                max_retries=0,
                http_client=httpx2.AsyncClient(transport=transport),
            )
            try:
                reply = await OpenWeightSampler(client).ask(ASKING, QUESTION)
            except NotAnswered:
                ends.add("again")
            else:
                hold(reply, what)
                ends.add(reply.text)

    ends: set[str] = set()
    asyncio.run(ask_all())
    assert {"#### 4", "again"} <= ends


def test_a_broken_answer_of_converse_is_a_reply_or_is_asked_for_again() -> None:
    client: Any = boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(retries={"total_max_attempts": 1}),
    )
    answered = b""

    def send(request: Any, **_: Any) -> AWSResponse:
        class Raw(io.BytesIO):
            def stream(self, **_: Any) -> Any:
                yield answered

        return AWSResponse(request.url, 200, HTTPHeaders.from_dict({"content-type": media(answered)}), Raw(answered))

    client.meta.events.register("before-send.bedrock-runtime", send)
    sampler = NovaSampler(client)
    ends: set[str] = set()
    for what, body in broken(CONVERSE):
        answered = body
        try:
            reply = sampler._converse(ASKING, QUESTION)
        except NotAnswered:
            ends.add("again")
        else:
            hold(reply, what)
            ends.add(reply.text)
    asyncio.run(sampler.close())
    assert {"#### 4", "again"} <= ends


REFUSAL = "User: u is not authorized to perform: bedrock:Ask on resource: r"


@pytest.mark.parametrize(
    "body",
    [{"error": {"code": "access_denied", "message": REFUSAL}}, {"message": REFUSAL}, REFUSAL],
    ids=["the usual envelope", "a message alone", "plain text"],
)
def test_a_right_that_is_missing_is_named_in_the_words_of_the_service(body: Any) -> None:
    transport = httpx2.MockTransport(
        lambda request: httpx2.Response(403, json=body) if body != REFUSAL else httpx2.Response(403, text=body)
    )
    client = openai.AsyncOpenAI(
        base_url="https://x.invalid/v1",
        api_key="k",
        max_retries=0,
        http_client=httpx2.AsyncClient(transport=transport),
    )
    with pytest.raises(NotAllowed, match=REFUSAL):
        asyncio.run(OpenWeightSampler(client).ask(ASKING, QUESTION))


def test_a_right_that_converse_misses_is_named_in_its_words() -> None:
    client: Any = boto3.client(
        "bedrock-runtime", region_name="us-east-1", aws_access_key_id="local", aws_secret_access_key="local"
    )
    with Stubber(client) as stubbed:
        stubbed.add_client_error("converse", "AccessDeniedException", REFUSAL, 403)
        sampler = NovaSampler(client)
        with pytest.raises(NotAllowed, match=REFUSAL):
            asyncio.run(sampler.ask(ASKING, QUESTION))


def test_a_broken_judgement_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    chat, ends = BedrockChat(), set()
    for _, body in broken(COMPLETION):
        transport = httpx2.MockTransport(
            lambda request, body=body: httpx2.Response(200, content=body, headers={"content-type": media(body)})
        )
        client = openai.OpenAI(
            base_url="https://x.invalid/v1",
            api_key="k",
            max_retries=0,
            http_client=httpx2.Client(transport=transport),
        )
        monkeypatch.setattr(chat, "open", lambda client=client: client)
        try:
            text = chat([], model="m", seconds=5, temperature=0, seed=None)
        except (TryAgain, NotOneDocument):
            ends.add("again")
        else:
            assert isinstance(text, str)
            ends.add(text)
    assert {"#### 4", "again"} <= ends


def test_a_broken_batch_of_grades_leaves_its_samples_ungraded() -> None:
    class Function:
        body = b""

        def invoke(self, **_: Any) -> dict[str, Any]:
            return {"Payload": io.BytesIO(self.body)}

    function: Any = Function()
    rollout = Rollout("a", {"messages": [{"role": "user", "content": "?"}]}, "4")
    ends = set()
    for what, body in broken(GRADES):
        function.body = body
        (graded,) = DeployedGrader(function, "arn").grade([rollout])
        assert graded.reward is None or isinstance(graded.reward, float), what
        assert (graded.reward is None) == (graded.ungraded is not None), what
        ends.add(graded.reward)
    assert {0.5, None} <= ends


def test_a_grader_s_answer_without_a_payload_leaves_its_samples_ungraded() -> None:
    class Function:
        def invoke(self, **_: Any) -> dict[str, Any]:
            return {}

    function: Any = Function()
    rollout = Rollout("a", {"messages": [{"role": "user", "content": "?"}]}, "4")
    assert [each.reward for each in DeployedGrader(function, "arn").grade([rollout])] == [None]
