"""Whether a REST API's resource policy lets a caller in: the part of IAM's language that such policies are written in.

docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Mapping
from typing import Any

from local.aws.gateway.callers import Caller
from local.aws.resource_policy import ConditionUnknown


def allows(policy: str | Mapping[str, Any] | None, caller: Caller, *, resource: str, account: str) -> bool:
    """Whether `caller` may invoke `resource` (the method's ARN).

    A caller of the API's own account whom the policy neither allows nor denies has what IAM gives it; on one machine
    that is everything. Raises ConditionUnknown for a condition that is not imitated.
    """
    document = json.loads(policy) if isinstance(policy, str) and policy else policy
    decisions = [
        statement["Effect"]
        for statement in _listed((document or {}).get("Statement", []))
        if _names(statement.get("Principal"), caller)
        and any(
            fnmatch.fnmatchcase("execute-api:invoke", str(each).lower()) for each in _listed(statement.get("Action"))
        )
        and any(_is_resource(str(each), resource) for each in _listed(statement.get("Resource", resource)))
        and all(_met(test, keys, caller) for test, keys in statement.get("Condition", {}).items())
    ]
    if "Deny" in decisions:
        return False
    return "Allow" in decisions or caller.account == account


def _names(principal: Any, caller: Caller) -> bool:
    if principal == "*":
        return True
    named = {str(each) for each in _listed(principal.get("AWS", []))} if isinstance(principal, Mapping) else set()
    own = {"*", caller.account, f"arn:aws:iam::{caller.account}:root", caller.principal_arn, caller.user_arn}
    return bool(named & own)


def _is_resource(pattern: str, resource: str) -> bool:
    """`execute-api:/*` is short for every method of every stage of the API that the policy is on."""
    if pattern.startswith("execute-api:/"):
        pattern = f"arn:aws:execute-api:*:*:*/{pattern.removeprefix('execute-api:/')}"
    return fnmatch.fnmatchcase(resource, pattern)


def _met(test: str, keys: Mapping[str, Any], caller: Caller) -> bool:
    kind = re.fullmatch(r"(?:String|Arn)(Not)?(?:Equals|Like)", test)
    context = {"aws:principalarn": caller.principal_arn, "aws:principalaccount": caller.account}
    if kind is None or not {key.lower() for key in keys} <= context.keys():
        raise ConditionUnknown(f"the condition {test} on {', '.join(keys)} is not imitated on one machine")
    for key, wanted in keys.items():
        found = any(fnmatch.fnmatchcase(context[key.lower()], str(value)) for value in _listed(wanted))
        if found is (kind.group(1) is not None):
            return False
    return True


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
