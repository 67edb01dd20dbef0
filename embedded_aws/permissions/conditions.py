"""The conditions of a policy's statement.

docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Context = Mapping[str, str]
"""What IAM knows of a request, by condition key in lower case; a key of several values has commas between them."""

_EACH = "ForAllValues:"
_OPERATOR = re.compile(r"(String|Arn)(Not)?(Equals|Like)(IgnoreCase)?(IfExists)?|(Bool)(IfExists)?|(Null)")


class ConditionUnknown(Exception):
    """A policy has a condition of a kind that the embedded AWS does not evaluate."""


def matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a text is meant by a pattern of IAM's: `*` is any text, `?` any one character."""
    if pattern == "*":
        return lambda _: True
    if "*" not in pattern and "?" not in pattern:
        return pattern.__eq__
    expression = "".join({"*": ".*", "?": "."}.get(each, re.escape(each)) for each in pattern)
    compiled = re.compile(expression, re.DOTALL)
    return lambda text: compiled.fullmatch(text) is not None


def listed(value: Any) -> list[Any]:
    """One or several: IAM writes a list of one without its brackets."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def compiled(conditions: Mapping[str, Mapping[str, Any]]) -> Callable[[Context], bool]:
    """Whether a request meets all the conditions. Raises ConditionUnknown for one that is not evaluated here.

    A request that lacks a key meets the negated tests, those with IfExists, and no other.
    """
    tests = [
        _test(operator, key.lower(), [str(value) for value in listed(wanted)])
        for operator, keys in conditions.items()
        for key, wanted in keys.items()
    ]
    return lambda context: all(test(context) for test in tests)


def _test(operator: str, key: str, wanted: list[str]) -> Callable[[Context], bool]:
    if operator.startswith(_EACH):
        one = _test(operator.removeprefix(_EACH), key, wanted)
        # Without the key there is no value that could fail.
        return lambda context: key not in context or all(one({key: value}) for value in context[key].split(","))
    found = _OPERATOR.fullmatch(operator)
    if found is None:
        raise ConditionUnknown(f"the condition {operator} on {key} is not imitated on one machine")
    if operator == "Null":
        absent = [value.lower() == "true" for value in wanted]
        return lambda context: (key not in context) in absent
    negated = found[2] is not None
    without = negated or operator.endswith("IfExists")
    ignores_case = found[4] is not None or operator.startswith("Bool")
    # ArnEquals and ArnLike are the same; StringEquals alone takes an asterisk for an asterisk.
    exact = found[1] == "String" and found[3] == "Equals"
    values = [value.lower() for value in wanted] if ignores_case else wanted
    matchers = [value.__eq__ if exact else matcher(value) for value in values]

    def test(context: Context) -> bool:
        actual = context.get(key)
        if actual is None:
            return without
        text = actual.lower() if ignores_case else actual
        return any(matches(text) for matches in matchers) is not negated

    return test
