"""Who calls, from what the gateway has authenticated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunedrop.api.problems import Problem
from tunedrop.teams import Team, Teams


def user_arn_of(event: Mapping[str, Any]) -> str:
    """The ARN of the caller's user or session; "" where the gateway named none."""
    identity = (event.get("requestContext") or {}).get("identity") or {}
    return str(identity.get("userArn") or "")


def team_of(event: Mapping[str, Any], teams: Teams) -> Team:
    """The caller's team.

    Raises:
        Problem: not-authorized: the gateway let in someone without a name; no-team: no team knows the caller.
    """
    arn = user_arn_of(event)
    if not arn:
        raise Problem("not-authorized", "The request must be signed with AWS credentials (Signature Version 4).")
    team = teams.of_caller(arn)
    if team is None:
        raise Problem(
            "no-team", f"{arn} belongs to no team of the stack's parameter Teams: ask the stack's operator to add it."
        )
    return team
