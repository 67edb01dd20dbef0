"""Gives faults of AWS's own services the names that the state machine and the runbook know.

A temporary fault becomes ServiceBusy. The state machine then tries again for longer than any client does, because a
training that is paid for must outlast an outage of a table. A full disk is not a temporary fault.
"""

from __future__ import annotations

import errno
import functools
from collections.abc import Callable
from typing import Any

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from tunedrop.answer_members import AnswerBroken
from tunedrop.outcomes import DiskFull, ServiceBusy

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]

BROKEN_ANSWERS = (
    BotoCoreError,
    ResponseParserError,
    LookupError,
    TypeError,
    AttributeError,
    ValueError,
    OverflowError,
    RecursionError,
)
"""What botocore raises if there is no answer, or if the answer's members have other types than its model says."""

_BROKEN_CONNECTIONS = (exceptions.ConnectionError, exceptions.HTTPClientError, exceptions.IncompleteReadError)

_PASSING_CODES = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "TooManyRequestsException",
        "ProvisionedThroughputExceededException",
        "TransactionInProgressException",
        "RequestLimitExceeded",
        "BandwidthLimitExceeded",
        "SlowDown",
        "PriorRequestNotComplete",
        "RequestTimeout",
        "RequestTimeoutException",
    }
)
"""The codes that AWS's SDKs try again, whatever the status
(https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html), without LimitExceededException: a quota
of the account does not pass by waiting."""


def passes(error: BaseException) -> bool:
    """Whether a call to AWS that ended with `error` may succeed if it is made again later."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status >= 500 or status == 429 or error.response.get("Error", {}).get("Code") in _PASSING_CODES
    return isinstance(error, (*_BROKEN_CONNECTIONS, ResponseParserError, AnswerBroken))


def code_of(error: ClientError) -> str:
    """The code of an error that AWS returned; "" if it has none."""
    code = error.response.get("Error", {}).get("Code")
    return code if isinstance(code, str) else ""


def named_faults(handler: Handler) -> Handler:
    """A state's handler that raises ServiceBusy for a temporary fault, and DiskFull for a disk without room."""

    @functools.wraps(handler)
    def naming(event: dict[str, Any], context: Any) -> dict[str, Any]:
        try:
            return handler(event, context)
        except Exception as error:
            if passes(error):
                raise ServiceBusy(f"AWS could not be asked: {error}") from error
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                raise DiskFull(
                    "The function's disk has no room left for the run's files. Drop a smaller dataset, or give the "
                    "function a larger EphemeralStorage in template.yaml."
                ) from error
            raise

    return naming
