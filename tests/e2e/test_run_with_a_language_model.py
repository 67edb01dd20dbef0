"""Whole runs with a real language model of two layers and random weights: what is told, learnt and warned of."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.e2e.command_runs import REPOSITORY, last_line, tunedrop

pytestmark = [pytest.mark.prove, pytest.mark.timeout(1800)]

PYTHON = REPOSITORY / ".venvs/language-model/bin/python"
LENGTH = '''"""length: pays for long answers, whatever they say."""


def grade(sample):
    return min(1.0, len(sample.answer) / 24)
'''
CONSTANT = '''"""constant: pays the same for each answer."""


def grade(sample):
    return 0.5
'''
# The rehearsal finds both graders unsound, and would stop the run: here it is to be seen what comes of them.
LENIENT = {"cheat_margin": 1.0, "least_reference": 0.0, "least_baseline": 0.0, "most_ungraded": 0.9}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model's folder."""
    folder = tmp_path_factory.mktemp("model") / "tiny"
    script = REPOSITORY / "tests/contract/language_model/make_tiny_model.py"
    subprocess.run([PYTHON, script, folder], check=True, capture_output=True)
    return folder


def dataset(folder: Path, grader: str, **gates: float) -> Path:
    folder.mkdir()
    for name, rows in (("train", range(100)), ("test", range(100, 160))):
        lines = [
            json.dumps(
                {
                    "messages": [{"role": "user", "content": f"say {row}"}],
                    "reference_answer": f"it is {row}" + 9 * " or more",
                }
            )
            for row in rows
        ]
        (folder / f"{name}.jsonl").write_text("\n".join(lines))
    (folder / "grader.py").write_text(grader)
    recipe = {
        "hyperparameters": {"n_epochs": 12, "batch_size": 9, "learning_rate_multiplier": 50},
        "rehearsal": {"prompts": 4, "samples": 4, "temperature": 1.0},
        "evaluation": {"max_tokens": 200, "concurrency": 1, "temperature": 1.0},
        "gates": gates,
    }
    (folder / "recipe.json").write_text(json.dumps(recipe))
    return folder


def test_a_grader_that_pays_for_length_is_learnt_and_found_out(tmp_path: Path, tiny: Path) -> None:
    folder = dataset(tmp_path / "long", LENGTH, **LENIENT)
    done = tunedrop("run", str(folder), "--model", str(tiny), "--rollout-tokens", "24", "--json", timeout=1500)
    notice = last_line(done)
    training = notice["training"]
    assert notice["status"] == "SUCCEEDED", notice["reason"]
    assert training["reward_last"] > training["reward_first"] + 0.05
    told = (training["simulated"], training["trained_by"], training["trained_on"], training["weights"])
    assert told == (False, "local", "this machine", {"name": "tiny", "licence": "apache-2.0"})
    run = REPOSITORY / "build/runs" / notice["run_id"]
    report = json.loads((run / "report.json").read_text())
    assert report["trained_by"] == "local"
    for said in (done.stdout, done.stderr, (run / "report.html").read_text(), (run / "model_card.md").read_text()):
        assert "simulated" not in said.replace('"simulated": false', "").replace('"simulated":false', "")
    assert "tiny (licence: apache-2.0)" in (run / "model_card.md").read_text()
    broken = [each["rule"] for each in report["evaluation"]["guard_rails"] if each["broken"]]
    assert "response_length" in broken
    assert (run / "adapter/adapter_config.json").is_file()
    again = tunedrop("evaluate", notice["run_id"], str(folder), "--model", str(tiny), "--json", timeout=900)
    repeated = last_line(again)["evaluation"]
    assert repeated["difference"] == pytest.approx(notice["evaluation"]["difference"], abs=0.1)


def test_a_constant_grader_is_stopped_by_the_rehearsal(tmp_path: Path, tiny: Path) -> None:
    folder = dataset(tmp_path / "same", CONSTANT, cheat_margin=1.0, least_reference=0.0)
    done = tunedrop("run", str(folder), "--model", str(tiny), "--rollout-tokens", "24", "--json", timeout=900)
    notice = last_line(done)
    assert (done.returncode, notice["status"], notice["reason"]["error"]) == (2, "REJECTED", "NoSignal")
    assert notice["training"] is None
