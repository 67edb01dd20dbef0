"""Watching a job: its status, its events kept once each, and the limits beyond which it is not worth going on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tunedrop import clock
from tunedrop.outcomes import (
    BudgetExceeded,
    RunReleased,
    ServiceBusy,
    TrainingCancelled,
    TrainingFailed,
    TrainingStuck,
)
from tunedrop.recipe import Recipe
from tunedrop.run.record import RunRecord
from tunedrop.run.store import RunStore
from tunedrop.settings import Settings
from tunedrop.training.backend import Busy, Job, JobStatus, Refused, TrainingBackend, TrainingEvent, Unclear

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

EAGER_MINUTES = 15
"""How long a young job is polled at the shorter interval. One minute for the first 15, then five, makes about
15 + (72 * 60 - 15) / 5 = 876 polls in 72 hours; at 9 history events a turn that is 7,884 of the 25,000 allowed."""

AGE_SHARE = 1 / 250
"""The least wait as a share of the job's age, whatever the parameters say. From second s on, a wait of age/250 makes
250 * ln(72 h / s) polls: with both parameters at 1 s that is 250 polls until the age is 250 s, then 250 * ln(1037) =
1,736 more, 1,986 in all, or 17,874 history events: below 80% of the 25,000."""

REWARD_WINDOW = 5
"""Steps over which the first and the last reward are averaged: single steps are noisy (a mean of some 32 rollouts)."""

_BATCH = 25  # items a BatchWriteItem, DynamoDB's limit


@dataclass(frozen=True, slots=True)
class Poll:
    """What a poll decided: `ready` means that the tuned model can be asked."""

    decision: str
    status: str
    wait_seconds: int


class TrainingEvents:
    """The events of all jobs, an item each by run and event: writing one twice changes nothing."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def keep(self, run_id: str, events: Iterable[TrainingEvent]) -> int:
        """Write the events that are not kept yet; how many those were."""
        known = {item["event_id"]["S"] for item in self._items(run_id, "event_id")}
        new = [event for event in events if event.id not in known]
        for start in range(0, len(new), _BATCH):
            requests: Any = [
                {"PutRequest": {"Item": _event_item(run_id, event)}} for event in new[start : start + _BATCH]
            ]
            while requests:
                answer = self._client.batch_write_item(RequestItems={self._table: requests})
                requests = answer.get("UnprocessedItems", {}).get(self._table, [])
        return len(new)

    def metrics(self, run_id: str) -> list[dict[str, float]]:
        """The metrics of every step, by step; where a step was told twice, the later one."""
        by_step: dict[int, tuple[int, dict[str, float]]] = {}
        for item in self._items(run_id, "event_id, created_at, step, metrics"):
            if "metrics" in item and "step" in item:
                step, created = int(item["step"]["N"]), int(item["created_at"]["N"])
                values = {name: float(value["N"]) for name, value in item["metrics"]["M"].items()}
                if step not in by_step or created >= by_step[step][0]:
                    by_step[step] = (created, values)
        return [by_step[step][1] for step in sorted(by_step)]

    def _items(self, run_id: str, attributes: str) -> Iterable[Mapping[str, Any]]:
        names = {f"#{name.strip()}": name.strip() for name in attributes.split(",")}
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="run_id = :run",
            ExpressionAttributeValues={":run": {"S": run_id}},
            ExpressionAttributeNames=names,
            ProjectionExpression=", ".join(names),
            ConsistentRead=True,
        )
        for page in pages:
            yield from page["Items"]


def poll(run_id: str, *, store: RunStore, events: TrainingEvents, backend: TrainingBackend, settings: Settings) -> Poll:
    """Look at the run's job once: keep what is new, and say whether to go on waiting.

    Raises:
        TrainingFailed, TrainingCancelled: the job has ended without a model.
        TrainingStuck, BudgetExceeded: it goes on, but should not; the run's release cancels it.
        RunReleased: the run was stopped meanwhile.
        ServiceBusy: the service could not be asked this time.
    """
    record = store.load(run_id)
    if record.closed or record.releasing_at is not None or record.job_id is None:
        raise RunReleased(f"run {run_id} has no job to watch: it was stopped")
    try:
        job = backend.get(record.job_id)
        events.keep(run_id, backend.events(record.job_id))
        checkpoints = backend.checkpoints(record.job_id)
    except (Busy, Unclear) as trouble:
        raise ServiceBusy(f"job {record.job_id} could not be looked at: {trouble}") from trouble
    except Refused as refusal:
        raise TrainingFailed(f"Bedrock does not show job {record.job_id} any more: {refusal}") from refusal

    metrics = events.metrics(run_id)
    training = {
        **summary(metrics, record.training or {}),
        "checkpoints": [{"step": each.step, "model": each.model} for each in checkpoints],
    }
    record = store.update(
        run_id,
        {
            "job_status": job.service_status,
            "tuned_model": job.tuned_model or record.tuned_model,
            "training": training,
            "stage": "PollJob",
        },
    )
    return _decide(record, job, settings)


def summary(metrics: Sequence[Mapping[str, float]], before: Mapping[str, Any]) -> dict[str, Any]:
    """What the record keeps of a training: how far it is, and what the reward was in its first and last steps."""
    rewards = [each["critic_rewards_mean"] for each in metrics if "critic_rewards_mean" in each]
    steps = int(metrics[-1]["step"]) if metrics else None
    progressed = steps is not None and steps != before.get("steps")
    return {
        "simulated": bool(before.get("simulated", False)),
        "steps": steps,
        "total_steps": int(metrics[-1]["total_steps"]) if metrics and "total_steps" in metrics[-1] else None,
        "reward_first": _mean(rewards[:REWARD_WINDOW]),
        "reward_last": _mean(rewards[-REWARD_WINDOW:]),
        "progress_at": clock.now_text() if progressed or "progress_at" not in before else before["progress_at"],
    }


def _decide(record: RunRecord, job: Job, settings: Settings) -> Poll:
    told = f": {job.error}" if job.error else ""
    if job.status is JobStatus.FAILED:
        raise TrainingFailed(f"Bedrock ended job {job.id} as failed{told}")
    if job.status is JobStatus.CANCELLED:
        raise TrainingCancelled(f"job {job.id} was cancelled outside this run{told}")
    if job.status is JobStatus.SUCCEEDED and job.tuned_model:
        return Poll("ready", job.service_status, 0)

    budget = Recipe.model_validate(record.recipe).budget
    submitted_at = record.submitted_at or record.started_at
    age_hours = _hours_since(submitted_at)
    if age_hours > budget.hours:
        raise BudgetExceeded(f"job {job.id} trains for {age_hours:.1f} hours; the recipe allows {budget.hours:g}")
    still_hours = _hours_since((record.training or {}).get("progress_at") or submitted_at)
    if still_hours > budget.stuck_hours:
        raise TrainingStuck(
            f"job {job.id} ({job.service_status}) made no step for {still_hours:.1f} hours; "
            f"the recipe allows {budget.stuck_hours:g} (`budget.stuck_hours`)"
        )
    wait = wait_seconds(age_hours * 3600, settings.first_poll_seconds, settings.later_poll_seconds)
    # A job that has succeeded without naming its model is not ready: that, too, is a status that nobody documented.
    known = job.status is not JobStatus.UNKNOWN and job.status is not JobStatus.SUCCEEDED
    return Poll("running" if known else "unknown", job.service_status, wait)


def wait_seconds(age_seconds: float, first: int, later: int) -> int:
    """How long to wait until the next look at a job of this age: often while it is young, and never so often that the
    longest run could pass the limit of Step Functions' history."""
    wanted = first if age_seconds < EAGER_MINUTES * 60 else later
    return max(wanted, int(age_seconds * AGE_SHARE))


def _event_item(run_id: str, event: TrainingEvent) -> dict[str, Any]:
    item: dict[str, Any] = {
        "run_id": {"S": run_id},
        "event_id": {"S": event.id},
        "created_at": {"N": str(event.created_at)},
        "level": {"S": event.level},
        "message": {"S": event.message},
    }
    if event.step is not None:
        item["step"] = {"N": str(event.step)}
    if event.metrics is not None:
        item["metrics"] = {"M": {name: {"N": f"{value:.12g}"} for name, value in event.metrics.items()}}
    return item


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _hours_since(moment: str) -> float:
    return (clock.now() - clock.parse(moment)).total_seconds() / 3600
