"""What Tunedrop sends, byte for byte as a server sees it, against what the service's documentation shows."""

from __future__ import annotations

import asyncio
import io
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import openai
import pytest

from tests.contract.local_bedrock.bedrock_requests import native_client
from tunedrop.sampling.nova import NovaSampler
from tunedrop.sampling.open_weight import OpenWeightSampler
from tunedrop.sampling.question import Asking, Question, Reply
from tunedrop.training.backend import JobRequest
from tunedrop.training.nova import NovaBackend
from tunedrop.training.open_weight import OpenWeightBackend

RUN_ID = "gsm8k-0123456789abcdef"
GRADER = "arn:aws:lambda:us-west-2:123456789012:function:my-reward-function"
MODEL_ARN = "arn:aws:bedrock:us-east-1:123456789012:custom-model/amazon.nova-2-lite-v1:0:256k/xyz789xyz789"


@dataclass
class Recorder:
    """A server that answers what it is told to and keeps what it was asked."""

    answer: dict[str, Any] = field(default_factory=dict)
    missing: int = 0  # answers that say that there is no such thing, before the answer comes
    requests: list[tuple[str, str, bytes, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    @property
    def last(self) -> tuple[str, str, bytes]:
        method, path, body, _ = self.requests[-1]
        return method, path, body


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    recorder = Recorder()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            recorder.requests.append(
                (self.command, self.path, body, {name.lower(): value for name, value in self.headers.items()})
            )
            text = json.dumps(recorder.answer).encode()
            self.send_response(404 if recorder.missing else 200)
            if recorder.missing:
                recorder.missing -= 1
                self.send_header("x-amzn-errortype", "ResourceNotFoundException")
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *arguments: Any) -> None:
            pass

    for method in ("GET", "POST", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.answer)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    recorder.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield recorder
    server.shutdown()
    server.server_close()


@pytest.fixture
def open_weight(recorder: Recorder) -> Iterator[OpenWeightBackend]:
    with openai.OpenAI(base_url=f"{recorder.url}/v1", api_key="key", max_retries=0) as client:
        yield OpenWeightBackend(client)


@pytest.fixture
def nova(recorder: Recorder) -> NovaBackend:
    client = native_client("bedrock", recorder.url)
    role = "arn:aws:iam::123456789012:role/BedrockRFTRole"
    return NovaBackend(client, client, role_arn=role, runs_bucket="bucket")


def test_an_open_weight_job_is_created_by_the_documented_body(
    open_weight: OpenWeightBackend, recorder: Recorder
) -> None:
    recorder.answer = {"id": "ftjob-1", "status": "validating_files", "training_file": "14c68926"}
    hyperparameters = {"n_epochs": 1, "batch_size": 4, "learning_rate_multiplier": 1.0}
    open_weight.create(JobRequest(RUN_ID, "openai.gpt-oss-20b", "14c68926", GRADER, hyperparameters))
    method, path, body = recorder.last
    assert (method, path) == ("POST", "/v1/fine_tuning/jobs")
    assert json.loads(body) == {
        "model": "openai.gpt-oss-20b",
        "training_file": "14c68926",
        "method": {
            "type": "reinforcement",
            "reinforcement": {
                "grader": {"type": "lambda", "lambda": {"function": GRADER}},
                "hyperparameters": {"n_epochs": 1, "batch_size": 4, "learning_rate_multiplier": 1.0},
            },
        },
    }
    assert b'"learning_rate_multiplier":1.0' in body, "a float on the wire, as documented"
    assert recorder.requests[-1][3]["authorization"] == "Bearer key"


def test_a_training_file_is_uploaded_as_the_documented_form(open_weight: OpenWeightBackend, recorder: Recorder) -> None:
    recorder.answer = {"id": "14c68926", "object": "file", "filename": "tunedrop-x.jsonl", "purpose": "fine-tune"}
    open_weight.upload("tunedrop-x.jsonl", io.BytesIO(b'{"messages": []}\n'))
    method, path, body = recorder.last
    assert (method, path) == ("POST", "/v1/files")
    assert body.index(b'name="purpose"\r\n\r\nfine-tune') < body.index(b'name="file"; filename="tunedrop-x.jsonl"')
    assert b'{"messages": []}\n' in body


def test_jobs_are_looked_at_and_cancelled_by_the_documented_paths(
    open_weight: OpenWeightBackend, recorder: Recorder
) -> None:
    recorder.answer = {"id": "ftjob-1", "status": "running", "training_file": "f", "data": [], "has_more": False}
    open_weight.get("ftjob-1")
    open_weight.cancel("ftjob-1")
    list(open_weight.events("ftjob-1"))
    open_weight.checkpoints("ftjob-1")
    open_weight.find_jobs("f")
    open_weight.delete_file("f")
    assert [f"{method} {path}" for method, path, _, _ in recorder.requests] == [
        "GET /v1/fine_tuning/jobs/ftjob-1",
        "POST /v1/fine_tuning/jobs/ftjob-1/cancel",
        "GET /v1/fine_tuning/jobs/ftjob-1/events?limit=100",
        "GET /v1/fine_tuning/jobs/ftjob-1/checkpoints?limit=100",
        "GET /v1/fine_tuning/jobs?limit=100",
        "DELETE /v1/files/f",
    ]


def test_a_nova_job_is_created_by_the_documented_body(nova: NovaBackend, recorder: Recorder) -> None:
    job_arn = "arn:aws:bedrock:us-east-1:123456789012:model-customization-job/amazon.nova-2-lite-v1:0:256k/abc123def456"
    recorder.answer = {"jobArn": job_arn}
    hyperparameters: dict[str, int | float | str] = {
        "epochCount": 1,
        "batchSize": 32,
        "learningRate": 5e-5,
        "maxPromptLength": 310,
        "trainingSamplePerPrompt": 4,
        "inferenceMaxTokens": 750,
        "reasoningEffort": "high",
        "evalInterval": 10,
    }
    grader = GRADER.replace("us-west-2", "us-east-1")
    model = "amazon.nova-2-lite-v1:0:256k"
    train = f"s3://bucket/runs/{RUN_ID}/train.jsonl"
    assert nova.create(JobRequest(RUN_ID, model, train, grader, hyperparameters)).id == job_arn
    method, path, body = recorder.last
    assert (method, path) == ("POST", "/model-customization-jobs")
    assert json.loads(body) == {
        "jobName": f"tunedrop-{RUN_ID}",
        "customModelName": f"tunedrop-{RUN_ID}",
        "roleArn": "arn:aws:iam::123456789012:role/BedrockRFTRole",
        "clientRequestToken": f"tunedrop-{RUN_ID}",
        "baseModelIdentifier": "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-2-lite-v1:0:256k",
        "customizationType": "REINFORCEMENT_FINE_TUNING",
        "trainingDataConfig": {"s3Uri": train},
        "outputDataConfig": {"s3Uri": f"s3://bucket/runs/{RUN_ID}/training/"},
        "customizationConfig": {
            "rftConfig": {"graderConfig": {"lambdaGrader": {"lambdaArn": grader}}, "hyperParameters": hyperparameters}
        },
    }


def test_a_nova_job_carries_its_tags_its_vpc_and_the_key_of_its_model(recorder: Recorder) -> None:
    recorder.answer = {"jobArn": "arn:aws:bedrock:us-east-1:123456789012:model-customization-job/n/abc123def456"}
    client, key = native_client("bedrock", recorder.url), "arn:aws:kms:us-east-1:123456789012:key/k"
    role = "arn:aws:iam::123456789012:role/BedrockRFTRole"
    vpc = "subnet-0123456789abcdef0,subnet-0123456789abcdef1;sg-0123456789abcdef0"
    backend = NovaBackend(client, client, role_arn=role, runs_bucket="bucket", model_key=key, vpc=vpc)
    train = f"s3://bucket/runs/{RUN_ID}/train.jsonl"
    backend.create(JobRequest(RUN_ID, "amazon.nova-2-lite-v1:0:256k", train, GRADER, {}, {"tunedrop:run": RUN_ID}))
    body = json.loads(recorder.last[2])
    assert body["jobTags"] == body["customModelTags"] == [{"key": "tunedrop:run", "value": RUN_ID}]
    assert body["customModelKmsKeyId"] == key
    assert body["vpcConfig"] == {
        "subnetIds": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
        "securityGroupIds": ["sg-0123456789abcdef0"],
    }


def test_a_nova_model_is_deployed_by_the_documented_body(nova: NovaBackend, recorder: Recorder) -> None:
    arn = "arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/abcdefabcdef"
    recorder.answer = {
        "customModelDeploymentArn": arn,
        "modelDeploymentName": f"tunedrop-{RUN_ID}",
        "modelArn": MODEL_ARN,
        "createdAt": "2026-01-30T18:00:00Z",
        "status": "Active",
    }
    recorder.missing = 1
    assert nova.serve(RUN_ID, MODEL_ARN).model is None
    assert nova.serve(RUN_ID, MODEL_ARN).model == arn
    assert nova.undeploy(RUN_ID) == arn
    nova.cancel("job-name")
    deployed = "/model-customization/custom-model-deployments"
    quoted = arn.replace(":", "%3A").replace("/", "%2F")
    assert [f"{method} {path}" for method, path, _, _ in recorder.requests] == [
        f"GET {deployed}/tunedrop-{RUN_ID}",
        f"POST {deployed}",
        f"GET {deployed}/tunedrop-{RUN_ID}",
        f"GET {deployed}/tunedrop-{RUN_ID}",
        f"DELETE {deployed}/{quoted}",
        "POST /model-customization-jobs/job-name/stop",
    ]
    assert json.loads(recorder.requests[1][2]) == {
        "modelDeploymentName": f"tunedrop-{RUN_ID}",
        "modelArn": MODEL_ARN,
        "clientRequestToken": f"tunedrop-{RUN_ID}",
    }


@pytest.mark.parametrize("effort", ["", "low", "medium", "high"])
def test_nova_is_asked_to_think_as_hard_as_it_is_said(recorder: Recorder, effort: str) -> None:
    recorder.answer = {
        "output": {"message": {"role": "assistant", "content": [{"text": "4"}]}},
        "stopReason": "end_turn",
    }
    sampler = NovaSampler(native_client("bedrock-runtime", recorder.url))
    asyncio.run(sampler.ask(Asking("a-model", 900, 0.5, effort), Question([{"role": "user", "content": "?"}], seed=1)))

    body = json.loads(recorder.last[2])
    config = {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": effort}} if effort else None
    assert body.get("additionalModelRequestFields") == config
    assert body.get("inferenceConfig") == (None if effort == "high" else {"maxTokens": 900, "temperature": 0.5})


@pytest.mark.parametrize("effort", ["", "low", "medium", "high"])
def test_an_open_weight_model_is_asked_to_think_as_hard_as_it_is_said(recorder: Recorder, effort: str) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": "4"}, "finish_reason": "stop"}
    recorder.answer = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}

    async def ask() -> None:
        client = openai.AsyncOpenAI(base_url=f"{recorder.url}/v1", api_key="key", max_retries=0)
        sampler = OpenWeightSampler(client)
        await sampler.ask(Asking("a-model", 900, 0.5, effort), Question([{"role": "user", "content": "?"}], seed=1))
        await sampler.close()

    asyncio.run(ask())

    body = json.loads(recorder.last[2])
    assert body.get("reasoning_effort", "") == effort
    assert (body["max_tokens"], body["temperature"]) == (900, 0.5)


TOOL = {"type": "function", "function": {"name": "area", "parameters": {"type": "object", "properties": {}}}}
CALLS = [{"id": "c1", "type": "function", "function": {"name": "area", "arguments": '{"base": 10}'}}]


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (None, '{"name": "area", "arguments": {"base": 10}}'),
        ("So.", 'So.\n<tool_call>\n{"name": "area", "arguments": {"base": 10}}\n</tool_call>'),
    ],
)
def test_a_row_s_tools_are_sent_and_the_calls_of_them_are_part_of_the_answer(
    recorder: Recorder, said: str | None, text: str
) -> None:
    message = {"role": "assistant", "content": said, "tool_calls": CALLS}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    recorder.answer = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}

    async def ask(row: dict[str, Any]) -> Reply:
        client = openai.AsyncOpenAI(base_url=f"{recorder.url}/v1", api_key="key", max_retries=0)
        sampler = OpenWeightSampler(client)
        try:
            return await sampler.ask(Asking("a-model", 900, 0.5), Question.of(row, seed=1))
        finally:
            await sampler.close()

    messages = [{"role": "user", "content": "?"}]
    assert asyncio.run(ask({"messages": messages, "tools": [TOOL]})).text == text
    assert json.loads(recorder.last[2])["tools"] == [TOOL]
    asyncio.run(ask({"messages": messages}))
    assert "tools" not in json.loads(recorder.last[2])


def test_nova_is_sent_the_tools_as_converse_takes_them_and_its_calls_are_read(recorder: Recorder) -> None:
    used = {"toolUse": {"toolUseId": "t", "name": "area", "input": {"base": 10}}}
    recorder.answer = {"output": {"message": {"role": "assistant", "content": [used]}}, "stopReason": "tool_use"}
    sampler = NovaSampler(native_client("bedrock-runtime", recorder.url))
    row = {"messages": [{"role": "user", "content": "?"}], "tools": [TOOL]}
    reply = asyncio.run(sampler.ask(Asking("a-model", 900, 0.5), Question.of(row, seed=1)))
    schema = {"json": {"type": "object", "properties": {}}}
    assert json.loads(recorder.last[2])["toolConfig"] == {
        "tools": [{"toolSpec": {"name": "area", "inputSchema": schema}}]
    }
    assert (reply.text, reply.finish_reason) == ('{"name": "area", "arguments": {"base": 10}}', "tool_use")
