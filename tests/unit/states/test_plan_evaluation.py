"""PlanEvaluation: which models are compared, and which checkpoint is the tuned model."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from tests.unit.states.simulated_service import RUN_ID
from tunedrop.evaluation.answers import Answer
from tunedrop.recipe_resolution import resolve
from tunedrop.run import folder as names
from tunedrop.run.folder import RunFolder
from tunedrop.run.plan import Shard, answers_prefix, comparison_shards, load_plan
from tunedrop.run.record import RunRecord
from tunedrop.run.record_parts import CheckedDataset, TrainingProgress
from tunedrop.run.store import RunStore
from tunedrop.states import plan_evaluation
from tunedrop.states.plan_evaluation import Candidate, candidates

ROWS = 4
SAVED = TrainingProgress(steps=30, checkpoints=[{"step": step, "model": f"at-{step}"} for step in (10, 20, 30)])


@pytest.fixture
def run_folder(aws: None) -> RunFolder:
    client = boto3.client("s3")
    client.create_bucket(Bucket="runs", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    folder = RunFolder(client, "runs", RUN_ID)
    row = json.dumps({"messages": [{"role": "user", "content": "2 + 2?"}]}).encode() + b"\n"
    for name in (names.VALIDATION, names.TEST):
        folder.write(name, row * ROWS)
    return folder


def choosing(store: RunStore, run: RunRecord) -> None:
    """The run, whose recipe wants the best checkpoint, is trained."""
    recipe = resolve({"evaluation": {"checkpoints": "best"}}, "us-west-2").model_dump(mode="json")
    dataset = CheckedDataset(rows=300, test_rows=ROWS, validation_rows=ROWS)
    changes = {"recipe": recipe, "training": SAVED, "dataset": dataset, "tuned_model": "at-30"}
    store.update(RUN_ID, changes)


def answer(folder: RunFolder, shard: Shard, reward: float | None) -> None:
    told = [Answer(row, 0, shard.candidate, "0", "4", reward=reward) for row in range(shard.rows)]
    folder.write(f"{answers_prefix(shard.number)}00000.jsonl", b"".join(each.to_line() for each in told))


@pytest.mark.parametrize(
    ("rewards", "chosen"),
    [
        ({"at-10": 0.2, "at-20": 0.9, "at-30": 0.5}, "at-20"),
        ({"at-10": 0.5, "at-20": 0.5, "at-30": 0.1}, "at-20"),
        ({"at-10": None, "at-20": 0.0, "at-30": None}, "at-20"),
    ],
    ids=["the best", "the later one of equals", "the one that has grades"],
)
def test_the_best_checkpoint_by_rows_of_its_own_is_compared_with_the_base(
    store: RunStore, run: RunRecord, run_folder: RunFolder, rewards: dict[str, float | None], chosen: str
) -> None:
    choosing(store, run)
    resources: Any = SimpleNamespace(runs=store, folder=lambda _: run_folder)
    first = plan_evaluation.run({"run_id": RUN_ID}, resources)
    asked = load_plan(run_folder)
    assert first.next_round == 2
    assert [(shard.model, shard.rows_file) for shard in asked] == [(model, names.VALIDATION) for model in rewards]
    for shard in asked:
        answer(run_folder, shard, rewards[shard.model])

    for _ in range(2):  # a state may run twice
        second = plan_evaluation.run({"run_id": RUN_ID, "round": first.next_round}, resources)
    record = store.load(RUN_ID)
    compared = comparison_shards(load_plan(run_folder))
    assert second.next_round == 0
    assert (record.tuned_model, record.asked_as) == (chosen, chosen)
    assert [(shard.candidate, shard.model) for shard in compared] == [("base", "openai.gpt-oss-20b"), ("tuned", chosen)]
    assert run_folder.read_json(names.MANIFEST) == [{"run_id": RUN_ID, "shard": shard.number} for shard in compared]
    choice = record.training.choice
    assert choice is not None
    assert {each["model"]: each["mean_reward"] for each in choice["figures"]} == rewards
    assert choice["validation_rows"] == ROWS


def test_a_run_with_one_checkpoint_alone_has_none_to_choose_from(
    store: RunStore, run: RunRecord, run_folder: RunFolder
) -> None:
    choosing(store, run)
    store.update(RUN_ID, {"training": replace(SAVED, checkpoints=[{"step": 30, "model": "at-30"}])})
    resources: Any = SimpleNamespace(runs=store, folder=lambda _: run_folder)
    planned = plan_evaluation.run({"run_id": RUN_ID}, resources)
    assert planned.next_round == 0
    assert [shard.model for shard in load_plan(run_folder)] == ["openai.gpt-oss-20b", "at-30"]


def test_all_checkpoints_and_reference_models_are_compared_where_the_recipe_says_so(run: RunRecord) -> None:
    wanted = {"checkpoints": "all", "reference_models": ["qwen.qwen3-32b"]}
    recipe = resolve({"evaluation": wanted}, "us-west-2")
    assert candidates(replace(run, tuned_model="at-30", training=SAVED), recipe) == [
        Candidate("base", "openai.gpt-oss-20b"),
        Candidate("tuned", "at-30"),
        Candidate("checkpoint:10", "at-10"),
        Candidate("checkpoint:20", "at-20"),
        Candidate("reference:qwen.qwen3-32b", "qwen.qwen3-32b"),
    ]
