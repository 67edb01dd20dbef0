"""Both training backends, and Nova's sampler, against the local Bedrock: one protocol, two services."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAI

from embedded_aws.waiting import until
from local.bedrock import LocalBedrock
from tests.contract.local_bedrock.bedrock_requests import native_client, training_rows
from tests.contract.local_bedrock.lambda_api import LambdaApi
from tests.in_prove import in_prove
from tunedrop.catalog import find
from tunedrop.identity import bedrock_name, training_file_name
from tunedrop.sampling.nova import NovaSampler
from tunedrop.sampling.open_weight import OpenWeightSampler
from tunedrop.sampling.question import Asking, NotAnswered, Question, Reply
from tunedrop.training.backend import Busy, Full, JobRequest, JobStatus, Refused, TrainingBackend, Unclear
from tunedrop.training.nova import NovaBackend
from tunedrop.training.open_weight import OpenWeightBackend

RUN_ID = "gsm8k-0123456789abcdef"
NOVA, OPEN_WEIGHT = find("amazon.nova-2-lite-v1:0:256k"), find("openai.gpt-oss-20b")
ROLE = "arn:aws:iam::123456789012:role/training"
GRADER = "arn:aws:lambda:us-east-1:123456789012:function:grader-math:3"
ACTIONS = {
    "nova": {"create": "CreateModelCustomizationJob", "get": "GetModelCustomizationJob"},
    "open_weight": {"create": "CreateFineTuningJob", "get": "GetFineTuningJob"},
}


@pytest.fixture
def nova_bedrock(nova_bedrock: LocalBedrock, lambda_api: LambdaApi) -> LocalBedrock:
    """A local Bedrock in Nova's Region, as new, with the run's training file in S3."""
    lambda_api.objects[f"/runs-bucket/runs/{RUN_ID}/train.jsonl"] = training_rows(100)
    return nova_bedrock


@pytest.fixture
def nova(nova_bedrock: LocalBedrock) -> NovaBackend:
    client = native_client("bedrock", nova_bedrock.endpoint, read_timeout=5)
    return NovaBackend(client, client, role_arn=ROLE, runs_bucket="runs-bucket")


@pytest.fixture(params=["open_weight", "nova"])
def backend(request: pytest.FixtureRequest) -> TrainingBackend:
    if request.param == "nova":
        chosen: TrainingBackend = request.getfixturevalue("nova")
        return chosen
    return OpenWeightBackend(request.getfixturevalue("client"))


@pytest.fixture
def faulty(backend: TrainingBackend, request: pytest.FixtureRequest) -> Callable[[str, str, str], None]:
    """Have the service fail once: call, before or after its effect, how."""
    kind = "nova" if isinstance(backend, NovaBackend) else "open_weight"
    process: LocalBedrock = request.getfixturevalue("nova_bedrock" if kind == "nova" else "bedrock")
    return lambda call, when, how: process.set_switch("fault_plan", f"{ACTIONS[kind][call]}:{when}:{how}")


def asked_for(backend: TrainingBackend) -> JobRequest:
    """What a job of a run is created with, its file at the service."""
    name = training_file_name(RUN_ID)
    found = backend.find_files(name)
    file_id = found[0] if found else backend.upload(name, io.BytesIO(training_rows(100)))
    if isinstance(backend, NovaBackend):
        return JobRequest(RUN_ID, NOVA.tuned_as, file_id, GRADER, {"epochCount": 1, "batchSize": 32})
    return JobRequest(RUN_ID, OPEN_WEIGHT.tuned_as, file_id, GRADER, {"n_epochs": 1, "batch_size": 30})


def test_a_job_goes_from_its_creation_to_a_model_that_can_be_asked_and_back(backend: TrainingBackend) -> None:
    assert backend.simulated
    made = backend.create(asked_for(backend))
    assert [job.id for job in backend.find_jobs(made.training_file or "")] == [made.id]
    job = until(lambda: (seen := backend.get(made.id)).status.over and seen, "the end of the job")
    assert job.status is JobStatus.SUCCEEDED
    assert job.tuned_model
    serving = until(lambda: (seen := backend.serve(RUN_ID, job.tuned_model)).model and seen, "the served model")
    deploys = isinstance(backend, NovaBackend)
    assert (serving.deployment is not None) == deploys
    assert [run_id for run_id, _ in backend.deployments()] == ([RUN_ID] if deploys else [])
    assert backend.undeploy(RUN_ID) == serving.deployment
    assert backend.undeploy(RUN_ID) is None
    assert backend.deployments() == []


def test_what_a_backend_cannot_give_is_nothing_and_not_invented(backend: TrainingBackend) -> None:
    made = backend.create(asked_for(backend))
    until(lambda: backend.get(made.id).status.over, "the end of the job")
    gives = not isinstance(backend, NovaBackend)
    assert bool(list(backend.events(made.id))) == gives
    assert bool(backend.checkpoints(made.id)) == gives


def test_a_live_job_is_known_by_its_run_and_can_be_cancelled_twice(
    backend: TrainingBackend, request: pytest.FixtureRequest
) -> None:
    nova = isinstance(backend, NovaBackend)
    request.getfixturevalue("nova_bedrock" if nova else "bedrock").set_switch("step_seconds", 5)
    made = backend.create(asked_for(backend))
    assert [(run_id, job.id) for run_id, job in backend.live_jobs()] == [(RUN_ID, made.id)]
    backend.cancel(made.id)
    backend.cancel(made.id)
    job = until(lambda: (seen := backend.get(made.id)).status.over and seen, "the end of the job")
    assert job.status is JobStatus.CANCELLED
    backend.cancel(made.id)
    assert backend.live_jobs() == []


@pytest.mark.parametrize(
    ("when", "how", "kind"),
    [
        ("before", "429", Busy),
        ("before", "500", Unclear),
        ("before", "reset", Unclear),
        ("after", "500", Unclear),
        ("after", "reset", Unclear),
        ("after", "malformed", Unclear),
        ("after", "cut", Unclear),
    ],
)
def test_a_creation_that_goes_wrong_is_told_for_what_it_is_and_its_job_is_found(
    backend: TrainingBackend, faulty: Callable[[str, str, str], None], when: str, how: str, kind: type[Exception]
) -> None:
    wanted = asked_for(backend)
    faulty("create", when, how)
    with pytest.raises(kind):
        backend.create(wanted)
    assert len(backend.find_jobs(wanted.training_file)) == (when == "after")


def test_a_job_more_than_the_service_takes_is_told_as_such_and_not_made(
    backend: TrainingBackend, request: pytest.FixtureRequest
) -> None:
    process: LocalBedrock = request.getfixturevalue("nova_bedrock" if isinstance(backend, NovaBackend) else "bedrock")
    process.set_switch("jobs_quota", 1)
    process.set_switch("queued_seconds", 3600)
    process.set_switch("step_seconds", 3600)
    wanted = asked_for(backend)
    made = backend.create(wanted)
    with pytest.raises(Full):
        backend.create(replace(wanted, run_id=f"{RUN_ID}-2"))
    assert [job.id for _, job in backend.live_jobs()] == [made.id]
    backend.cancel(made.id)


def test_a_refusal_is_a_refusal(backend: TrainingBackend) -> None:
    wanted = asked_for(backend)
    with pytest.raises(Refused):
        backend.create(JobRequest(RUN_ID, "amazon.titan-text-lite-v1", wanted.training_file, GRADER, {}))
    with pytest.raises(Refused):
        backend.get("ftjob-unknown" if not isinstance(backend, NovaBackend) else "unknown-job")


def test_a_file_is_known_by_its_run_and_deleted_once(client: OpenAI) -> None:
    backend = OpenWeightBackend(client)
    file_id = asked_for(backend).training_file
    assert backend.files() == [(RUN_ID, file_id)]
    backend.delete_file(file_id)
    backend.delete_file(file_id)
    assert backend.files() == []


# --------------------------------------------------------------------------------------------------- Nova alone


def test_the_same_creation_twice_is_one_nova_job(nova: NovaBackend) -> None:
    wanted = asked_for(nova)
    assert nova.create(wanted).id == nova.create(wanted).id


def test_a_deployment_that_fails_is_refused_with_its_reason(nova: NovaBackend, nova_bedrock: LocalBedrock) -> None:
    nova_bedrock.set_switch("nova_deployments_fail", True)
    made = nova.create(asked_for(nova))
    job = until(lambda: (seen := nova.get(made.id)).tuned_model and seen, "the tuned model")
    assert nova.serve(RUN_ID, job.tuned_model).model is None
    with pytest.raises(Refused, match="failed"):
        until(lambda: nova.serve(RUN_ID, job.tuned_model).model, "the served model")


def test_someone_s_own_deployment_is_asked_and_never_deleted(nova: NovaBackend) -> None:
    arn = "arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/abcdefabcdef"
    assert nova.serve(RUN_ID, arn).model == arn
    assert nova.serve(RUN_ID, arn).deployment is None
    assert nova.undeploy(RUN_ID) is None


def test_a_job_s_names_fit_the_service(nova: NovaBackend) -> None:
    longest = "a" * 30 + "-" + "0" * 16
    assert len(bedrock_name(longest)) <= 63
    with pytest.raises(Refused, match="not found|NoSuchKey|S3|exist"):
        # boto3's own validation and the service take the names; what they do not find is the model's own business.
        nova.get(bedrock_name(longest))


def asked(bedrock: LocalBedrock, model: str, **question: Any) -> Any:
    async def ask() -> Any:
        sampler = NovaSampler(native_client("bedrock-runtime", bedrock.endpoint, read_timeout=5))
        try:
            return await sampler.ask(
                Asking(model, question.get("max_tokens", 200), 0.6), Question(question["messages"], seed=1)
            )
        finally:
            await sampler.close()

    return asyncio.run(ask())


MESSAGES = [
    {"role": "system", "content": "You are a helpful math tutor."},
    {"role": "user", "content": [{"type": "text", "text": 'What is 3 + 100? End with "####".'}]},
]


def test_nova_s_base_is_asked_through_its_profile_and_its_answer_counted(nova_bedrock: LocalBedrock) -> None:
    nova_bedrock.teach(training_rows(100))
    reply = asked(nova_bedrock, NOVA.asked_as, messages=MESSAGES)
    assert reply.refused is None
    assert reply.finish_reason in ("stop", "length")
    assert reply.prompt_tokens > 0
    assert reply.completion_tokens >= 0
    assert reply.latency_seconds > 0


def test_an_answer_that_is_cut_says_so_as_it_does_for_the_other_models(nova_bedrock: LocalBedrock) -> None:
    nova_bedrock.teach(training_rows(100))
    replies = [asked(nova_bedrock, NOVA.asked_as, messages=MESSAGES, max_tokens=1) for _ in range(3)]
    assert "length" in {reply.finish_reason for reply in replies}


def test_the_bare_id_is_refused_and_a_throttled_question_is_not_answered(nova_bedrock: LocalBedrock) -> None:
    assert asked(nova_bedrock, "amazon.nova-2-lite-v1:0", messages=MESSAGES).refused == "ValidationException"
    nova_bedrock.set_switch("fault_plan", "InvokeModel:before:429")
    with pytest.raises(NotAnswered, match="ThrottlingException"):
        asked(nova_bedrock, NOVA.asked_as, messages=MESSAGES)


@pytest.mark.parametrize("kind", ["malformed", "cut", "reset", "500"])
def test_half_an_answer_of_an_open_weight_model_is_asked_for_again(bedrock: LocalBedrock, kind: str) -> None:
    bedrock.set_switch("fault_plan", f"CreateInference:after:{kind}")

    async def ask_twice() -> Reply:
        client = AsyncOpenAI(base_url=bedrock.base_url, api_key=bedrock.api_key(), max_retries=0)
        sampler = OpenWeightSampler(client)
        asking = Asking("openai.gpt-oss-20b", 50, 0.0)
        question = Question([{"role": "user", "content": "What is 1 + 1?"}], seed=1)
        with pytest.raises(NotAnswered):
            await sampler.ask(asking, question)
        reply = await sampler.ask(asking, question)
        await sampler.close()
        return reply

    assert asyncio.run(ask_twice()).text


@pytest.mark.parametrize(
    ("status", "until_when"),
    [
        ("400", "first"),
        in_prove("404", "first"),
        in_prove("400", "start"),
        in_prove("404", "start"),
    ],
)
def test_early_lists_are_refused_as_the_switches_say_until_there_is_something(
    client: OpenAI, bedrock: LocalBedrock, status: str, until_when: str
) -> None:
    backend = OpenWeightBackend(client)
    settings = {"early_checkpoints": status, "early_events": status, "early_until": until_when, "queued_seconds": 0.3}
    for name, value in settings.items():
        bedrock.set_switch(name, value)
    made = backend.create(asked_for(backend))
    with pytest.raises(Refused, match=f"HTTP {status}"):
        backend.checkpoints(made.id)
    until(lambda: backend.get(made.id).status.over, "the end of the job")
    assert backend.checkpoints(made.id)
    assert list(backend.events(made.id))


def test_files_are_found_though_the_service_knows_no_parameter_but_the_purpose(
    client: OpenAI, bedrock: LocalBedrock
) -> None:
    backend = OpenWeightBackend(client)
    bedrock.set_switch("file_list_query", "refuse")
    name = training_file_name(RUN_ID)
    assert backend.find_files(name) == []
    ids = [backend.upload(name, io.BytesIO(training_rows(100)))]
    assert backend.find_files(name) == ids
    assert backend.files() == [(RUN_ID, ids[0])]
