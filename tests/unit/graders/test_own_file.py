"""Graders of a team's own: what a file says, and what the function that serves such files does with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tunedrop.graders.batch import grade_batch
from tunedrop.graders.kinds import Trust
from tunedrop.graders.own import grade_as
from tunedrop.graders.own_file import FOLDER_VARIABLE, files_in, named, read_file
from tunedrop.graders.row_options import RowGrader
from tunedrop.graders.sample import OptionsError, Sample
from tunedrop.identity import SIBLINGS, TRAIN_NAMES
from tunedrop.notices.stray_uploads import remark_on_name

BRIEF = '''"""brief: pays for short answers.

More about it.
"""
OPTIONS = {"words": 3}
DEADLINE_SECONDS = 2

def check_reference(reference, row):
    return None if isinstance(reference, str) else "the reference must be a text"

def grade(sample, options):
    return float(len(sample.answer.split()) <= options["words"])
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    (tmp_path / "brief.py").write_text(BRIEF, encoding="utf-8")
    return tmp_path


def row(answer: str, reference: Any = "x", **own: Any) -> dict[str, Any]:
    turns = [{"role": "user", "content": "?"}, {"role": "assistant", "content": answer}]
    return {"id": answer[:9], "messages": turns, "reference_answer": reference, "tunedrop_grader": own}


def rewards(*rows: dict[str, Any], trust: Trust = Trust.OWN) -> list[tuple[float, set[str]]]:
    told = grade_batch(list(rows), RowGrader(trust))
    return [(one["aggregate_reward_score"], {metric["name"] for metric in one["metrics_list"]}) for one in told]


def test_a_file_says_what_it_is_without_being_run(folder: Path) -> None:
    path = folder / "loud.py"
    path.write_text(BRIEF + "\nraise SystemExit('it ran')\n", encoding="utf-8")
    file = read_file(path)
    assert (file.name, file.summary, file.options, file.deadline_seconds) == (
        "loud",
        "brief: pays for short answers.",
        {"words": 3},
        2.0,
    )


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def grade(", "no Python that can be read"),
        ("def reward(sample): return 1", "needs a function grade"),
        ("def grade(): return 1", "needs a function grade"),
        ("OPTIONS = dict(words=3)\ndef grade(sample): return 1", "OPTIONS must be written out"),
        ("OPTIONS = ['words']\ndef grade(sample): return 1", "OPTIONS must be a dictionary of .*, got \\['words'\\]"),
        ("DEADLINE_SECONDS = 900\ndef grade(sample): return 1", "at most 60, got 900"),
    ],
)
def test_a_file_that_is_no_grader_is_refused_with_what_it_lacks(folder: Path, source: str, message: str) -> None:
    path = folder / "other.py"
    path.write_text(source, encoding="utf-8")
    with pytest.raises(OptionsError, match=message):
        read_file(path)


def test_the_tests_beside_the_graders_are_no_graders(folder: Path) -> None:
    for name in ("test_brief.py", "Upper.py", "notes.txt"):
        (folder / name).write_text("", encoding="utf-8")
    assert [path.name for path in files_in(folder)] == ["brief.py"]


def test_each_row_is_graded_by_the_file_and_the_options_that_it_names(folder: Path) -> None:
    (folder / "long.py").write_text("def grade(sample): return len(sample.answer) > 5", encoding="utf-8")
    found = rewards(
        row("one two", kind="own/brief"),
        row("one two", kind="own/brief", words=1),
        row("one two three four", kind="own/brief"),
        row("one two", kind="own/long"),
        row("72", "72", kind="math"),
    )
    assert [reward for reward, _ in found] == [1.0, 0.0, 0.0, 1.0, 1.0]


def test_a_row_that_the_file_cannot_grade_is_ungraded_and_the_others_are_graded(folder: Path) -> None:
    (folder / "odd.py").write_text("def grade(sample): return 'much'", encoding="utf-8")
    (folder / "stops.py").write_text("import os\ndef grade(sample): os._exit(3)", encoding="utf-8")
    found = rewards(
        row("a", 7, kind="own/brief"),
        row("b", kind="own/odd"),
        row("c", kind="own/stops"),
        row("d", kind="own/brief", wrods=1),
        row("e", kind="own/nobody"),
        row("f", kind="own/../brief"),
        row("g", kind="own/brief"),
    )
    assert [reward for reward, _ in found] == [0.0] * 6 + [1.0]
    assert all("grader_error" in names for _, names in found[:6])
    assert found[6][1] == set()


def test_a_file_that_never_ends_is_cut_off_at_its_own_deadline(folder: Path) -> None:
    source = "DEADLINE_SECONDS = 0.5\ndef grade(sample):\n    while True: pass"
    (folder / "endless.py").write_text(source, encoding="utf-8")
    ((reward, names),) = rewards(row("a", kind="own/endless"))
    assert (reward, names) == (0.0, {"grader_error", "grader_timeout"})


@pytest.mark.parametrize("trust", [Trust.PLAIN, Trust.CODE, Trust.JUDGE])
def test_no_other_grader_function_runs_a_team_s_file(folder: Path, trust: Trust) -> None:
    ((reward, names),) = rewards(row("a", kind="own/brief"), trust=trust)
    assert (reward, names) == (0.0, {"grader_error", "grader_refused"})


@pytest.mark.parametrize("kind", ["code", "judge"])
def test_a_team_s_file_may_use_the_kinds_that_only_answer(kind: str) -> None:
    sample = Sample("1", [], "#### 72", "72", {})
    assert grade_as("math", sample).reward == 1.0
    with pytest.raises(OptionsError, match="may not run"):
        grade_as(kind, sample)


@pytest.mark.parametrize("name", ["../planted", "/etc/passwd", "a/b", "brief.py", "brief\n", "Brief", ""])
def test_a_recipe_names_no_file_outside_of_the_folder(folder: Path, name: str) -> None:
    (folder.parent / "planted.py").write_text(BRIEF, encoding="utf-8")
    with pytest.raises(OptionsError, match="There is no own grader"):
        named(name)


def test_code_that_is_dropped_is_no_part_of_a_run() -> None:
    assert "grader.py" not in (*TRAIN_NAMES, *SIBLINGS)
    remark = remark_on_name("inbox/a/grader.py", len(BRIEF))
    assert remark is not None
    assert (remark.event, "a run uses none" in remark.problem) == ("upload_ignored", True)
