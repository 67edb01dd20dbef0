"""What the documents say about the kinds of graders, from their table."""

from __future__ import annotations

from tunedrop.graders.kinds import KINDS


def table() -> str:
    """Every kind: what it grades, which function runs it, and how long it may take for one sample."""
    lines = ["| kind | grades | function | one sample's deadline |", "|---|---|---|---|"]
    for name, kind in KINDS.items():
        runs = f"{kind.trust}, or what its parts need" if kind.composed else kind.trust
        lines.append(f"| `{name}` | {kind.summary} | {runs} | {kind.deadline_seconds:g} s |")
    return "\n".join(lines)
