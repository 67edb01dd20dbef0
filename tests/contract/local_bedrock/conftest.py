"""A local Bedrock, as new for each test and at full pace, with a grader behind a real Lambda API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from openai import OpenAI
from openai.types.fine_tuning import FineTuningJob

from embedded_aws.waiting import until
from local.bedrock import LocalBedrock
from tests.contract.local_bedrock.bedrock_requests import FULL_PACE, NOVA_PACE, method, training_rows
from tests.contract.local_bedrock.lambda_api import LambdaApi


@pytest.fixture(scope="session")
def _lambda_server() -> Iterator[LambdaApi]:
    api = LambdaApi()
    yield api
    api.close()


@pytest.fixture(scope="session")
def _process(tmp_path_factory: pytest.TempPathFactory, _lambda_server: LambdaApi) -> Iterator[LocalBedrock]:
    folder = tmp_path_factory.mktemp("bedrock")
    with LocalBedrock.start(state_folder=folder, aws_endpoint=_lambda_server.endpoint) as running:
        yield running


@pytest.fixture
def lambda_api(_lambda_server: LambdaApi) -> LambdaApi:
    """The Lambda API that the local Bedrock calls, as new."""
    _lambda_server.renew()
    return _lambda_server


@pytest.fixture
def bedrock(_process: LocalBedrock, lambda_api: LambdaApi) -> LocalBedrock:
    """A running local Bedrock, as new."""
    _process.forget(FULL_PACE)
    return _process


@pytest.fixture(scope="session")
def _nova_process(tmp_path_factory: pytest.TempPathFactory, _lambda_server: LambdaApi) -> Iterator[LocalBedrock]:
    folder = tmp_path_factory.mktemp("nova")
    with LocalBedrock.start(state_folder=folder, aws_endpoint=_lambda_server.endpoint, region="us-east-1") as running:
        yield running


@pytest.fixture
def nova_bedrock(_nova_process: LocalBedrock, lambda_api: LambdaApi) -> LocalBedrock:
    """A running local Bedrock in Nova's Region, as new."""
    _nova_process.forget(NOVA_PACE)
    return _nova_process


@pytest.fixture
def client(bedrock: LocalBedrock) -> Iterator[OpenAI]:
    """The unmodified SDK; without its own retries, so that a test sees each answer."""
    with OpenAI(base_url=bedrock.base_url, api_key=bedrock.api_key(), max_retries=0, timeout=10) as made:
        yield made


@pytest.fixture
def train(client: OpenAI) -> Callable[..., FineTuningJob]:
    """Upload rows and create a job, of three steps unless told otherwise; arguments go into the create request."""

    def start(content: bytes | None = None, **request: Any) -> FineTuningJob:
        file = client.files.create(purpose="fine-tune", file=("train.jsonl", content or training_rows()))
        body = {"method": method(batch_size=30), **request.pop("extra_body", {})}
        model = request.pop("model", "openai.gpt-oss-20b")
        return client.fine_tuning.jobs.create(model=model, training_file=file.id, extra_body=body, **request)

    return start


@pytest.fixture
def ended(client: OpenAI) -> Callable[[str], FineTuningJob]:
    """Wait until a job has ended; returns it."""

    def wait(job_id: str) -> FineTuningJob:
        def end() -> FineTuningJob | None:
            job = client.fine_tuning.jobs.retrieve(job_id)
            return job if job.status in ("succeeded", "failed", "cancelled") else None

        job: FineTuningJob = until(end, f"{job_id} has ended")
        return job

    return wait
