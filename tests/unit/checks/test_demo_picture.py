"""The README's picture of the demo: a line drawn anew counts once, and nothing of this machine is in it."""

from __future__ import annotations

import shutil

import pytest

from checks.demo_picture import COMMAND, environment, last_screen, picture

NOTICE = 'The notice, as it reached a subscriber:\n  {\n    "run_id": "gsm8k-1"\n  }\n'


def test_a_line_that_is_drawn_anew_counts_as_it_was_drawn_last() -> None:
    assert last_screen("one\r\ntwo\r\n\x1b[1A\x1b[2Knew\r\nthree") == "one\nnew\nthree"


def test_the_picture_leaves_the_notice_out_and_loads_nothing() -> None:
    drawn = picture(f"before\n{NOTICE}after\n")
    assert "before" in drawn
    assert "after" in drawn
    assert "gsm8k-1" not in drawn
    assert "@font-face" not in drawn


def test_the_demo_finds_its_command_and_so_gives_no_hint_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert shutil.which("tunedrop", path=environment()["PATH"]) == str(COMMAND)
