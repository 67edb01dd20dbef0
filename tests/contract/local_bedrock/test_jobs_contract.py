"""Fine-tuning jobs by the unmodified SDK."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from openai import BadRequestError, NotFoundError, OpenAI
from openai.types.fine_tuning import FineTuningJob

from embedded_aws.waiting import until
from local.bedrock import LocalBedrock
from tests.contract.local_bedrock.bedrock_requests import GRADER, method, training_rows
from tests.contract.local_bedrock.lambda_api import LambdaApi, exact_grader

Train = Callable[..., FineTuningJob]
Ended = Callable[[str], FineTuningJob]
METRICS = {
    "step",
    "total_steps",
    "actor_entropy",
    "actor_grad_norm",
    "actor_pg_loss",
    "critic_advantages_mean",
    "critic_rewards_mean",
    "response_length_mean",
}


def test_a_job_goes_its_way_to_a_model_that_answers_better(
    client: OpenAI, train: Train, ended: Ended, bedrock: LocalBedrock, lambda_api: LambdaApi
) -> None:
    job = train(training_rows(300), extra_body={"method": method()})
    assert re.fullmatch(r"ftjob-[0-9a-f-]{36}", job.id)
    assert job.status == "validating_files"
    assert job.fine_tuned_model is None

    done = ended(job.id)

    assert done.status == "succeeded", done.error
    assert done.finished_at is not None
    assert done.trained_tokens is not None
    assert done.trained_tokens > 1000
    assert done.model_extra is not None
    assert done.model_extra["simulated"] is True
    assert done.method is not None
    raw = client.fine_tuning.jobs.with_raw_response.retrieve(job.id).http_response.json()
    assert raw["method"] == method()
    assert set(lambda_api.functions) == {GRADER}
    assert len(lambda_api.batches) == 67
    assert {len(batch) for batch in lambda_api.batches} == {32}

    events = list(client.fine_tuning.jobs.list_events(job.id, limit=50))
    metrics = [event for event in events if event.type == "metrics"]
    data: list[Any] = [event.data for event in metrics]
    assert [entry["step"] for entry in data] == list(range(67, 0, -1))
    assert all(set(entry) == METRICS for entry in data)
    assert metrics[-4].message == "Step 4/67: training metrics"
    assert all(re.fullmatch(r"ftevent-[0-9a-f-]{36}", event.id) for event in events)
    rewards = [entry["critic_rewards_mean"] for entry in data]
    assert sum(rewards[:10]) > sum(rewards[-10:]) + 2

    checkpoints = list(client.fine_tuning.jobs.checkpoints.list(job.id))
    assert [checkpoint.step_number for checkpoint in checkpoints] == [67, 60, 40, 20]

    def right(model: str) -> int:
        return sum(
            client.chat.completions.create(
                model=model,
                messages=[{"role": "user", "content": f'What is {number} + 100? End with "####".'}],
                temperature=0,
                max_tokens=512,
            )
            .choices[0]
            .message.content.endswith(f"#### {number + 100}")  # type: ignore[union-attr]  # content is always a text here
            for number in range(60)
        )

    assert done.fine_tuned_model is not None
    assert right(done.fine_tuned_model) > right("openai.gpt-oss-20b") + 8
    assert (
        bedrock.policy(done.fine_tuned_model)["shares"]
        == bedrock.policy(checkpoints[0].fine_tuned_model_checkpoint)["shares"]
    )


@pytest.mark.parametrize(
    ("held_in", "status"),
    [("validating_seconds", "validating_files"), ("queued_seconds", "queued"), ("step_seconds", "running")],
)
def test_a_job_passes_through_every_documented_status(
    client: OpenAI, train: Train, bedrock: LocalBedrock, *, held_in: str, status: str
) -> None:
    bedrock.set_switch(held_in, 60)
    job = train().id
    before = ("validating_files", "queued", "running")
    while (seen := client.fine_tuning.jobs.retrieve(job).status) != status:
        assert seen in before[: before.index(status)]
        time.sleep(0.01)
    assert client.fine_tuning.jobs.cancel(job).status == "cancelled"


def test_a_cancelled_job_stops_at_once_and_cannot_be_cancelled_again(
    client: OpenAI, train: Train, bedrock: LocalBedrock
) -> None:
    bedrock.set_switch("step_seconds", 0.02)
    job = train(extra_body={"method": method(n_epochs=50)})
    told = client.fine_tuning.jobs.list_events
    until(lambda: any(event.type == "metrics" for event in told(job.id)), "a step is told")

    cancelled = client.fine_tuning.jobs.cancel(job.id)
    events = len(list(client.fine_tuning.jobs.list_events(job.id)))

    assert cancelled.status == "cancelled"
    assert cancelled.finished_at is not None
    time.sleep(0.1)  # time for five more steps, if it went on
    assert len(list(client.fine_tuning.jobs.list_events(job.id))) == events
    assert client.fine_tuning.jobs.retrieve(job.id).status == "cancelled"
    with pytest.raises(BadRequestError, match="already ended"):
        client.fine_tuning.jobs.cancel(job.id)
    bedrock.set_switch("cancel_ended_job", "answer")
    assert client.fine_tuning.jobs.cancel(job.id).status == "cancelled"


def test_jobs_are_listed_newest_first_in_pages(client: OpenAI, train: Train) -> None:
    ids = [train().id for _ in range(5)]
    assert [job.id for job in client.fine_tuning.jobs.list(limit=2)] == ids[::-1]
    page = client.fine_tuning.jobs.list(limit=2, after=ids[3])
    assert [job.id for job in page.data] == [ids[2], ids[1]]
    assert page.has_more
    with pytest.raises(BadRequestError) as refusal:
        client.fine_tuning.jobs.list(after="ftjob-none")
    assert refusal.value.param == "after"
    with pytest.raises(BadRequestError) as refusal:
        client.fine_tuning.jobs.list(limit=0)
    assert refusal.value.param == "limit"


def test_a_list_may_lag_behind_by_calls(client: OpenAI, train: Train, bedrock: LocalBedrock) -> None:
    bedrock.set_switch("list_lag_calls", 2)
    job = train()
    listed = [[entry.id for entry in client.fine_tuning.jobs.list()] for _ in range(3)]
    assert listed == [[], [], [job.id]]
    assert client.fine_tuning.jobs.retrieve(job.id).id == job.id


def test_a_list_may_lag_behind_by_seconds(client: OpenAI, train: Train, bedrock: LocalBedrock) -> None:
    bedrock.set_switch("list_lag_seconds", 60)
    job = train()
    assert list(client.fine_tuning.jobs.list()) == []
    assert list(client.files.list()) == []
    bedrock.set_switch("list_lag_seconds", 0)
    assert [entry.id for entry in client.fine_tuning.jobs.list()] == [job.id]


def test_a_page_may_be_shorter_than_asked(client: OpenAI, train: Train, bedrock: LocalBedrock) -> None:
    ids = [train().id for _ in range(3)]
    bedrock.set_switch("page_cap", 1)
    assert len(client.fine_tuning.jobs.list(limit=100).data) == 1
    assert [job.id for job in client.fine_tuning.jobs.list(limit=100)] == ids[::-1]


def test_events_may_come_oldest_first(client: OpenAI, train: Train, bedrock: LocalBedrock, ended: Ended) -> None:
    bedrock.set_switch("event_order", "oldest_first")
    job = ended(train().id)
    messages = [event.message for event in client.fine_tuning.jobs.list_events(job.id, limit=7)]
    assert messages[0].startswith("Created fine-tuning job")
    assert messages[-1] == "The job has successfully completed"


@pytest.mark.parametrize(("rows", "why"), [(99, "99 examples; expected 100 to 20000"), (0, "example 1")])
def test_a_training_file_out_of_bounds_fails_the_job(train: Train, ended: Ended, rows: int, why: str) -> None:
    job = ended(train(training_rows(rows) or b"not json").id)
    assert job.status == "failed"
    assert job.error is not None
    assert job.error.param == "training_file"
    assert why in job.error.message


def test_a_grader_that_keeps_failing_fails_the_job_with_its_reason(
    client: OpenAI, train: Train, ended: Ended, lambda_api: LambdaApi
) -> None:
    def divide(_: object) -> object:
        return 1 / 0

    lambda_api.grader = divide
    job = ended(train().id)
    assert job.status == "failed"
    assert job.error is not None
    assert job.error.code == "grader_error"
    assert "4 times in a row" in job.error.message
    assert "ArithmeticError" in job.error.message
    assert len(lambda_api.batches) >= 4
    assert client.fine_tuning.jobs.list_events(job.id).data[0].level == "error"


def test_a_grader_that_fails_now_and_then_is_asked_again(train: Train, ended: Ended, lambda_api: LambdaApi) -> None:
    failed: set[str] = set()

    def now_and_then(batch: list[dict[str, Any]]) -> Any:
        # By the batch, not by the number of calls: several are graded at once, and one could fail each time.
        if batch[0]["id"] in failed:
            return exact_grader(batch)
        failed.add(batch[0]["id"])
        return []

    lambda_api.grader = now_and_then
    assert ended(train().id).status == "succeeded"
    assert len(lambda_api.batches) == 2 * len(failed) >= 2 * 24  # three steps of 240 rollouts, 32 a batch


def test_the_graders_batch_takes_the_documented_layout_too(
    train: Train, ended: Ended, lambda_api: LambdaApi, bedrock: LocalBedrock
) -> None:
    bedrock.set_switch("grader_layout", "metadata")
    bedrock.set_switch("grader_wraps_strings", False)
    lambda_api.grader = lambda batch: [{"id": sample["id"], "aggregate_reward_score": 0.5} for sample in batch]
    assert ended(train().id).status == "succeeded"
    sample = lambda_api.batches[0][0]
    assert set(sample) == {"id", "messages", "metadata"}
    assert set(sample["metadata"]) == {"reference_answer", "ground_truth"}
    assert sample["messages"][-1]["role"] == "assistant"
    assert len({sample["id"] for batch in lambda_api.batches for sample in batch}) == 3 * 30 * 8


def test_only_so_many_jobs_train_at_once(client: OpenAI, train: Train, bedrock: LocalBedrock, ended: Ended) -> None:
    bedrock.set_switch("concurrent_jobs", 1)
    bedrock.set_switch("step_seconds", 0.02)
    first = train(extra_body={"method": method(n_epochs=50)}).id
    second = train().id
    until(lambda: client.fine_tuning.jobs.retrieve(first).status == "running", "the first job trains")
    time.sleep(0.1)
    assert client.fine_tuning.jobs.retrieve(second).status == "queued"
    client.fine_tuning.jobs.cancel(first)
    bedrock.set_switch("step_seconds", 0)
    assert ended(second).status == "succeeded"


@pytest.mark.parametrize(
    ("request_", "param"),
    [
        ({"suffix": "mine"}, "suffix"),
        ({"model": "gpt-4o-mini"}, "model"),
        ({"model": "openai.gpt-oss-120b"}, "model"),
        ({"extra_body": {"colour": "red"}}, "colour"),
        ({"extra_body": {"integrations": [{"type": "wandb"}]}}, "integrations"),
        ({"extra_body": {"seed": -1}}, "seed"),
        ({"extra_body": {"metadata": {"a": 1}}}, "metadata"),
        ({"extra_body": {"training_file": "none"}}, "training_file"),
        ({"extra_body": {"validation_file": "none"}}, "validation_file"),
        ({"extra_body": {"method": None}}, "method"),
        ({"extra_body": {"method": {"type": "supervised"}}}, "method.type"),
        ({"extra_body": {"method": method(batch_size=0)}}, "method.reinforcement.hyperparameters.batch_size"),
        ({"extra_body": {"method": method(n_epochs="auto")}}, "method.reinforcement.hyperparameters.n_epochs"),
        (
            {"extra_body": {"method": method(compute_multiplier=2)}},
            "method.reinforcement.hyperparameters.compute_multiplier",
        ),
    ],
)
def test_a_request_that_cannot_be_met_is_refused_with_its_parameter(
    train: Train, request_: dict[str, Any], param: str, bedrock: LocalBedrock
) -> None:
    with pytest.raises(BadRequestError) as refusal:
        train(**request_)
    assert refusal.value.param == param
    assert refusal.value.type == "invalid_request_error"


def test_other_graders_than_lambda_are_refused(train: Train) -> None:
    for grader in ({"type": "string_check"}, {"type": "lambda", "lambda": {"function": "grader-math"}}):
        with pytest.raises(BadRequestError, match="grader|ARN"):
            train(extra_body={"method": {"type": "reinforcement", "reinforcement": {"grader": grader}}})


def test_what_is_refused_by_default_is_taken_where_the_switch_says_so(
    train: Train, ended: Ended, bedrock: LocalBedrock
) -> None:
    for name, value in (("suffix", "ignore"), ("unknown_hyperparameters", "ignore"), ("auto_hyperparameters", "accept"),
                        ("unknown_parameters", "ignore"), ("echo_method", False)):  # fmt: skip
        bedrock.set_switch(name, value)
    job = train(suffix="mine", extra_body={"colour": "red", "method": method(n_epochs="auto", eval_interval=3)})
    assert job.method is None
    assert ended(job.id).status == "succeeded"


def test_the_grader_may_be_looked_up_at_creation(train: Train, bedrock: LocalBedrock) -> None:
    bedrock.set_switch("grader_checked_at_creation", True)
    with pytest.raises(BadRequestError, match="Function not found"):
        train()


def test_metadata_seed_and_either_qwen_name_are_kept(client: OpenAI, train: Train) -> None:
    job = train(model="qwen.qwen3-32b-v1:0", extra_body={"metadata": {"run": "one"}, "seed": 7})
    kept = client.fine_tuning.jobs.retrieve(job.id)
    assert (kept.metadata, kept.seed, kept.model) == ({"run": "one"}, 7, "qwen.qwen3-32b-v1:0")


def test_a_job_without_a_seed_has_that_of_the_switch(client: OpenAI, train: Train, bedrock: LocalBedrock) -> None:
    bedrock.set_switch("job_seed", 5)
    jobs = [train(), train(extra_body={"seed": 0})]
    assert [client.fine_tuning.jobs.retrieve(job.id).seed for job in jobs] == [5, 0]


def test_pause_and_resume_are_not_there(client: OpenAI, train: Train, bedrock: LocalBedrock) -> None:
    job = train()
    for call in (client.fine_tuning.jobs.pause, client.fine_tuning.jobs.resume):
        with pytest.raises(NotFoundError):
            call(job.id)
    bedrock.set_switch("pause_and_resume", "accept")
    assert client.fine_tuning.jobs.pause(job.id).id == job.id


def test_a_job_that_is_not_there_is_a_404_on_every_route(client: OpenAI) -> None:
    jobs = client.fine_tuning.jobs
    for call in (jobs.retrieve, jobs.cancel, jobs.list_events, jobs.checkpoints.list):
        with pytest.raises(NotFoundError) as refusal:
            call("ftjob-none")
        assert refusal.value.code == "not_found"


@pytest.mark.parametrize(
    ("form", "pattern"), [("colons", "ft:openai.gpt-oss-20b:.*"), ("arn", "arn:aws:bedrock-mantle:.*/.*")]
)
def test_a_tuned_models_id_is_opaque(
    client: OpenAI, train: Train, ended: Ended, bedrock: LocalBedrock, *, form: str, pattern: str
) -> None:
    bedrock.set_switch("tuned_model_id", form)
    tuned = ended(train().id).fine_tuned_model
    assert tuned is not None
    assert re.fullmatch(pattern, tuned)
    assert client.models.retrieve(tuned).id == tuned
    assert client.chat.completions.create(model=tuned, messages=[{"role": "user", "content": "hi"}]).model == tuned
