"""EvaluateShard: asks one candidate model some rows of the test set, and grades the answers.

It writes each answer as one line. If it runs again, it asks only the questions that have no answer yet.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Any

import orjson

from tunedrop.catalog import effort_for, family_of
from tunedrop.evaluation.answers import MOST_OF_A_THOUGHT, Answer
from tunedrop.graders.deployed import DeployedGrader
from tunedrop.graders.graded import Graded, Rollout
from tunedrop.outcomes import ServiceBusy
from tunedrop.recipe import Evaluation
from tunedrop.resources import Resources
from tunedrop.run import folder as names
from tunedrop.run.folder import RunFolder
from tunedrop.run.plan import Shard, answers_prefix, load_plan, read_shard
from tunedrop.run.record import RunRecord
from tunedrop.sampling.asking import ask_all
from tunedrop.sampling.question import Asking, NotAnswered, Question, Reply, Sampler
from tunedrop.sampling.samplers import sampler_for
from tunedrop.states.decision import Decision, for_the_handler

PART_ANSWERS = 64
"""Answers that are graded and written together: what a killed process loses at the most, beside what is under way."""


LOOK_SECONDS = 20.0
"""Between two looks at the quota: a third of the minute by which services count it."""


@dataclass(frozen=True, slots=True)
class _Task:
    """One answer to get: sample `sample` of row `row`."""

    row: int
    sample: int
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Evaluated(Decision):
    """The shard is `evaluated`; `answered` counts the answers that this call got."""

    answered: int = for_the_handler(0)


def run(event: Mapping[str, Any], resources: Resources) -> Evaluated:
    """Get every answer of a run's shard that is still missing.

    Input: `run_id`, and `shard`, its number in the plan.

    Raises:
        ServiceBusy: some could not be had this time; what was had is written.
    """
    run_id, number = event["run_id"], event["shard"]
    record = resources.runs.load(run_id)
    recipe = record.recipe
    run_folder = resources.folder(run_id)
    shards = load_plan(run_folder)
    if not 0 <= number < len(shards):
        raise run_folder.broken(names.PLAN, f"it has no shard {number}")
    shard = shards[number]
    evaluation = ShardEvaluation(
        shard,
        run_folder,
        evaluation=recipe.evaluation,
        sampler=sampler_for(family_of(shard.model, recipe.catalog_model.family), resources.settings),
        grader=resources.grader(record),
        seconds_left=resources.seconds_left,
        tokens_a_minute=_quota(resources, record, min(recipe.evaluation.concurrency, len(shards))),
    )
    return Evaluated("evaluated", answered=evaluation.run())


def _quota(resources: Resources, record: RunRecord, shards: int) -> Callable[[], float | None]:
    """Looks how many tokens a minute one of so many shards at once has; None where nothing bounds it.

    Shards know nothing of each other: each has its part of the recipe's figure, or of the run's share of the stack's.
    """
    own, stack = record.recipe.evaluation.tokens_per_minute, resources.settings.tokens_per_minute
    if not stack:
        return lambda: own and own / shards
    shares = resources.shares(record)

    def look() -> float:
        share = shares.of(record.run_id)
        return min(share, own or share) / shards

    return look


class ShardEvaluation:
    """Evaluates one shard.

    `seconds_left` tells how long this process may still work; `tokens_a_minute` looks what part of the quota it has.
    """

    def __init__(
        self,
        shard: Shard,
        run_folder: RunFolder,
        *,
        evaluation: Evaluation,
        sampler: Sampler,
        grader: DeployedGrader,
        seconds_left: Callable[[], float],
        tokens_a_minute: Callable[[], float | None] = lambda: None,
    ) -> None:
        self._look = tokens_a_minute
        self._tokens_a_minute: float | None = None
        self._shard = shard
        self._folder = run_folder
        self._evaluation = evaluation
        self._sampler = sampler
        self._grader = grader
        self._seconds_left = seconds_left
        self._prefix = answers_prefix(shard.number)

    def run(self) -> int:
        """Get every answer of the shard that is still missing, and return how many it got.

        Raises:
            ServiceBusy: some could not be had this time; what was had is written.
        """
        done, parts = self._answered()
        return asyncio.run(self._ask(done, count(parts)))

    def _answered(self) -> tuple[set[tuple[int, int]], int]:
        """What is answered already, and the number of the next part."""
        following = 0
        for name in self._folder.names(self._prefix):
            number = name.removeprefix(self._prefix).removesuffix(".jsonl")
            if not (number.isascii() and number.isdigit()):
                raise self._folder.broken(name, "it has the name of no part")
            following = max(following, int(number) + 1)
        answers = read_shard(self._folder, self._shard, samples=self._evaluation.samples)
        done = {(answer.row, answer.sample) for answer in answers}
        return done, following

    async def _ask(self, done: set[tuple[int, int]], part_numbers: Iterator[int]) -> int:
        asking = Asking(
            self._shard.model,
            self._evaluation.max_tokens,
            self._evaluation.temperature,
            effort_for(self._shard.model, self._evaluation.reasoning_effort),
        )
        tasks = (task for task in self._tasks() if (task.row, task.sample) not in done)
        questions = ((task, self._question(task)) for task in tasks if not self._late())
        waiting: list[tuple[_Task, Reply]] = []
        failures: list[NotAnswered] = []
        writing: set[asyncio.Task[int]] = set()
        written = 0
        self._tokens_a_minute = await asyncio.to_thread(self._look)
        looking = asyncio.create_task(self._look_again())
        answers = ask_all(
            self._sampler,
            asking,
            questions,
            in_flight=self._evaluation.in_flight,
            tokens_a_minute=lambda: self._tokens_a_minute,
            seconds_left=lambda: self._seconds_left() - _SECONDS_TO_FINISH,
        )
        try:
            async for task, reply in answers:
                if isinstance(reply, NotAnswered):
                    failures.append(reply)
                    continue
                waiting.append((task, reply))
                if len(waiting) == PART_ANSWERS:
                    # Graded beside the questions that are under way.
                    part, waiting = waiting, []
                    written += await _finished(writing, _MOST_WRITING - 1)
                    writing.add(asyncio.create_task(asyncio.to_thread(self._write, part, next(part_numbers))))
            if waiting:
                writing.add(asyncio.create_task(asyncio.to_thread(self._write, waiting, next(part_numbers))))
            written += await _finished(writing, 0)
        finally:
            looking.cancel()
            await asyncio.gather(*writing, looking, return_exceptions=True)
            await self._sampler.close()
        wanted = self._shard.rows * self._evaluation.samples
        if len(done) + written < wanted:
            why = f"; last: {failures[-1]}" if failures else "; this process ran out of time"
            raise ServiceBusy(
                f"shard {self._shard.number}: {wanted - len(done) - written} of {wanted} answers are missing{why}"
            )
        return written

    async def _look_again(self) -> None:
        """Keep up with the quota: others begin and end beside this one."""
        while self._tokens_a_minute is not None:
            await asyncio.sleep(LOOK_SECONDS)
            with suppress(ServiceBusy):  # then the figure of the last look stands
                self._tokens_a_minute = await asyncio.to_thread(self._look)

    def _tasks(self) -> Iterator[_Task]:
        rows = self._folder.rows(self._shard.rows_file, self._shard.start, self._shard.end)
        for row, (_, content) in enumerate(rows, start=self._shard.first_row):
            for sample in range(self._evaluation.samples):
                yield _Task(row, sample, content)

    def _question(self, task: _Task) -> Question:
        # The same seed for every candidate, so that what differs is the model.
        digest = hashlib.sha256(f"{self._evaluation.seed}/{task.row}/{task.sample}".encode()).digest()
        return Question.of(task.content, seed=int.from_bytes(digest[:4], "big") >> 1)

    def _late(self) -> bool:
        return self._seconds_left() < _SECONDS_TO_FINISH

    def _write(self, part: Sequence[tuple[_Task, Reply]], number: int) -> int:
        answered = [(task, reply) for task, reply in part if reply.refused is None]
        rollouts = [
            Rollout(f"{task.row}-{task.sample}", task.content, reply.text, reply.thought) for task, reply in answered
        ]
        graded = iter(self._grade(rollouts))
        lines = b"".join(
            self._answer(task, reply, None if reply.refused else next(graded)).to_line() for task, reply in part
        )
        self._folder.write(f"{self._prefix}{number:05}.jsonl", lines, "application/jsonl")
        return len(part)

    def _grade(self, rollouts: Sequence[Rollout]) -> Sequence[Graded]:
        """Patiently: what a throttled grader makes us give up was asked of the model, and would be asked again."""
        for wait in _GRADER_WAITS:
            try:
                return self._grader.grade(rollouts)
            except ServiceBusy:
                if self._late():
                    raise
                time.sleep(wait)
        return self._grader.grade(rollouts)

    def _answer(self, task: _Task, reply: Reply, graded: Graded | None) -> Answer:
        prompt = orjson.dumps(task.content["messages"])
        return Answer(
            row=task.row,
            sample=task.sample,
            candidate=self._shard.candidate,
            prompt_sha256=hashlib.sha256(prompt).hexdigest(),
            answer=reply.text,
            finish_reason=reply.finish_reason,
            prompt_tokens=reply.prompt_tokens,
            completion_tokens=reply.completion_tokens,
            latency_seconds=reply.latency_seconds,
            reward=graded.reward if graded else None,
            correct=self._correct(graded),
            components=graded.components if graded else {},
            ungraded=graded.ungraded if graded else f"the model refused: {reply.refused}",
            explanation=graded.explanation if graded else "",
            parts=graded.parts if graded else (),
            thought=reply.thought[-MOST_OF_A_THOUGHT:],
        )

    def _correct(self, graded: Graded | None) -> bool | None:
        if graded is None or graded.reward is None:
            return None
        return (
            graded.correct
            if graded.correct is not None
            else graded.reward >= self._grader.rewards.at(self._evaluation.pass_reward)
        )


async def _finished(writing: set[asyncio.Task[int]], most: int) -> int:
    """Wait until at most `most` parts are being written, and return the number of answers in those that were."""
    written = 0
    while len(writing) > most:
        done, _ = await asyncio.wait(writing, return_when=asyncio.FIRST_COMPLETED)
        writing -= done
        written += sum(part.result() for part in done)
    return written


_GRADER_WAITS = (2.0, 4.0, 8.0, 16.0)
"""Seconds between the tries to grade a part, beyond those of the client."""

_MOST_WRITING = 2
"""Parts that are graded and written at once: so that the grader, too, works while the last part is being stored."""

_SECONDS_TO_FINISH = 60.0
"""Below this no new question is asked, so that what is under way can be graded and written."""
