"""A local Bedrock with a language model behind it: two layers, random weights, made for these tests."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from openai import OpenAI
from openai.types.fine_tuning import FineTuningJob

from embedded_aws.waiting import until
from local.bedrock import LocalBedrock
from local.bedrock.handle import LanguageModelHere
from tests.contract.language_model.pace import PACE
from tests.contract.local_bedrock.bedrock_requests import method
from tests.contract.local_bedrock.lambda_api import LambdaApi

REPOSITORY = Path(__file__).resolve().parents[3]
PYTHON = REPOSITORY / ".venvs/language-model/bin/python"


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> LanguageModelHere:
    """The model, where it lies and what serves it."""
    folder = tmp_path_factory.mktemp("tiny")
    script = Path(__file__).with_name("make_tiny_model.py")
    subprocess.run([PYTHON, script, folder / "tiny"], check=True, capture_output=True)
    return LanguageModelHere(str(folder / "tiny"), PYTHON, folder / "kept")


@pytest.fixture(scope="session")
def _lambda_server() -> Iterator[LambdaApi]:
    api = LambdaApi()
    yield api
    api.close()


@pytest.fixture
def lambda_api(_lambda_server: LambdaApi) -> LambdaApi:
    """The Lambda API that the local Bedrock calls, as new."""
    _lambda_server.renew()
    return _lambda_server


@pytest.fixture(scope="session")
def _process(
    tmp_path_factory: pytest.TempPathFactory, _lambda_server: LambdaApi, tiny: LanguageModelHere
) -> Iterator[LocalBedrock]:
    folder = tmp_path_factory.mktemp("bedrock")
    with LocalBedrock.start(state_folder=folder, aws_endpoint=_lambda_server.endpoint, language_model=tiny) as running:
        yield running


@pytest.fixture
def bedrock(_process: LocalBedrock, lambda_api: LambdaApi) -> LocalBedrock:
    """A running local Bedrock, as new, with the model loaded."""
    _process.forget(PACE)
    return _process


@pytest.fixture
def client(bedrock: LocalBedrock) -> Iterator[OpenAI]:
    """The unmodified SDK."""
    with OpenAI(base_url=bedrock.base_url, api_key=bedrock.api_key(), max_retries=0, timeout=120) as made:
        yield made


@pytest.fixture
def train(client: OpenAI) -> Callable[..., FineTuningJob]:
    """Upload rows and create a job: 100 rows, 90 trained on, 9 a step: 10 steps."""

    def start(rows: bytes, **hyperparameters: object) -> FineTuningJob:
        file = client.files.create(purpose="fine-tune", file=("train.jsonl", rows))
        body = {"method": method(**{"batch_size": 9, **hyperparameters})}
        return client.fine_tuning.jobs.create(model="openai.gpt-oss-20b", training_file=file.id, extra_body=body)

    return start


@pytest.fixture
def ended(client: OpenAI) -> Callable[[str], FineTuningJob]:
    """Wait until a job has ended; returns it."""

    def wait(job_id: str) -> FineTuningJob:
        def end() -> FineTuningJob | None:
            job = client.fine_tuning.jobs.retrieve(job_id)
            return job if job.status in ("succeeded", "failed", "cancelled") else None

        job: FineTuningJob = until(end, f"{job_id} has ended", seconds=500)
        return job

    return wait
