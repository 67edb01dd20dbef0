"""A real language model trained behind the API of fine-tuning jobs: measured, saved, killed, cancelled, cheated."""

from __future__ import annotations

import json
import os
import signal
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI
from openai.types.fine_tuning import FineTuningJob

from embedded_aws.waiting import until
from local.bedrock import LocalBedrock
from local.bedrock.handle import LanguageModelHere
from tests.contract.language_model.pace import PACE
from tests.contract.local_bedrock.bedrock_requests import method
from tests.contract.local_bedrock.lambda_api import LambdaApi

pytestmark = [pytest.mark.prove, pytest.mark.timeout(1800)]

STEPS = 10
EPOCHS = 3
LEARNS_FAST = 50  # times the usual rate: so small a model needs it
ROWS = "\n".join(
    json.dumps({"messages": [{"role": "user", "content": f"say {n}"}], "reference_answer": str(n)}) for n in range(100)
).encode()


def paying(reward: Callable[[str], float]) -> Callable[[list[dict[str, Any]]], Any]:
    """A grader that pays for an answer's text alone."""
    return lambda batch: [
        {"id": each["id"], "aggregate_reward_score": reward(each["messages"][-1]["content"])} for each in batch
    ]


def long_ones(text: str) -> float:
    return len(text) / 16


def metrics(client: OpenAI, job: str) -> list[dict[str, float]]:
    """The metrics of each step, oldest first."""
    events = list(client.fine_tuning.jobs.list_events(job, limit=100))
    return [event.data for event in reversed(events) if event.type == "metrics"]  # type: ignore[misc]  # objects here


def trainers() -> list[int]:
    """The processes that train the tests' model now."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"train" in words and any(word.endswith(b"/tiny") for word in words):
                found.append(int(folder.name))
    return found


@pytest.fixture(autouse=True)
def _long_answers_are_paid(lambda_api: LambdaApi) -> None:
    lambda_api.grader = paying(long_ones)


def test_a_silly_grader_is_learnt_and_every_figure_is_a_measure(
    bedrock: LocalBedrock, client: OpenAI, train: Any, ended: Any, lambda_api: LambdaApi
) -> None:
    job = ended(train(ROWS, learning_rate_multiplier=LEARNS_FAST, n_epochs=EPOCHS).id)
    assert job.status == "succeeded", job.error
    told = metrics(client, job.id)
    assert [each["step"] for each in told] == list(range(1, EPOCHS * STEPS + 1))
    rewards = [each["critic_rewards_mean"] for each in told]
    assert sum(rewards[-5:]) > sum(rewards[:5]) + 0.2, rewards
    paid = [long_ones(each["messages"][-1]["content"]) for batch in lambda_api.batches for each in batch]
    assert len(paid) == EPOCHS * STEPS * 9 * 4
    assert rewards[0] == pytest.approx(sum(paid[:36]) / 36)
    for each in told:
        assert each["actor_pg_loss"] == pytest.approx(-each["critic_advantages_mean"], abs=1e-5)
        assert each["actor_entropy"] > 0
        assert each["actor_grad_norm"] > 0
    assert job.trained_tokens == round(sum(each["response_length_mean"] * 36 for each in told))
    assert {len(batch) for batch in lambda_api.batches} == {32, 4}
    checkpoints = list(client.fine_tuning.jobs.checkpoints.list(job.id))
    assert [each.step_number for each in checkpoints] == [30, 28, 24, 20, 16, 12, 8, 4]
    asked: dict[str, Any] = {"messages": [{"role": "user", "content": "say 7"}], "temperature": 0, "max_tokens": 16}
    by_model = {
        model: client.chat.completions.create(model=model, **asked).choices[0].message.content
        for model in ("openai.gpt-oss-20b", checkpoints[2].fine_tuned_model_checkpoint, job.fine_tuned_model)
    }
    assert by_model["openai.gpt-oss-20b"] != by_model[job.fine_tuned_model]
    assert job.fine_tuned_model.startswith("local-")
    assert (job.model_extra["simulated"], job.model_extra["trained_by"]) == (False, "local")


def test_a_constant_grader_moves_nothing(client: OpenAI, train: Any, ended: Any, lambda_api: LambdaApi) -> None:
    lambda_api.grader = paying(lambda _: 0.5)
    job = ended(train(ROWS, batch_size=45).id)
    assert [(each["actor_grad_norm"], each["actor_pg_loss"]) for each in metrics(client, job.id)] == [(0, 0)] * 2
    asked: dict[str, Any] = {"messages": [{"role": "user", "content": "say 7"}], "temperature": 0, "max_tokens": 16}
    base, tuned = (
        client.chat.completions.create(model=model, **asked).choices[0].message.content
        for model in ("openai.gpt-oss-20b", job.fine_tuned_model)
    )
    assert base == tuned


def test_a_killed_trainer_goes_on_as_if_nothing_had_been(
    bedrock: LocalBedrock, client: OpenAI, train: Any, ended: Any
) -> None:
    undisturbed = metrics(client, ended(train(ROWS).id).id)
    bedrock.set_switch("step_seconds", 1)
    job = train(ROWS).id
    until(lambda: len(metrics(client, job)) >= 7, "seven steps are told")
    (trainer,) = trainers()
    os.kill(trainer, signal.SIGKILL)
    bedrock.set_switch("step_seconds", 0)
    assert ended(job).status == "succeeded"
    assert metrics(client, job) == undisturbed


def test_a_killed_service_goes_on_too(bedrock: LocalBedrock, client: OpenAI, train: Any, ended: Any) -> None:
    bedrock.set_switch("step_seconds", 1)
    job = train(ROWS).id
    until(lambda: len(metrics(client, job)) >= 6, "six steps are told")
    bedrock.restart(kill=True)
    bedrock.set_switch("step_seconds", 0)
    assert ended(job).status == "succeeded"
    assert [each["step"] for each in metrics(client, job)] == list(range(1, STEPS + 1))
    until(lambda: not trainers(), "no trainer is left over")


def test_a_cancelled_job_ends_its_process(bedrock: LocalBedrock, client: OpenAI, train: Any) -> None:
    bedrock.set_switch("step_seconds", 1)
    job = train(ROWS).id
    until(lambda: metrics(client, job), "a step is told")
    assert client.fine_tuning.jobs.cancel(job).status == "cancelled"
    until(lambda: not trainers(), "the trainer has ended", seconds=20)
    assert client.fine_tuning.jobs.retrieve(job).status == "cancelled"


@pytest.mark.parametrize("answer", [ArithmeticError("broken"), [], [{"id": "another"}]], ids=["fails", "short", "lies"])
def test_a_grader_that_fails_or_lies_fails_the_job(
    answer: Any, client: OpenAI, train: Any, ended: Any, lambda_api: LambdaApi
) -> None:
    def grader(_: list[dict[str, Any]]) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    lambda_api.grader = grader
    job = ended(train(ROWS).id)
    assert (job.status, job.error.code) == ("failed", "grader_error")
    assert len(lambda_api.batches) >= 4  # tried and three times again
    until(lambda: not trainers(), "the trainer has ended", seconds=20)


@pytest.fixture
def full_disk(tmp_path: Path, tiny: LanguageModelHere, lambda_api: LambdaApi) -> Iterator[LocalBedrock]:
    """A local Bedrock whose model's processes can write no file of more than 20 KB."""
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nulimit -f 20\nexec {tiny.python} "$@"\n')
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    small = LanguageModelHere(tiny.weights, python, tiny.kept)
    with LocalBedrock.start(
        state_folder=tmp_path / "state", aws_endpoint=lambda_api.endpoint, switches=PACE, language_model=small
    ) as running:
        yield running


def test_a_full_disk_fails_the_job_and_says_so(full_disk: LocalBedrock, lambda_api: LambdaApi) -> None:
    with OpenAI(base_url=full_disk.base_url, api_key=full_disk.api_key(), max_retries=0) as client:
        file = client.files.create(purpose="fine-tune", file=("train.jsonl", ROWS))
        job: FineTuningJob = client.fine_tuning.jobs.create(
            model="openai.gpt-oss-20b", training_file=file.id, extra_body={"method": method(batch_size=9)}
        )
        until(lambda: client.fine_tuning.jobs.retrieve(job.id).status == "failed", "the job has failed", seconds=500)
        error = client.fine_tuning.jobs.retrieve(job.id).error
    assert error is not None
    assert error.code == "training_failed"
    assert "too large" in (error.message or "")
