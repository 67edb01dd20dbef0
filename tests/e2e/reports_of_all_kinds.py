"""Runs whose reports differ: of each kind of grader, of a model that thinks, rejected, and with very many rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

from tests.unit.reporting.sample_run import Sampled, a_rejected_run, sampled_run
from tunedrop.reporting.facts import RunFacts
from tunedrop.reporting.rehearsal_samples import samples


def nova_run() -> Sampled:
    """A run of a model that thinks, on a backend that gives no events."""
    run = sampled_run(200, thoughts=True)
    training = {
        "job_id": "arn:aws:bedrock:us-east-1:123456789012:model-customization-job/x",
        "metrics": [],
        "health": [],
    }
    run.facts = replace(run.facts, base_model="amazon.nova-2-lite-v1:0:256k", training=training)
    return run


def a_run_rejected_by_its_rehearsal() -> RunFacts:
    """A run whose grader pays for a cheat."""
    facts = a_rejected_run()
    finding = {
        "rule": "cheat_pays",
        "severity": "stop",
        "message": "Cheats earn more than honest wrong answers (0.00 on average): every number 0.90.",
        "advice": "Grade only the last committed answer, and give nothing for the rest.",
    }
    answers = [
        {"answer": f"It is {number}.", "reward": float(number == 42), "explanation": "Compared."} for number in (42, 7)
    ]
    document = {
        "groups": [{"messages": [{"role": "user", "content": "What is 6 times 7?"}], "answers": answers}] * 3,
        "probes": [
            {"cheat": None, "answer": "7", "reward": 0.0},
            {"cheat": "every_number", "answer": "1, 2, 3", "reward": 0.9},
            {"cheat": "nothing", "answer": "", "reward": 0.0},
        ],
    }
    figures = {"prompts": 3, "samples": 6, "mean_reward": 0.5, "groups_with_signal": 1.0, "findings": [finding]}
    return replace(
        facts,
        name="cheated",
        reason={"error": "GraderUnsound", "message": f"{finding['message']} {finding['advice']}"},
        findings=[],
        recipe={"gates": {"cheat_margin": 0.05}},
        rehearsal={**figures, "sampled": samples(document)},
    )


@lru_cache(maxsize=1)
def twenty_thousand() -> Sampled:
    """20,000 rows with three candidates: more texts than a page has room for."""
    return sampled_run(20_000, others=["checkpoint:30"])


KINDS: dict[str, Callable[[], Sampled | RunFacts]] = {
    "math": sampled_run,
    "json": lambda: sampled_run(300, kind="json"),
    "code": lambda: sampled_run(200, kind="code"),
    "moderation": lambda: sampled_run(300, kind="moderation"),
    "judge": lambda: sampled_run(200, kind="judge"),
    "composite": lambda: sampled_run(200, kind="composite"),
    "nova": nova_run,
    "rejected": a_rejected_run,
    "rehearsed": a_run_rejected_by_its_rehearsal,
    "twenty-thousand": twenty_thousand,
}
