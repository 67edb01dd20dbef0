"""A dataset of 1 GiB, the largest there is: from its upload to the job at Bedrock, and the memory that this takes.

    .venv/bin/python -m pytest -s tests/bench/bench_large_upload.py

The same is done with 10 MB before. Both take the deployed pipeline on this machine: RegisterRun, ResolveInputs,
ValidateDataset (which checks every line, holds back a test set and writes both files), RehearseGrader and SubmitJob
(which uploads the training file to the local Bedrock).
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from pathlib import Path

import pytest

from embedded_aws.waiting import until
from local.stack import LocalStack
from tests.bench.benchmark_page import Note
from tunedrop.outcomes import Status
from tunedrop.run.store import RunStore

ROOT = Path(__file__).resolve().parents[2]
ROWS = 6_000
SMALL, LARGE = 10_000_000, 2**30
MOST_GROWTH_MB = 130
"""What boto3 keeps of an upload: ten parts of 8 MiB (84 MB) that wait or are sent, and the one that it reads.

Such an upload alone took 92 MB for a file of 100 MB, and 99 MB for 1 GiB; all of ValidateDataset took 103 MB more for
100 MB than for 10 MB. The rest is the check's blocks, and the longer rows.
"""
PATIENCE_SECONDS = 1_800
QUICK = {"validating_seconds": 0, "queued_seconds": 3_600, "step_seconds": 0}
RECIPE = b"rehearsal: {prompts: 8, samples: 4}\n"


def make_file(path: Path, size: int) -> Path:
    """So many bytes of GSM8K's questions, each with the passage that it is hidden in."""
    with gzip.open(ROOT / "tests/data/gsm8k/train.jsonl.gz", "rt", encoding="utf-8") as lines:
        published = [json.loads(line) for line in lines][:ROWS]
    passage = " ".join(row["question"] for row in published)
    a_row = size // ROWS
    with path.open("wb") as file:
        for number, row in enumerate(published):
            start = number * 97 % 100_000
            hidden = (passage[start:] + passage)[: max(0, a_row - 2_500)]
            question = f"{hidden}\nTask {number}. {row['question']} Think step by step; write the answer after ####."
            made = {"messages": [{"role": "user", "content": question}], "reference_answer": row["answer"]}
            line = json.dumps(made).encode()
            file.write(line + b" " * (a_row - 1 - len(line)) + b"\n")
    return path


def peak_megabytes(stack: LocalStack, function: str) -> float:
    """The peak memory of the function's one process."""
    (pid,) = stack.aws.functions.pool.warm(stack.resources[function])
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def to_the_job(stack: LocalStack, path: Path) -> tuple[float, float]:
    """Upload the file and wait for its job; seconds, and the peak memory of a fresh ValidateDataset in MB."""
    stack.aws.functions.pool.forget(stack.resources["ValidateDataset"])
    client, bucket = stack.aws.client("s3"), stack.outputs["DatasetBucketName"]
    client.put_object(Bucket=bucket, Key=f"inbox/{path.stem}/recipe.yaml", Body=RECIPE)
    started = time.perf_counter()
    with path.open("rb") as body:
        client.put_object(Bucket=bucket, Key=f"inbox/{path.stem}/train.jsonl", Body=body)
    sys.stdout.write(f"{path.stem}: uploaded in {time.perf_counter() - started:.1f} s\n")
    dynamodb, table = stack.aws.client("dynamodb"), stack.outputs["RunsTableName"]
    runs = RunStore(dynamodb, table)

    def job() -> bool:
        items = dynamodb.scan(TableName=table)["Items"]
        records = [runs.load(item["run_id"]["S"]) for item in items if item["name"]["S"] == path.stem]
        assert all(record.status is Status.RUNNING for record in records), records
        return any(record.job_id is not None for record in records)

    until(job, f"the job of {path.stem}", PATIENCE_SECONDS)
    return time.perf_counter() - started, peak_megabytes(stack, "ValidateDataset")


@pytest.mark.timeout(3_600)
def test_1_gib_comes_from_upload_to_job_in_flat_memory(tmp_path: Path, note: Note) -> None:
    with LocalStack(switches=QUICK) as stack:
        small = to_the_job(stack, make_file(tmp_path / "small.jsonl", SMALL))
        large = to_the_job(stack, make_file(tmp_path / "large.jsonl", LARGE))
    sys.stdout.write(
        f"10 MB: {small[0]:.1f} s, ValidateDataset had {small[1]:.0f} MB at its peak\n"
        f"1 GiB: {large[0]:.1f} s, ValidateDataset had {large[1]:.0f} MB at its peak\n"
    )
    note("1 GiB from upload to SubmitJob", large[0], "s")
    note("memory of ValidateDataset for 10 MB", small[1], "MB")
    growth = large[1] - small[1]
    note("the same for 1 GiB, more", growth, "MB", bound=f"at most {MOST_GROWTH_MB} MB")
    assert growth < MOST_GROWTH_MB
