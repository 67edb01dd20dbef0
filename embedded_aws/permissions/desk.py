"""What a service beside the embedded AWS asks it: may this caller do that, did he sign it, and credentials of a role.

Three paths of the embedded AWS's own, which AWS does not have; its services ask each other in their own way.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from embedded_aws.identities import Identities
from embedded_aws.permissions.enforcement import Permissions
from embedded_aws.permissions.refusals import words

PERMISSION = "/_embedded/permission"
CREDENTIALS = "/_embedded/credentials"
SIGNATURE = "/_embedded/signature"


class Desk:
    """The WSGI application of these paths."""

    def __init__(
        self,
        permissions: Permissions,
        identities: Identities,
        wrong_in: Callable[[Mapping[str, Any]], str | None],
    ) -> None:
        """`wrong_in`: what is wrong with a signature."""
        self._answers: dict[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {
            PERMISSION: self._permission,
            CREDENTIALS: self._credentials,
            SIGNATURE: self._signature,
        }
        self._wrong_in = wrong_in
        self._permissions = permissions
        self._identities = identities

    def serves(self, path: str) -> bool:
        return path in self._answers

    def __call__(self, environ: Mapping[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        asked = json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        body = json.dumps(self._answers[environ["PATH_INFO"]](asked)).encode()
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    def _permission(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """`{access_key, action, resource, context}` → `{refused: IAM's sentence or null}`."""
        refused = self._permissions.principal_may(
            asked["access_key"], asked["action"], asked["resource"], asked.get("context")
        )
        return {"refused": words(refused.request, refused.decision) if refused else None}

    def _credentials(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """`{service, source_arn, role}` → `{access_key, refused}`; without a role those of the service itself."""
        service, source_arn, role = asked["service"], asked["source_arn"], asked.get("role")
        if not role:
            return {"access_key": self._permissions.service_key(service, source_arn), "refused": None}
        if not self._permissions.may_assume(service, role, source_arn=source_arn):
            return {"access_key": None, "refused": f"{service} may not assume {role} for {source_arn}"}
        return {"access_key": self._identities.shared(role, service).access_key, "refused": None}

    def _signature(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """A request that was signed (`gateway/signed_elsewhere.py`) → `{refused: what is wrong, or null}`."""
        return {"refused": self._wrong_in(asked)}
