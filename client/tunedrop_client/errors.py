"""What can go wrong, one class for each case that a caller may want to handle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tunedrop_client.documents import RunDocument, WrongField

TYPE_PREFIX = "urn:tunedrop:problem:"


class TunedropError(Exception):
    """Any error that this package raises."""


class NoSuchPlace(TunedropError):
    """The client cannot tell where the API is, or with which credentials to call it."""


class Unreachable(TunedropError):
    """The API gave no answer. `sent` is False if the request cannot have reached it."""

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class Problem(TunedropError):
    """The API refused a request. `document` is its problem document (RFC 9457).

    `kind` is the end of the document's `type`, such as `run-ended`; docs/api.md lists all of them.
    """

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        self.document = dict(document)
        self.status = status
        self.type = str(document.get("type", "about:blank"))
        self.kind = self.type.removeprefix(TYPE_PREFIX)
        self.title = str(document.get("title", ""))
        self.detail = str(document.get("detail", ""))
        super().__init__(f"{self.kind}: {self.detail}")

    @property
    def errors(self) -> list[WrongField]:
        """The fields that are wrong, each with `field` and `expected`; empty for most problems."""
        return list(self.document.get("errors", ()))

    def __reduce__(self) -> tuple[Any, ...]:
        return Problem, (self.status, self.document)


class NoSuchFile(TunedropError):
    """There is no such file, or a folder does not hold what a run needs."""


class FileRefused(TunedropError):
    """S3 did not take the file, or did not give it."""


class ValidationFailed(TunedropError):
    """The check of a dataset came to no result; the message is its reason."""


class StillRunning(TunedropError, TimeoutError):
    """The time to wait is over and the run has not ended. `run` is the run as it was last seen, if it was seen."""

    def __init__(self, message: str, run: RunDocument | None) -> None:
        super().__init__(message)
        self.run = run
