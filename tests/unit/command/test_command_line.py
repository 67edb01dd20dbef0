"""The command line itself: help, exit codes, and errors as sentences."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.command import exits, main, places


def _exit_of(*words: str) -> int:
    try:
        return main.main(words)
    except SystemExit as exit_:
        return int(exit_.code or 0)


def test_help_names_every_command_and_every_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert _exit_of("--help") == 0
    shown = capsys.readouterr().out
    for name in main.SUB_COMMANDS:
        assert f"\n    {name} " in shown
    for code in (exits.SUCCEEDED, exits.FAILED, exits.REJECTED, exits.USAGE, exits.STOPPED):
        assert f"\n  {code} " in shown


@pytest.mark.parametrize("name", main.SUB_COMMANDS)
def test_every_command_has_help_that_fits_120_columns(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    assert _exit_of(name, "--help") == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"usage: tunedrop {name}")
    assert max(len(line) for line in shown.splitlines()) <= 120


def test_help_loads_nothing_heavy() -> None:
    """What costs a second to import (moto, boto3, openai, pydantic, rich) is imported by the command that needs it."""
    program = (
        "import sys\n"
        "from local.command.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "import json; print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert "local.command.run" in loaded
    assert not loaded & {"moto", "boto3", "botocore", "openai", "pydantic", "rich", "werkzeug", "tunedrop.recipe"}


@pytest.mark.parametrize("words", [(), ("rum",), ("run",), ("run", "a", "b"), ("demo", "--fast")])
def test_a_line_that_is_not_understood_ends_with_64_and_not_as_a_rejected_run(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _exit_of(*words) == exits.USAGE
    assert capsys.readouterr().err.splitlines()[-1].startswith("tunedrop")


@pytest.mark.parametrize("command", ["run", "rehearse"])
def test_a_folder_without_train_jsonl_is_told_in_a_sentence_before_anything_starts(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "training.jsonl").touch()
    assert _exit_of(command, str(tmp_path)) == exits.USAGE
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert str(tmp_path) in told.err
    assert "it holds training.jsonl" in told.err


def _planted(monkeypatch: pytest.MonkeyPatch, what: BaseException) -> None:
    """Make `tunedrop demo` raise `what`."""

    def fail(arguments: argparse.Namespace) -> int:
        raise what

    monkeypatch.setattr("local.command.demo.run", fail)


def test_an_unexpected_error_is_one_sentence_and_its_traceback_is_in_the_log(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(places, "LOG", tmp_path / "logs" / "tunedrop.log")
    _planted(monkeypatch, ZeroDivisionError("division\nby zero"))
    assert main.main(["demo"]) == exits.FAILED
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "ZeroDivisionError: division by zero." in told
    assert "Traceback" not in told
    assert str(tmp_path / "logs" / "tunedrop.log") in told
    assert "Traceback" in (tmp_path / "logs" / "tunedrop.log").read_text()


@pytest.mark.parametrize(
    ("what", "code"),
    [
        (KeyboardInterrupt(), exits.STOPPED),
        (exits.Terminated(), exits.TERMINATED),
        (exits.CommandError("the disk is full"), exits.FAILED),
        (exits.UsageError("there is no such grader"), exits.USAGE),
    ],
)
def test_what_ends_a_command_early_has_its_exit_code_and_one_line(
    what: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _planted(monkeypatch, what)
    assert main.main(["demo"]) == code
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("status", "code"), [("SUCCEEDED", 0), ("REJECTED", 2), ("FAILED", 1), ("CANCELLED", 1), ("SOMETHING_NEW", 1)]
)
def test_the_exit_code_tells_how_the_run_ended(status: str, code: int) -> None:
    assert exits.of_status(status) == code


def test_old_stack_folders_are_removed_but_not_those_of_running_processes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(places, "STACKS", tmp_path)
    # No process has an id above the kernel's largest, 2^22.
    ended = [tmp_path / f"2026010{day}T000000Z-{2**22 + day}" for day in range(1, 6)]
    running = tmp_path / "20250101T000000Z-1"
    for folder in (*ended, running):
        folder.mkdir()
    made = places.new_stack_folder()
    kept = set(tmp_path.iterdir())
    assert kept == {made, running, *ended[-(places.KEPT_STACKS - 1) :]}


def test_a_path_below_is_shown_relative_and_one_elsewhere_as_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert places.shown(tmp_path / "build" / "x") == "build/x"
    assert places.shown(Path("/usr/lib/x")) == "/usr/lib/x"


def test_the_sub_commands_are_found_by_their_modules() -> None:
    parser = argparse.ArgumentParser()
    subparsers: Any = parser.add_subparsers()
    for name in main.SUB_COMMANDS:
        __import__(f"local.command.{name}", fromlist=["add_parser"]).add_parser(subparsers)
    assert tuple(subparsers.choices) == main.SUB_COMMANDS


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("aprove", "sums-1"), "did you mean approve?"),
        (("runs", "--stak", "a"), "did you mean --stack?"),
        (("runs", "--status", "runing"), "did you mean RUNNING?"),
    ],
)
def test_the_nearest_name_is_offered(words: tuple[str, ...], meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main(words)
    assert ended.value.code == exits.USAGE
    assert meant in capsys.readouterr().err
