"""A finished run as a report gets it: generated answers to GSM8K-like rows, among them one that attacks the page."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tunedrop.catalog import who_trains
from tunedrop.evaluation.answers import BASE, TUNED, Answer
from tunedrop.evaluation.comparison import length_labels
from tunedrop.evaluation.guard_rails import Profile
from tunedrop.evaluation.parts_tally import PartsTally
from tunedrop.evaluation.tally import Tally
from tunedrop.evaluation.verdict import Rules, evaluate
from tunedrop.graders.sample import Part
from tunedrop.reporting.facts import RunFacts
from tunedrop.reporting.flips import Flips
from tunedrop.reporting.page import render_html
from tunedrop.reporting.page_data import ROWS_FOLDER
from tunedrop.reporting.rehearsal_samples import samples
from tunedrop.reporting.report import build_report
from tunedrop.reporting.row_index import row_index
from tunedrop.reporting.row_texts import Limits, PageRows, RowTexts, row_text, told_answer

HOSTILE = (
    "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">&amp; <!-- \u2028"
)
HOSTILE_ROW = 7
UNGRADED_ROWS = 5

_PEOPLE = ("Natalia", "Weng", "Betty", "Julie", "Albert", "Ken", "Mark", "Alexis")
_THINGS = ("clips", "apples", "pages", "pizza slices", "marbles", "stickers", "eggs")


@dataclass
class Sampled:
    """A run with all its rows: what the report is made of, what its page has, and the files beside it by name."""

    facts: RunFacts
    rows: PageRows
    files: dict[str, bytes] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        """Write the page and its files into a folder; the page."""
        page = folder / "report.html"
        page.write_text(render_html(build_report(self.facts), self.rows), encoding="utf-8")
        for name, script in self.files.items():
            (folder / ROWS_FOLDER).mkdir(exist_ok=True)
            (folder / ROWS_FOLDER / name).write_bytes(script)
        return page


def a_run(rows: int = 220, *, hedging: bool = False, hostile: bool = True, seed: int = 5) -> RunFacts:
    """A run over `rows` test rows whose tuned model is better, or has learned to hedge."""
    return sampled_run(rows, hedging=hedging, hostile=hostile, seed=seed).facts


def sampled_run(
    rows: int = 220,
    *,
    kind: str = "math",
    others: Sequence[str] = (),
    hedging: bool = False,
    hostile: bool = True,
    thoughts: bool = False,
    lines: Sequence[int] | None = None,
    seed: int = 5,
) -> Sampled:
    """A run with all its rows; `kind` is that of its grader, `others` are candidates beside base and tuned."""
    chance = random.Random(seed)
    questions = [_question(chance) for _ in range(rows)]
    names = (BASE, TUNED, *others)
    tally = Tally(rows=rows)
    profiles = {name: Profile() for name in names}
    parts = PartsTally(kind)
    answers = {}
    for row in range(rows):
        for candidate in names:
            at = hostile and row == HOSTILE_ROW
            answer = _answer(chance, row, candidate, questions[row][1], hedging=hedging, hostile=at)
            if kind != "math":
                answer = _by_parts(chance, kind, answer)
            if thoughts:
                answer = replace(answer, answer=f"<think>{_THOUGHT * 3}</think>{answer.answer}")
            answers[row, candidate] = answer
            tally.add(answer)
            profiles[candidate].add(answer)
            parts.add(answer)
    labels = {
        "prompt length": length_labels([len(prompt) for prompt, _ in questions]),
        "topic": [("money", "time", "counting")[row % 3] for row in range(rows)],
    }
    models = {BASE: "openai.gpt-oss-20b", TUNED: "ft:gpt-oss-20b:demo"}
    result = evaluate(tally, profiles, Rules(), labels=labels, models=models)
    result["parts"] = parts.to_json()
    flips = Flips(tally)
    files: dict[str, bytes] = {}
    file = "test.jsonl" if lines is None else "train.jsonl"
    index = row_index(tally, labels=labels, models=models, file=file, lines=lines or range(1, rows + 1))
    texts = RowTexts(index["states"], files.__setitem__)
    limits = Limits.of(rows=rows, answers=len(answers))
    for row, (prompt, value) in enumerate(questions):
        asked = HOSTILE if hostile and row == HOSTILE_ROW else prompt
        reference = f"Step by step.\n#### {value}"
        flips.add_row(row, asked, reference)
        told = [told_answer(answers[row, name], place, limits) for place, name in enumerate(names)]
        line = json.dumps({"messages": [{"role": "user", "content": asked}], "reference_answer": reference})
        texts.add(row, row_text(row, line.encode(), prompt=asked, reference=reference, answers=told, limits=limits))
    for answer in answers.values():
        flips.add_answer(answer)
    facts = _facts(chance, rows, result, flips, kind)
    return Sampled(facts, texts.close(index), files)


_THOUGHT = "The question asks for a total, so I add what there was to what was bought, and check it twice. "
_LABELS = ("spam", "abuse", "fine")


def _by_parts(chance: random.Random, kind: str, answer: Answer) -> Answer:
    """The answer as graders of other kinds tell it, part by part."""
    right = bool(answer.correct)
    if kind == "json":
        wrong = () if right else (Part("/priority", 0.0, 0.5, "high", "low"),)
        good = ("/intent", *(("/priority",) if right else ()))
        told = tuple(Part(name, 1.0, 0.0) for name in good) + wrong
        text = json.dumps({"intent": "refund", "priority": "high" if right else "low"})
    elif kind == "code":
        passed = 3 if right else chance.randint(0, 2)
        told = tuple(Part(f"test {n + 1}", float(n < passed), 0.0, f"assert add({n}, 1) == {n + 1}") for n in range(3))
        text = f"```python\ndef add(a, b):\n    return a + b{'' if right else ' + 1'}\n```"
    elif kind == "composite":
        score = 1.0 if right else 0.25
        told = (
            Part("fields", score, 0.75 * (1.0 - score)),
            Part("no apology", 1.0, 0.0),
            Part("fields: /intent", 1.0, 0.0),
            *(() if right else (Part("fields: /priority", 0.0, 0.0, "high", "low"),)),
        )
        text = json.dumps({"intent": "refund", "priority": "high" if right else "low"})
    elif kind == "judge":
        why = "names every fact of the reference" if right else "leaves out the second fact, and guesses the date"
        return replace(answer, explanation=f"The judge: the answer {why}.")
    else:
        expected = chance.choice(_LABELS)
        given = expected if right else chance.choice((None, *_LABELS))
        names = sorted({expected, given} - {None}, key=str)
        told = tuple(
            Part(
                str(n),
                float(expected == given),
                0.0 if expected == given else 0.5,
                _yes(n == expected),
                _yes(n == given),
            )
            for n in names
        )
        text = str(given or "I cannot say.")
    return replace(answer, answer=text, parts=told, reward=answer.reward if right else 0.5 if kind == "json" else 0.0)


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _facts(chance: random.Random, rows: int, result: dict[str, Any], flips: Flips, kind: str) -> RunFacts:
    return RunFacts(
        run_id="gsm8k-1a2b3c4d5e",
        name="gsm8k",
        status="SUCCEEDED",
        **who_trains(simulated=True, weights=None),
        execution_arn="arn:aws:states:us-west-2:123456789012:execution:RftPipeline:gsm8k-1a2b3c4d5e",
        started_at="2026-03-01T10:00:00Z",
        finished_at="2026-03-01T10:01:12Z",
        stages=[{"name": "Training", "seconds": 31.4}, {"name": "Evaluation", "seconds": 22.0}],
        base_model="openai.gpt-oss-20b",
        tuned_model="ft:gpt-oss-20b:demo",
        recipe={
            "model": "openai.gpt-oss-20b",
            "hyperparameters": {"n_epochs": 1, "batch_size": 4, "learning_rate_multiplier": 1.0},
            "grader": {"kind": kind, "options": {}},
            "gates": {"level": 0.05},
        },
        grader={"kind": kind, "arn": "arn:aws:lambda:us-west-2:123456789012:function:GraderPlain:3"},
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
            "sampled": samples(_REHEARSED),
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


_REHEARSED: Mapping[str, Any] = {
    "groups": [
        {
            "messages": [{"role": "user", "content": f"What is {number} times 7?"}],
            "answers": [
                {"answer": f"#### {answer}", "reward": float(answer == 7 * number), "explanation": "Compared."}
                for answer in (7 * number, 7 * number + 1)
            ],
        }
        for number in (6, 8)
    ],
    "probes": [
        {"cheat": None, "answer": "#### 41", "reward": 0.0},
        {"cheat": "every_number", "answer": "1, 2, 3", "reward": 0.0},
    ],
}


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
