"""`tunedrop grade` answers every line, in order, and names the lines that it cannot read."""

from __future__ import annotations

import io
import json
import runpy
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from local.command import exits, places
from local.command.main import main

RIGHT = {"id": "a", "messages": [{"role": "assistant", "content": "#### 72"}], "reference_answer": "#### 72"}
WRONG = {"messages": [{"role": "assistant", "content": "#### 71"}], "metadata": {"reference_answer": {"text": "72"}}}


def lines_of(rows: list[Any]) -> bytes:
    return b"".join((row if isinstance(row, bytes) else json.dumps(row).encode()) + b"\n" for row in rows)


def grade(
    rows: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], *words: str, kind: str = "math"
) -> tuple[int, list[dict[str, Any]], str]:
    """The exit code, the answers and what standard error says."""
    file = tmp_path / "rows.jsonl"
    file.write_bytes(lines_of(rows))
    code = main(["grade", str(file), "--grader", kind, *words])
    printed = capsys.readouterr()
    return code, [json.loads(line) for line in printed.out.splitlines()], printed.err


def test_each_row_gets_the_contracts_answer_in_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, told, errors = grade([RIGHT, WRONG, RIGHT], tmp_path, capsys)

    assert code == exits.SUCCEEDED
    assert [(one["id"], one["aggregate_reward_score"]) for one in told] == [("a", 1.0), ("2", 0.0), ("a", 1.0)]
    assert all(set(one) == {"id", "aggregate_reward_score", "metrics_list"} for one in told)
    assert errors == ""


def test_a_malformed_line_is_named_and_answered_in_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        RIGHT,
        b"{not json",
        b"",
        b"\xff\xfe",
        {"messages": [{"role": "user", "content": "?"}]},
        b"[" * 100_000,
        RIGHT,
    ]
    code, told, errors = grade(rows, tmp_path, capsys)

    assert code == 2
    assert [one["aggregate_reward_score"] for one in told] == [1.0, 0.0, 0.0, 0.0, 0.0, 1.0]
    assert [one["metrics_list"][0]["name"] for one in told[1:5]] == ["grader_error"] * 4
    assert [line.partition(": ")[2].partition(": ")[0].rsplit(" ", 1)[1] for line in errors.splitlines()] == list(
        "2456"
    )
    assert "line 2: not JSON" in errors
    assert "line 5: not a row with an answer" in errors


def test_standard_input_is_read_and_explanations_are_added(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines_of([RIGHT]))))

    assert main(["grade", "-", "--grader", "math", "--explain"]) == exits.SUCCEEDED
    assert "is 72" in json.loads(capsys.readouterr().out)["explanation"]


@pytest.mark.parametrize("as_file", [True, False])
def test_options_are_given_as_json_or_as_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], as_file: bool
) -> None:
    options = json.dumps({"mode": "choice"})
    if as_file:
        (tmp_path / "options.json").write_text(options)
        options = str(tmp_path / "options.json")
    row = {"messages": [{"role": "assistant", "content": "I choose option C."}], "reference_answer": "C"}

    _, told, _ = grade([row], tmp_path, capsys, "--options", options, kind="exact")

    assert told[0]["aggregate_reward_score"] == 1.0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["missing.jsonl", "--grader", "math"], "missing.jsonl cannot be read"),
        (["-", "--grader", "maths"], "no grader of kind 'maths'"),
        (["-", "--grader", "math", "--options", "{"], "not JSON"),
        (["-", "--grader", "math", "--options", "missing.json"], "neither a JSON object nor a file"),
        (["-", "--grader", "math", "--options", '{"tolerance": 1}'], "no option 'tolerance'"),
    ],
)
def test_what_cannot_be_graded_at_all_is_told_before_any_row(
    capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert main(["grade", *words]) == exits.USAGE
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.out == ""


@pytest.mark.parametrize("pairs", [1_000, pytest.param(10_000, marks=pytest.mark.prove)])
def test_thousands_of_rows_take_seconds(tmp_path: Path, capsys: pytest.CaptureFixture[str], pairs: int) -> None:
    code, told, _ = grade([RIGHT, WRONG] * pairs, tmp_path, capsys)

    assert code == exits.SUCCEEDED
    assert sum(one["aggregate_reward_score"] for one in told) == pairs


def test_a_file_of_one_s_own_grades_with_its_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["grader", "new", "brief", "--folder", str(tmp_path / "own")]) == exits.SUCCEEDED
    rows = [
        {"messages": [{"role": "assistant", "content": text}], "reference_answer": "Paris"}
        for text in ("It is Paris.", "It is Rome.", "Paris " * 9)
    ]
    file = tmp_path / "answers.jsonl"
    file.write_bytes(lines_of(rows))
    capsys.readouterr()
    words = ["--grader-file", str(tmp_path / "own/brief.py"), "--options", '{"words": 5}', "--explain"]
    assert main(["grade", str(file), *words]) == exits.SUCCEEDED
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["aggregate_reward_score"] for one in told] == [1.0, 0.0, 0.0]
    assert told[0]["explanation"] == "The reference is in the answer."
    assert main(["grade", str(file), "--grader-file", str(tmp_path / "nobody.py")]) == exits.USAGE


def test_a_begun_grader_s_own_tests_pass(tmp_path: Path) -> None:
    assert main(["grader", "new", "brief", "--folder", str(tmp_path)]) == exits.SUCCEEDED
    tests = runpy.run_path(str(tmp_path / "test_brief.py"))
    ran = [function() for name, function in tests.items() if name.startswith("test_")]
    assert len(ran) == 3


@pytest.mark.parametrize("on_path", [True, False])
def test_the_commands_that_begin_a_grader_prints_can_be_pasted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, on_path: bool
) -> None:
    programs = str(Path(sys.executable).parent)
    monkeypatch.setenv("PATH", programs if on_path else str(tmp_path))
    assert main(["grader", "new", "brief", "--folder", str(tmp_path)]) == exits.SUCCEEDED
    typed = [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]]
    assert [Path(word).name for word in typed] == ["pytest", "tunedrop", "tunedrop", "tunedrop"]
    assert [shutil.which(word) is not None for word in typed] == [True] * 4
    assert all(word == Path(word).name for word in typed) is on_path


@pytest.mark.parametrize("name", ["Brief", "test_brief", "a-b", "../a", ""])
def test_a_grader_s_name_must_be_one_that_a_recipe_can_say(name: str, tmp_path: Path) -> None:
    assert main(["grader", "new", name, "--folder", str(tmp_path)]) == exits.USAGE
    assert list(tmp_path.iterdir()) == []


def test_a_grader_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "brief.py").write_text("mine", encoding="utf-8")
    assert main(["grader", "new", "brief", "--folder", str(tmp_path)]) == exits.USAGE
    assert (tmp_path / "brief.py").read_text(encoding="utf-8") == "mine"


def test_where_no_row_could_be_graded_the_command_fails_and_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told, errors = grade([{**RIGHT, "reference_answer": None}] * 2, tmp_path, capsys)
    assert code == exits.FAILED
    assert len(told) == 2
    assert "no row could be graded" in errors
    code, _, errors = grade([{**RIGHT, "reference_answer": None}, RIGHT], tmp_path, capsys)
    assert (code, errors) == (exits.SUCCEEDED, "")


def test_a_judge_without_a_model_says_what_it_needs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setattr(places, "UP_ENVIRONMENT", tmp_path / "environment")
    code, told, errors = grade([RIGHT], tmp_path, capsys, kind="judge")
    assert (code, told) == (exits.USAGE, [])
    assert "tunedrop up" in errors
    assert "OPENAI_BASE_URL" in errors


def test_agreement_with_labels_is_told_at_the_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{**RIGHT, "good": True}, {**RIGHT, "good": 0.0}, {**WRONG, "good": 0}, {**WRONG, "good": 0.2}, RIGHT]
    code, told, errors = grade(rows, tmp_path, capsys, "--agreement", "good")
    assert (code, len(told)) == (exits.SUCCEEDED, 5)
    assert "Agreement with `good`: 3 of 4 rows (75.0%" in errors
    assert "Wrongly accepted: 1, wrongly rejected: 0, ungraded: 0. Rows without a label: 1." in errors


@pytest.mark.parametrize(
    ("words", "rewards"),
    [
        pytest.param((), [1.0, 0.0], id="the recipe beside the file"),
        pytest.param(("--recipe", "other.yaml"), [1.0, 1.0], id="a recipe named by its file"),
        pytest.param(("--recipe", "folder"), [1.0, 1.0], id="the recipe of a folder"),
        pytest.param(("--recipe", "other.yaml", "--options", "{}"), [1.0, 0.0], id="options of one's own"),
    ],
)
def test_a_recipe_says_which_grader_and_options(
    words: tuple[str, ...], rewards: list[float], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["red.", "it is red"]
    rows = [{"messages": [{"role": "assistant", "content": text}], "reference_answer": "Red"} for text in given]
    (tmp_path / "rows.jsonl").write_bytes(lines_of(rows))
    (tmp_path / "recipe.yaml").write_text("grader: {kind: exact}")
    found_in_text = "grader: {kind: exact, options: {extract: '(\\w+)\\W*$'}}"
    (tmp_path / "other.yaml").write_text(found_in_text)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "recipe.yml").write_text(found_in_text)
    named = [str(tmp_path / word) if (tmp_path / word).exists() else word for word in words]
    assert main(["grade", str(tmp_path / "rows.jsonl"), *named]) == exits.SUCCEEDED
    told = [json.loads(line)["aggregate_reward_score"] for line in capsys.readouterr().out.splitlines()]
    assert told == rewards


@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        (None, "name a grader: --grader KIND, --grader-file FILE or --recipe FILE"),
        ("grader: {kindd: exact}", "kindd"),
        ("grader: {kind: exact, options: {modde: text}}", "modde"),
        ("grader: {kind: own, function: 'arn:aws:lambda:us-west-2:123456789012:function:mine:3'}", "cannot run here"),
        ("grader: [", "recipe.yaml"),
    ],
)
def test_a_recipe_that_names_no_usable_grader_is_told(
    recipe: str | None, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rows.jsonl").write_bytes(lines_of([RIGHT]))
    if recipe is not None:
        (tmp_path / "recipe.yaml").write_text(recipe)
    assert main(["grade", str(tmp_path / "rows.jsonl")]) == exits.USAGE
    assert says in capsys.readouterr().err
