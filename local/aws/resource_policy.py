"""Whether a resource lets a service of AWS in: the part of resource policies that queues, topics and functions need.

EventBridge and SNS deliver to a queue only when the queue's policy says so; a forgotten policy is a silent loss on AWS.
docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Mapping
from typing import Any


class ConditionUnknown(Exception):
    """A resource policy has a condition of a kind that the embedded AWS does not evaluate."""


def allows(
    policy: str | Mapping[str, Any] | None, *, service: str, action: str, resource: str, source_arn: str, account: str
) -> bool:
    """Whether `service` (events.amazonaws.com) may do `action` (sqs:SendMessage) on the resource for `source_arn`.

    The service speaks TLS and is no principal with an ARN. Raises ConditionUnknown for a condition that is not
    imitated.
    """
    document = json.loads(policy) if isinstance(policy, str) else policy
    if not document:
        return False
    context = {"aws:sourcearn": source_arn, "aws:sourceaccount": account, "aws:securetransport": "true"}
    decisions = [
        statement["Effect"]
        for statement in _listed(document.get("Statement", []))
        if _names(statement.get("Principal"), service)
        and any(
            fnmatch.fnmatchcase(action.lower(), str(allowed).lower())
            for allowed in _listed(statement.get("Action", []))
        )
        and any(fnmatch.fnmatchcase(resource, str(allowed)) for allowed in _listed(statement.get("Resource", resource)))
        and all(_met(test, keys, context) for test, keys in statement.get("Condition", {}).items())
    ]
    return "Allow" in decisions and "Deny" not in decisions


def check(policy: Mapping[str, Any]) -> None:
    """Raises ConditionUnknown when the policy has a condition that `allows` does not evaluate."""
    for statement in _listed(policy.get("Statement", [])):
        for test in statement.get("Condition", {}):
            _known_test(test)


def _names(principal: Any, service: str) -> bool:
    if principal == "*":
        return True
    if not isinstance(principal, Mapping):
        return False
    return service in _listed(principal.get("Service", [])) or "*" in _listed(principal.get("AWS", []))


def _met(test: str, keys: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    """A key that the request does not have meets the negated tests and no other."""
    negated = _known_test(test).group(2) is not None
    for key, wanted in keys.items():
        actual = context.get(key.lower())
        found = actual is not None and any(fnmatch.fnmatchcase(actual, str(value)) for value in _listed(wanted))
        if found is negated:
            return False
    return True


def _known_test(test: str) -> re.Match[str]:
    kind = re.fullmatch(r"(String|Arn)(Not)?(Equals|Like)|Bool", test)
    if kind is None:
        raise ConditionUnknown(f"the condition {test} in a resource policy is not imitated on one machine")
    return kind


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
