"""Many runs whose every call at Bedrock may go wrong: at most one job a run, none without an owner."""

from __future__ import annotations

import io
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import boto3
import openai
import pytest
from botocore.config import Config
from moto import mock_aws

from local.bedrock import LocalBedrock
from tests.contract.local_bedrock.bedrock_requests import FULL_PACE, training_rows
from tests.contract.local_bedrock.lambda_api import LambdaApi
from tunedrop import clock, identity
from tunedrop.notices.publication import document_of
from tunedrop.outcomes import RunEnded, RunReleased, Status, Transient
from tunedrop.recipe_resolution import resolve
from tunedrop.run.execution import PipelineExecution
from tunedrop.run.record import RunRecord
from tunedrop.run.store import RunStore
from tunedrop.states.release_run import Releaser
from tunedrop.states.submit_job import Submission
from tunedrop.training.backend import Full, JobRequest, TrainingBackend
from tunedrop.training.nova import NovaBackend
from tunedrop.training.open_weight import OpenWeightBackend

EXECUTION = "arn:aws:states:us-west-2:123456789012:execution:pipeline:"
LIST_LAG_SECONDS = 0.1
KINDS = ("429", "500", "503", "reset", "malformed", "cut")
ROWS = training_rows(100)


class Stopped(BaseException):
    """The process was killed: nothing after this happens in it, `finally` included."""


class DyingStore(RunStore):
    """The store as a process has it that is killed before or after one of its writes."""

    def __init__(self, store: RunStore, chance: random.Random, share: float) -> None:
        super().__init__(store._client, store._table)
        self._chance = chance
        self._share = share
        self._dead = False

    def update_if(self, *arguments: Any, **more: Any) -> RunRecord:
        self._perhaps_die()
        record = super().update_if(*arguments, **more)
        self._perhaps_die()
        return record

    def load(self, run_id: str) -> RunRecord:
        if self._dead:
            raise Stopped
        return super().load(run_id)

    def _perhaps_die(self) -> None:
        if self._dead or self._chance.random() < self._share:
            self._dead = True
            raise Stopped


class CountingBackend:
    """A backend that counts the creations that were asked for."""

    def __init__(self, backend: TrainingBackend, creations: Counter[str]) -> None:
        self._backend = backend
        self._creations = creations

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def create(self, request: JobRequest) -> Any:
        self._creations[request.run_id] += 1
        return self._backend.create(request)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[RunStore]:
    for name, value in (("AWS_ACCESS_KEY_ID", "local"), ("AWS_SECRET_ACCESS_KEY", "local")):
        monkeypatch.setenv(name, value)
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-west-2")
        client.create_table(
            TableName="runs",
            KeySchema=[{"AttributeName": "run_id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "run_id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield RunStore(client, "runs")


@pytest.fixture
def bedrock(tmp_path: Path) -> Iterator[LocalBedrock]:
    """A Bedrock whose jobs wait and wait, and whose lists show what was there a tenth of a second ago."""
    waiting = {**FULL_PACE, "queued_seconds": 3600, "list_lag_seconds": LIST_LAG_SECONDS * 0.8, "hang_seconds": 0.2}
    with LocalBedrock.start(state_folder=tmp_path, switches=waiting) as running:
        yield running


def run_of(number: int, region: str = "us-west-2") -> RunRecord:
    return RunRecord(
        run_id=identity.run_id_for_upload(identity.Upload("drop", "inbox/gsm8k/train.jsonl", f"v{number}")),
        name="gsm8k",
        execution_arn=f"{EXECUTION}{number}",
        status=Status.RUNNING,
        started_at=clock.now_text(),
        updated_at=clock.now_text(),
        recipe_document=resolve({}, region).model_dump(mode="json"),
        grader_arn=f"arn:aws:lambda:{region}:123456789012:function:grader:1",
    )


def faults(chance: random.Random, actions: tuple[str, ...]) -> str:
    """Up to four faults of the service at calls of this run."""
    planned = [
        f"{chance.choice(actions)}:{chance.choice(('before', 'after'))}:{chance.choice(KINDS)}"
        for _ in range(chance.randrange(5))
    ]
    return ",".join(planned)


def submit(record: RunRecord, store: RunStore, backend: Any, chance: random.Random, *, dies: float) -> bool:
    """SubmitJob as its state machine runs it, processes dying: whether the run got its job."""
    for attempt in range(40):
        submission = Submission(
            DyingStore(store, chance, dies if attempt < 6 else 0.0),
            backend,
            lease_seconds=0.05,
            list_lag_seconds=LIST_LAG_SECONDS,
        )
        try:
            submission.submit(record.run_id, lambda: io.BytesIO(ROWS))
        except (Transient, Full, Stopped):
            continue
        except (RunReleased, RunEnded):
            return False
        return True
    raise AssertionError("SubmitJob never came to an end")


def stop(record: RunRecord, store: RunStore, backend: Any, chance: random.Random) -> str:
    """The aftermath of a stopped execution, processes dying; the id of the run's terminal notice."""
    ended = PipelineExecution(record.execution_arn, "ABORTED", {"run_id": record.run_id}, None, None, clock.now_text())
    for attempt in range(200):
        dying = DyingStore(store, chance, 0.1 if attempt < 6 else 0.0)
        try:
            released = Releaser(dying, lambda _: backend, list_lag_seconds=LIST_LAG_SECONDS).release(ended)
        except (Transient, Stopped):
            continue
        if released.notice is not None:
            return str(document_of(released.notice)["notice_id"])
    raise AssertionError("the aftermath never came to an end")


@pytest.mark.parametrize("runs", [8, pytest.param(200, marks=pytest.mark.prove)])
def test_open_weight_runs_under_random_faults(store: RunStore, bedrock: LocalBedrock, runs: int) -> None:
    actions = ("CreateFile", "ListFiles", "CreateFineTuningJob", "ListFineTuningJobs", "GetFineTuningJob")
    client = openai.OpenAI(base_url=bedrock.base_url, api_key=bedrock.api_key(), max_retries=0, timeout=5)
    creations: Counter[str] = Counter()
    succeeded: dict[str, RunRecord] = {}
    stopped: dict[str, set[str]] = {}
    backend = CountingBackend(OpenWeightBackend(client), creations)
    for number in range(runs):
        chance = random.Random(number)
        record = store.register(run_of(number))
        bedrock.set_switch("fault_plan", faults(chance, actions))
        if number % 4 == 3:
            # Somebody presses Stop, before, while or after the job is made.
            for _ in range(number % 3):
                submission = Submission(
                    DyingStore(store, chance, 0.3), backend, lease_seconds=0.05, list_lag_seconds=LIST_LAG_SECONDS
                )
                with suppress(Transient, Full, Stopped, RunEnded):
                    submission.submit(record.run_id, lambda: io.BytesIO(ROWS))
            stopped[record.run_id] = {stop(record, store, backend, chance) for _ in range(2)}
        elif submit(record, store, backend, chance, dies=0.1):
            succeeded[record.run_id] = store.load(record.run_id)
    bedrock.set_switch("fault_plan", "")
    bedrock.set_switch("list_lag_seconds", 0)
    live = OpenWeightBackend(client).live_jobs()
    owned = {record.job_id: run_id for run_id, record in succeeded.items()}
    jobs = Counter(run_id for run_id, _ in live)
    print(f"{len(succeeded)} runs with a job, {len(stopped)} stopped, {sum(creations.values())} creations")  # noqa: T201 - the measure
    assert len(succeeded) == runs * 3 // 4
    assert {job.id for _, job in live} == set(owned), (
        "a live job is owned by the run that knows it, and none is orphaned"
    )
    assert set(jobs) == set(succeeded)
    assert set(jobs.values()) == {1}
    assert all(notices == {identity.terminal_notice_id(run_id)} for run_id, notices in stopped.items())
    assert max(creations.values()) > 1, "the faults made nobody ask twice: they show nothing"
    made = Counter(job.training_file for job in client.fine_tuning.jobs.list(limit=100))
    assert set(made.values()) == {1}, "at most one job was ever made of a run's file"


@pytest.mark.parametrize("runs", [4, pytest.param(60, marks=pytest.mark.prove)])
def test_nova_runs_under_random_faults(store: RunStore, tmp_path: Path, runs: int) -> None:
    actions = ("CreateModelCustomizationJob", "GetModelCustomizationJob", "StopModelCustomizationJob")
    waiting = {**FULL_PACE, "queued_seconds": 3600, "nova_stopping_seconds": 0.01}
    aws = LambdaApi()
    with (
        closing(aws),
        LocalBedrock.start(
            state_folder=tmp_path, aws_endpoint=aws.endpoint, region="us-east-1", switches=waiting
        ) as bedrock,
    ):
        one_try = Config(retries={"total_max_attempts": 1}, read_timeout=2)
        client = boto3.client("bedrock", region_name="us-east-1", endpoint_url=bedrock.endpoint, config=one_try)
        role = "arn:aws:iam::123456789012:role/training"
        backend = NovaBackend(client, client, role_arn=role, runs_bucket="runs")
        succeeded = {}
        for number in range(runs):
            chance = random.Random(number)
            record = store.register(run_of(number, "us-east-1"))
            aws.objects[f"/runs/runs/{record.run_id}/train.jsonl"] = ROWS
            bedrock.set_switch("fault_plan", faults(chance, actions))
            made = submit(record, store, backend, chance, dies=0.1)
            if number % 4 == 3:
                assert stop(record, store, backend, chance) == identity.terminal_notice_id(record.run_id)
            elif made:
                succeeded[record.run_id] = store.load(record.run_id)
        bedrock.set_switch("fault_plan", "")
        live = backend.live_jobs()
        assert sorted(run_id for run_id, _ in live) == sorted(succeeded)
        assert {job.id for _, job in live} == {record.job_id for record in succeeded.values()}
