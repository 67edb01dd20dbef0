"""Two real models at an endpoint, asked the test rows and compared as after a training, graded on this machine."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from typing import Any

import orjson

from local.endpoint.dataset import Row, Rows
from local.endpoint.grader_here import grader_here
from local.endpoint.model import ServedModel
from local.endpoint.rehearsal import what_is_real
from tunedrop.catalog import Family
from tunedrop.evaluation.answers import BASE, TUNED, Answer
from tunedrop.evaluation.guard_rails import Profile
from tunedrop.evaluation.tally import Tally
from tunedrop.evaluation.verdict import Rules, evaluate
from tunedrop.graders.deployed import DeployedGrader
from tunedrop.graders.graded import Graded, Rollout
from tunedrop.outcomes import ServiceBusy
from tunedrop.recipe import Recipe
from tunedrop.sampling.asking import ask_all
from tunedrop.sampling.question import Asking, NotAnswered, Question, Reply

IN_FLIGHT = 8


def compare_at(base: ServedModel, second: ServedModel, rows: Rows, *, most: int | None) -> tuple[dict[str, Any], bytes]:
    """The evaluation's result as a run's `evaluation/result.json` has it, and every answer, a line each.

    Raises:
        RecipeInvalid: the grader cannot run on this machine.
        ServiceBusy: a model did not answer.
        EvaluationIncomplete: too few answers could be graded.
    """
    recipe, asked = rows.recipe, rows.to_evaluate(most)
    grader, rewards = grader_here(recipe), recipe.grader.reward_range
    tally = Tally(rows=len(asked), samples=recipe.evaluation.samples, rewards=rewards)
    lines: list[bytes] = []
    profiles: dict[str, Profile] = {}
    for candidate, model in ((BASE, base), (TUNED, second)):
        profile = profiles.setdefault(candidate, Profile())
        for answer, row in _answers(candidate, model, asked, recipe, grader):
            tally.add(answer)
            profile.add(answer, _prompt(row))
            lines.append(answer.to_line())
    gates = recipe.gates
    rules = Rules(gates.level, gates.least_difference * rewards.width, gates.most_ungraded)
    result = evaluate(tally, profiles, rules, models={BASE: base.id, TUNED: second.id})
    return {**result, **what_is_real(base.told, second.told)}, b"".join(lines)


def _answers(
    candidate: str, model: ServedModel, rows: Sequence[Row], recipe: Recipe, grader: DeployedGrader
) -> Iterator[tuple[Answer, Row]]:
    replies = asyncio.run(_replies(model, rows, recipe))
    answered = [key for key, reply in replies.items() if reply.refused is None]
    told = {key: replies[key] for key in answered}
    rollouts = [Rollout(f"{row}-{sample}", rows[row], each.text, each.thought) for (row, sample), each in told.items()]
    grades: dict[tuple[int, int], Graded] = dict(zip(answered, grader.grade(rollouts), strict=True))
    least = grader.rewards.at(recipe.evaluation.pass_reward)
    for (row, sample), reply in sorted(replies.items()):
        graded = grades.get((row, sample))
        reward = graded.reward if graded else None
        correct = graded.correct if graded else None
        yield (
            Answer(
                row=row,
                sample=sample,
                candidate=candidate,
                prompt_sha256=hashlib.sha256(orjson.dumps(rows[row]["messages"])).hexdigest(),
                answer=reply.text,
                finish_reason=reply.finish_reason,
                prompt_tokens=reply.prompt_tokens,
                completion_tokens=reply.completion_tokens,
                latency_seconds=reply.latency_seconds,
                reward=reward,
                correct=reward >= least if correct is None and reward is not None else correct,
                components=graded.components if graded else {},
                ungraded=graded.ungraded if graded else f"the model refused: {reply.refused}",
                explanation=graded.explanation if graded else "",
            ),
            rows[row],
        )


async def _replies(model: ServedModel, rows: Sequence[Row], recipe: Recipe) -> dict[tuple[int, int], Reply]:
    evaluation = recipe.evaluation
    sampler = model.sampler(nova=recipe.catalog_model.family is Family.NOVA)
    asking = Asking(model.id, evaluation.max_tokens, evaluation.temperature, evaluation.reasoning_effort)
    questions = (
        ((row, sample), Question.of(content, seed=row * evaluation.samples + sample))
        for row, content in enumerate(rows)
        for sample in range(evaluation.samples)
    )
    replies: dict[tuple[int, int], Reply] = {}
    try:
        async with aclosing(ask_all(sampler, asking, questions, in_flight=IN_FLIGHT)) as answers:
            async for key, reply in answers:
                if isinstance(reply, NotAnswered):
                    raise ServiceBusy(model.silent(reply))
                replies[key] = reply
    finally:
        await sampler.close()
    return replies


def _prompt(row: Row) -> str:
    return "\n".join(str(message.get("content") or "") for message in row["messages"])
