"""Hundreds of answers, in many languages, marks and templates: right ones are paid, wrong ones are not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tunedrop.graders.batch import grade_batch
from tunedrop.graders.row_options import RowGrader

ANSWERS = Path(__file__).parents[2] / "data/answers"
"""Answers of our own making: kind, options, reference, answer (a text, or the whole turn), and whether it is right.

Some have fields of their row, such as its choices, in `row`."""


def cases_of(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (ANSWERS / name).read_text(encoding="utf-8").splitlines()]


AS_WRITTEN, THOUGHTS_AND_CALLS = cases_of("as_written.jsonl"), cases_of("thoughts_and_calls.jsonl")
IN_PROSE = cases_of("in_prose.jsonl")


def rewards(kind: str, options: dict[str, Any], cases: list[dict[str, Any]]) -> list[float]:
    turns = [
        case["answer"] if isinstance(case["answer"], dict) else {"role": "assistant", "content": case["answer"]}
        for case in cases
    ]
    batch = [
        {
            "id": str(number),
            "messages": [{"role": "user", "content": "?"}, turn],
            "reference_answer": case["reference"],
            **case.get("row", {}),
        }
        for number, (case, turn) in enumerate(zip(cases, turns, strict=True))
    ]
    return [told["aggregate_reward_score"] for told in grade_batch(batch, RowGrader.of(kind, options))]


KINDS = ["math", "exact", "json", "moderation", pytest.param("code", marks=pytest.mark.prove)]


def odd_verdicts(cases: list[dict[str, Any]], kind: str) -> list[Any]:
    odd = []
    for options in {json.dumps(case.get("options", {})) for case in cases}:
        alike = [case for case in cases if json.dumps(case.get("options", {})) == options]
        graded = rewards(kind, json.loads(options), alike)
        odd += [
            (case.get("why"), case["reference"], case["answer"], reward)
            for case, reward in zip(alike, graded, strict=True)
            if (reward < 0.999 if case["right"] else reward >= 0.5)
        ]
    return odd


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("written", [AS_WRITTEN, THOUGHTS_AND_CALLS], ids=["as written", "thoughts and calls"])
def test_an_answer_is_paid_if_it_is_right_however_it_is_written(written: list[dict[str, Any]], kind: str) -> None:
    cases = [case for case in written if case["grader"] == kind]
    assert len(cases) > 10
    assert odd_verdicts(cases, kind) == []


@pytest.mark.parametrize("kind", ["exact", "json", "moderation"])
def test_an_answer_in_a_sentence_or_a_document_is_read(kind: str) -> None:
    cases = [case for case in IN_PROSE if case["grader"] == kind]
    assert len(cases) > 10
    assert odd_verdicts(cases, kind) == []
