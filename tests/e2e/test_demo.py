"""The demo on a small dataset: the whole application by the command, from the upload to the notice."""

from __future__ import annotations

import html
import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.command_runs import REPOSITORY, last_line, small_gsm8k, tunedrop


@pytest.fixture
def copied() -> Iterator[list[Path]]:
    """Folders of runs that a test made below build/runs; removed after it."""
    made: list[Path] = []
    yield made
    for folder in made:
        shutil.rmtree(folder)


@pytest.mark.prove
def test_a_dropped_dataset_becomes_a_better_model_with_its_notice_and_report(
    tmp_path: Path, copied: list[Path]
) -> None:
    done = tunedrop("run", str(small_gsm8k(tmp_path / "small sums")), "--json")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    notice = last_line(done)
    folder = REPOSITORY / "build/runs" / notice["run_id"]
    copied.append(folder)

    assert (notice["status"], notice["name"], notice["reason"]) == ("SUCCEEDED", "small sums", None)
    assert notice["run_id"].startswith("small-sums-")
    assert notice["dataset"]["rows"] == 100
    # A tenth is held out and a batch has 4 rows: 0.9 * 100 / 4, rounded down.
    assert notice["training"]["steps"] == 22
    assert notice["training"]["simulated"] is True
    assert notice["evaluation"]["rows"] == 60
    assert notice["evaluation"]["verdict"] == "improved"
    assert notice["evaluation"]["tuned"]["accuracy"] > notice["evaluation"]["base"]["accuracy"]
    assert notice["evaluation"]["ci_low"] > 0

    report = json.loads((folder / "report.json").read_bytes())
    assert report["run_id"] == notice["run_id"]
    assert len((folder / "train.jsonl").read_bytes().splitlines()) == 100

    told = done.stderr
    assert "imulated" in told
    for state in ("ValidateDataset  100 training rows, 60 test rows", "PollJob          step 22/22", "IMPROVED"):
        assert state in told
    attributes = next(line for line in told.splitlines() if line.startswith("  attributes "))
    # Subscribers filter on these; others may come to them.
    for each in ("base_model=openai.gpt-oss-20b", "name=small sums", "status=SUCCEEDED", "verdict=improved"):
        assert f" {each}" in attributes
    assert "\x1b" not in told


@pytest.mark.prove
def test_a_broken_line_ends_the_run_as_rejected_with_the_line_and_without_a_job(
    tmp_path: Path, copied: list[Path]
) -> None:
    folder = small_gsm8k(tmp_path / "broken")
    lines = (folder / "train.jsonl").read_text().splitlines()
    lines[16] = lines[16][:40]
    (folder / "train.jsonl").write_text("\n".join(lines))
    done = tunedrop("run", str(folder), "--json")
    assert done.returncode == 2, done.stderr
    notice = last_line(done)
    copied.append(REPOSITORY / "build/runs" / notice["run_id"])

    assert notice["status"] == "REJECTED"
    assert notice["reason"]["error"] == "DatasetInvalid"
    assert "line 17" in notice["reason"]["message"]
    assert notice["training"] is None
    assert notice["evaluation"] is None
    assert "No training job was created." in done.stderr
    assert "SubmitJob" not in done.stderr


@pytest.mark.prove
def test_a_rehearsal_tells_what_the_base_model_earns_without_a_run_or_a_job(tmp_path: Path, copied: list[Path]) -> None:
    done = tunedrop("rehearse", str(small_gsm8k(tmp_path / "tried")), "--json")
    assert done.returncode == 0, done.stderr
    document = last_line(done)
    copied.append(REPOSITORY / document["folder"])
    assert document["status"] == "GO"
    assert document["reason"] is None
    assert 0 < document["rehearsal"]["mean_reward"] < 1
    assert (REPOSITORY / document["folder"] / "rehearsal.json").exists()


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.prove
def test_the_demo_ends_in_time_with_what_the_picture_and_the_page_show(copied: list[Path]) -> None:
    began = time.monotonic()
    done = tunedrop("demo", "--json")
    took = time.monotonic() - began
    assert done.returncode == 0, done.stderr
    notice = last_line(done)
    copied.append(REPOSITORY / "build/runs" / notice["run_id"])
    assert took < 90
    assert notice["dataset"]["rows"] == 300
    assert notice["evaluation"]["rows"] == 250
    assert notice["training"]["steps"] == 67
    shown = words(html.unescape(re.sub("<[^>]*>", " ", (REPOSITORY / "docs/demo.svg").read_text())))
    told = [line.strip() for line in done.stderr.splitlines()]
    verdict = next(line for line in told if line.startswith("IMPROVED"))
    difference = next(line for line in told if line.startswith("mean reward"))
    page = words((REPOSITORY / "docs/one-machine.md").read_text())
    stages = set(re.findall(r"^ *[\d.]+ s +([A-Z][a-z]+[A-Z]\w+) ", done.stderr, re.MULTILINE))
    assert len(stages) > 5
    for text in (shown, page):
        assert words(verdict) in text
        assert words(difference.partition(", p ")[0]) in text
        assert not [stage for stage in stages if f"✓ {stage} " not in text]
