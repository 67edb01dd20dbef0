"""What a user sees while a run goes: plain lines, and the table of a terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from local.command.live_view import LiveView
from local.command.progress import Progress
from local.command.views import PlainView
from tests.unit.command import runs
from tunedrop.stages import ORDER, STAGES

_USUAL = {stage.name for stage in STAGES if not stage.optional}


def _plain(*moments: Progress) -> list[str]:
    file = io.StringIO()
    view = PlainView(Console(file=file, width=80))
    for moment in moments:
        view.show(moment)
    view.close()
    return [line.partition(" s  ")[2] for line in file.getvalue().splitlines()]


def _live(moment: Progress, width: int = 120) -> str:
    """What stands on the terminal in the end."""
    file = io.StringIO()
    view = LiveView(Console(file=file, width=width, force_terminal=True, color_system=None, _environ={}))
    view.show(moment)
    view.close()
    # Live draws at the start, at each update and at the end: the last drawing is what stays.
    return file.getvalue()[file.getvalue().rindex(" RegisterRun") - 1 :]


def test_a_stage_that_is_over_is_told_once_with_what_it_found_and_how_long_it_took() -> None:
    lines = _plain(runs.training(1), runs.training(2), runs.training(3))
    shown = [
        f"RegisterRun      {runs.RUN_ID} (1.0 s)",
        "Settle           waited for the files beside train.jsonl (1.0 s)",
        "ResolveInputs    openai.gpt-oss-20b, math grader, the default recipe (1.0 s)",
        "ValidateDataset  300 training rows, 1 test row (held out), 0 warnings (1.0 s)",
        "RehearseGrader   base model earns 0.641, 62% of prompts give a signal (1.0 s)",
        "SubmitJob        job ftjob-1 (1.0 s)",
    ]
    assert [line for line in lines if line in shown] == shown
    assert [line.split()[0] for line in lines] == list(ORDER[: ORDER.index("PollJob")])


def test_after_a_silence_it_is_told_what_is_waited_for_and_what_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("local.command.views.time.monotonic", lambda: now)
    file = io.StringIO()
    view = PlainView(Console(file=file, width=80))
    moment = runs.training(3)
    view.show(moment)
    now += 31
    view.show(moment)
    now += 10
    moment.spans["PollJob"].failures, moment.spans["PollJob"].last_failure = 4, "ServiceBusy"
    view.show(moment)
    now += 25
    view.show(moment)
    assert [line for line in file.getvalue().splitlines() if "PollJob" in line] == [
        "  31.0 s  PollJob          still at work",
        "  66.0 s  PollJob          failed 4 times and is tried again, the last time by ServiceBusy",
    ]


def test_the_table_tells_how_often_the_state_at_work_failed() -> None:
    moment = runs.training(3)
    moment.spans["PollJob"].failures, moment.spans["PollJob"].last_failure = 1, "ServiceBusy"
    assert "failed once and is tried again, the last time by ServiceBusy" in _live(moment)


def test_training_is_told_every_ten_steps_and_not_at_every_look() -> None:
    told = [line for line in _plain(*(runs.training(steps) for steps in range(1, 68))) if "PollJob" in line]
    assert [line.split("step ")[1].split("/")[0] for line in told] == ["10", "20", "30", "40", "50", "60"]
    assert told[0] == "PollJob          step 10/67, reward 0.560, entropy 0.90"


def test_evaluation_is_told_by_quarters_with_the_accuracy_so_far() -> None:
    moments = [runs.evaluating(each, each) for each in range(0, 100, 2)]
    told = [line for line in _plain(*moments) if "EvaluateShards" in line]
    assert len(told) == 3
    assert told[1] == "EvaluateShards   base 50/100, 50.0% right; tuned 50/100, 100.0% right"


def test_the_state_that_ends_a_run_is_told_with_its_error() -> None:
    assert _plain(runs.rejected(notified=True))[-1] == "ValidateDataset  ended the run: DatasetInvalid"


def test_a_line_is_not_broken_however_narrow_the_output_is_thought_to_be() -> None:
    file = io.StringIO()
    PlainView(Console(file=file, width=20)).tell("word " * 30)
    assert len(file.getvalue().splitlines()) == 1


def test_the_table_shows_what_is_done_what_works_and_what_is_to_come() -> None:
    rows = _live(runs.training(40)).splitlines()
    by_name = {line.split()[1]: line for line in rows if line.split()[1:2] and line.split()[1] in ORDER}
    assert set(by_name) == _USUAL
    assert by_name["SubmitJob"].startswith("✓")
    assert by_name["PollJob"][0] not in "✓·✗"
    assert "step 40/67, reward 0.739" in by_name["PollJob"]
    assert by_name["EvaluateShards"].startswith("·")
    assert "▅▆" in rows[rows.index(by_name["PollJob"]) + 1]


def test_the_table_names_the_state_that_failed_and_how_the_run_was_closed() -> None:
    closing, closed = _live(runs.rejected(notified=False)), _live(runs.rejected(notified=True))
    assert "✗ ValidateDataset" in closing
    assert "DatasetInvalid: closing the run" in closing
    assert "DatasetInvalid: closed as REJECTED, notice published" in closed


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize(
    "moment", [runs.training(67), runs.evaluating(30, 20), runs.ended_well(), runs.rejected(notified=True)]
)
def test_the_table_fits_the_terminal(moment: Progress, width: int) -> None:
    assert max(len(line) for line in _live(moment, width).splitlines()) <= width


def test_the_table_ends_with_every_stage_done() -> None:
    shown = _live(runs.ended_well())
    assert shown.count("✓") == len(_USUAL)
    assert "improved" in shown
    assert "base 100, 56.0% right; tuned 100, 94.0% right" in shown
