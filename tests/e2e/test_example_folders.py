"""The example folder of each kind of grader, to its end: the simulated policy gets better under that grader."""

from __future__ import annotations

import pytest

from tests.e2e.command_runs import REPOSITORY, last_line, tunedrop


@pytest.mark.prove
@pytest.mark.parametrize("name", ["extraction", "code", "moderation", "judge"])  # GSM8K's is the demo
def test_each_example_folder_trains_to_a_better_model(name: str) -> None:
    done = tunedrop("run", str(REPOSITORY / "events/datasets" / name), "--json", timeout=900)
    assert done.returncode == 0, done.stderr
    notice = last_line(done)
    assert (notice["status"], notice["evaluation"]["verdict"]) == ("SUCCEEDED", "improved")
    assert notice["evaluation"]["suspected_reward_hacking"] is False
    assert notice["training"]["simulated"] is True
