"""Two collections that are the same in any order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def paired_off(first: Sequence[T], second: Sequence[T], same: Callable[[T, T], bool]) -> bool:
    """Whether each item of `first` has one of its own in `second` that is the `same`, and none is left over."""
    if len(first) != len(second):
        return False
    left = list(second)
    for item in first:
        found = next((place for place, other in enumerate(left) if same(item, other)), None)
        if found is None:
            return False
        left.pop(found)
    return True
