"""A run at several moments, for what shows it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from local.command.progress import Answers, Progress, Span
from tunedrop.outcomes import Status
from tunedrop.run.record import RunRecord
from tunedrop.run.record_parts import CheckedDataset, EvaluationResult, RehearsalResult
from tunedrop.stages import ORDER, STAGES

RUN_ID = "sums-0123456789abcdef"
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def record(**changes: Any) -> RunRecord:
    """A run's record of which much is known, with `changes`."""
    known: dict[str, Any] = {
        "run_id": RUN_ID,
        "name": "sums",
        "execution_arn": "arn:aws:states:us-west-2:123456789012:execution:Pipeline:1",
        "status": Status.RUNNING,
        "started_at": "2026-01-01T00:00:00.000Z",
        "updated_at": "2026-01-01T00:00:00.000Z",
        "recipe_document": {"model": "openai.gpt-oss-20b", "grader": {"kind": "math"}, "evaluation": {"samples": 1}},
        "dataset": CheckedDataset(rows=300, test_rows=1, warnings=0, test_set="held out"),
        "rehearsal": RehearsalResult({"mean_reward": 0.641, "groups_with_signal": 0.625, "findings": []}),
        "job_id": "ftjob-1",
        "job_status": "running",
    }
    return RunRecord(**{**known, **changes})


def spans(until: str) -> dict[str, Span]:
    """Every stage up to `until`, a second each; `until` still works. Stages that a recipe asks for are left out."""
    names = [stage.name for stage in STAGES[: ORDER.index(until) + 1] if not stage.optional]
    made = {
        name: Span(BEGAN + timedelta(seconds=place), BEGAN + timedelta(seconds=place + 1))
        for place, name in enumerate(names)
    }
    made[until].left = None
    return made


def metrics(steps: int, total: int = 67) -> list[Mapping[str, float]]:
    """Metrics of the first `steps` steps, with a reward that rises from 0.5."""
    return [
        {
            "step": step,
            "total_steps": total,
            "critic_rewards_mean": 0.5 + 0.4 * step / total,
            "actor_entropy": 0.9,
        }
        for step in range(1, steps + 1)
    ]


def training(steps: int) -> Progress:
    """A run whose job trains."""
    return Progress(RUN_ID, record(), "RUNNING", spans=spans("PollJob"), metrics=metrics(steps))


def evaluating(base: int, tuned: int, wanted: int = 100) -> Progress:
    """A run whose models are being asked; half of the base's answers are right and all of the tuned one's."""
    answers = {"base": Answers(wanted, base, base, base // 2), "tuned": Answers(wanted, tuned, tuned, tuned)}
    return Progress(RUN_ID, record(), "RUNNING", spans=spans("EvaluateShards"), metrics=metrics(67), answers=answers)


def ended_well() -> Progress:
    """A run that has come to its notice."""
    made = spans("PublishNotice")
    made["PublishNotice"].left = BEGAN + timedelta(seconds=20)
    return Progress(
        RUN_ID,
        record(
            status=Status.SUCCEEDED,
            evaluation=EvaluationResult({"verdict": "improved"}),
            notified_at="2026-01-01T00:00:21.000Z",
        ),
        "SUCCEEDED",
        spans=made,
        metrics=metrics(67),
        answers={"base": Answers(100, 100, 100, 56), "tuned": Answers(100, 100, 100, 94)},
    )


def rejected(notified: bool) -> Progress:
    """A run whose dataset was found broken."""
    return Progress(
        RUN_ID,
        record(
            status=Status.REJECTED if notified else Status.RUNNING,
            dataset=CheckedDataset(),
            rehearsal=RehearsalResult(),
            job_id=None,
            notified_at="2026-01-01T00:00:21.000Z" if notified else None,
        ),
        "FAILED",
        error="DatasetInvalid",
        spans=spans("ValidateDataset"),
    )
