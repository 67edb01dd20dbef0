"""Refusals of the OpenAI-compatible API, in the envelope that real captures show."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """A request that is refused: HTTP status and the fields of the `error` object."""

    def __init__(
        self, status: int, code: str, message: str, *, param: str | None = None, kind: str = "invalid_request_error"
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.param = param
        self.kind = kind

    def body(self) -> dict[str, Any]:
        """The answer's JSON body."""
        return {"error": {"code": self.code, "message": self.message, "param": self.param, "type": self.kind}}


def missing_credentials() -> ApiError:
    """401 as captured from the service: no authorization header at all."""
    message = "Missing 'authorization' or 'x-api-key' header"
    return ApiError(401, "invalid_api_key", message, kind="permission_denied_error")


def invalid_bearer_token() -> ApiError:
    """401 as captured from the service: whatever is wrong with the key, it does not say what."""
    return ApiError(401, "invalid_api_key", "Invalid bearer token", kind="permission_denied_error")


def wrong_signature(why: str) -> ApiError:
    """403 for a signature that is not the request's own, in AWS's words. UNCONFIRMED: its code here."""
    message = (
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
        f"Key and signing method. ({why})"
    )
    return ApiError(403, "invalid_signature", message, kind="permission_denied_error")


def access_denied(
    action: str, *, region: str, account: str, project: str = "default", words: str | None = None
) -> ApiError:
    """403 as captured from the service: IAM allows the caller no such action. `words`: IAM's own sentence."""
    message = words or (
        f"User: arn:aws:sts::{account}:assumed-role/local/local is not authorized to perform: bedrock-mantle:{action} "
        f"on resource: arn:aws:bedrock-mantle:{region}:{account}:project/{project} because no identity-based policy "
        f"allows the bedrock-mantle:{action} action"
    )
    return ApiError(403, "access_denied", message, kind="permission_denied_error")


def invalid(message: str, *, param: str | None = None) -> ApiError:
    """400: the request names something that cannot be."""
    return ApiError(400, "validation_error", message, param=param)


def unknown_parameter(name: str) -> ApiError:
    """400 as captured from the service: the body has a field that it does not know."""
    return ApiError(400, "unknown_parameter", f"Unknown parameter: '{name}'.", param=name)


def not_imitated(what: str, *, param: str | None = None) -> ApiError:
    """501: the service does this, or may; the local Bedrock does not, and says so instead of passing over it."""
    message = f"{what} is not imitated by the local Bedrock. Leave it out, or ask the service itself."
    return ApiError(501, "not_imitated", message, param=param or what, kind="not_imitated_error")


def unsupported(name: str) -> ApiError:
    """400: the request names a parameter that the service does not take."""
    return ApiError(400, "unsupported_parameter", f"Unsupported parameter: '{name}' is not supported.", param=name)


def not_found(what: str, name: str, *, param: str | None = None) -> ApiError:
    """404: there is no such thing."""
    return ApiError(404, "not_found", f"No such {what}: {name}", param=param)
