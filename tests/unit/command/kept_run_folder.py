"""A run's folder as it lies in build/runs, with the answers of both models, or with the report alone."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from pathlib import Path
from typing import Any

import orjson

from local.command import kept_runs
from local.command.kept_answers import answers_of, rows_of
from tests.unit.reporting.sample_run import a_run
from tunedrop.evaluation.answers import Answer
from tunedrop.evaluation.tally import Tally
from tunedrop.reporting.page import render_html
from tunedrop.reporting.report import build_report
from tunedrop.reporting.row_index import row_index
from tunedrop.reporting.row_texts import Limits, RowTexts, row_text, told_answer

ROWS = 120


def keep_run(runs: Path, run_id: str, *, right: float = 0.5, rows: range = range(ROWS), **changed: Any) -> Path:
    """A run with the answers of both models: the base model's are always the same, `right` of the tuned one's right."""
    folder = runs / run_id
    parts = folder / "evaluation/answers"
    shards = []
    for number, (candidate, share) in enumerate((("base", 0.4), ("tuned", right))):
        chance = random.Random(3)
        lines = b""
        asked = b""
        for place, row in enumerate(rows):
            good = chance.random() < share
            messages = [{"role": "user", "content": f"prompt {row}"}]
            prompt = hashlib.sha256(orjson.dumps(messages)).hexdigest()
            asked += orjson.dumps({"messages": messages, "reference_answer": "text"}) + b"\n"
            answer = Answer(place, 0, candidate, prompt, "text", "stop", 9, 9, 1.0, float(good), correct=good)
            lines += answer.to_line()
        (parts / f"{number:05}").mkdir(parents=True)
        (parts / f"{number:05}/00000.jsonl").write_bytes(lines)
        shards.append({"number": number, "candidate": candidate, "rows_file": "evaluation/rows.jsonl"})
    (folder / "evaluation/rows.jsonl").write_bytes(asked)
    (folder / "evaluation/plan.json").write_text(json.dumps({"shards": shards}))
    report = {**build_report(a_run()), "run_id": run_id, **changed}
    (folder / "report.json").write_text(json.dumps(report))
    (folder / "report.html").write_text("<!doctype html>")
    return folder


def leave_only_the_report(folder: Path, *, limits: Limits | None = None, samples: int = 1) -> None:
    """Render the report's page with its rows, and remove the other files: so the API gives a run."""
    run = kept_runs.find(str(folder))
    sides = {candidate: list(answers_of(run, candidate)) for candidate in ("base", "tuned")}
    lines = list(rows_of(run))
    limits = limits or Limits(answer=8_000, row=100_000)
    tally = Tally(len(lines), samples=samples)
    for side in sides.values():
        for answer in side:
            tally.add(answer)
    beside = folder / "report_rows"
    beside.mkdir()
    index = row_index(tally, labels={}, models={})

    def write(name: str, script: bytes) -> None:
        (beside / name).write_bytes(script)

    texts = RowTexts(index["states"], write)
    for place, (_, line, row) in enumerate(lines):
        told = [told_answer(side[place], number, limits) for number, side in enumerate(sides.values())]
        prompt, reference = row["messages"][0]["content"], row["reference_answer"]
        texts.add(place, row_text(place, line, prompt=prompt, reference=reference, answers=told, limits=limits))
    (folder / "report.html").write_text(render_html(run.report, texts.close(index)))
    shutil.rmtree(folder / "evaluation")
