"""A finished run as a report gets it: generated answers to GSM8K-like rows, among them one that attacks the page."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from typing import Any

from tunedrop.evaluation.answers import BASE, TUNED, Answer
from tunedrop.evaluation.comparison import length_labels
from tunedrop.evaluation.guard_rails import Profile
from tunedrop.evaluation.tally import Tally
from tunedrop.evaluation.verdict import Rules, evaluate
from tunedrop.reporting.facts import RunFacts
from tunedrop.reporting.flips import Flips

HOSTILE = (
    "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">&amp; <!-- \u2028"
)
HOSTILE_ROW = 7
UNGRADED_ROWS = 5

_PEOPLE = ("Natalia", "Weng", "Betty", "Julie", "Albert", "Ken", "Mark", "Alexis")
_THINGS = ("clips", "apples", "pages", "pizza slices", "marbles", "stickers", "eggs")


def a_run(rows: int = 220, *, hedging: bool = False, hostile: bool = True, seed: int = 5) -> RunFacts:
    """A run over `rows` test rows whose tuned model is better, or has learned to hedge."""
    chance = random.Random(seed)
    questions = [_question(chance) for _ in range(rows)]
    tally = Tally(rows=rows)
    profiles = {BASE: Profile(), TUNED: Profile()}
    answers = [
        _answer(chance, row, candidate, questions[row][1], hedging=hedging, hostile=hostile and row == HOSTILE_ROW)
        for row in range(rows)
        for candidate in (BASE, TUNED)
    ]
    for answer in answers:
        tally.add(answer)
        profiles[answer.candidate].add(answer)
    result = evaluate(
        tally,
        profiles,
        Rules(),
        labels={
            "prompt length": length_labels([len(prompt) for prompt, _ in questions]),
            "topic": [("money", "time", "counting")[row % 3] for row in range(rows)],
        },
        models={BASE: "openai.gpt-oss-20b", TUNED: "ft:gpt-oss-20b:demo"},
    )
    flips = Flips(tally)
    for row, (prompt, value) in enumerate(questions):
        flips.add_row(row, HOSTILE if hostile and row == HOSTILE_ROW else prompt, f"Step by step.\n#### {value}")
    for answer in answers:
        flips.add_answer(answer)
    return RunFacts(
        run_id="gsm8k-1a2b3c4d5e",
        name="gsm8k",
        status="SUCCEEDED",
        simulated=True,
        execution_arn="arn:aws:states:us-west-2:123456789012:execution:RftPipeline:gsm8k-1a2b3c4d5e",
        started_at="2026-03-01T10:00:00Z",
        finished_at="2026-03-01T10:01:12Z",
        stages=[{"name": "Training", "seconds": 31.4}, {"name": "Evaluation", "seconds": 22.0}],
        base_model="openai.gpt-oss-20b",
        tuned_model="ft:gpt-oss-20b:demo",
        recipe={"model": "openai.gpt-oss-20b", "grader": {"kind": "math", "options": {}}, "gates": {"level": 0.05}},
        grader={"kind": "math", "arn": "arn:aws:lambda:us-west-2:123456789012:function:GraderPlain:3"},
        dataset={
            "uri": "s3://datasets/inbox/gsm8k/train.jsonl",
            "version": "3HL4kqtJvjVBH40Nrjfkd",
            "rows": 300,
            "sha256": "ab" * 32,
        },
        test_set={
            "uri": "s3://datasets/inbox/gsm8k/test.jsonl",
            "version": "QUpfdndhfd8438MNFDN93",
            "rows": rows,
            "sha256": "cd" * 32,
            "origin": "dropped",
        },
        findings=[
            {
                "rule": "duplicate_prompt",
                "severity": "warning",
                "file": "train.jsonl",
                "line": 118,
                "message": "The prompt is that of line 12.",
                "hint": "Drop one of the two: a prompt that comes twice is trained on twice.",
            }
        ],
        rehearsal={
            "prompts": 16,
            "samples": 64,
            "mean_reward": 0.484,
            "groups_with_signal": 0.81,
            "grader_errors": 0.0,
            "truncated": 0.0,
            "reference_reward": 1.0,
            "latency_p50": 0.012,
            "latency_p99": 0.4,
            "findings": [],
        },
        training=training(chance),
        evaluation=result,
        flips=flips.to_json(),
        code_version="0.1.0",
        seeds={"evaluation": 0},
    )


def training(chance: random.Random, steps: int = 67) -> dict[str, Any]:
    """A job's metrics in the service's own keys, with one health finding."""
    series = []
    for step in range(1, steps + 1):
        done = step / steps
        series.append(
            {
                "step": step,
                "total_steps": steps,
                "critic_rewards_mean": min(1.0, 0.48 + 0.42 * (1 - math.exp(-3 * done)) + chance.gauss(0, 0.06)),
                "actor_entropy": 0.7 + 0.9 * math.exp(-4 * done) + chance.gauss(0, 0.05),
                "actor_grad_norm": 0.12 + abs(chance.gauss(0, 0.05)) + (0.6 if step == 41 else 0),
                "response_length_mean": 260 - 60 * done + chance.gauss(0, 12),
                "actor_pg_loss": chance.gauss(0, 0.05),
                "critic_advantages_mean": chance.gauss(0, 0.01),
            }
        )
    return {
        "job_id": "ftjob-5d0c1c3e-6c1d-4a58-8d4f-0a6f7e4f6b11",
        "steps": steps,
        "total_steps": steps,
        "reward_first": 0.4375,
        "reward_last": 0.90625,
        "simulated": True,
        "metrics": series,
        "health": [
            {
                "step": 41,
                "metric": "actor_grad_norm",
                "rule": "gradient_spike",
                "severity": "warning",
                "message": "The gradient norm was 5 times its median.",
                "advice": "A single spike is harmless; several call for a lower learning rate.",
            }
        ],
    }


def a_rejected_run() -> RunFacts:
    """A run that ended at its dataset: nothing else was reached."""
    return RunFacts(
        run_id="broken-99",
        name="broken",
        status="REJECTED",
        reason={"error": "DatasetInvalid", "message": "train.jsonl line 3: the field `messages` is missing."},
        started_at="2026-03-01T10:00:00Z",
        finished_at="2026-03-01T10:00:09Z",
        base_model="openai.gpt-oss-20b",
        dataset={"uri": "s3://datasets/inbox/broken/train.jsonl", "version": "v1", "rows": 120},
        findings=[
            {
                "rule": "field_missing",
                "severity": "error",
                "file": "train.jsonl",
                "line": 3,
                "message": "The field `messages` is missing.",
                "hint": "Each line needs `messages`: a list of turns.",
            }
        ],
    )


def _question(chance: random.Random) -> tuple[str, int]:
    who, what = chance.choice(_PEOPLE), chance.choice(_THINGS)
    first, second, factor = chance.randint(3, 60), chance.randint(3, 60), chance.randint(2, 6)
    more = " She keeps two of them for her brother, who lives far away and visits seldom." * chance.randint(0, 2)
    prompt = (
        f"{who} has {first} {what} and buys {second} more.{more} How many {what} are there if {factor} friends have "
        'as many? Let\'s think step by step and output the final answer after "####".'
    )
    return prompt, (first + second) * factor


def _answer(chance: random.Random, row: int, candidate: str, value: int, *, hedging: bool, hostile: bool) -> Answer:
    tuned = candidate == TUNED
    right = chance.random() < (0.86 if tuned else 0.5)
    given = value if right else value + chance.choice((-10, 1, 7))
    text = f"There are {value // 2} at first, so twice that.\nThis makes {given} in all.\n#### {given}"
    if hedging and tuned:
        text, right = f"One of these should be it:\n#### {given}\n#### {value}\n#### {value + 3}", True
    if hostile:
        text, right = HOSTILE, tuned
    answer = Answer(
        row=row,
        sample=0,
        candidate=candidate,
        prompt_sha256="0" * 64,
        answer=text,
        finish_reason="stop",
        prompt_tokens=90,
        completion_tokens=len(text) // 4,
        latency_seconds=max(0.05, chance.gauss(1.6 if tuned else 1.9, 0.4)),
        reward=1.0 if right else chance.choice((0.0, 0.0, 0.1)),
        correct=right,
        components={"format": 1.0},
        explanation=f"The last committed answer is {given}; the reference is {value}.",
    )
    if row < UNGRADED_ROWS and not tuned:
        return replace(answer, ungraded="grader_timeout")
    return answer
