"""How an invocation ends when the handler does not: Lambda's own error names and texts, and its refusals."""

from __future__ import annotations

import json
from dataclasses import dataclass

MAX_PAYLOAD_BYTES = 6 * 1024 * 1024
"""Request and response of a synchronous invocation: 6 MB.

docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

MAX_RESPONSE_BYTES = MAX_PAYLOAD_BYTES + 100
"""What the service tells in its message: 6291556 bytes, the 6 MB and 100 bytes for the envelope."""

MAX_ASYNC_PAYLOAD_BYTES = 1024 * 1024
"""Request of an asynchronous invocation: 1 MB (the same page)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer of one invocation: its payload, and whether it is an error of the function."""

    payload: bytes
    is_error: bool = False
    log: bytes = b""
    """What the process wrote during the invocation, between the START and END lines."""

    @property
    def error_type(self) -> str | None:
        if not self.is_error:
            return None
        try:
            content = json.loads(self.payload)
        except ValueError:
            return None
        return content.get("errorType") if isinstance(content, dict) else None


def failed(error_type: str, message: str) -> Outcome:
    """An outcome in the shape in which the service reports what the runtime could not: without a stack trace."""
    return Outcome(json.dumps({"errorType": error_type, "errorMessage": message}).encode(), is_error=True)


def timed_out(request_id: str, timeout_seconds: float) -> Outcome:
    return failed(
        "Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {timeout_seconds:.2f} seconds"
    )


def exited(request_id: str, status: int | None) -> Outcome:
    """`status` as subprocess gives it: negative for a signal, None when it is not known."""
    if status is not None and status >= 0:
        how = f"exit status {status}"
    else:
        how = "signal: killed" if status in (-9, None) else f"signal: {-status}"
    return failed("Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited with error: {how}")


def response_too_large() -> Outcome:
    return failed(
        "Function.ResponseSizeTooLarge",
        f"Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes).",
    )


class InvokeRefused(Exception):
    """The service refused to run the function: an error of the API call, not of the function."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def too_many_requests(function: str) -> InvokeRefused:
    return InvokeRefused("TooManyRequestsException", f"Rate Exceeded: no concurrency left for {function}.", 429)


def request_too_large(size: int, limit: int) -> InvokeRefused:
    return InvokeRefused(
        "RequestEntityTooLargeException",
        f"Request must be smaller than {limit} bytes for the InvokeFunction operation, got {size}",
        413,
    )
