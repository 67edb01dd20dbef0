"""Functions of a team's own as graders: the good one trains a model, the others are caught before anything is paid."""

from __future__ import annotations

import json
import re

import pytest

from tests.workflow.pipeline.conftest import TEST, TRAIN, Application

GRADER = """
import re, time, zlib

def handler(event, context):
    return [{"id": sample["id"], "aggregate_reward_score": grade(sample), "metrics_list": []} for sample in event]

def reference(sample):
    # Rehearsal and evaluation send the documented form; training, as the working sample of AWS expects it.
    told = sample.get("metadata", sample)["reference_answer"]
    text = told["text"] if isinstance(told, dict) else told
    return text.rpartition("#### ")[2]

def answers(sample):
    return re.findall(r"#### *(-?[0-9.,]*[0-9])", sample["messages"][-1]["content"])

def grade(sample):
    BODY
"""

GOOD = "return float(answers(sample)[-1:] == [reference(sample)])"
CONSTANT = "return 0.5"
PAYS_FOR_HEDGING = "return float(reference(sample) in answers(sample))"
RAISES_NOW_AND_THEN = "assert zlib.crc32(sample['messages'][-1]['content'].encode()) % 10; " + GOOD
SLOW = "time.sleep(0.05); " + GOOD


def drop(application: Application, body: str, *, grader: str = GRADER, **gates: float) -> dict:
    arn = application.publish_grader("grader", grader.replace("BODY", body))
    recipe = {
        "grader": {"kind": "own", "function": arn},
        "rehearsal": {"prompts": 8, "samples": 4},
        "gates": gates,
    }
    name = application.drop({"test.jsonl": TEST, "recipe.json": json.dumps(recipe).encode(), "train.jsonl": TRAIN})
    return application.end(name)


@pytest.mark.prove
def test_a_function_of_ones_own_trains_and_evaluates(application: Application) -> None:
    notice = drop(application, GOOD)
    assert notice["status"] == "SUCCEEDED", notice["reason"]
    assert notice["training"]["reward_last"] > notice["training"]["reward_first"]


@pytest.mark.prove
def test_a_function_that_reads_only_the_sample_s_layout_is_asked_in_it(application: Application) -> None:
    grader = GRADER.replace('sample.get("metadata", sample)["reference_answer"]', "sample['reference_answer']['text']")
    assert "metadata" not in grader.partition("def answers")[0].rpartition("expects it.")[2]
    notice = drop(application, GOOD, grader=grader)
    assert notice["status"] == "SUCCEEDED", notice["reason"]
    assert notice["training"]["reward_last"] > notice["training"]["reward_first"]


@pytest.mark.parametrize(
    ("body", "gates", "error", "told"),
    [
        (CONSTANT, {}, "GraderUnsound|NoSignal", "all answers got the same reward"),
        (PAYS_FOR_HEDGING, {}, "GraderUnsound", "Cheats earn more than honest wrong answers .*hedging"),
        (RAISES_NOW_AND_THEN, {}, "GraderUnsound", "The grader failed on"),
        pytest.param(
            SLOW, {"most_step_seconds": 1}, "GraderUnsound", "Grading one step would take", marks=pytest.mark.prove
        ),
    ],
    ids=["constant", "pays for hedging", "raises now and then", "slow"],
)
def test_a_grader_that_would_waste_the_job_is_caught_before_there_is_one(
    application: Application, body: str, gates: dict, error: str, told: str
) -> None:
    notice = drop(application, body, **gates)
    assert notice["status"] == "REJECTED"
    assert notice["reason"]["error"] in error.split("|")
    assert re.search(told, notice["reason"]["message"], re.DOTALL), notice["reason"]
    assert application.jobs(notice["run_id"]) == []


def test_a_function_that_is_not_let_in_is_refused_by_name(application: Application) -> None:
    arn = "arn:aws:lambda:us-west-2:123456789012:function:stranger:1"
    recipe = f"grader: {{kind: own, function: '{arn}'}}".encode()
    name = application.drop({"recipe.yaml": recipe, "train.jsonl": TRAIN})
    reason = application.end(name)["reason"]
    assert reason["error"] == "RecipeInvalid"
    assert arn in reason["message"]
    assert "AllowedGraders" in reason["message"]
