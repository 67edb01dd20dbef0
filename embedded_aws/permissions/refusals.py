"""How each service says that somebody may not do what was asked: its own code, status and words."""

from __future__ import annotations

from embedded_aws.calls import CallRefused
from embedded_aws.permissions.policy import Decision, Request

_CODES = {
    "s3": ("AccessDenied", 403),
    "sns": ("AuthorizationError", 403),
    "sqs": ("AccessDenied", 403),
    "lambda": ("AccessDeniedException", 403),
    "iam": ("AccessDenied", 403),
    "sts": ("AccessDenied", 403),
    "cloudwatch": ("AccessDenied", 403),
    "events": ("AccessDeniedException", 400),
}
_OTHERWISE = ("AccessDeniedException", 400)
_KMS_BY_SNS = ("KMSAccessDenied", 400)


def refusal(service: str, request: Request, decision: Decision) -> CallRefused:
    """The error that `service` answers for a request that was not allowed."""
    code, status = _CODES.get(service, _OTHERWISE)
    if service == "sns" and request.action.startswith("kms:"):
        code, status = _KMS_BY_SNS
    return CallRefused(code, words(request, decision), status)


def words(request: Request, decision: Decision) -> str:
    """IAM's sentence: docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html"""
    because = (
        "with an explicit deny"
        if decision.explicit
        else f"because no identity-based policy allows the {request.action} action"
    )
    return (
        f"User: {request.principal.caller or request.principal.service} is not authorized to perform: {request.action} "
        f"on resource: {request.resource} {because}"
    )
