"""The evaluation under faults: what it counts, how often it asks, and its word on models that did not get better."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from embedded_aws.calls import Call, CallRefused
from tests.workflow.pipeline.application import TRAIN, Application, jsonl, rows

pytestmark = pytest.mark.prove

ROWS = 150
PART = 64  # answers that are graded and written together
TEST = jsonl(rows(ROWS, skip=100))

# Grades by the last "####" of the answer.
GRADER = """
import re, zlib

def handler(event, context):
    return [{"id": each["id"], "aggregate_reward_score": grade(each), "metrics_list": []} for each in event]

def grade(sample):
    told = sample.get("metadata", sample)["reference_answer"]
    reference = (told["text"] if isinstance(told, dict) else told).rpartition("#### ")[2]
    text = sample["messages"][-1]["content"]
    answers = re.findall(r"#### *(-?[0-9.,]*[0-9])", text)
    GRADE
"""
# One answer in twenty, always the same ones, gets no score.
PARTLY = "return None if zlib.crc32(text.encode()) % 20 == 0 else float(answers[-1:] == [reference])"
PAYS_FOR_HEDGING = "return float(reference in answers)"


def run(application: Application, recipe: dict[str, Any]) -> dict[str, Any]:
    """Take the rows through the pipeline; the terminal notice."""
    files = {"test.jsonl": TEST, "recipe.json": json.dumps(recipe).encode(), "train.jsonl": TRAIN}
    notice = application.end(application.drop(files))
    assert notice["status"] == "SUCCEEDED", notice["reason"]
    return notice


@pytest.fixture(scope="module")
def tuned_model(shared_application: Application) -> str:
    """A model that was tuned before, to be evaluated again."""
    model: str = run(shared_application, {"rehearsal": {"prompts": 8, "samples": 4}})["tuned_model"]
    return model


def answers(application: Application, run_id: str) -> dict[tuple[str, int, int], dict[str, Any]]:
    """Every answer of a run by its candidate, row and sample. Fails where one is there twice."""
    s3, bucket = application.stack.aws.client("s3"), application.stack.outputs["RunsBucketName"]
    found: dict[tuple[str, int, int], dict[str, Any]] = {}
    for entry in s3.list_objects_v2(Bucket=bucket, Prefix=f"runs/{run_id}/evaluation/answers/")["Contents"]:
        for line in s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read().splitlines():
            answer = json.loads(line)
            key = (answer["candidate"], answer["row"], answer["sample"])
            assert key not in found, f"{key} was counted twice"
            found[key] = answer
    return found


class Asked:
    """How many questions had reached the models whenever EvaluateShard began."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self.at_start: list[int] = []
        function = application.function("EvaluateShard")
        application.stack.aws.functions.faults.before(function, lambda _, __: self._note(), times=100)

    def now(self) -> int:
        return self._application.stack.bedrock.calls()["CreateInference"]

    def _note(self) -> None:
        self.at_start.append(self.now())


def kill_at_the_second_part(application: Application) -> threading.Event:
    """Kill EvaluateShard when it wants to write the second part of the first shard; set when that has happened."""
    killed = threading.Event()

    def look(call: Call) -> None:
        if call.action == "PutObject" and call.path.endswith("answers/00000/00001.jsonl") and not killed.is_set():
            killed.set()
            assert application.stack.aws.functions.kill(application.function("EvaluateShard")) == 1
            stop()
            raise CallRefused("InternalError", "what a killed process sends no more", 500)

    stop = application.stack.aws.calls.observe(look)
    return killed


def test_kills_throttles_and_missing_grades_do_not_change_the_figures(
    application: Application, tuned_model: str
) -> None:
    recipe = {
        "evaluate_only": tuned_model,
        "grader": {"kind": "own", "function": application.publish_grader("partly", GRADER.replace("GRADE", PARTLY))},
        "rehearsal": {"prompts": 8, "samples": 4},
        "gates": {"most_grader_errors": 1},
        "evaluation": {"concurrency": 1, "temperature": 0.7, "seed": 11},
    }
    quiet = run(application, recipe)

    killed = kill_at_the_second_part(application)
    application.stack.bedrock.set_switch("fault_actions", "CreateInference")
    application.stack.bedrock.set_switch("throttle_share", 0.3)
    asked = Asked(application)
    try:
        troubled = run(application, recipe)
    finally:
        application.stack.bedrock.set_switch("throttle_share", 0.0)
        application.stack.bedrock.set_switch("fault_actions", "*")
    assert killed.is_set()

    found, expected = (answers(application, each["run_id"]) for each in (troubled, quiet))
    # Every row of both models has its answer, the same as without the trouble.
    assert set(found) == {(candidate, row, 0) for candidate in ("base", "tuned") for row in range(ROWS)}
    for key, answer in found.items():
        for field in ("answer", "reward", "correct", "ungraded", "finish_reason"):
            assert answer[field] == expected[key][field], (key, field)
    # Those without a grade are told as such, not counted as 0, and cost both models the row.
    without = {key for key, answer in found.items() if answer["ungraded"]}
    assert 0.02 * len(found) < len(without) < 0.1 * len(found)
    assert all(found[key]["reward"] is None for key in without)
    assert troubled["evaluation"]["rows_left_out"] == len({row for _, row, _ in without})
    assert troubled["evaluation"]["rows"] == ROWS - troubled["evaluation"]["rows_left_out"]

    # Asked again was what the killed process had asked and not yet written, and nothing else.
    first, second = asked.at_start[:2]
    assert PART <= second - first <= ROWS
    assert asked.now() - first == 2 * ROWS + (second - first) - PART
    assert len(asked.at_start) == 3  # the killed process, the one in its place, the other model's

    assert troubled["evaluation"] == quiet["evaluation"]
    results = [application.report(each)["evaluation"] for each in (troubled, quiet)]
    for result in results:
        for candidate in result["candidates"].values():
            # How long an answer took is the one thing that trouble may change.
            for name in [name for name in candidate if name.startswith("latency")]:
                del candidate[name]
    assert results[0] == results[1]


def test_a_model_against_itself_is_tied(application: Application) -> None:
    recipe = {
        "evaluate_only": "openai.gpt-oss-20b",
        "rehearsal": {"prompts": 8, "samples": 4},
        "evaluation": {"temperature": 0.7, "samples": 2},
    }
    evaluation = run(application, recipe)["evaluation"]
    assert evaluation["verdict"] == "tied"
    assert not evaluation["suspected_reward_hacking"]
    assert evaluation["ci_low"] <= 0 <= evaluation["ci_high"]


def test_a_policy_that_learned_to_hedge_is_suspected_and_not_improved(application: Application) -> None:
    arn = application.publish_grader("lenient", GRADER.replace("GRADE", PAYS_FOR_HEDGING))
    recipe = {
        "grader": {"kind": "own", "function": arn},
        "hyperparameters": {"n_epochs": 6},
        "rehearsal": {"prompts": 8, "samples": 4},
        "gates": {"cheat_margin": 1},
        "promotion": {"parameter": "/tunedrop/tunedrop/hedger"},
    }
    notice = run(application, recipe)
    evaluation = notice["evaluation"]
    assert evaluation["ci_low"] > 0, "the rewards did not rise, so that there was nothing to be suspicious of"
    assert evaluation["suspected_reward_hacking"]
    assert evaluation["verdict"] != "improved"
    assert not notice["promotion"]["done"]
    result = application.report(notice)["evaluation"]
    assert result["verdict_by_rewards"] == "improved"
    assert "hedging" in {each["rule"] for each in result["guard_rails"] if each["broken"]}
