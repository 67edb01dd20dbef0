"""EventBridge's event patterns: whether an event meets one, and whether a pattern is one that AWS would take.

docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_MISSING = object()

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "=": lambda value, bound: value == bound,
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
}


class PatternInvalid(Exception):
    """The event pattern is not one that EventBridge takes."""


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Whether the event has, for every field of the pattern, a value that the field's list allows."""
    for name, wanted in pattern.items():
        if name == "$or":
            if not any(matches(alternative, event) for alternative in wanted):
                return False
        elif isinstance(wanted, Mapping):
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
            if not isinstance(wanted, list) or len(wanted) < 2:
                raise PatternInvalid(f"$or at {place} must be a list of at least two patterns")
            for alternative in wanted:
                check(alternative, place)
        elif isinstance(wanted, Mapping):
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
    if operator == "exists":
        return (value is not _MISSING) is operand
    return value is not _MISSING and _OPERATORS[operator](operand, value)


def _same(wanted: Any, value: Any) -> bool:
    return (type(wanted) is type(value) and bool(wanted == value)) or (_both_numbers(wanted, value) and wanted == value)


def _both_numbers(first: Any, second: Any) -> bool:
    return _is_number(first) and _is_number(second)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _prefix(operand: Any, value: Any) -> bool:
    if isinstance(operand, Mapping):
        return isinstance(value, str) and value.lower().startswith(str(operand["equals-ignore-case"]).lower())
    return isinstance(value, str) and value.startswith(operand)


def _suffix(operand: Any, value: Any) -> bool:
    if isinstance(operand, Mapping):
        return isinstance(value, str) and value.lower().endswith(str(operand["equals-ignore-case"]).lower())
    return isinstance(value, str) and value.endswith(operand)


def _ignoring_case(operand: Any, value: Any) -> bool:
    return isinstance(value, str) and value.lower() == str(operand).lower()


def _wildcard(operand: Any, value: Any) -> bool:
    """`*` stands for any characters; a backslash before it, or before a backslash, takes it for itself."""
    parts = re.findall(r"\\[*\\]|\*|[^*\\]+|\\", operand)
    expression = "".join(
        ".*" if part == "*" else re.escape(part[1:] if part in (r"\*", r"\\") else part) for part in parts
    )
    return isinstance(value, str) and re.fullmatch(expression, value, re.DOTALL) is not None


def _numeric(operand: Any, value: Any) -> bool:
    pairs = zip(operand[::2], operand[1::2], strict=True)
    return _is_number(value) and all(_COMPARISONS[comparison](value, bound) for comparison, bound in pairs)


def _cidr(operand: Any, value: Any) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(operand)
    except ValueError:
        return False


def _anything_but(operand: Any, value: Any) -> bool:
    if isinstance(operand, Mapping):
        ((operator, operands),) = operand.items()
        listed = operands if isinstance(operands, list) else [operands]
        return not any(_OPERATORS[operator](single, value) for single in listed)
    listed = operand if isinstance(operand, list) else [operand]
    return not any(_same(single, value) for single in listed)


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _ignoring_case,
    "wildcard": _wildcard,
    "numeric": _numeric,
    "cidr": _cidr,
    "anything-but": _anything_but,
}

_TEXT_OPERATORS = {"prefix", "suffix", "equals-ignore-case", "wildcard"}


def _check_filter(filter_: Any, place: str) -> None:
    if not isinstance(filter_, Mapping):
        return
    if len(filter_) != 1:
        raise PatternInvalid(f"a filter at {place} must have one operator, got {sorted(filter_)}")
    ((operator, operand),) = filter_.items()
    if operator == "exists":
        fits = isinstance(operand, bool)
    elif operator in ("prefix", "suffix"):
        fits = isinstance(operand, str) or (isinstance(operand, Mapping) and set(operand) == {"equals-ignore-case"})
    elif operator in ("equals-ignore-case", "wildcard", "cidr"):
        fits = isinstance(operand, str)
    elif operator == "numeric":
        fits = (
            isinstance(operand, list)
            and len(operand) in (2, 4)
            and all(comparison in _COMPARISONS for comparison in operand[::2])
            and all(_is_number(bound) for bound in operand[1::2])
        )
    elif operator == "anything-but":
        fits = not isinstance(operand, Mapping) or (len(operand) == 1 and set(operand) <= _TEXT_OPERATORS)
    else:
        known = ", ".join(sorted([*_OPERATORS, "exists"]))
        raise PatternInvalid(f"unknown operator {operator!r} at {place}; EventBridge knows {known}")
    if not fits:
        raise PatternInvalid(f"{operator} at {place} cannot take {operand!r}")
