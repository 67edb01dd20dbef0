"""Hundreds of answers, in many languages, marks and templates: right ones are paid, wrong ones are not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tunedrop.graders.batch import grade_batch
from tunedrop.graders.row_options import RowGrader

ANSWERS = Path(__file__).parents[2] / "data/answers/as_written.jsonl"
"""Answers of our own making: kind, options, reference, answer (a text, or the whole turn), and whether it is right."""
CASES: list[dict[str, Any]] = [json.loads(line) for line in ANSWERS.read_text(encoding="utf-8").splitlines()]


def rewards(kind: str, options: dict[str, Any], cases: list[dict[str, Any]]) -> list[float]:
    turns = [
        case["answer"] if isinstance(case["answer"], dict) else {"role": "assistant", "content": case["answer"]}
        for case in cases
    ]
    batch = [
        {"id": str(number), "messages": [{"role": "user", "content": "?"}, turn], "reference_answer": case["reference"]}
        for number, (case, turn) in enumerate(zip(cases, turns, strict=True))
    ]
    return [told["aggregate_reward_score"] for told in grade_batch(batch, RowGrader.of(kind, options))]


@pytest.mark.parametrize("kind", ["math", "exact", "json", "moderation", pytest.param("code", marks=pytest.mark.prove)])
def test_an_answer_is_paid_if_it_is_right_however_it_is_written(kind: str) -> None:
    cases = [case for case in CASES if case["grader"] == kind]
    assert len(cases) > 50
    for options in {json.dumps(case.get("options", {})) for case in cases}:
        alike = [case for case in cases if json.dumps(case.get("options", {})) == options]
        graded = rewards(kind, json.loads(options), alike)
        odd = [
            (case["reference"], case["answer"], reward)
            for case, reward in zip(alike, graded, strict=True)
            if (reward < 0.999 if case["right"] else reward >= 0.5)
        ]
        assert odd == []
