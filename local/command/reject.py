"""`tunedrop reject RUN`: reject the promotion that a run waits for."""

from __future__ import annotations

from typing import Any

from local.command.decide import add_decision


def add_parser(subparsers: Any) -> None:
    """Add the sub-command."""
    add_decision(subparsers, "reject")
