"""The resources of the translated template, by their kinds."""

from __future__ import annotations

from typing import Any

from tunedrop.graders.kinds import Trust

Resources = dict[str, dict[str, Any]]

GRADERS = {f"Grader{trust.capitalize()}": str(trust) for trust in Trust}
"""The grader functions, each with its trust."""


def of_type(resources: Resources, kind: str) -> Resources:
    """The properties of each resource of a kind, by its logical id."""
    return {name: each["Properties"] for name, each in resources.items() if each["Type"] == kind}
