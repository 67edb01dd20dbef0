"""The largest test set there is, through the deployed PlanEvaluation, EvaluateShard and ConcludeRun."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from local.stack import LocalStack
from tests.bench.planned_run import planned_run

pytestmark = pytest.mark.prove

ROWS, FEW = 20_000, 2_000
Done = TypeVar("Done")
MODEL = "openai.gpt-oss-20b"
MOST_GROWTH_MB = 48  # ten times the rows: their figures a row and the flipped rows that are shown, never their texts


def test_20_000_rows_of_two_models_are_evaluated_in_flat_memory() -> None:
    with LocalStack(stepped_schedules=True) as stack:

        def timed(what: str, work: Callable[[], Done]) -> Done:
            began = time.perf_counter()
            done = work()
            sys.stdout.write(f"{what}: {time.perf_counter() - began:.1f} s\n")
            return done

        def concluded(rows: int) -> float:
            """Take so many rows to their verdict; the peak memory of a fresh ConcludeRun in MB."""
            run = timed(
                f"{rows:,} rows planned",
                lambda: planned_run(stack, rows=rows, tuned_model=MODEL, in_flight=64, concurrency=2),
            )
            timed(f"{rows:,} rows x 2 models evaluated in {run.shards} shards", lambda: run.evaluate_all(2))
            stack.aws.functions.pool.forget(stack.resources["ConcludeRun"])
            timed(f"{rows:,} rows concluded", run.conclude)
            evaluation = run.folder.read_json("report.json")["evaluation"]
            assert evaluation["comparison"]["pairs"] == rows
            assert evaluation["verdict"] == "tied"
            (pid,) = stack.aws.functions.pool.warm(stack.resources["ConcludeRun"])
            status = Path(f"/proc/{pid}/status").read_text()
            peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
            sys.stdout.write(f"{rows:,} rows: ConcludeRun had {peak:.0f} MB at its peak\n")
            return peak

        few, many = concluded(FEW), concluded(ROWS)
    assert many - few < MOST_GROWTH_MB
