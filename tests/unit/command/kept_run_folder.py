"""A run's folder as it lies in build/runs, with the answers of both models."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path
from typing import Any

import orjson

from tests.unit.reporting.sample_run import a_run
from tunedrop.evaluation.answers import Answer
from tunedrop.reporting.report import build_report

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
