"""What the command does for a shell: completion, help that fits the terminal, and how to get it onto the PATH."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from local.command import path_hint
from local.command.main import main, parser


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(list(words)) == 0
    return capsys.readouterr().out


def test_bash_completes_commands_and_their_options(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    script = tmp_path / "completion"
    script.write_text(printed(capsys, "completion", "bash"))
    typed = """
source "$0"
complete_line() {
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
    "$(complete -p tunedrop | sed 's/.*-F \\([^ ]*\\).*/\\1/')" tunedrop "${@: -1}" "${@: -2:1}"
    echo "${COMPREPLY[@]}"
}
complete_line tunedrop appr
complete_line tunedrop watch --st
"""
    done = subprocess.run(["/bin/bash", "-c", typed, script], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["approve", "--stack"], done.stderr


def test_zsh_has_a_script_with_all_commands(capsys: pytest.CaptureFixture[str]) -> None:
    script = printed(capsys, "completion", "zsh")
    assert all(word in script for word in ("validate", "rehearse", "approve", "--endpoint"))


@pytest.mark.parametrize("command", ["", "run", "runs", "watch", "stop", "rehearse", "evaluate", "validate", "convert"])
def test_help_fits_a_narrow_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    with pytest.raises(SystemExit):
        parser().parse_args([*([command] if command else []), "--help"])
    lines = capsys.readouterr().out.splitlines()
    # A command that is longer than a line stays whole, so that it can be copied.
    too_long = [line for line in lines if len(line) > 60 and len(line.split()) > 1 and "tunedrop " not in line]
    assert too_long == []
    assert len(lines) > 10


def test_how_to_get_onto_the_path_is_said_once_at_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(path_hint, "TOLD", tmp_path / "build/told")
    monkeypatch.setenv("PATH", str(tmp_path))
    path_hint.tell_about_path()
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    path_hint.tell_about_path()
    assert "ln -s" in capsys.readouterr().err
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    path_hint.tell_about_path()
    assert capsys.readouterr().err == ""
