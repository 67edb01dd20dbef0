"""What the API refuses, as problem documents (RFC 9457): each kind has a type of its own, which docs/api.md lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:tunedrop:problem:"

KINDS: Mapping[str, tuple[int, str]] = {
    "request-malformed": (400, "The request's body is not JSON"),
    "idempotency-key-missing": (400, "The header Idempotency-Key is missing"),
    "page-unknown": (400, "This list did not give this page token"),
    "not-authorized": (403, "The request is not signed, or its caller has no access"),
    "no-team": (403, "The caller belongs to no team"),
    "dataset-not-allowed": (403, "The team may not read this dataset"),
    "approval-not-yours": (403, "The caller may not decide about this promotion"),
    "not-found": (404, "This does not exist, or it belongs to another team"),
    "method-not-allowed": (405, "The resource does not have this method"),
    "idempotency-key-reused": (409, "The Idempotency-Key has been used with another body"),
    "run-ended": (409, "The run has ended"),
    "run-not-started": (409, "The run's execution has not begun yet"),
    "no-approval-wanted": (409, "The run is not waiting for approval"),
    "nothing-to-roll-back": (409, "The run's model is not in the place, or it replaced none"),
    "not-ready": (409, "The run has not come that far yet"),
    "request-too-large": (413, "The request is larger than the API takes"),
    "media-type-unsupported": (415, "The request's body must be application/json"),
    "request-invalid": (422, "The request does not have the documented form"),
    "recipe-invalid": (422, "The recipe is not valid"),
    "limit-exceeded": (422, "The run asks for more than the stack's operator lets it use"),
    "upload-unknown": (422, "There is no such upload"),
    "too-many-runs": (429, "The team already has as many active runs as it may have"),
    "throttled": (429, "Too many requests at once"),
    "unavailable": (503, "A service that the API needs did not answer"),
    "internal": (500, "The API failed"),
}
"""Every kind of problem: its status and its title. docs/api.md says of each what to do."""


class Problem(Exception):
    """The request is refused. `kind` is one of KINDS; `more`: members beside RFC 9457's own; `headers` go with it."""

    def __init__(self, kind: str, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.headers = dict(headers or {})
        self.status, self.title = KINDS[kind]
        self.detail = detail
        self.more = more

    def document(self) -> dict[str, Any]:
        """The problem document."""
        return {
            "type": TYPE_PREFIX + self.kind,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **self.more,
        }


def run_not_found(run_id: str) -> Problem:
    """The same answer for a run that is not there and for another team's: nobody can find out which ids exist."""
    return Problem("not-found", f"Your team has no run {run_id!r}; GET /runs lists those that it has.")


def invalid(wrong: Sequence[Mapping[str, str]]) -> Problem:
    """That fields are wrong, each with `field` and `expected`."""
    told = "; ".join(f"{each['field']}: {each['expected']}" for each in wrong)
    return Problem("request-invalid", told if told.endswith("?") else f"{told}.", errors=list(wrong))


def method_not_allowed(method: str, resource: str, allowed: Sequence[str]) -> Problem:
    """That the resource has no such method, with those that it has."""
    them = ", ".join(allowed)
    return Problem("method-not-allowed", f"{resource} takes {them}, not {method}.", headers={"Allow": them})


def no_json() -> Problem:
    """The same answer for a form and for any other body that says it is not JSON."""
    return Problem("media-type-unsupported", "Send the body with Content-Type: application/json.")
