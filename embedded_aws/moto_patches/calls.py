"""Every API call: watched, and refused where its caller may not make it, or on purpose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import moto.core.errors
import moto.core.responses
import moto.s3.responses
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult

from embedded_aws.calls import CallRefused
from embedded_aws.moto_patches.hooks import Hooks
from embedded_aws.moto_patches.replacement import Replace


def watch(replace: Replace, hooks: Hooks) -> None:
    """moto has no place to observe calls or to make them fail. Its S3 has a way of its own for every call."""

    def watched(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(response: Any, *args: Any, **kwargs: Any) -> Any:
            try:
                hooks.called(_action(response), response)
            except CallRefused as refusal:
                return _refused_call(response, refusal)
            return original(response, *args, **kwargs)

        return call

    # moto warns of an error that a service's model does not name; every service may refuse.
    common = moto.core.errors.COMMON_ERROR_CODES
    replace(moto.core.errors, "COMMON_ERROR_CODES", type(common)([*common, "AccessDenied", "AccessDeniedException"]))
    for owner, name in (
        (moto.core.responses.BaseResponse, "call_action"),
        (moto.s3.responses.S3Response, "_bucket_response"),
        (moto.s3.responses.S3Response, "_key_response"),
    ):
        replace(owner, name, watched(getattr(owner, name)))


def _action(response: Any) -> str:
    if isinstance(response, moto.s3.responses.S3Response):
        return response._get_action_from_method_and_request_uri(response.request) or ""
    return response._get_action() or ""


class _RefusedOnPurpose(ServiceException):
    """Of this module, not of moto's core: moto takes the service of an error from the module of its class, if the
    module's full name begins with "moto"; of any other it looks at the service that was called alone."""


def _refused_call(response: Any, refusal: CallRefused) -> Any:
    error = _RefusedOnPurpose(refusal.message)
    error.code = refusal.code
    status, headers, body = response.serialized(ActionResult(error))
    status = refusal.status
    headers["status"] = status
    headers, body = response._enrich_response(headers, body)
    return status, headers, body
