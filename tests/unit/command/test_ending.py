"""The end of a run on the screen."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from local.command import places
from local.command.dataset_folder import DatasetFolder
from local.command.ending import show_end
from local.command.following import FollowedRun
from local.command.progress import Progress, Span
from local.command.subscriber import Received
from local.command.terminal import FILE_WIDTH
from tests.unit.command import runs
from tests.unit.command.kept_run_folder import keep_run
from tunedrop.catalog import who_trains


def _result(verdict: str) -> dict[str, Any]:
    sides = {
        "first": {"mean": 0.56, "low": 0.498, "high": 0.62},
        "second": {"mean": 0.936, "low": 0.899, "high": 0.96},
    }
    return {"verdict": verdict, "level": 0.1, "comparison": {"reward": sides, "accuracy": sides}}


def _notice(verdict: str = "improved", **changes: Any) -> dict[str, Any]:
    return {
        "run_id": runs.RUN_ID,
        "status": "SUCCEEDED",
        "reason": None,
        "training": {"steps": 67, "reward_first": 0.5625, "reward_last": 0.91875, "simulated": True},
        "evaluation": {
            "rows": 250,
            "difference": 0.376,
            "ci_low": 0.3077,
            "ci_high": 0.4441,
            "p_value": 6.8e-22,
            "verdict": verdict,
            "suspected_reward_hacking": False,
        },
        **changes,
    }


@pytest.fixture
def dataset(tmp_path: Path) -> DatasetFolder:
    (tmp_path / "sums").mkdir()
    (tmp_path / "sums/train.jsonl").touch()
    return DatasetFolder.open(tmp_path / "sums")


def _shown(
    folder: Path,
    dataset: DatasetFolder,
    message: Mapping[str, Any],
    progress: Progress,
    *,
    result: Mapping[str, Any] | None = None,
    terminal: bool = False,
    width: int = FILE_WIDTH,
) -> str:
    if result is not None:
        (folder / "evaluation").mkdir(exist_ok=True)
        (folder / "evaluation/result.json").write_text(json.dumps(result))
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=terminal, color_system=None, _environ={})
    notice = Received("Tunedrop tells", {"status": str(message["status"]), "name": "sums"}, message)
    show_end(console, FollowedRun(progress, notice, folder, 33.4), dataset)
    return file.getvalue()


def test_a_run_that_went_well_shows_verdict_figures_and_that_they_are_simulated(
    tmp_path: Path, dataset: DatasetFolder
) -> None:
    shown = _shown(tmp_path, dataset, _notice(), runs.ended_well(), result=_result("improved"))
    assert "IMPROVED    accuracy 56.0% → 93.6%" in shown
    assert "56.0%  90% interval 49.8% to 62.0%" in shown
    assert "mean reward +0.376 (90% interval +0.308 to +0.444), p < 0.0001, 250 rows answered by both" in shown
    assert "67 steps, from 0.562 (mean of the first 5) to 0.919 (of the last 5)" in shown
    assert "Simulated: the training and the model's answers" in shown
    assert "33 s from the upload to the notice" in shown


def test_the_next_step_after_a_second_run_is_to_compare_it_with_the_first(
    tmp_path: Path, dataset: DatasetFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "RUNS", tmp_path / "runs")
    monkeypatch.setattr("shutil.which", lambda _: None)
    keep_run(tmp_path / "runs", "words-1", name="words", rows=range(1))
    keep_run(tmp_path / "runs", "sums-1", name="sums", rows=range(1), status="FAILED")
    first = _shown(tmp_path, dataset, _notice(), runs.ended_well(), result=_result("improved"))
    assert f"bin/tunedrop report {runs.RUN_ID}    open the report" in first, "as the shell finds it"
    assert "compare" not in first
    assert "your own train.jsonl" not in first, "it is their own already"
    keep_run(tmp_path / "runs", "sums-2", name="sums", rows=range(1))
    second = _shown(tmp_path, dataset, _notice(), runs.ended_well(), result=_result("improved"))
    assert f"bin/tunedrop compare sums-2 {runs.RUN_ID}    this run and the one before" in second
    (tmp_path / "runs/sums-2/report.json").write_text("{")
    assert "IMPROVED" in _shown(tmp_path, dataset, _notice(), runs.ended_well(), result=_result("improved"))


def test_a_run_on_the_service_itself_is_not_called_simulated(tmp_path: Path, dataset: DatasetFolder) -> None:
    notice = _notice()
    notice["training"]["simulated"] = False
    assert "imulated" not in _shown(tmp_path, dataset, notice, runs.ended_well(), result=_result("improved")).replace(
        '"simulated": false', ""
    )


def test_a_run_with_a_real_model_of_this_machine_says_whose_weights_they_are(
    tmp_path: Path, dataset: DatasetFolder
) -> None:
    notice = _notice()
    notice["training"] |= who_trains(simulated=False, weights={"name": "SmolLM2", "licence": "apache-2.0"})
    shown = _shown(tmp_path, dataset, notice, runs.ended_well(), result=_result("improved"))
    assert "Real: SmolLM2 (licence: apache-2.0), trained on this machine." in shown


def test_where_nothing_is_right_or_wrong_the_rewards_are_compared(tmp_path: Path, dataset: DatasetFolder) -> None:
    result = _result("tied")
    result["comparison"]["accuracy"] = None
    shown = _shown(tmp_path, dataset, _notice("tied"), runs.ended_well(), result=result)
    assert "TIED    mean reward 0.560 → 0.936" in shown
    assert "accuracy" not in shown


def test_the_notice_is_shown_whole_as_the_queue_gave_it(tmp_path: Path, dataset: DatasetFolder) -> None:
    shown = _shown(tmp_path, dataset, _notice(), runs.ended_well(), result=_result("improved"))
    assert "subject    Tunedrop tells" in shown
    assert "attributes name=sums  status=SUCCEEDED" in shown
    start = shown.index("  {\n")
    assert json.loads(shown[start : shown.index("\n  }\n") + 4]) == _notice()


def test_a_rejected_run_shows_its_reason_what_to_do_and_paths_that_open(tmp_path: Path, dataset: DatasetFolder) -> None:
    reason = {
        "error": "DatasetInvalid",
        "message": f"train.jsonl line 17: broken. All findings: s3://runs/runs/{runs.RUN_ID}/findings.json",
    }
    notice = _notice(status="REJECTED", reason=reason, training=None, evaluation=None)
    shown = _shown(tmp_path, dataset, notice, runs.rejected(notified=True))
    assert "REJECTED    DatasetInvalid" in shown
    told = " ".join(shown.partition("REJECTED    ")[2].split())
    assert f"line 17: broken. All findings: {tmp_path}/findings.json" in told
    assert "No training job was created." in told
    assert f"tunedrop validate {dataset.train.parent}" in told


def test_a_failed_run_names_the_job_that_it_had(tmp_path: Path, dataset: DatasetFolder) -> None:
    reason = {"error": "TrainingFailed", "message": "Bedrock ended job ftjob-1 as failed"}
    training = {"job_id": "ftjob-1", "steps": 3, "reward_first": 0.5, "reward_last": 0.5, "simulated": True}
    notice = _notice(status="FAILED", reason=reason, training=training, evaluation=None)
    shown = _shown(tmp_path, dataset, notice, runs.training(3))
    assert "FAILED    TrainingFailed" in shown
    assert "Job ftjob-1 was created." in shown


def test_a_failed_run_points_to_the_log_of_the_function_that_failed(tmp_path: Path, dataset: DatasetFolder) -> None:
    (tmp_path / "logs").mkdir()
    for function in ("tunedrop-PollJob-1A", "tunedrop-ValidateDataset-2B"):
        (tmp_path / f"logs/{function}.log").touch()
    reason = {"error": "AttributeError", "message": "no such attribute"}
    notice = _notice(status="FAILED", reason=reason, training=None, evaluation=None)
    shown = _shown(tmp_path, dataset, notice, runs.rejected(notified=True))
    assert f"{tmp_path}/logs/tunedrop-ValidateDataset-2B.log" in "".join(shown.split())


def test_what_may_still_cost_is_named(tmp_path: Path, dataset: DatasetFolder) -> None:
    left = [{"kind": "model", "id": "arn:model/1", "why": "a custom model is stored until it is deleted"}]
    notice = _notice(may_still_cost=left)
    shown = _shown(tmp_path, dataset, notice, runs.ended_well(), result=_result("improved"))
    assert "left behind  model arn:model/1: a custom model is stored until it is deleted" in shown


def test_a_promotion_that_waits_for_a_person_is_said(tmp_path: Path, dataset: DatasetFolder) -> None:
    progress = runs.ended_well()
    progress.execution_status = "RUNNING"
    progress.spans = {**progress.spans, "AskForApproval": Span(runs.BEGAN)}
    shown = _shown(tmp_path, dataset, _notice(), progress, result=_result("improved"))
    assert "the promotion waits for a person's approval" in shown


def test_suspected_reward_hacking_is_said(tmp_path: Path, dataset: DatasetFolder) -> None:
    notice = _notice("regressed")
    notice["evaluation"]["suspected_reward_hacking"] = True
    shown = _shown(tmp_path, dataset, notice, runs.ended_well(), result=_result("regressed"))
    assert "REGRESSED" in shown
    assert "Suspected reward hacking" in shown


def test_a_file_gets_no_frame_no_colour_and_no_spaces_at_the_end_of_lines(
    tmp_path: Path, dataset: DatasetFolder
) -> None:
    shown = _shown(tmp_path, dataset, _notice(), runs.ended_well(), result=_result("improved"))
    assert "╭" not in shown
    assert "\x1b" not in shown
    assert all(line == line.rstrip() for line in shown.splitlines())


@pytest.mark.parametrize("width", [80, 120])
def test_the_frame_fits_the_terminal(tmp_path: Path, dataset: DatasetFolder, width: int) -> None:
    shown = _shown(
        tmp_path, dataset, _notice(), runs.ended_well(), result=_result("improved"), terminal=True, width=width
    )
    framed = [line for line in shown.splitlines() if line.startswith(("╭", "│", "╰"))]
    assert len(framed) > 8
    assert max(len(line) for line in framed) <= width
    assert all(line.endswith(("╮", "│", "╯")) for line in framed)
