"""EventBridge's event patterns: whether an event meets one, and whether a pattern is one that AWS would take.

docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_MISSING = object()


class PatternInvalid(Exception):
    """The event pattern is not one that EventBridge takes."""


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Whether the event has, for every field of the pattern, a value that the field's list allows."""
    for name, wanted in pattern.items():
        if isinstance(wanted, Mapping):
            inner = event.get(name)
            candidates = inner if isinstance(inner, list) else [inner]
            objects = [candidate if isinstance(candidate, Mapping) else {} for candidate in candidates] or [{}]
            if not any(matches(wanted, candidate) for candidate in objects):
                return False
        elif not _allows(wanted, event.get(name, _MISSING)):
            return False
    return True


def check(pattern: Any, path: str = "") -> None:
    """Raises PatternInvalid, which names the place, for a pattern with an unknown operator or a bare value."""
    if not isinstance(pattern, Mapping) or not pattern:
        raise PatternInvalid(
            f"the event pattern{path and f' at {path}'} must be an object with fields, got {pattern!r}"
        )
    for name, wanted in pattern.items():
        place = f"{path}.{name}" if path else name
        if name == "$or":
            raise PatternInvalid("$or is not imitated on one machine")
        if isinstance(wanted, Mapping):
            check(wanted, place)
        elif not isinstance(wanted, list) or not wanted:
            raise PatternInvalid(f"{place} must be a list of what is allowed, or an object, got {wanted!r}")
        else:
            for filter_ in wanted:
                _check_filter(filter_, place)


def _allows(filters: Sequence[Any], value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    if value == []:
        values = [_MISSING]
    return any(_meets(filter_, single) for filter_ in filters for single in values)


def _meets(filter_: Any, value: Any) -> bool:
    if not isinstance(filter_, Mapping):
        return value is not _MISSING and _same(filter_, value)
    ((operator, operand),) = filter_.items()
    return value is not _MISSING and _OPERATORS[operator](operand, value)


def _same(wanted: Any, value: Any) -> bool:
    return (type(wanted) is type(value) and bool(wanted == value)) or (_both_numbers(wanted, value) and wanted == value)


def _both_numbers(first: Any, second: Any) -> bool:
    return _is_number(first) and _is_number(second)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _prefix(operand: str, value: Any) -> bool:
    return isinstance(value, str) and value.startswith(operand)


def _wildcard(operand: str, value: Any) -> bool:
    """`*` stands for any characters; a backslash before it, or before a backslash, takes it for itself."""
    parts = re.findall(r"\\[*\\]|\*|[^*\\]+|\\", operand)
    expression = "".join(
        ".*" if part == "*" else re.escape(part[1:] if part in (r"\*", r"\\") else part) for part in parts
    )
    return isinstance(value, str) and re.fullmatch(expression, value, re.DOTALL) is not None


_OPERATORS: dict[str, Callable[[str, Any], bool]] = {"prefix": _prefix, "wildcard": _wildcard}


def _check_filter(filter_: Any, place: str) -> None:
    if not isinstance(filter_, Mapping):
        return
    if len(filter_) != 1:
        raise PatternInvalid(f"a filter at {place} must have one operator, got {sorted(filter_)}")
    ((operator, operand),) = filter_.items()
    if operator not in _OPERATORS:
        raise PatternInvalid(f"the operator {operator!r} at {place} is not imitated; {', '.join(_OPERATORS)} are")
    if not isinstance(operand, str):
        raise PatternInvalid(f"{operator} at {place} cannot take {operand!r}")
