"""Policies: their statements, read once, and which of them speak about a request.

docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from embedded_aws.permissions.conditions import Context, compiled, listed, matcher


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: a role, a user, or a service of AWS (which then has no ARN)."""

    account: str
    arn: str = ""
    """The ARN of the role or user; a session of a role has the role's."""
    caller: str = ""
    """The ARN that error messages name: a session's, a user's, or the service's name."""
    service: str = ""
    """The service's name (events.amazonaws.com)."""
    source_arn: str = ""
    """The resource for which a service asks."""

    @property
    def role(self) -> str:
        """The role's name; empty for a user or a service."""
        return self.arn.rpartition("/")[2] if ":role/" in self.arn else ""


@dataclass(frozen=True, slots=True)
class Request:
    """One permission that somebody needs: an action on a resource (an ARN, or `*`), and what IAM knows of it."""

    principal: Principal
    action: str
    resource: str
    context: Context


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of a policy. `source` names policy and statement: `Policy/Sid`, or its number where it has no Sid."""

    source: str
    denies: bool
    names_action: Callable[[str], bool]
    names_resource: Callable[[str], bool]
    names_principal: Callable[[Principal], str]
    """How a resource's policy names the principal: `itself`, `account` (IAM decides then), or not at all (empty)."""
    met: Callable[[Context], bool]

    def speaks_about(self, request: Request) -> str:
        """How the statement names the principal of a request that it is about; empty for any other request."""
        if not (self.names_action(request.action.lower()) and self.names_resource(request.resource)):
            return ""
        named = self.names_principal(request.principal)
        return named if named and self.met(request.context) else ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the policies say. `explicit`: a statement denies it."""

    allowed: bool
    explicit: bool = False


def decide(
    request: Request,
    *,
    identity: Iterable[Statement],
    resource: Iterable[Statement] = (),
    resource_decides: bool = False,
) -> Decision:
    """Whether the principal's own policies and the resource's allow a request of one account.

    Either suffices. With `resource_decides` (keys, and the trust policies of roles) the resource's policy must: by
    naming the principal itself, or by naming the account and leaving it to the principal's own policies.
    """
    own = [statement for statement in identity if statement.speaks_about(request)]
    its = [(statement, named) for statement in resource if (named := statement.speaks_about(request))]
    if any(statement.denies for statement in own) or any(statement.denies for statement, _ in its):
        return Decision(allowed=False, explicit=True)
    by_itself = any(named == "itself" for _, named in its)
    if resource_decides:
        return Decision(allowed=by_itself or (bool(own) and bool(its)))
    return Decision(allowed=by_itself or bool(own))


@functools.lru_cache(maxsize=4096)
def statements(document: str, source: str) -> tuple[Statement, ...]:
    """The statements of a policy (its JSON text); `source` names it. Raises ConditionUnknown."""
    return tuple(
        _statement(statement, f"{source}/{statement.get('Sid', number)}")
        for number, statement in enumerate(listed(json.loads(document).get("Statement")), 1)
    )


def _statement(statement: Mapping[str, Any], source: str) -> Statement:
    return Statement(
        source=source,
        denies=statement.get("Effect") == "Deny",
        names_action=_names(statement, "Action", lower=True),
        names_resource=_names(statement, "Resource", lower=False),
        names_principal=_names_principal(statement.get("Principal")),
        met=compiled(statement.get("Condition", {})),
    )


def _names(statement: Mapping[str, Any], field: str, *, lower: bool) -> Callable[[str], bool]:
    negated = f"Not{field}" in statement
    patterns = [str(each) for each in listed(statement.get(f"Not{field}" if negated else field))]
    if not patterns:  # the policy of a role or a function may leave out its resource: itself
        return lambda _: True
    matchers = [matcher(pattern.lower() if lower else pattern) for pattern in patterns]
    return lambda text: any(matches(text) for matches in matchers) is not negated


def _names_principal(principal: Any) -> Callable[[Principal], str]:
    if principal is None:  # an identity's own policy
        return lambda _: "itself"
    if principal == "*":
        return lambda _: "itself"
    services = set(listed(principal.get("Service")))
    named = set(listed(principal.get("AWS")))

    def names(asker: Principal) -> str:
        if asker.service:
            return "itself" if asker.service in services or "*" in named else ""
        if named & {"*", asker.arn, asker.caller}:
            return "itself"
        own = {asker.account, f"arn:aws:iam::{asker.account}:root"}
        return "account" if named & own else ""

    return names
