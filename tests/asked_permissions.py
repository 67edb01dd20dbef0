"""The permissions that running stacks ask for, and those kept: for each statement of the template a call that needs it.

The kept ones are lines of tests/data/permissions/needed.jsonl, a JSON object each: `statement`, who asks (`role`, or
`service` and `source`), `action`, `resource`, `context`, and `by`, the test module whose runs ask. Names are the
template's: `{PipelineRole}` stands for what the role is called in a stack.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checks.permissions import NEEDED
from embedded_aws.permissions.enforcement import Permissions
from embedded_aws.permissions.policy import Decision, Principal, Request

_CONDITIONS = (
    "iam:passedtoservice",
    "kms:viaservice",
    "kms:encryptioncontext:aws:logs:arn",
    "s3:prefix",
    "s3:if-none-match",
    "aws:requesttag/bedrockmanaged",
    "aws:requesttag/bedrockmodelcustomizationjobarn",
    "aws:tagkeys",
    "ec2:createaction",
    "ec2:resourcetag/bedrockmanaged",
    "ec2:resourcetag/bedrockmodelcustomizationjobarn",
    "ec2:subnet",
)
"""What the conditions of the template's policies ask of some calls; the rest every request tells."""

_LOOSE = (
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "{id}"),
    (r"(^|/)(runs|inbox|validations)/[^/{}]+", r"\1\2/{name}"),
    (r"/(uploads|evaluation/answers|audit)/.*", r"/\1/{name}"),
    (r"(:execution:\{\w+\})[:/].*", r"\1:{name}"),
    (r"(model-customization-job|custom-model|custom-model-deployment)/.*", r"\1/{name}"),
    (r"(:function:own-)[\w-]+", r"\1{name}"),
    (r"/training/[0-9a-f]{12}", "/training/{name}"),
    (r":log-stream:.*", ":log-stream:{name}"),
    (r"(:secret:)[^{].*", r"\1{name}"),
)
"""What differs from run to run."""


@dataclass(frozen=True, slots=True, order=True)
class Asked:
    """A permission that somebody asked for, in the template's names."""

    role: str
    """The role that asks; empty where a service does."""
    service: str
    source: str
    """The ARN of the resource for which the service asks."""
    action: str
    resource: str
    context: tuple[tuple[str, str], ...] = ()

    @classmethod
    def read(cls, line: Mapping[str, Any]) -> Asked:
        """A kept one."""
        return cls(
            line.get("role", ""),
            line.get("service", ""),
            line.get("source", ""),
            line["action"],
            line["resource"],
            tuple(sorted(line.get("context", {}).items())),
        )

    def written(self, statement: str, by: str) -> dict[str, Any]:
        """As it is kept."""
        line = {
            "statement": statement,
            "role": self.role,
            "service": self.service,
            "source": self.source,
            "action": self.action,
            "resource": self.resource,
            "context": dict(self.context),
            "by": by,
        }
        return {name: value for name, value in line.items() if value}


class Names:
    """The names of one deployed stack, there and back."""

    def __init__(self, physical: Mapping[str, str], region: str, account: str) -> None:
        self._region = region
        self._account = account
        # A bucket's policy has the bucket's name, and comes after it.
        named = {re.split("[:/]", told)[-1]: logical for logical, told in reversed(list(physical.items()))}
        # A version of a function and a stage of an API have a name of a few characters, which is nothing of their own.
        self._logical = {name: f"{{{logical}}}" for name, logical in named.items() if len(name) >= 10}
        self._physical = {logical: name for name, logical in self._logical.items()}
        longest_first = sorted(map(re.escape, self._logical), key=len, reverse=True)
        self._names = re.compile("|".join(longest_first))

    def template(self, text: str) -> str:
        """The text with the template's names."""
        text = self._names.sub(lambda found: self._logical[found[0]], text)
        text = text.replace(f":{self._region}:", ":{region}:").replace(f".{self._region}.", ".{region}.")
        for pattern, name in _LOOSE:
            text = re.sub(pattern, name, text)
        return text

    def here(self, text: str) -> str:
        """The text with the names of this stack."""
        for logical, name in self._physical.items():
            text = text.replace(logical, name)
        return text.replace("{region}", self._region)

    def asked(self, request: Request) -> Asked:
        """A request in the template's names."""
        principal = request.principal
        context = {name: request.context[name] for name in _CONDITIONS if name in request.context}
        return Asked(
            self.template(principal.role).strip("{}") if principal.role else "",
            self.template(principal.service),
            self.template(principal.source_arn),
            request.action,
            self.template(request.resource),
            tuple(sorted((name, self.template(value)) for name, value in context.items())),
        )

    def request(self, asked: Asked, permissions: Permissions) -> Request:
        """The same in this stack."""
        if asked.role:
            name = self.here(f"{{{asked.role}}}")
            principal = permissions.of_role(f"arn:aws:iam::{self._account}:role/{name}")
        else:
            service = self.here(asked.service)
            principal = Principal(self._account, caller=service, service=service, source_arn=self.here(asked.source))
        told = {name: self.here(value) for name, value in asked.context}
        return permissions.request(principal, asked.action, self.here(asked.resource), told)

    def statement(self, source: str) -> str:
        """`Role/Policy/Sid`, or `Resource/Sid`, of a statement's source; empty for one that is not the template's."""
        found = re.fullmatch(r"(?:arn:.*:(?:key/)?)?\{(\w+)\}(?::1)?/(.*)", self.template(source))
        return f"{found[1]}/{found[2]}".replace("{", "").replace("}", "") if found else ""


class Recorder:
    """Every permission that the stack's own roles, and services for its resources, got since it was made."""

    def __init__(self, permissions: Permissions) -> None:
        self._permissions = permissions
        self._lock = threading.Lock()
        self._allowed: dict[tuple[Any, ...], Request] = {}
        permissions.observers.append(self._note)

    def stop(self) -> None:
        """Notes no more."""
        self._permissions.observers.remove(self._note)

    def _note(self, request: Request, decision: Decision) -> None:
        principal = request.principal
        if decision.allowed and (principal.role or principal.service):
            about = tuple(sorted(request.context.items()))
            key = (principal.role or (principal.service, principal.source_arn), request.action, request.resource, about)
            with self._lock:
                self._allowed[key] = request

    def asked(self, names: Names) -> dict[Asked, Request]:
        """What was asked for, in the template's names and as it was."""
        with self._lock:
            requests = list(self._allowed.values())
        return {names.asked(request): request for request in requests}


def needed_by(asked: Mapping[Asked, Request], names: Names, permissions: Permissions) -> dict[str, Asked]:
    """For each statement without which some of `asked` is refused the first of them."""
    found: dict[str, Asked] = {}
    for each, request in sorted(asked.items(), key=lambda item: item[0]):
        for statement in permissions.statements(request):
            name = names.statement(statement.source)
            if not name or name in found or statement.denies or not statement.speaks_about(request):
                continue
            if not permissions.decide(request, without=statement.source).allowed:
                found[name] = each
    return found


def kept() -> list[dict[str, Any]]:
    """The kept lines."""
    return [json.loads(line) for line in NEEDED.read_text().splitlines()]


def keep(needed: Mapping[str, Asked], by: str, *, path: Path = NEEDED) -> None:
    """Keep what the runs of the module `by` need, where no other module's runs need the same statement."""
    others = [line for line in (kept() if path.exists() else []) if line["by"] != by]
    known = {line["statement"] for line in others}
    own = [asked.written(statement, by) for statement, asked in needed.items() if statement not in known]
    lines = sorted([*others, *own], key=lambda line: str(line["statement"]))
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
