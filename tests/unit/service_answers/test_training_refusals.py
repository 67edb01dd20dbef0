"""What a training service refuses is passed on, unless it shows that there is nothing left to do."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import httpx2
import openai
import pytest
from botocore.stub import Stubber

from tunedrop.identity import bedrock_name, training_file_name
from tunedrop.training import open_weight
from tunedrop.training.backend import JobRequest, Refused, TrainingBackend, Unclear
from tunedrop.training.nova import NovaBackend
from tunedrop.training.open_weight import OpenWeightBackend

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
RUN_ID = "gsm8k-0123456789abcdef"
ARN = "arn:aws:bedrock:us-east-1:123456789012:"
JOB = {
    "jobArn": f"{ARN}model-customization-job/amazon.nova/1",
    "jobName": bedrock_name(RUN_ID),
    "roleArn": "arn:aws:iam::123456789012:role/training",
    "baseModelArn": f"{ARN}foundation-model/m",
    "outputModelName": "m",
    "creationTime": MOMENT,
    "trainingDataConfig": {"s3Uri": "s3://runs/train.jsonl"},
    "validationDataConfig": {"validators": []},
    "outputDataConfig": {"s3Uri": "s3://runs/out/"},
}
MISSING, DENIED = ("ResourceNotFoundException", 404), ("AccessDeniedException", 403)


@pytest.fixture(scope="module")
def client() -> Any:
    """One for all of this module: to make a client takes longer than all that a test asks of it."""
    return boto3.client("bedrock", region_name="us-east-1", aws_access_key_id="l", aws_secret_access_key="l")


@pytest.fixture
def bedrock(client: Any) -> Iterator[Stubber]:
    with Stubber(client) as stubbed:
        yield stubbed


@pytest.fixture
def nova(client: Any, bedrock: Stubber) -> NovaBackend:
    return NovaBackend(client, client, role_arn="arn:aws:iam::123456789012:role/training", runs_bucket="runs")


def refuse(bedrock: Stubber, call: str, refusal: tuple[str, int]) -> None:
    bedrock.add_client_error(call, refusal[0], "no", refusal[1])


def test_a_nova_run_s_training_file_is_the_one_in_its_folder_and_no_copy(nova: NovaBackend) -> None:
    uri = nova.upload(training_file_name(RUN_ID), io.BytesIO())
    assert uri == f"s3://runs/runs/{RUN_ID}/train.jsonl"
    assert (nova.find_files(training_file_name(RUN_ID)), nova.files()) == ([], [])
    assert nova.delete_file(uri) is False
    with pytest.raises(Refused, match="not the name of a run's training file"):
        nova.upload("train.jsonl", io.BytesIO())


@pytest.mark.parametrize("deletion", [None, MISSING], ids=["now", "before"])
def test_a_model_is_deleted_once_its_deployment_is_gone(
    nova: NovaBackend, bedrock: Stubber, deletion: tuple[str, int] | None
) -> None:
    deployment = {"customModelDeploymentArn": f"{ARN}custom-model-deployment/1", "status": "Active"}
    told = {"modelDeploymentName": "d", "modelArn": f"{ARN}custom-model/1", "createdAt": MOMENT, **deployment}
    bedrock.add_response("get_custom_model_deployment", told)
    bedrock.add_response("delete_custom_model_deployment", {})
    assert nova.delete_model(RUN_ID, "model") is False
    refuse(bedrock, "get_custom_model_deployment", MISSING)
    if deletion is None:
        bedrock.add_response("delete_custom_model", {}, {"modelIdentifier": "model"})
    else:
        refuse(bedrock, "delete_custom_model", deletion)
    assert nova.delete_model(RUN_ID, "model") is True


@pytest.mark.parametrize(
    ("call", "ask"),
    [
        ("get_custom_model_deployment", lambda nova: nova.undeploy(RUN_ID)),
        ("get_model_customization_job", lambda nova: nova.find_jobs(f"s3://runs/runs/{RUN_ID}/train.jsonl")),
    ],
)
def test_what_we_may_not_look_at_is_not_taken_for_missing(
    nova: NovaBackend, bedrock: Stubber, call: str, ask: Callable[[NovaBackend], object]
) -> None:
    refuse(bedrock, call, DENIED)
    with pytest.raises(Refused, match="AccessDeniedException"):
        ask(nova)
    refuse(bedrock, call, MISSING)
    assert not ask(nova)


def test_a_model_that_we_may_not_delete_is_not_told_as_deleted(nova: NovaBackend, bedrock: Stubber) -> None:
    refuse(bedrock, "get_custom_model_deployment", MISSING)
    refuse(bedrock, "delete_custom_model", DENIED)
    with pytest.raises(Refused, match="AccessDeniedException"):
        nova.delete_model(RUN_ID, "model")


@pytest.mark.parametrize(("status", "left"), [("InProgress", True), ("Stopping", False), ("Completed", False)])
def test_a_job_that_cannot_be_stopped_is_left_only_if_it_ends_anyway(
    nova: NovaBackend, bedrock: Stubber, status: str, left: bool
) -> None:
    refuse(bedrock, "stop_model_customization_job", ("ConflictException", 400))
    bedrock.add_response("get_model_customization_job", {**JOB, "status": status})
    if left:
        with pytest.raises(Refused, match="ConflictException"):
            nova.cancel("job")
    else:
        nova.cancel("job")


def test_a_job_that_boto_does_not_send_is_refused_and_not_tried_again(client: Any) -> None:
    nova = NovaBackend(client, client, role_arn="arn:aws:iam::123456789012:role/training", runs_bucket="runs")
    with pytest.raises(Refused, match="lambdaArn"):
        nova.create(JobRequest(RUN_ID, "model", "s3://runs/f", "", {}))


class Endpoint:
    """The OpenAI-compatible endpoint: what it answers to each request is the test's."""

    def __init__(self, answer: Callable[[httpx2.Request], tuple[int, Any]]) -> None:
        def told(request: httpx2.Request) -> httpx2.Response:
            status, body = answer(request)
            return httpx2.Response(status, content=json.dumps(body), headers={"content-type": "application/json"})

        http = httpx2.Client(transport=httpx2.MockTransport(told))
        self.backend = OpenWeightBackend(
            openai.OpenAI(base_url="https://x.invalid/v1", api_key="k", max_retries=0, http_client=http)
        )


def test_a_file_that_is_gone_is_deleted_and_one_that_we_may_not_delete_is_not() -> None:
    assert Endpoint(lambda _: (404, {})).backend.delete_file("file-1") is True
    with pytest.raises(Refused, match="HTTP 403"):
        Endpoint(lambda _: (403, {})).backend.delete_file("file-1")


def test_an_open_weight_model_cannot_be_deleted_and_this_is_said() -> None:
    backend: TrainingBackend = Endpoint(lambda _: (200, {})).backend
    with pytest.raises(Refused, match="no documented call deletes the model 'ft:model'"):
        backend.delete_model(RUN_ID, "ft:model")


@pytest.mark.parametrize(("status", "left"), [("running", True), ("succeeded", False)])
def test_a_job_that_refuses_to_be_cancelled_must_have_ended(status: str, left: bool) -> None:
    job = {"id": "ftjob-1", "status": status, "training_file": "file-1"}
    backend = Endpoint(lambda request: (400, {}) if request.method == "POST" else (200, job)).backend
    if left:
        with pytest.raises(Refused, match="HTTP 400"):
            backend.cancel("ftjob-1")
    else:
        backend.cancel("ftjob-1")


def events(number: int) -> dict[str, Any]:
    return {"data": [{"id": f"event-{number}", "data": {"step": number}}], "has_more": True}


def test_a_list_that_takes_no_place_to_go_on_from_is_read_as_far_as_its_first_page() -> None:
    def answer(request: httpx2.Request) -> tuple[int, Any]:
        return (400, {}) if "after" in request.url.params else (200, events(1))

    assert [event.id for event in Endpoint(answer).backend.events("ftjob-1")] == ["event-1"]


def test_a_list_that_may_not_be_read_is_refused_and_not_asked_for_without_a_size() -> None:
    asked: list[str] = []

    def answer(request: httpx2.Request) -> tuple[int, Any]:
        asked.append(str(request.url))
        return 403, {}

    with pytest.raises(Refused, match="HTTP 403"):
        list(Endpoint(answer).backend.events("ftjob-1"))
    assert len(asked) == 1


def test_a_list_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_weight, "PAGES", 3)
    pages = iter(range(9))
    with pytest.raises(Unclear, match="did not end after 3 pages"):
        list(Endpoint(lambda _: (200, events(next(pages)))).backend.events("ftjob-1"))


@pytest.mark.parametrize(("step", "told"), [(7, 7), (-1, None), (10**12, None), ("soon", None)])
def test_a_step_that_no_training_has_is_none(step: object, told: int | None) -> None:
    page = {"data": [{"id": "e", "type": "metrics", "data": {"step": step, "critic_rewards_mean": 0.5}}]}
    (event,) = Endpoint(lambda _: (200, page)).backend.events("ftjob-1")
    assert event.step == told
