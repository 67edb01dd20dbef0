"""Functions of a team's own as graders: the good one trains a model, the others are caught before anything is paid."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.workflow.pipeline.application import TEST, TRAIN, Application, jsonl, rows

EXAMPLES = Path(__file__).parents[3] / "events/datasets"

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

# As AWS's published grader for gpt-oss reads a batch: the reference at the top level in {"text": ...}, 0.0 for any
# other shape; the last "#### N" of the last 300 characters, compared as text.
PUBLISHED = """
import re

def handler(event, context):
    return [{"id": each["id"], "aggregate_reward_score": grade(each), "metrics_list": []} for each in event]

def number(text):
    found = re.findall(r"#### (-?[0-9.,]+)", text)
    return found[-1].replace(",", "") if found else None

def grade(sample):
    told = sample.get("reference_answer")
    if not isinstance(told, dict):
        return 0.0
    given = number(sample["messages"][-1]["content"][-300:])
    return float(given is not None and given == number(told["text"]))
"""

# As AWS's guide for the agent toolkit has it: from -1 to 1.
SIGNED = PUBLISHED.replace("return float(given", "return 2.0 * (given").replace('told["text"]))', 'told["text"])) - 1')
SIGNED = SIGNED.replace("return 0.0", "return -1.0")

# As AWS's published grader for tool calls reads a batch: calls as Python's text, a line each, against the texts of
# `ground_truth`, which it looks for under `metadata`, in an object `reference_answer`, and beside it. A third each for
# the name, the names of the arguments and their values; "5" equals 5. It answers no `metrics_list`.
PUBLISHED_CALLS = """
import ast

def handler(event, context):
    told = [(each["id"], score(each)) for each in event]
    return [{"id": name, "aggregate_reward_score": won, "reward_components": {"calls": won}} for name, won in told]

def score(sample):
    wanted = sample.get("metadata", {}).get("ground_truth")
    wanted = wanted or sample.get("reference_answer", {}).get("ground_truth") or sample.get("ground_truth")
    said = [each["content"] for each in sample["messages"] if each["role"] == "assistant"][-1]
    if not said or not wanted:
        return 0.0
    said, wanted = calls(said.strip().strip("[]").splitlines()), calls(wanted)
    return round(sum(map(third, said, wanted)) / max(len(said), len(wanted)), 4)

def calls(texts):
    read = []
    for text in texts:
        try:
            node = ast.parse(text.strip().rstrip(","), mode="eval").body
            read.append((ast.unparse(node.func), {each.arg: ast.literal_eval(each.value) for each in node.keywords}))
        except (SyntaxError, ValueError, AttributeError):
            read.append((None, {}))
    return read

def third(said, wanted):
    if said[0] is None:
        return 0.0
    shared = said[1].keys() & wanted[1].keys()
    right = [name for name in shared if str(said[1][name]) == str(wanted[1][name])]
    count = len(wanted[1])
    names, values = (len(shared) / count, len(right) / count) if count else (float(not said[1]),) * 2
    return 0.33 * (said[0] == wanted[0]) + 0.33 * names + 0.34 * values
"""

LONG_TRAIN, LONG_TEST = jsonl(rows(300)), jsonl(rows(150, skip=300))
"""Enough to train on, and to tell a better model from chance: 100 rows and 20 to test on are not."""

GOOD = "return float(answers(sample)[-1:] == [reference(sample)])"
CONSTANT = "return 0.5"
PAYS_FOR_HEDGING = "return float(reference(sample) in answers(sample))"
RAISES_NOW_AND_THEN = "assert zlib.crc32(sample['messages'][-1]['content'].encode()) % 10; " + GOOD
SLOW = "time.sleep(0.05); " + GOOD


def drop(application: Application, body: str, gates: Mapping[str, float] | None = None) -> dict[str, Any]:
    arn = application.publish_grader("grader", GRADER.replace("BODY", body))
    recipe = {
        "grader": {"kind": "own", "function": arn},
        "rehearsal": {"prompts": 8, "samples": 4},
        "gates": gates or {},
    }
    name = application.drop({"test.jsonl": TEST, "recipe.json": json.dumps(recipe).encode(), "train.jsonl": TRAIN})
    return application.end(name)


@pytest.mark.prove
def test_a_function_of_ones_own_trains_and_evaluates(application: Application) -> None:
    notice = drop(application, GOOD)
    assert notice["status"] == "SUCCEEDED", notice["reason"]
    assert notice["training"]["reward_last"] > notice["training"]["reward_first"]


def long_run(application: Application, recipe: dict[str, Any]) -> dict[str, Any]:
    files = {"test.jsonl": LONG_TEST, "recipe.json": json.dumps(recipe).encode(), "train.jsonl": LONG_TRAIN}
    notice = application.end(application.drop(files))
    assert notice["status"] == "SUCCEEDED", notice["reason"]
    return notice


@pytest.mark.prove
def test_a_grader_of_aws_s_sample_trains_a_better_model_and_is_asked_in_its_layout(application: Application) -> None:
    grader = {"kind": "own", "function": application.publish_grader("published", PUBLISHED)}
    notice = long_run(application, {"grader": grader})
    assert notice["evaluation"]["verdict"] == "improved"
    assert application.runs.load(notice["run_id"]).grader_layout == "wrapped"
    again = long_run(application, {"grader": grader, "resumes": notice["run_id"]})
    assert again["evaluation"]["verdict"] == "improved"
    assert application.runs.load(again["run_id"]).grader_layout == "wrapped"
    alone = long_run(application, {"grader": grader, "evaluate_only": notice["tuned_model"]})
    assert alone["evaluation"]["verdict"] == "improved"
    assert application.runs.load(alone["run_id"]).grader_layout == "wrapped"


def called_by_text(name: str, way: str) -> bytes:
    """The rows of the example of tool calls, with their calls as Python's text, where such graders look for them."""
    made = []
    for line in (EXAMPLES / "tools" / name).read_text().splitlines():
        row = json.loads(line)
        call = row["reference_answer"]
        text = f"{call['name']}({', '.join(f'{name}={value!r}' for name, value in call['arguments'].items())})"
        there = {"ground_truth": [text]}
        reference = {"reference_answer": there} if way == "within" else {"reference_answer": text, **there}
        made.append({"messages": row["messages"], **reference})
    return jsonl(made)


@pytest.mark.prove
@pytest.mark.parametrize(("way", "layout"), [("within", "wrapped"), ("beside", "metadata")])
def test_a_grader_of_aws_s_sample_for_calls_trains_a_better_model(
    application: Application, way: str, layout: str
) -> None:
    grader = {"kind": "own", "function": application.publish_grader("calls", PUBLISHED_CALLS)}
    files = {each: called_by_text(each, way) for each in ("test.jsonl", "train.jsonl")}
    notice = application.end(application.drop({"recipe.json": json.dumps({"grader": grader}).encode(), **files}))
    assert notice["status"] == "SUCCEEDED", notice["reason"]
    assert notice["evaluation"]["verdict"] == "improved"
    assert notice["training"]["reward_last"] > notice["training"]["reward_first"]
    assert application.runs.load(notice["run_id"]).grader_layout == layout


@pytest.mark.prove
def test_a_grader_whose_rewards_go_from_minus_1_to_1_trains_a_better_model(application: Application) -> None:
    grader = {"kind": "own", "function": application.publish_grader("signed", SIGNED), "range": [-1, 1]}
    notice = long_run(application, {"grader": grader})
    evaluation = notice["evaluation"]
    assert (evaluation["verdict"], evaluation["reward_range"]) == ("improved", [-1, 1])
    assert evaluation["base"]["mean_reward"] < 0.5 < evaluation["tuned"]["mean_reward"]
    assert notice["training"]["findings"] == []
    assert application.report(notice)["evaluation"]["reward_range"] == [-1, 1]


@pytest.mark.prove
def test_a_grader_that_leaves_its_range_is_caught_before_there_is_a_job(application: Application) -> None:
    grader = {"kind": "own", "function": application.publish_grader("signed", SIGNED)}
    recipe = {"grader": grader, "rehearsal": {"prompts": 8, "samples": 4}}
    name = application.drop({"test.jsonl": TEST, "recipe.json": json.dumps(recipe).encode(), "train.jsonl": TRAIN})
    reason = application.end(name)["reason"]
    assert reason["error"] == "GraderUnsound"
    assert "the reward is outside 0 to 1, which the recipe's `grader.range` says" in reason["message"]


@pytest.mark.prove
@pytest.mark.parametrize(
    ("body", "gates", "error", "told"),
    [
        (CONSTANT, {}, "GraderUnsound|NoSignal", "all answers got the same reward"),
        (PAYS_FOR_HEDGING, {}, "GraderUnsound", "Cheats earn more than honest wrong answers .*hedging"),
        (RAISES_NOW_AND_THEN, {}, "GraderUnsound", "The grader failed on"),
        (SLOW, {"most_step_seconds": 1}, "GraderUnsound", "Grading one step would take"),
    ],
    ids=["constant", "pays for hedging", "raises now and then", "slow"],
)
def test_a_grader_that_would_waste_the_job_is_caught_before_there_is_one(
    application: Application, body: str, gates: dict[str, float], error: str, told: str
) -> None:
    notice = drop(application, body, gates)
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
