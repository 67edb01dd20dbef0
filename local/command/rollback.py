"""`tunedrop rollback RUN`: put back the model that the promotion of a run replaced."""

from __future__ import annotations

from typing import Any

from local.command.decide import add_decision


def add_parser(subparsers: Any) -> None:
    """Add the sub-command."""
    add_decision(subparsers, "rollback")
