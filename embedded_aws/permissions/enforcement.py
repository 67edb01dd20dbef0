"""Decides every call, notes what was allowed and what was refused."""

from __future__ import annotations

import logging
import threading
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from embedded_aws.calls import Call
from embedded_aws.identities import Identities
from embedded_aws.permissions import creation
from embedded_aws.permissions.need import READ_AND_WRITE, Need, key_needs
from embedded_aws.permissions.needs import FREE, needs
from embedded_aws.permissions.policy import Decision, Principal, Request, Statement, decide, statements
from embedded_aws.permissions.refusals import refusal, words
from embedded_aws.permissions.resources import Resources
from embedded_aws.permissions.s3_needs import to_tell_what_is_missing

LOG = logging.getLogger(__name__)

REMEMBERED = 1000

_RESOURCE_POLICIES = ("s3", "sns", "sqs", "lambda", "kms", "secretsmanager")
"""The services whose resources have policies of their own."""

_EVERYTHING = statements('{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}', "developer")


@dataclass(frozen=True, slots=True)
class Refused:
    """One refusal. `service` is the one that answered."""

    service: str
    request: Request
    decision: Decision

    def __str__(self) -> str:
        return f"{self.service}: {words(self.request, self.decision)}"


Observer = Callable[[Request, Decision], None]
"""Called with each permission that was asked for, in the thread that needs it."""


class Permissions:
    """The permissions of one embedded AWS, by its roles' and resources' policies as they are at each call.

    A developer of the account (any access key that nobody has issued) may do everything that no resource denies.
    """

    def __init__(self, account: str, region: str, identities: Identities) -> None:
        self.resources = Resources(account, region)
        self._account = account
        self._identities = identities
        self._lock = threading.Lock()
        self._principals: dict[str, Principal] = {}
        self.observers: list[Observer] = []
        self.refused: deque[Refused] = deque(maxlen=REMEMBERED)
        """What was refused, the newest last."""

    def check(self, call: Call) -> None:
        """Raises CallRefused, in the service's own shape, for a call that its caller may not make."""
        if f"{call.service}:{call.action}" in FREE:
            return
        principal = self.principal(call.access_key)
        for need in needs(call, self.resources):
            self._require(call.service, principal, need)
        problem = creation.problem(call, self)
        if problem is not None:
            raise problem
        missing = to_tell_what_is_missing(call, self.resources)
        if missing is not None:
            self._require(call.service, principal, missing)

    def role_may(self, role: str, action: str, resource: str, context: Mapping[str, str] | None = None) -> bool:
        """Whether a role (its ARN) may do what a service does in its name without an API call."""
        return self._allowed(action.partition(":")[0], self.of_role(role), Need(action, resource, context or {}))

    def service_may(
        self, service: str, action: str, resource: str, *, source_arn: str, context: Mapping[str, str] | None = None
    ) -> bool:
        """Whether `service` (events.amazonaws.com) may act on a resource for the resource `source_arn` of the account.

        Where a customer's key encrypts a queue, the service must be let use the key, too.
        """
        itself = Principal(self._account, caller=service, service=service)
        principal = replace(itself, source_arn=source_arn)
        wanted = [(principal, Need(action, resource, context or {}))]
        # EventBridge does not tell KMS for which rule, or account, it asks:
        # docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
        at_the_key = itself if service == "events.amazonaws.com" else principal
        match action:
            case "sqs:SendMessage":
                key = self.resources.queue_key(resource.rpartition(":")[2])
                wanted += [(at_the_key, need) for need in key_needs(self.resources, "sqs", key, READ_AND_WRITE)]
            case "sns:Publish":
                key = self.resources.topic_key(resource)
                wanted += [(at_the_key, need) for need in key_needs(self.resources, "sns", key, READ_AND_WRITE)]
        return all(self._allowed(resource.split(":")[2], asker, need) for asker, need in wanted)

    def may_assume(self, service: str, role: str, *, source_arn: str) -> bool:
        """Whether `service` may assume a role (its ARN) for the resource `source_arn` of the account."""
        principal = Principal(self._account, caller=service, service=service, source_arn=source_arn)
        return self._allowed("sts", principal, Need("sts:AssumeRole", role))

    def principal_may(
        self, access_key: str, action: str, resource: str, context: Mapping[str, str] | None = None
    ) -> Refused | None:
        """The refusal, where the holder of an access key may not do what a service beside this one is asked for."""
        return self._refusal(
            action.partition(":")[0], self.principal(access_key), Need(action, resource, context or {})
        )

    def of_role(self, role: str, session: str = "session") -> Principal:
        """A role's principal."""
        name = role.rpartition("/")[2]
        return Principal(self._account, role, f"arn:aws:sts::{self._account}:assumed-role/{name}/{session}")

    def service_key(self, service: str, source_arn: str) -> str:
        """An access key with which `service` acts as itself, for the resource `source_arn` of the account."""
        key = f"ASIA{uuid.uuid4().hex[:16].upper()}"
        with self._lock:
            self._principals[key] = Principal(self._account, caller=service, service=service, source_arn=source_arn)
        return key

    def principal(self, access_key: str) -> Principal:
        """Whose access key it is; the developer's for one that nobody has issued."""
        known = self._principals.get(access_key)
        if known is not None:
            return known
        issued = self._identities.of(access_key)
        found: Principal | None = None
        if issued is not None:
            found = self.of_role(issued.role, issued.session)
        else:
            assumed = sts_backends[self._account]["aws"].get_assumed_role_from_access_key(access_key)
            if assumed is not None:
                found = self.of_role(assumed.role_arn, assumed.session_name)
            for user in iam_backends[self._account]["aws"].users.values():
                if any(key.access_key_id == access_key for key in user.access_keys):
                    found = Principal(self._account, user.arn, user.arn)
        if found is None:
            developer = f"arn:aws:iam::{self._account}:user/developer"
            return Principal(self._account, developer, developer)
        with self._lock:
            self._principals[access_key] = found
        return found

    def identity(self, principal: Principal) -> Sequence[Statement]:
        """The principal's own policies."""
        if principal.service:
            return ()
        if principal.arn.endswith(":user/developer"):
            return _EVERYTHING
        return self.resources.identity(principal.arn)

    def decide(self, request: Request, *, without: str = "") -> Decision:
        """What the policies say about a request; `without` leaves out the statement of that source."""
        service = request.action.partition(":")[0]
        own, its = self._policies(request)
        if without:
            own = [each for each in own if each.source != without]
            its = [each for each in its if each.source != without]
        # The permission to make a key, or to list keys, is about no key; sts:AssumeRole is about a role's trust alone.
        by_resource = request.action == "sts:AssumeRole" or request.resource.startswith("arn:aws:kms:")
        decision = decide(request, identity=own, resource=its, resource_decides=by_resource)
        if not decision.allowed and not decision.explicit and service == "kms" and self._granted(request):
            return Decision(allowed=True)
        return decision

    def statements(self, request: Request) -> Sequence[Statement]:
        """The statements that IAM looks at for a request: the principal's own, and those of the resource."""
        own, its = self._policies(request)
        return [*own, *its]

    def _policies(self, request: Request) -> tuple[Sequence[Statement], Sequence[Statement]]:
        own = self.identity(request.principal)
        if request.action == "sts:AssumeRole":
            return own, self.resources.trust(request.resource)
        if request.action.partition(":")[0] in _RESOURCE_POLICIES and request.resource.startswith("arn:"):
            return own, self.resources.policy(request.resource)
        return own, ()

    def _granted(self, request: Request) -> bool:
        """Whether a grant of the key lets the principal do this."""
        key = self.resources.key(request.resource)
        wanted = request.action.removeprefix("kms:")
        named = {request.principal.arn, request.principal.caller}
        return key is not None and any(
            grant.grantee_principal in named and wanted in grant.operations for grant in key.grants.values()
        )

    def _require(self, service: str, principal: Principal, need: Need) -> None:
        refused = self._refusal(service, principal, need)
        if refused is not None:
            raise refusal(service, refused.request, refused.decision)

    def _allowed(self, service: str, principal: Principal, need: Need) -> bool:
        return self._refusal(service, principal, need) is None

    def request(
        self, principal: Principal, action: str, resource: str, context: Mapping[str, str] | None = None
    ) -> Request:
        """A request with what IAM knows of every one."""
        about = {
            "aws:securetransport": "true",  # it would be TLS on AWS; loopback has none
            "aws:requestedregion": self.resources.region,
            **(context or {}),
        }
        if principal.source_arn:
            about["aws:sourcearn"] = principal.source_arn
            about["aws:sourceaccount"] = principal.account
        if principal.arn:
            about["aws:principalarn"] = principal.arn
            about["aws:principalaccount"] = principal.account
        return Request(principal, action, resource, about)

    def _refusal(self, service: str, principal: Principal, need: Need) -> Refused | None:
        request = self.request(principal, need.action, need.resource, need.context)
        decision = self.decide(request)
        for observer in list(self.observers):
            observer(request, decision)
        if decision.allowed:
            return None
        refused = Refused(service, request, decision)
        self.refused.append(refused)
        LOG.warning("refused: %s", refused)
        return refused
