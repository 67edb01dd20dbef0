"""A grader.py beside train.jsonl: every command uses it, or says that it cannot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from local.command import api_run, main, own_grader, which_stack
from local.command.dataset_folder import DatasetFolder
from local.command.exits import FAILED, UsageError
from tests.unit.dataset.sample_rows import as_file, good_rows

WORDS = '''"""words: pays for a word."""


def grade(sample):
    return float("yes" in sample.answer)
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "train.jsonl").write_bytes(as_file(good_rows(120)).getvalue())
    (tmp_path / "test.jsonl").write_bytes(as_file(good_rows(60)).getvalue())
    (tmp_path / "grader.py").write_text(WORDS)
    return tmp_path


def test_validate_looks_with_the_grader_that_the_run_uses(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main.main(["validate", str(folder), "--json"])
    assert json.loads(capsys.readouterr().out)["recipe"]["grader"] == "own"


def test_a_grader_that_is_named_goes_before_the_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main.main(["validate", str(folder), "--json", "--grader", "exact"])
    assert json.loads(capsys.readouterr().out)["recipe"]["grader"].startswith("exact")


def test_validate_says_what_is_wrong_with_the_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "grader.py").write_text("grade = 1")
    assert main.main(["validate", str(folder)]) not in (0, FAILED)
    assert "grader.py" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["run"], ["evaluate", "qwen.qwen3-32b"]])
def test_another_stack_is_refused_a_folder_whose_grader_it_lacks(
    command: list[str], folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Any] = []

    def start(*given: Any, **_: Any) -> int:
        started.append(given)
        return 0

    monkeypatch.setattr(which_stack, "chosen", lambda *_, **__: object())
    monkeypatch.setattr(api_run, "take_through", start)
    asked = [*command, str(folder), "--api", "https://a.example/v1"]
    assert main.main(asked) not in (0, FAILED)
    assert "works only with a stack that this command starts" in capsys.readouterr().err
    assert started == []
    (folder / "recipe.json").write_text(json.dumps({"grader": {"kind": "own", "function": "words"}}))
    assert main.main(asked) == 0
    assert len(started) == 1


def test_a_folder_without_one_goes_to_any_stack(folder: Path) -> None:
    (folder / "grader.py").unlink()
    own_grader.require_deployed(DatasetFolder.open(folder))
    (folder / "grader.py").write_text(WORDS)
    with pytest.raises(UsageError, match="deploy the file with the stack"):
        own_grader.require_deployed(DatasetFolder.open(folder))
