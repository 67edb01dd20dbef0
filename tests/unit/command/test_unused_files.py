"""A test set or a recipe of another name is told before anything is trained without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.command import exits, main
from local.command.unused_files import unused

ROW = '{"messages":[{"role":"user","content":"6 x 7?"}],"reference_answer":"42"}\n'


def folder(path: Path, *names: str) -> Path:
    for name in ("train.jsonl", *names):
        (path / name).write_text(ROW if name.endswith("jsonl") else "")
    return path


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("Test.jsonl", "rename it to test.jsonl"),
        ("tests.jsonl", "rename it to test.jsonl"),
        ("testing_set.jsonl", "rename it to test.jsonl"),
        ("tset.jsonl.gz", "rename it to test.jsonl.gz"),
        ("validation.jsonl", "rename it to test.jsonl"),
        ("test.csv", "make rows of it: `tunedrop convert {folder}/test.csv --output {folder}/test.jsonl`"),
        ("test.jsonl.txt", "make rows of it: `tunedrop convert {folder}/test.jsonl.txt --output {folder}/test.jsonl`"),
        ("receipe.yaml", "rename it to recipe.yaml"),
        ("Recipe.yml", "rename it to recipe.yml"),
        ("recipes.json", "rename it to recipe.json"),
        ("recipe.yaml.txt", "rename it to recipe.yaml"),
    ],
)
def test_a_file_that_seems_to_be_one_of_a_run_is_told_with_what_to_do(name: str, advice: str, tmp_path: Path) -> None:
    (said,) = unused(folder(tmp_path, name))
    assert said.startswith(f"{name} is not used, as the ")
    assert said.endswith(advice.format(folder=tmp_path))


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "text.csv",
        "tickets.xlsx",
        "train.raw.jsonl",
        "grader.py",
        "test_grader.py",
        "notes.txt",
        ".test.jsonl",
    ],
)
def test_other_files_are_not_spoken_of(name: str, tmp_path: Path) -> None:
    assert unused(folder(tmp_path, name)) == []


def test_a_source_or_an_older_copy_beside_the_right_file_is_not_spoken_of(tmp_path: Path) -> None:
    made = folder(tmp_path, "test.jsonl", "test.csv", "Test.jsonl", "recipe.json", "recipe.old.yaml")
    assert unused(made) == []


def test_validating_a_folder_tells_the_misspelled_recipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main.main(["validate", str(folder(tmp_path, "receipe.yaml")), "--json"])
    assert capsys.readouterr().err.startswith("tunedrop: receipe.yaml is not used")


@pytest.mark.parametrize("command", ["run", "rehearse", "evaluate model"])
def test_each_command_that_takes_a_folder_tells_it_before_it_starts(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.command.unused_files.unused", _ended_here)
    assert main.main([*command.split(), str(folder(tmp_path))]) == exits.USAGE
    assert "looked at the files" in capsys.readouterr().err


def _ended_here(path: Path) -> list[str]:
    raise exits.UsageError("looked at the files")


def test_a_spreadsheet_in_place_of_a_folder_is_answered_with_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = tmp_path / "tickets.xlsx"
    sheet.write_bytes(b"")
    for given in (sheet, tmp_path):
        assert main.main(["run", str(given)]) == exits.USAGE
        assert f"tunedrop convert {sheet} --output {tmp_path}/train.jsonl" in capsys.readouterr().err
