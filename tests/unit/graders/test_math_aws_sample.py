"""On the rows of AWS's walkthrough the maths grader agrees with AWS's sample grader wherever that one is right."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.unit.graders.gsm8k_renderings import wrong
from tunedrop.graders.batch import grade_batch
from tunedrop.graders.math.grader import MathGrader

DATA = Path(__file__).resolve().parents[2] / "data" / "aws_rft_sample"
FILES = {"rft_train_data": 300, "rft_test_validation_data": 100}
# How AWS's sample grader errs, by how an answer is written: what it says, and what is true.
AWS_ERRS = {
    "#### {}.": (0.0, 1.0),
    "####{}": (0.0, 1.0),
    "####  {}": (0.0, 1.0),
    "#### ${}": (0.0, 1.0),
    "#### {}.00": (0.0, 1.0),
    r"\boxed{{{}}}": (0.0, 1.0),
    "#### {}/3": (1.0, 0.0),
}


def rows(name: str) -> list[dict[str, Any]]:
    with gzip.open(DATA / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def aws_says(answer: str, ground_truth: str) -> float:
    """The documented behaviour of AWS's sample: the last `#### N` of the last 300 characters, compared as a string."""
    found = re.findall(r"#### (-?[0-9.,]+)", answer[-300:])
    return float(bool(found) and found[-1].replace(",", "").replace("$", "") == ground_truth)


def we_say(row: dict[str, Any], answers: list[str]) -> list[float]:
    """Our rewards, from the batch as the service sends it: the string reference wrapped in an object."""
    batch = [
        {
            "id": str(place),
            "messages": [*row["messages"], {"role": "assistant", "content": answer}],
            "reference_answer": {"text": row["reference_answer"]},
            "ground_truth": row["ground_truth"],
        }
        for place, answer in enumerate(answers)
    ]
    return [told["aggregate_reward_score"] for told in grade_batch(batch, MathGrader())]


@pytest.mark.parametrize(("name", "count"), FILES.items())
def test_it_agrees_with_awss_grader_where_that_one_is_right(name: str, count: int) -> None:
    sample = rows(name)
    assert len(sample) == count
    for row in sample:
        truth = row["ground_truth"].replace(",", "")
        others = [str(number) for number in wrong(int(truth))]
        answers = [row["reference_answer"], f"So.\n#### {truth}", f"**#### {int(truth):,}**", "I do not know."]
        answers += [f"So.\n#### {other}" for other in others]
        assert we_say(row, answers) == [aws_says(answer, truth) for answer in answers]
        assert we_say(row, answers) == [1.0, 1.0, 1.0, 0.0] + [0.0] * len(others)


@pytest.mark.parametrize(("template", "verdicts"), AWS_ERRS.items())
def test_it_is_right_where_awss_grader_is_not(template: str, verdicts: tuple[float, float]) -> None:
    for row in rows("rft_test_validation_data"):
        truth = row["ground_truth"]
        answer = f"So.\n{template.format(truth)}"
        assert (aws_says(answer, truth), we_say(row, [answer])[0]) == verdicts
