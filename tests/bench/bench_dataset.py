"""Speed and memory of the dataset's complete check, beside the usual loop of json.loads and pydantic's model_validate.

    .venv/bin/python -m pytest -s tests/bench/bench_dataset.py

Both read the same file of GSM8K's rows in the service's format (some 700 bytes, every prompt another), by turns, each
in a process of its own that has read a small file before, and the best of several turns counts: what is imported and
compiled at first use, 0.1 s of ours, is a matter of cold starts. The row cap is off: such a file is far beyond the
20,000 rows that are trained on.

Rows of Nova are compared with Amazon's own validator in the package amzn-nova-forge, which reads each line as its SDK
does. The package needs sagemaker, but its validator does not: the package is installed alone, for this run only, and
what its folders import at their start is left out. Without a package index that comparison is skipped.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.bench.benchmark_page import Note

ROOT = Path(__file__).resolve().parents[2]
TURNS = 7
LEAST_RATIO = 2.0
"""How many times as fast as the usual loop the complete check is, at least."""
MOST_MEGABYTES = 80
NOVA_MEGABYTES = 50
LEAST_RATIO_OF_NOVA = {"text": 1.5, "object": 0.5}
"""By what the references are. References that are objects take the slower way through our check."""

_USUAL = """
import json
from typing import Any, Literal
from pydantic import BaseModel, ConfigDict

class Message(BaseModel):
    model_config = ConfigDict(extra="forbid")
    role: Literal["system", "user", "assistant"]
    content: str

class Row(BaseModel):
    model_config = ConfigDict(extra="allow")
    messages: list[Message]
    reference_answer: str | dict[str, Any]

def work(path):
    rows = 0
    with open(path, "rb") as lines:
        for line in lines:
            Row.model_validate(json.loads(line))
            rows += 1
    return rows
"""
_COMPLETE = """
from tunedrop.catalog import find
from tunedrop.dataset.check import check_dataset

def work(path):
    model = find("qwen.qwen3-32b")
    with open(path, "rb") as file:
        report = check_dataset(file, family=model.family, model=model, row_cap=False)
    assert report.valid, report.summary()
    return report.rows
"""
_NOVA = """
import contextlib, io, json, sys, types
for name in ("amzn_nova_forge", "amzn_nova_forge.core", "amzn_nova_forge.dataset", "amzn_nova_forge.validation"):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = ["FOLDER/" + name.replace(".", "/")]
sys.path.insert(0, "FOLDER")
from amzn_nova_forge.core.enums import Model
from amzn_nova_forge.dataset.dataset_validator.rft_dataset_validator import RFTDatasetValidator

def rows_of(path):
    with open(path, encoding="utf-8-sig") as lines:
        for line in lines:
            if line := line.strip():
                yield json.loads(line)

def work(path):
    validator = RFTDatasetValidator(Model.NOVA_LITE_2)
    with contextlib.redirect_stdout(io.StringIO()):
        validator.validate(rows_of(path), Model.NOVA_LITE_2, region="us-east-1")
    return validator.num_samples
"""
_NOVA_PACKAGES = """\
amzn-nova-forge==1.4.10 --hash=sha256:b9058e061d0f91f4a792373991b334f87ec9ad1b72bd15539ab5205082ba309b
filetype==1.2.0 --hash=sha256:7ce71b6880181241cf7ac8697a2f1eb6a8bd9b429f7ad6d27b8db9ba5f1c2d25
"""
_MEASURE = """
import json, resource, sys, time
def peak():
    # Not ru_maxrss: a child's starts at its parent's.
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM:"))
before = peak()
exec(sys.argv[1])
work(sys.argv[3])
started = time.perf_counter()
rows = work(sys.argv[2])
seconds = time.perf_counter() - started
print(json.dumps({"rows": rows, "seconds": seconds, "megabytes": (peak() - before) / 1024}))
"""


def make_file(path: Path, megabytes: int, references: str = "text") -> Path:
    """A file of GSM8K's rows, over and over with another number in each prompt. `references`: text, or object."""
    with gzip.open(ROOT / "tests/data/gsm8k/train.jsonl.gz", "rt", encoding="utf-8") as lines:
        published = [json.loads(line) for line in lines]
    number = written = 0
    with path.open("wb") as file:
        while written < megabytes * 1_000_000:
            for row in published:
                number += 1
                content = (
                    f"Task {number}. {row['question']} Let's think step by step, then write the answer after ####."
                )
                answer = row["answer"]
                made = {
                    "messages": [{"role": "user", "content": content}],
                    "reference_answer": {"solution": answer} if references == "object" else answer,
                    "ground_truth": answer.rpartition("####")[2].strip(),
                }
                written += file.write(json.dumps(made).encode() + b"\n")
    return path


def measured(code: str, path: Path) -> dict[str, Any]:
    small = path.with_name("small.jsonl")
    if not small.exists():
        make_file(small, 1)
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, code, str(path), str(small)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.timeout(900)
def test_the_complete_check_takes_at_most_half_the_time_of_the_usual_loop(tmp_path: Path, note: Note) -> None:
    path = make_file(tmp_path / "200mb.jsonl", 200)
    usual, complete = [], []
    for _ in range(TURNS):
        usual.append(measured(_USUAL, path))
        complete.append(measured(_COMPLETE, path))
    path.unlink()
    theirs, ours = (min(turn["seconds"] for turn in turns) for turns in (usual, complete))
    megabytes = max(turn["megabytes"] for turn in complete)
    sys.stdout.write(
        f"\n200 MB, {complete[0]['rows']:,} rows, {os.cpu_count()} cores: usual loop {theirs:.2f} s, "
        f"complete check {ours:.2f} s ({theirs / ours:.2f} times as fast), {megabytes:.0f} MB above the start\n"
    )
    way = "json.loads and pydantic, line by line"
    note("complete check of 200 MB", ours, "s", versus=way, ratio=theirs / ours, bound=f"{LEAST_RATIO:g}x")
    note("memory of that check", megabytes, "MB", bound=f"at most {MOST_MEGABYTES} MB")
    assert usual[0]["rows"] == complete[0]["rows"]
    assert theirs / ours >= LEAST_RATIO
    assert megabytes < MOST_MEGABYTES


@pytest.mark.timeout(900)
def test_a_file_of_1_gb_takes_no_more_memory(tmp_path: Path, note: Note) -> None:
    path = make_file(tmp_path / "1gb.jsonl", 1_000)
    found = measured(_COMPLETE, path)
    path.unlink()
    sys.stdout.write(
        f"\n1 GB, {found['rows']:,} rows: {found['seconds']:.1f} s, {found['megabytes']:.0f} MB above the start\n"
    )
    note("complete check of 1 GB", found["seconds"], "s")
    note("memory of that check of 1 GB", found["megabytes"], "MB", bound=f"at most {MOST_MEGABYTES} MB")
    assert found["megabytes"] < MOST_MEGABYTES


@pytest.fixture(scope="module")
def nova_validator(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The code that checks a file as Amazon's SDK for Nova does."""
    folder = tmp_path_factory.mktemp("nova")
    if sys.version_info < (3, 12):
        pytest.skip("amzn-nova-forge needs Python 3.12")
    (folder / "requirements.txt").write_text(_NOVA_PACKAGES)
    uv = Path(sys.executable).parent / "uv"
    words = ["pip", "install", "--quiet", "--no-deps", "--require-hashes", "--python", sys.executable]
    done = subprocess.run(
        [uv, *words, "--target", folder / "packages", "-r", folder / "requirements.txt"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"amzn-nova-forge cannot be installed: {done.stderr.strip()[-300:]}")
    return _NOVA.replace("FOLDER", str(folder / "packages"))


@pytest.mark.timeout(900)
@pytest.mark.parametrize("references", LEAST_RATIO_OF_NOVA)
def test_rows_of_nova_are_checked_about_as_fast_as_by_amazons_own_validator(
    tmp_path: Path, note: Note, nova_validator: str, references: str
) -> None:
    path = make_file(tmp_path / "nova.jsonl", NOVA_MEGABYTES, references)
    make_file(tmp_path / "small.jsonl", 1, references)
    complete = _COMPLETE.replace("qwen.qwen3-32b", "amazon.nova-2-lite-v1:0")
    amazons, ours = [], []
    for _ in range(TURNS):
        amazons.append(measured(nova_validator, path))
        ours.append(measured(complete, path))
    theirs, own = (min(turn["seconds"] for turn in turns) for turns in (amazons, ours))
    least = LEAST_RATIO_OF_NOVA[references]
    sys.stdout.write(f"\n{NOVA_MEGABYTES} MB of Nova, references {references}: Amazon {theirs:.2f} s, we {own:.2f} s\n")
    note(
        f"complete check of {NOVA_MEGABYTES} MB for Nova, references of kind {references}",
        own,
        "s",
        versus="amzn-nova-forge's validator",
        ratio=theirs / own,
        bound=f"{least:g}x",
    )
    assert amazons[0]["rows"] == ours[0]["rows"]
    assert theirs / own >= least
