"""Comparing what a program printed or returned with what a task of inputs and outputs expects."""

from __future__ import annotations

from typing import Any

_LARGEST_ERROR = 1e-6
"""Relative or absolute, as the judges of programming contests have it, where the expected number has a point."""
_LONGEST_NUMBER = 40


def same_output(got: str, expected: str) -> bool:
    """Line by line; blanks at the end of a line and blank lines at the ends do not count, nor how decimals end."""
    mine, theirs = _lines(got), _lines(expected)
    return len(mine) == len(theirs) and all(map(_same_line, mine, theirs))


def same_value(got: Any, expected: Any) -> bool:
    """A returned value against one that was written as JSON: tuples are lists, `[x]` may stand for `x`."""
    if _equal(got, expected):
        return True
    return isinstance(expected, list) and len(expected) == 1 and _equal(got, expected[0])


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.replace("\r\n", "\n").rstrip().lstrip("\n").split("\n")]


def _same_line(got: str, expected: str) -> bool:
    if got == expected:
        return True
    mine, theirs = got.split(), expected.split()
    return len(mine) == len(theirs) and all(map(_same_word, mine, theirs))


def _same_word(got: str, expected: str) -> bool:
    if got == expected:
        return True
    if "." not in expected or max(len(got), len(expected)) > _LONGEST_NUMBER:
        return False
    try:
        mine, theirs = float(got), float(expected)
    except ValueError:
        return False
    return abs(mine - theirs) <= _LARGEST_ERROR * max(1.0, abs(theirs))


def _equal(got: Any, expected: Any) -> bool:
    if isinstance(expected, (list, tuple)):
        return (
            isinstance(got, (list, tuple)) and len(got) == len(expected) and all(map(_equal, list(got), list(expected)))
        )
    if isinstance(expected, dict):
        if not isinstance(got, dict) or len(got) != len(expected):
            return False
        texts = {str(key): value for key, value in got.items()}  # JSON has no other keys
        return all(str(key) in texts and _equal(texts[str(key)], value) for key, value in expected.items())
    if isinstance(expected, bool) or isinstance(got, bool) or expected is None:
        return got is expected
    if isinstance(expected, float) and isinstance(got, (int, float)):
        return got == expected or abs(got - expected) <= _LARGEST_ERROR * max(1.0, abs(expected))
    return type(got) in (int, float, str) and bool(got == expected)
