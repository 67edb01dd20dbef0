"""Many runs at once on one stack: all end, and nothing of one is found in another."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import pytest

from embedded_aws.waiting import until
from tests.faults.world import World, world
from tests.workflow.pipeline.application import RECIPE, jsonl, rows

RUNS = 20
TEST_ROWS = 20
PROCESSES = 64
"""Kept warm: with fewer, most of what is measured is the start of functions."""

PATIENCE_SECONDS = 400


def mark_of(number: int) -> str:
    """The end of each prompt of a dataset: a letter, as a number would be an answer to one who echoes the prompt."""
    return f"This is dataset {ascii_uppercase[number]}."


def files_of(number: int) -> dict[str, bytes]:
    """A dataset of its own for each run: other rows, and its mark in each prompt."""
    made = rows(100 + TEST_ROWS, skip=number * 60)
    for row in made:
        row["messages"][0]["content"] += " " + mark_of(number)
    return {"test.jsonl": jsonl(made[100:]), "recipe.yaml": RECIPE, "train.jsonl": jsonl(made[:100])}


def written(made: World, run_id: str, name: str) -> bytes:
    key, bucket = f"runs/{run_id}/{name}", made.stack.outputs["RunsBucketName"]
    body: bytes = made.stack.aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def check(made: World, number: int, notice: dict[str, Any]) -> None:
    """That the run is that of its own dataset alone."""
    own, run_id = mark_of(number), notice["run_id"]
    assert notice["status"] == "SUCCEEDED", notice["reason"]
    assert notice["evaluation"]["rows"] == TEST_ROWS
    for file, count in (("train.jsonl", 100), ("evaluation/rows.jsonl", TEST_ROWS)):
        prompts = [json.loads(line)["messages"][0]["content"] for line in written(made, run_id, file).splitlines()]
        assert len(prompts) == count
        assert all(prompt.endswith(own) for prompt in prompts), f"run {number} has rows of another in {file}"
    report = json.loads(written(made, run_id, "report.json"))
    others = [mark_of(other) for other in range(RUNS + 1) if other != number]
    assert not any(other in json.dumps(report) for other in others)
    (job,) = made.application.jobs(run_id)
    assert job["id"] == notice["training"]["job_id"]
    assert job["fine_tuned_model"] == notice["tuned_model"]


@pytest.mark.prove
def test_twenty_runs_at_once_all_end_and_nothing_is_mixed(tmp_path: Path) -> None:
    with world("us-west-2", tmp_path, warm_limit=PROCESSES) as made:
        made.set_weather(speed=1.0)  # on a machine that is this busy, thirty times as fast would be too fast
        application = made.application
        application.end(application.drop(files_of(RUNS), name="warm"))
        started = time.monotonic()
        application.end(application.drop(files_of(RUNS), name="alone"))
        alone = time.monotonic() - started

        started = time.monotonic()
        names = [application.drop(files_of(number), name=f"run-{number}") for number in range(RUNS)]
        until(lambda: all(application.notices_of(name) for name in names), "the notices of all runs", PATIENCE_SECONDS)
        notices = [application.end(name) for name in names]
        together = time.monotonic() - started
        sys.stdout.write(
            f"\n{RUNS} runs at once: {together:.1f} s, {together / RUNS:.1f} s a run; one alone: {alone:.1f} s\n"
        )
        for number, notice in enumerate(notices):
            check(made, number, notice)
        assert len({notice["run_id"] for notice in notices}) == RUNS
        assert len({notice["training"]["job_id"] for notice in notices}) == RUNS
        assert len({notice["tuned_model"] for notice in notices}) == RUNS
        assert application.sweep()["aftermaths_started"] == 0
