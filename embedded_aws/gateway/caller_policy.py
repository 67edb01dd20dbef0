"""Whether a caller may invoke a method of a REST API: by the API's resource policy, and the caller's own policies.

docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from embedded_aws.gateway.callers import Caller
from embedded_aws.permissions.conditions import listed
from embedded_aws.permissions.policy import Decision, Principal, Request, Statement, decide, statements


def decision(
    policy: str | Mapping[str, Any] | None,
    caller: Caller,
    *,
    resource: str,
    account: str,
    identity: Sequence[Statement],
) -> Decision:
    """Whether `caller` may invoke `resource` (the method's ARN); `identity`: the statements of the caller's policies.

    Of a caller of another account the own policies are not here: the API's must name the account, or the caller.
    Raises ConditionUnknown for a condition that is not imitated.
    """
    principal = Principal(caller.account, caller.principal_arn, caller.user_arn)
    context = {"aws:principalarn": caller.principal_arn, "aws:principalaccount": caller.account}
    request = Request(principal, "execute-api:Invoke", resource, context)
    its = _statements(policy)
    if caller.account == account:
        return decide(request, identity=identity, resource=its)
    named = [each for each in its if not each.denies and each.speaks_about(request)]
    return decide(request, identity=named, resource=its)


def _statements(policy: str | Mapping[str, Any] | None) -> Sequence[Statement]:
    document = json.loads(policy) if isinstance(policy, str) and policy else policy
    if not document:
        return ()
    spelt = [
        {**each, "Resource": [_whole(str(resource)) for resource in listed(each.get("Resource"))]}
        for each in listed(document.get("Statement"))
    ]
    return statements(json.dumps({"Statement": spelt}), "api")


def _whole(pattern: str) -> str:
    """`execute-api:/*` is short for every method of every stage of the API that the policy is on."""
    if pattern.startswith("execute-api:/"):
        return f"arn:aws:execute-api:*:*:*/{pattern.removeprefix('execute-api:/')}"
    return pattern
