"""`tunedrop stop RUN`: stop a run of a stack."""

from __future__ import annotations

from typing import Any

from local.command.decide import add_decision


def add_parser(subparsers: Any) -> None:
    """Add the sub-command."""
    add_decision(subparsers, "stop")
