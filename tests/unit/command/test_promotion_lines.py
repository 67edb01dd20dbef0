"""What the command shows of a promotion: why a person is asked, and who decided what, when and why."""

from __future__ import annotations

import io
from typing import Any, cast

from rich.console import Console

from local.command.api_run import promotion_lines, show_end
from tunedrop_client.documents import RunDocument

REJECTED = {
    "parameter": "/tunedrop/dev/red/model",
    "state": "rejected",
    "asked": True,
    "asked_why": "the lower end is +0.020, below 0.05",
    "decisions": [
        {
            "what": "rejected",
            "by": "arn:aws:iam::123456789012:role/lead",
            "at": "2026-01-01T01:59:00.000Z",
            "reason": "slower \x1b[31m",
        }
    ],
}


def a_run(promotion: Any) -> RunDocument:
    run = {
        "run_id": "red-1",
        "status": "SUCCEEDED",
        "verdict": "improved",
        "reason": None,
        "difference": None,
        "evaluation": None,
        "progress": "Ended.",
        "simulated": False,
        "tuned_model": "ft-1",
        "promotion": promotion,
    }
    return cast(RunDocument, run)


def shown(promotion: Any) -> str:
    console = Console(file=io.StringIO(), width=200)
    show_end(console, a_run(promotion), None)
    return cast(io.StringIO, console.file).getvalue()


def test_a_rejection_is_shown_with_who_when_and_why_and_steers_no_terminal() -> None:
    text = shown(REJECTED)
    assert "promotion a person is asked: the lower end is +0.020, below 0.05\n" in text
    assert "Rejected by arn:aws:iam::123456789012:role/lead, 2026-01-01 01:59 UTC: slower ?[31m\n" in text
    assert "\x1b" not in text


def test_an_earlier_stack_and_a_run_without_a_promotion_show_nothing_more() -> None:
    earlier = {"parameter": "/tunedrop/dev/red/model", "state": "done", "decided_by": None}
    assert promotion_lines(a_run(earlier)) == promotion_lines(a_run(None)) == []
    assert "promotion" not in shown(None)
