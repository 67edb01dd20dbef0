"""Graders that users bring, in whole runs: a file of their own, and OpenAI's definitions on converted rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.command_runs import last_line, small_gsm8k, tunedrop

JUDGED = Path(__file__).parents[2] / "events/datasets/judge"
LAST_NUMBER = '''"""last_number: pays for the right last number."""
import re

OPTIONS = {"reward": 1.0}

def last(text):
    found = re.findall(r"-?[0-9][0-9,]*", text)
    return found[-1].replace(",", "") if found else None

def grade(sample, options):
    return options["reward"] * (last(sample.answer) == last(sample.reference))
'''
PROGRAM = """import re

def grade(sample, item) -> float:
    found = re.findall(r"#### *(-?[0-9.,]*[0-9])", sample["output_text"])
    right = str(item["reference_answer"]).rpartition("####")[2].strip()
    return float(bool(found) and found[-1].replace(",", "") == right.replace(",", ""))
"""


@pytest.mark.prove
def test_a_grader_beside_the_dataset_rehearses_and_trains_a_better_model(tmp_path: Path) -> None:
    folder = small_gsm8k(tmp_path / "own", train=150)
    (folder / "grader.py").write_text(LAST_NUMBER, encoding="utf-8")
    (folder / "recipe.json").write_text('{"grader": {"kind": "own", "function": "grader", "options": {"reward": 0.9}}}')
    rehearsed = tunedrop("rehearse", str(folder), "--json", timeout=400)
    assert last_line(rehearsed)["status"] == "GO", rehearsed.stderr
    assert last_line(rehearsed)["rehearsal"]["reference_reward"] == 0.9
    notice = last_line(tunedrop("run", str(folder), "--json", timeout=600))
    assert (notice["status"], notice["evaluation"]["verdict"]) == ("SUCCEEDED", "improved")


@pytest.mark.prove
def test_an_option_that_the_file_does_not_have_rejects_the_run(tmp_path: Path) -> None:
    folder = small_gsm8k(tmp_path / "own")
    (folder / "recipe.json").write_text('{"grader": {"kind": "own", "function": "grader", "options": {"rewrad": 0.9}}}')
    file = tmp_path / "grader.py"
    file.write_text(LAST_NUMBER, encoding="utf-8")
    done = tunedrop("run", str(folder), "--json", "--grader-file", str(file), timeout=400)
    reason = last_line(done)["reason"]
    assert (done.returncode, reason["error"]) == (2, "RecipeInvalid")
    assert "has no option 'rewrad'; it has reward" in reason["message"]


@pytest.mark.prove
def test_a_python_grader_in_a_formula_trains_on_rows_that_convert_made(tmp_path: Path) -> None:
    plain, made = small_gsm8k(tmp_path / "plain", train=150), tmp_path / "made"
    made.mkdir()
    for name in ("train.jsonl", "test.jsonl"):
        rows = [json.loads(line) for line in (plain / name).read_text(encoding="utf-8").splitlines()]
        openai = [{"messages": row["messages"], "gold": row["reference_answer"]} for row in rows]
        (plain / name).write_text("".join(json.dumps(row) + "\n" for row in openai), encoding="utf-8")
        converted = tunedrop("convert", str(plain / name), "--output", str(made / name), "--answer", "gold")
        assert converted.returncode == 0, converted.stderr
    marked = {"type": "string_check", "operation": "like", "input": "{{ sample.output_text }}", "reference": "####"}
    definition = {
        "type": "multi",
        "graders": {"right": {"type": "python", "source": PROGRAM}, "marked": marked},
        "calculate_output": "0.9 * right + 0.1 * right * marked",
    }
    (made / "recipe.json").write_text(json.dumps({"grader": {"kind": "composite", "options": definition}}))
    notice = last_line(tunedrop("run", str(made), "--json", timeout=600))
    assert (notice["status"], notice["evaluation"]["verdict"]) == ("SUCCEEDED", "improved")


@pytest.mark.prove
def test_a_score_model_in_a_formula_trains_on_rows_that_convert_made(tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.mkdir()
    for name in ("train.jsonl", "test.jsonl"):
        rows = [json.loads(line) for line in (JUDGED / name).read_text(encoding="utf-8").splitlines()]
        openai = [{"messages": row["messages"], "ideal": row["reference_answer"]} for row in rows]
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in openai), encoding="utf-8")
        converted = tunedrop("convert", str(tmp_path / name), "--output", str(made / name), "--answer", "ideal")
        assert converted.returncode == 0, converted.stderr
    asked = "Reference answer: {{ item.reference_answer }}\n\nModel answer: {{ sample.output_text }}"
    definition = {
        "type": "multi",
        "graders": {
            "judged": {
                "type": "score_model",
                "model": "gpt-4o-2024-08-06",
                "input": [{"role": "user", "content": asked}],
                "range": [0, 1],
                "sampling_params": {"seed": 42},
            },
            "same": {
                "type": "text_similarity",
                "evaluation_metric": "fuzzy_match",
                "input": "{{ sample.output_text }}",
                "reference": "{{ item.reference_answer }}",
            },
        },
        "calculate_output": "floor(judged + 0.1) * (0.8 + 0.2 * same)",  # half a likeness would pay for an echo
        "pass_threshold": 0.9,
    }
    (made / "recipe.json").write_text(json.dumps({"grader": {"kind": "composite", "options": definition}}))
    notice = last_line(tunedrop("run", str(made), "--json", timeout=600))
    assert notice["status"] == "SUCCEEDED", notice.get("reason")
    assert notice["evaluation"]["verdict"] == "improved"
