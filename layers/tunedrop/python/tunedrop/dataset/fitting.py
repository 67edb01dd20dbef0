"""Which kind of grader could use references that the chosen one refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tunedrop.graders.row_options import RowGrader

MOST_LOOKED_AT: Final = 20
"""References by which the kind is chosen."""
_LONG_TEXT: Final = 200
"""Characters from which a text is seldom compared word by word."""
_TESTS: Final = frozenset({"tests", "test", "test_cases", "inputs", "outputs", "assert", "test_list", "entry_point"})

Refused = tuple[Any, Mapping[str, Any]]
"""A reference, and the other fields of its row."""


def kind_that_fits(refused: Sequence[Refused], but: str) -> str | None:
    """The first kind, other than `but`, that can use all of these references; None where none can."""
    return next((kind for kind in _candidates(refused) if kind != but and _takes(kind, refused)), None)


def _candidates(refused: Sequence[Refused]) -> Sequence[str]:
    if any(isinstance(reference, Mapping) and _TESTS & set(reference) for reference, _ in refused):
        return ("code", "json")
    if all(isinstance(reference, Mapping) or _opens_as_json(reference) for reference, _ in refused):
        labelled = any(isinstance(reference, Mapping) and "labels" in reference for reference, _ in refused)
        return ("moderation", "json") if labelled else ("json",)
    if all(isinstance(reference, str) and len(reference) <= _LONG_TEXT for reference, _ in refused):
        return ("exact",)
    return ("judge",) if all(isinstance(reference, str) for reference, _ in refused) else ()


def _opens_as_json(reference: Any) -> bool:
    return isinstance(reference, str) and reference.lstrip()[:1] in ("{", "[")


def _takes(kind: str, refused: Sequence[Refused]) -> bool:
    try:
        grader = RowGrader.of(kind)
        return all(grader.check_reference(reference, fields) is None for reference, fields in refused)
    except Exception:  # a kind that fails on a hostile row, or needs options, does not fit
        return False
