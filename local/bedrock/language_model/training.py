"""Training by a process of its own: its rollouts are graded here, and what is told of it is what it measured."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path

import orjson

from local.bedrock.engine import Keep, TrainingFailed
from local.bedrock.grading import Reply
from local.bedrock.grpo import Measures
from local.bedrock.language_model.worker import Environment, Message, Worker
from local.bedrock.model_ref import Adapter
from local.bedrock.training import Grade, Plan, Progress

_log = logging.getLogger(__name__)
_MOST_ENDS = 3
"""How often in a row the process may end by itself without a step done, before the job fails."""


async def train(
    environment: Environment,
    folder: Path,
    plan: Plan,
    start: Progress,
    *,
    grade: Grade,
    keep: Keep,
    step_seconds: Callable[[], float],
) -> Progress:
    """Train from `start` to the plan's last step; the process's files are in `folder`.

    A process that ends by itself, or was killed, is started again, and goes on from what it saved last. The steps
    that it does anew are the same ones, and are not told again.

    Raises:
        TrainingFailed: the process says why it cannot go on, or keeps ending.
        GraderFailed: as `grade` does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plan.json").write_bytes(orjson.dumps(_plan_document(plan)))
    progress, ends = start, 0
    while progress.step < plan.total_steps:
        before = progress.step
        run = _Run(plan, progress, grade, keep, step_seconds)
        worker = await Worker.start(environment, ("train", "--job", str(folder)), folder / "training.log")
        try:
            await run.follow(worker)
        finally:
            await worker.kill()  # when the job is cancelled, or its grader failed
        progress = run.progress
        if progress.step == plan.total_steps:
            break
        ends = 0 if progress.step > before else ends + 1
        how = await worker.ended()
        _log.warning("the training of %s ended %s after step %s", plan.name, how, progress.step)
        if ends == _MOST_ENDS:
            raise TrainingFailed(
                f"The training's process ended {how} {ends} times in a row after step {progress.step}; "
                f"its log is {folder / 'training.log'}."
            )
    return progress


class _Run:
    """One process's part of a training."""

    def __init__(
        self, plan: Plan, start: Progress, grade: Grade, keep: Keep, step_seconds: Callable[[], float]
    ) -> None:
        self.progress = start
        self._plan = plan
        self._grade = grade
        self._keep = keep
        self._step_seconds = step_seconds
        self._rows = [row for step in range(1, plan.total_steps + 1) for row in plan.batch(step)]
        self._began = time.monotonic()

    async def follow(self, worker: Worker) -> None:
        """Answer what the process asks and keep what it tells, until it ends."""
        async for told in worker.heard():
            if "grade" in told:
                rewards = await self._grade(self._replies(told["grade"]))
                try:
                    await worker.say({"rewards": rewards})
                except ConnectionError:
                    return
            elif "step" in told:
                await self._step(told)
            elif "failed" in told:
                raise TrainingFailed(f"The training stopped after step {self.progress.step}: {told['failed']}")

    def _replies(self, rollouts: list[Message]) -> list[Reply]:
        size = self._plan.group_size
        return [
            Reply(f"{self._plan.name}-{each['place']}-{number % size}", self._rows[each["place"]], each["text"])
            for number, each in enumerate(rollouts)
        ]

    async def _step(self, told: Message) -> None:
        step = told["step"]
        if step <= self.progress.step:
            return  # done anew after a kill, and told before
        model = Adapter(told["adapter"]) if told["adapter"] else self.progress.model
        self.progress = Progress(step, model, self.progress.tokens + told["tokens"])
        measures = Measures(
            rewards_mean=told["rewards_mean"],
            advantages_mean=told["advantages_mean"],
            policy_loss=told["policy_loss"],
            gradient_norm=told["gradient_norm"],
            entropy=told["entropy"],
            response_length_mean=told["response_length_mean"],
        )
        self._keep(self.progress, measures)
        await asyncio.sleep(max(0.0, self._step_seconds() - (time.monotonic() - self._began)))
        self._began = time.monotonic()


def _plan_document(plan: Plan) -> Message:
    """The plan as `local.language_model.training.Plan` reads it."""
    rows = [row for step in range(1, plan.total_steps + 1) for row in plan.batch(step)]
    return {
        "prompts": [row["messages"] for row in rows],
        "tools": [row.get("tools") for row in rows],
        "batch_size": len(plan.batch(1)),
        "group_size": plan.group_size,
        "steps": plan.total_steps,
        "max_tokens": plan.max_tokens,
        "rate": plan.rate,
        "seed": plan.seed,
        "checkpoint_every": plan.checkpoint_every,
    }
