"""Names, lines of logs and reasons that hold escape sequences reach a terminal as text."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.table import Table
from rich.text import Text

from local.command import exits, main, places
from local.command.printable import printable
from local.command.terminal import TerminalConsole
from tests.unit.command.kept_run_folder import keep_run

CLIPBOARD = "\x1b]52;c;cm0gLXJmIH4=\x1b\\"
SHOWN = "\\x1b]52;c;cm0gLXJmIH4=\\x1b\\"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Größe 3 m², 日本\u00a0語\t✓\n", "Größe 3 m², 日本\u00a0語\t✓\n"),
        (CLIPBOARD, SHOWN),
        ("a\rb\x9b2J\x7f", "a\\rb\\x9b2J\\x7f"),
        ("a\u202eb\u2066c\u2028d\ud800", "a\\u202eb\\u2066c\\u2028d\\ud800"),
    ],
)
def test_what_a_terminal_would_obey_is_shown(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_what_is_laid_out_has_no_control_characters_but_those_of_its_colours() -> None:
    console = TerminalConsole(file=io.StringIO(), force_terminal=True, width=120, color_system="standard")
    table = Table(CLIPBOARD)
    table.add_row(Text(CLIPBOARD, style="red"))
    for what in (Text(CLIPBOARD, style="red"), table, CLIPBOARD):
        console.print(what)
    assert isinstance(console.file, io.StringIO)
    sent = console.file.getvalue()
    assert "\x1b[31m" in sent
    without_colours = re.sub(r"\x1b\[[0-9;]*m", "", sent)
    assert without_colours.count(SHOWN[:8]) == 4
    assert re.findall("[\x00-\x09\x0b-\x1f]", without_colours) == []


def test_a_folder_with_a_hostile_file_name_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / CLIPBOARD).write_text("{}")
    assert main.main(["validate", str(tmp_path)]) == exits.USAGE
    told = capsys.readouterr().err
    assert (SHOWN in told, "\x1b" in told) == (True, False)


def test_a_line_of_a_log_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(places, "RUNS", tmp_path)
    folder = keep_run(tmp_path, "gsm8k-1", rows=range(2))
    (folder / "logs").mkdir()
    (folder / "logs/grader.log").write_text(f'{{"message": "{CLIPBOARD} gsm8k-1"}}\n')
    assert main.main(["logs", "gsm8k-1"]) == 0
    told = capsys.readouterr().out
    assert (SHOWN in told, "\x1b" in told) == (True, False)
    assert main.main(["logs", "gsm8k-1", "--json"]) == 0
    assert capsys.readouterr().out == "", "a line with a control character is no JSON"


def test_every_command_prints_by_the_console_that_shows_control_characters() -> None:
    made = {
        path.name for path in Path(main.__file__).parent.glob("*.py") if re.search(r"\bConsole\(", path.read_text())
    }
    assert made == set(), "use open_console"
