"""Lists: pages by `limit` and `after`, and the staleness that lists of the service may have."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping

from local.bedrock.errors import invalid, unknown_parameter
from local.bedrock.records import Document, Page
from local.bedrock.switches import Switches

_PARAMETERS = {"limit", "after", "order", "purpose"}


class Staleness:
    """Keeps track of what a list may show yet, by the switches `list_lag_seconds` and `list_lag_calls`."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self._calls: Counter[str] = Counter()
        self._born: dict[str, int] = {}

    def created(self, kind: str, name: str) -> None:
        """Something new is there; lists of its kind may not show it at once."""
        self._born[name] = self._calls[kind]

    def called(self, kind: str) -> float:
        """A list of this kind is asked for; returns the moment as of which it is told, in seconds since the epoch."""
        self._calls[kind] += 1
        return time.time() - self._switches.list_lag_seconds

    def shows(self, kind: str, name: str, created: float, *, as_of: float) -> bool:
        """Whether the list that was called last shows a thing created at `created`."""
        calls_since = self._calls[kind] - self._born.get(name, -self._switches.list_lag_calls)
        return created <= as_of and calls_since > self._switches.list_lag_calls


def asked_limit(query: Mapping[str, str], *, default: int, largest: int, switches: Switches) -> int:
    """The page size of a list's request.

    Raises ApiError (400) for what is no whole number from 1 to `largest`, and for a parameter that no list takes: a
    filter that came to nothing would be taken for one that let everything through.
    """
    unknown = next((name for name in query if name not in _PARAMETERS), None)
    if unknown is not None and switches.unknown_parameters == "refuse":
        raise unknown_parameter(unknown[:100])
    text = query.get("limit", str(default))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= largest:
        raise invalid(f"Invalid 'limit': expected a whole number from 1 to {largest}, got {text!r}.", param="limit")
    return min(int(text), switches.page_cap or largest)


def page_of(documents: list[Document], query: Mapping[str, str], limit: int) -> Page:
    """The page of `documents` that follows the one that `after` names. Raises ApiError (400) where none has its id."""
    after = query.get("after")
    start = 0
    if after:
        start = next((place for place, document in enumerate(documents, 1) if document["id"] == after), 0)
        if not start:
            raise no_such_place(after)
    return Page(documents[start : start + limit], len(documents) > start + limit)


def no_such_place(after: str) -> Exception:
    """The refusal (400) of an `after` that names nothing in the list."""
    return invalid(f"Invalid 'after': nothing in this list has the id {after!r}.", param="after")


def list_object(page: Page) -> Document:
    """The list in the API's shape."""
    ids = [document["id"] for document in page.documents]
    return {
        "object": "list",
        "data": page.documents,
        "first_id": ids[0] if ids else None,
        "last_id": ids[-1] if ids else None,
        "has_more": page.has_more,
    }
