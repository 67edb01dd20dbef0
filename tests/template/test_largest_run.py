"""The largest run there is stays inside every limit: 20,000 test rows, three candidates, 72 hours of training.

Limits of Step Functions: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html, of Lambda:
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html. What training alone uses of the history is in
test_state_machines.py and tests/unit/states/test_longest_job.py.
"""

from __future__ import annotations

import json
from math import ceil
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from checks import sam_template
from tunedrop.api.documents import MOST_UPLOAD_BYTES
from tunedrop.dataset.bounds import MAX_ROWS
from tunedrop.mantle import TIMEOUT_SECONDS
from tunedrop.recipe import Budget, Evaluation
from tunedrop.states.plan_evaluation import ASSUMED_LATENCY_SECONDS, LEAST_ANSWERS, MOST_ANSWERS, rows_a_shard

CANDIDATES = 3
MOST_SAMPLES = 16
HISTORY_EVENTS = 25_000
STATE_BYTES = 256 * 1024
MAP_CHILDREN_AT_ONCE = 10_000
MANIFEST_BYTES = 8 * 1024**3
PARAMETER_LATENCIES = (0.5, ASSUMED_LATENCY_SECONDS, 60.0, TIMEOUT_SECONDS)


@pytest.fixture(scope="module")
def pipeline() -> dict[str, Any]:
    path = sam_template.ROOT / "statemachine/rft_pipeline.asl.yaml"
    document: dict[str, Any] = yaml.safe_load(path.read_text())
    return document


def most(section: type[BaseModel], field: str) -> float:
    """The most that the recipe's field may be."""
    return max(float(each.le) for each in section.model_fields[field].metadata if hasattr(each, "le"))


def seconds(function: str) -> int:
    properties = sam_template.read()["Resources"][function]["Properties"]
    return int(properties["Timeout"])


def items(evaluation: Evaluation, latency: float) -> int:
    """Items of the Distributed Map."""
    return CANDIDATES * ceil(MAX_ROWS / rows_a_shard(MAX_ROWS, evaluation, latency))


@pytest.mark.parametrize("latency", PARAMETER_LATENCIES)
@pytest.mark.parametrize("samples", [1, MOST_SAMPLES])
def test_a_shard_of_the_slowest_answers_ends_within_its_lambda(latency: float, samples: int) -> None:
    evaluation = Evaluation(samples=samples)
    answers = rows_a_shard(MAX_ROWS, evaluation, latency) * samples
    assert answers <= MOST_ANSWERS + samples
    assert ceil(answers / evaluation.in_flight) * latency < seconds("EvaluateShard")


def test_the_map_has_items_enough_for_all_and_its_manifest_fits() -> None:
    number = items(Evaluation(samples=MOST_SAMPLES), TIMEOUT_SECONDS)
    item = json.dumps({"run_id": "x" * 100, "shard": number})
    # The smallest shard has LEAST_ANSWERS answers in whole rows of 16.
    assert number == CANDIDATES * ceil(MAX_ROWS / (LEAST_ANSWERS // MOST_SAMPLES))
    assert number * (len(item) + 2) < MANIFEST_BYTES
    assert len(item) < STATE_BYTES
    assert most(Evaluation, "concurrency") <= MAP_CHILDREN_AT_ONCE


def test_a_child_s_history_holds_all_its_tries(pipeline: dict[str, Any]) -> None:
    shard = pipeline["States"]["EvaluateShards"]["ItemProcessor"]["States"]["EvaluateShard"]
    tries = 1 + sum(rule["MaxAttempts"] for rule in shard["Retry"])
    # Scheduled, started, ended a try; entered, exited, and the execution's own two.
    assert 3 * tries + 4 < HISTORY_EVENTS


def test_the_longest_training_and_the_slowest_evaluation_end_before_the_machine(pipeline: dict[str, Any]) -> None:
    evaluation = Evaluation()
    answers = CANDIDATES * MAX_ROWS * evaluation.samples
    slowest = answers * TIMEOUT_SECONDS / (evaluation.concurrency * evaluation.in_flight)
    others = sum(seconds(name) for name in ("ValidateDataset", "RehearseGrader", "SubmitJob", "ConcludeRun"))
    assert most(Budget, "hours") * 3600 + slowest + 4 * others < pipeline["TimeoutSeconds"]


def test_the_files_of_the_largest_dataset_fit_beside_each_other() -> None:
    resources = sam_template.read()["Resources"]
    # Both files, the two that are written of them, and a corrected copy of each.
    for function, files in {"ValidateDataset": 6, "RunValidation": 2, "PlanEvaluation": 2, "SubmitJob": 2}.items():
        megabytes = resources[function]["Properties"]["EphemeralStorage"]["Size"]
        assert files * MOST_UPLOAD_BYTES <= megabytes * 1024**2, function
        assert megabytes <= 10_240, "Lambda gives no more"
