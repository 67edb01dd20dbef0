"""Whatever a training service answers is a result of the promised types, or Unclear, Busy, Refused: nothing else."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import boto3
import httpx2
import openai
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config

from tests.in_prove import a_third_in_each_run
from tests.unit.service_answers.broken_bodies import HTML, broken
from tunedrop.identity import bedrock_name, training_file_name
from tunedrop.training.backend import Busy, Job, JobRequest, Refused, TrainingBackend, Unclear
from tunedrop.training.nova import NovaBackend
from tunedrop.training.open_weight import OpenWeightBackend

RUN_ID = "gsm8k-0123456789abcdef"
NAMED = (Unclear, Busy, Refused)
REQUEST = JobRequest(RUN_ID, "model", "file-1", "arn:aws:lambda:us-west-2:123456789012:function:grader:1", {})

FILE = {"id": "file-1", "object": "file", "filename": training_file_name(RUN_ID), "created_at": 1_767_225_600}
JOB = {
    "id": "ftjob-1",
    "object": "fine_tuning.job",
    "status": "succeeded",
    "training_file": "file-1",
    "fine_tuned_model": "ft:model",
    "error": {"code": "none", "message": "none"},
}
EVENT = {
    "id": "ftevent-1",
    "created_at": 1_767_225_600,
    "level": "info",
    "message": "Step 1/67",
    "type": "metrics",
    "data": {"step": 1, "total_steps": 67, "critic_rewards_mean": 0.5},
}
CHECKPOINT = {"id": "ftckpt-1", "step_number": 20, "fine_tuned_model_checkpoint": "ft:model:20"}


def listed(entry: dict[str, Any]) -> dict[str, Any]:
    return {"object": "list", "data": [entry], "has_more": False}


class Wire:
    """What the service answers next, on the wire of the real SDKs."""

    def __init__(self) -> None:
        self.body, self.status, self.kind = b"", 200, "application/json"

    def httpx(self, request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(self.status, content=self.body, headers={"content-type": self.kind})

    def boto(self, request: Any, **_: Any) -> AWSResponse:
        body = self.body

        class Raw(io.BytesIO):
            def stream(self, **_: Any) -> Any:
                yield body

        return AWSResponse(request.url, self.status, HTTPHeaders.from_dict({"content-type": self.kind}), Raw(body))


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def open_weight(wire: Wire) -> OpenWeightBackend:
    http = httpx2.Client(transport=httpx2.MockTransport(wire.httpx))
    return OpenWeightBackend(
        openai.OpenAI(base_url="https://x.invalid/v1", api_key="k", max_retries=0, http_client=http)
    )


@pytest.fixture
def nova(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> NovaBackend:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    client = boto3.client(
        "bedrock",
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(retries={"total_max_attempts": 1}),
    )
    answer: Any = wire.boto  # what a handler of before-send returns is the answer; the stubs know of none that does
    client.meta.events.register("before-send.bedrock", answer)
    return NovaBackend(client, client, role_arn="arn:aws:iam::123456789012:role/training", runs_bucket="runs")


OPEN_WEIGHT: dict[str, tuple[Callable[[TrainingBackend], Any], dict[str, Any]]] = {
    "upload": (lambda backend: backend.upload("a.jsonl", io.BytesIO(b"{}")), FILE),
    "find_files": (lambda backend: backend.find_files(training_file_name(RUN_ID)), listed(FILE)),
    "files": (lambda backend: backend.files(), listed(FILE)),
    "create": (lambda backend: backend.create(REQUEST), JOB),
    "get": (lambda backend: backend.get("ftjob-1"), JOB),
    "cancel": (lambda backend: backend.cancel("ftjob-1"), JOB),
    "find_jobs": (lambda backend: backend.find_jobs("file-1"), listed(JOB)),
    "live_jobs": (lambda backend: backend.live_jobs(), listed(JOB)),
    "events": (lambda backend: list(backend.events("ftjob-1")), listed(EVENT)),
    "checkpoints": (lambda backend: backend.checkpoints("ftjob-1"), listed(CHECKPOINT)),
}

ARN = "arn:aws:bedrock:us-east-1:123456789012:"
NOVA_JOB = {
    "jobArn": f"{ARN}model-customization-job/amazon.nova/1",
    "jobName": bedrock_name(RUN_ID),
    "status": "Completed",
    "outputModelArn": f"{ARN}custom-model/1",
    "failureMessage": "none",
    "trainingDataConfig": {"s3Uri": "s3://runs/train.jsonl"},
    "creationTime": "2026-01-01T00:00:00Z",
}
DEPLOYMENT = {
    "customModelDeploymentArn": f"{ARN}custom-model-deployment/1",
    "customModelDeploymentName": bedrock_name(RUN_ID),
    "status": "Active",
    "createdAt": "2026-01-01T00:00:00Z",
}
NOVA: dict[str, tuple[Callable[[TrainingBackend], Any], dict[str, Any]]] = {
    "create": (lambda backend: backend.create(REQUEST), {"jobArn": NOVA_JOB["jobArn"]}),
    "get": (lambda backend: backend.get("job"), NOVA_JOB),
    "cancel": (lambda backend: backend.cancel("job"), {}),
    "find_jobs": (lambda backend: backend.find_jobs(f"s3://runs/runs/{RUN_ID}/train.jsonl"), NOVA_JOB),
    "live_jobs": (lambda backend: backend.live_jobs(), {"modelCustomizationJobSummaries": [NOVA_JOB]}),
    "serve": (lambda backend: backend.serve(RUN_ID, f"{ARN}custom-model/1"), DEPLOYMENT),
    "undeploy": (lambda backend: backend.undeploy(RUN_ID), DEPLOYMENT),
    "deployments": (lambda backend: backend.deployments(), {"modelDeploymentSummaries": [DEPLOYMENT]}),
}


def outcomes(call: Callable[[TrainingBackend], Any], whole: Any, backend: TrainingBackend, wire: Wire) -> set[str]:
    """Which named ends the broken answers had; any other error fails the test with the answer that made it."""
    ends = set()
    for what, body in broken(whole):
        wire.body, wire.kind = body, "text/html" if body == HTML else "application/json"
        try:
            result = call(backend)
        except NAMED as named:
            ends.add(type(named).__name__ if len(str(named)) < 1200 else "a message without bounds")
        except Exception as error:
            raise AssertionError(f"{what}: {type(error).__name__}: {error}; answered {body[:300]!r}") from error
        else:
            ends.add("result")
            for each in result if isinstance(result, list) else [result]:
                _hold_types(each, what)
    return ends


def _hold_types(result: Any, what: str) -> None:
    if isinstance(result, Job):
        texts = (result.id, result.service_status)
        assert all(isinstance(each, str) and each for each in texts), what
        assert isinstance(result.tuned_model, (str, type(None))), what
    elif isinstance(result, tuple):
        assert isinstance(result[0], str), what
    else:
        assert not isinstance(result, dict), what


@pytest.mark.parametrize("name", a_third_in_each_run(OPEN_WEIGHT))
def test_a_broken_answer_for_an_open_weight_model_has_a_named_end(
    name: str, open_weight: OpenWeightBackend, wire: Wire
) -> None:
    ends = outcomes(*OPEN_WEIGHT[name], open_weight, wire)
    assert "result" in ends
    assert "a message without bounds" not in ends
    assert name == "cancel" or "Unclear" in ends


@pytest.mark.parametrize("name", a_third_in_each_run(NOVA))
def test_a_broken_answer_for_nova_has_a_named_end(name: str, nova: NovaBackend, wire: Wire) -> None:
    ends = outcomes(*NOVA[name], nova, wire)
    assert "result" in ends
    assert "a message without bounds" not in ends
    assert name == "cancel" or "Unclear" in ends


def test_half_an_answer_names_what_is_missing_and_quotes_nothing(
    open_weight: OpenWeightBackend, nova: NovaBackend, wire: Wire
) -> None:
    wire.body = json.dumps({"id": "ftjob-1", "secret": "of a customer"}).encode()
    with pytest.raises(Unclear, match="a fine-tuning job: `status` is missing") as raised:
        open_weight.get("ftjob-1")
    assert "customer" not in str(raised.value)
    wire.body = json.dumps({"status": "Active"}).encode()
    with pytest.raises(Unclear, match="GetCustomModelDeployment: `customModelDeploymentArn` is missing"):
        nova.undeploy(RUN_ID)


def test_a_job_whose_file_the_list_leaves_out_is_looked_at_itself(
    open_weight: OpenWeightBackend, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        body = JOB if request.url.path.endswith("/ftjob-1") else listed({"id": "ftjob-1", "status": "running"})
        return httpx2.Response(200, json=body)

    http = httpx2.Client(transport=httpx2.MockTransport(answer))
    backend = OpenWeightBackend(openai.OpenAI(base_url="https://x.invalid/v1", api_key="k", http_client=http))
    assert [job.id for job in backend.find_jobs("file-1")] == ["ftjob-1"]


def test_an_event_without_an_id_is_passed_over_and_the_others_are_told(
    open_weight: OpenWeightBackend, wire: Wire
) -> None:
    wire.body = json.dumps({"data": [{"message": "no id"}, EVENT, 7, CHECKPOINT], "has_more": True}).encode()
    assert [event.id for event in open_weight.events("ftjob-1")] == ["ftevent-1", "ftckpt-1"]
    assert [each.id for each in open_weight.checkpoints("ftjob-1")] == ["ftckpt-1"]
