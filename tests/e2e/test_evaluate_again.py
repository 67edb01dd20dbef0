"""A tuned model is evaluated again in another stack, long after the one that trained it has ended."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.e2e.command_runs import REPOSITORY, last_line, small_gsm8k, tunedrop

pytestmark = pytest.mark.prove


def test_a_model_of_an_earlier_run_is_evaluated_again_and_both_runs_are_compared(tmp_path: Path) -> None:
    folder = small_gsm8k(tmp_path / "sums")
    trained = tunedrop("run", str(folder), "--json")
    assert trained.returncode == 0, trained.stderr
    first = last_line(trained)
    (folder / "recipe.json").write_text(json.dumps({"evaluation": {"temperature": 0.5}}))
    made = [first["run_id"]]
    try:
        again = tunedrop("evaluate", first["run_id"], str(folder), "--json")
        assert again.returncode == 0, again.stderr
        second = last_line(again)
        made.append(second["run_id"])
        assert second["training"] is None
        assert second["tuned_model"] == first["tuned_model"]
        assert second["evaluation"]["verdict"] == "improved"

        compared = last_line(tunedrop("compare", *made, "--json"))
        assert compared["changed"]["recipe.evaluation.temperature"] == [0, 0.5]
        assert compared["changed"]["recipe.evaluate_only"] == ["", first["tuned_model"]]
        assert compared["tuned"]["pairs"] == 60
        assert last_line(tunedrop("report", first["run_id"], "--json"))["verdict"] == first["evaluation"]["verdict"]
    finally:
        for run_id in made:
            shutil.rmtree(REPOSITORY / "build/runs" / run_id)
