"""ConcludeRun: what it says of slices and lines, what it deletes, and what it does not conclude from."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from tests.unit.states.simulated_service import RUN_ID, Clock, SimulatedService
from tunedrop.evaluation.answers import Answer
from tunedrop.outcomes import RunFileBroken
from tunedrop.recipe import Evaluation, Recipe
from tunedrop.recipe_resolution import resolve
from tunedrop.run import folder as names
from tunedrop.run.folder import RunFolder
from tunedrop.run.plan import answers_prefix
from tunedrop.run.record import RunRecord
from tunedrop.run.store import RunStore
from tunedrop.states import conclude_run
from tunedrop.states.conclude_run import LABEL_CHARACTERS, slice_label
from tunedrop.states.plan_evaluation import Candidate, plan

ROWS = 24


@pytest.fixture
def run_folder(aws: None) -> RunFolder:
    client = boto3.client("s3")
    client.create_bucket(Bucket="runs", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    return RunFolder(client, "runs", RUN_ID)


@pytest.mark.parametrize(
    ("row", "label"),
    [
        ({"topic": "sums", "metadata": {"topic": "other"}}, "sums"),
        ({"metadata": {"topic": "sums"}}, "sums"),
        ({"topic": 7}, "7"),
        ({"topic": {"a": [True]}}, '{"a":[true]}'),
        ({"topic": "é" * 99}, "é" * (LABEL_CHARACTERS - 1) + "…"),
        ({"topic": None, "metadata": {"topic": "sums"}}, None),
        ({"metadata": "none"}, None),
        ({}, None),
    ],
)
def test_a_row_belongs_to_the_slice_that_its_field_or_its_metadata_names(
    row: dict[str, Any], label: str | None
) -> None:
    assert slice_label(row, "topic") == label


def test_a_run_is_compared_in_the_slices_of_its_recipe_even_where_no_lines_are_noted(run_folder: RunFolder) -> None:
    topics = ["sums", "dates"] * (ROWS // 2)
    rows = [{"messages": [{"role": "user", "content": "?"}], "reference_answer": "4", "topic": each} for each in topics]
    run_folder.write(names.TEST, b"".join(json.dumps(row).encode() + b"\n" for row in rows))
    shards = plan(run_folder, Evaluation(), [Candidate("base", "b"), Candidate("tuned", "t")], 0.1, written=ROWS)
    for shard in shards:
        told = [Answer(row, 0, shard.candidate, "0", "4", reward=float(shard.model == "t")) for row in range(ROWS)]
        written = b"".join(each.to_line() for each in told)
        run_folder.write(f"{answers_prefix(shard.number)}00000.jsonl", written)
    recipe = Recipe(model="openai.gpt-oss-20b", evaluation=Evaluation(slices=("topic",)))
    found = conclude_run._evaluate(run_folder, recipe, shards)
    slices = [(each["label"], each["pairs"]) for each in found.result["slices"] if each["field"] == "topic"]
    assert slices == [("dates", ROWS // 2), ("sums", ROWS // 2)]


@pytest.mark.parametrize("noted", [b"{", b'{"file": "f"}', b'{"file": "f", "lines": 1}', b'{"lines": ["a"]}', b"[]"])
def test_lines_that_are_not_as_the_run_noted_them_are_not_named(run_folder: RunFolder, noted: bytes) -> None:
    run_folder.write(names.ASKED_LINES, noted)
    assert conclude_run._asked_lines(run_folder) == (None, None)


def test_a_plan_without_the_test_set_is_not_what_the_run_wrote(
    store: RunStore, run: RunRecord, run_folder: RunFolder
) -> None:
    run_folder.write(names.VALIDATION, b'{"messages": [{"role": "user", "content": "?"}]}\n')
    plan(run_folder, Evaluation(), [Candidate("tuned", "t")], 0.1, rows_file=names.VALIDATION, written=1)
    resources: Any = SimpleNamespace(runs=store, folder=lambda _: run_folder)
    with pytest.raises(RunFileBroken, match="it has no shard of the test set"):
        conclude_run.run({"run_id": RUN_ID}, resources)


def test_a_run_deletes_its_training_file_where_the_recipe_says_so_and_tells_it(
    store: RunStore, run: RunRecord, clock: Clock
) -> None:
    service = SimulatedService(clock)
    service.files_by_id["file-0"] = "train.jsonl"
    resources: Any = SimpleNamespace(runs=store, backend=lambda _: service)
    kept = store.update(RUN_ID, {"file_id": "file-0"})
    assert conclude_run._delete_holdings(kept, kept.recipe, resources) == kept
    assert list(service.files_by_id) == ["file-0"]
    document = resolve({"cleanup": {"delete_files": True}}, "us-west-2").model_dump(mode="json")
    record = store.update(RUN_ID, {"recipe": document})
    assert conclude_run._delete_holdings(record, record.recipe, resources).released == {
        "file-0": "training file deleted"
    }
    assert not service.files_by_id
