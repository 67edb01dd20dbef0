"""The known name that a misspelt one is nearest to: what a refusal suggests."""

from __future__ import annotations

from collections.abc import Iterable

_MOST_COMPARED = 100
"""Characters of a name, and names, that are compared."""


def nearest(given: object, known: Iterable[object], cutoff: float = 0.5) -> str | None:
    """The one of `known` that is most like `given`, whatever its case; None where none is, or `given` is no text."""
    from difflib import get_close_matches  # only for what is wrong

    if not isinstance(given, str):
        return None
    names = {str(name).casefold(): str(name) for name in list(known)[:_MOST_COMPARED]}
    found = get_close_matches(given[:_MOST_COMPARED].strip().casefold(), list(names), n=1, cutoff=cutoff)
    return names[found[0]] if found else None


def suggestion(given: object, known: Iterable[object]) -> str:
    """` Did you mean x?`, to stand behind a refusal; empty where nothing is near."""
    found = nearest(given, known)
    return f" Did you mean {found}?" if found else ""
