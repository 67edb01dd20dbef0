"""Lists of the control plane: filters, order and pages, as botocore's model has them for every list."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import orjson
from starlette.responses import Response

from local.bedrock.http import JsonResponse
from local.bedrock.native.errors import validation
from local.bedrock.native.jobs import seconds_of
from local.bedrock.records import Document

_MOST_A_PAGE = 1000


def filtered(told: list[Document], given: Document, *, status: str, name: str, created: str) -> list[Document]:
    """The entries that the request's filters let through. The last three name the members that they look at."""
    wanted = given.get("statusEquals") or given.get("modelStatus")
    contained = given.get("nameContains") or ""
    after = given.get("creationTimeAfter", given.get("createdAfter"))
    before = given.get("creationTimeBefore", given.get("createdBefore"))
    return [
        entry
        for entry in told
        if wanted in (None, entry[status])
        and contained in entry[name]
        and (after is None or seconds_of(entry[created]) > after)
        and (before is None or seconds_of(entry[created]) < before)
    ]


def page(told: list[Document], given: Document, *, member: str, key: str, created: str) -> Response:
    """A page of the list, which is told oldest first, in the order of the request: newest first unless it says so.

    A token names the last entry of the page before by its moment and its ARN, so that it holds when that is deleted.
    """
    ascending = given.get("sortOrder") == "Ascending"
    ordered = told if ascending else told[::-1]
    if given.get("nextToken") is not None:
        ordered = _beyond(ordered, *_read_token(given["nextToken"]), key=key, created=created, ascending=ascending)
    limit = given.get("maxResults", _MOST_A_PAGE)
    answer: dict[str, Any] = {member: ordered[:limit]}
    if len(ordered) > limit:
        last = ordered[limit - 1]
        answer["nextToken"] = base64.urlsafe_b64encode(orjson.dumps([seconds_of(last[created]), last[key]])).decode()
    return JsonResponse(answer)


def _beyond(
    ordered: list[Document], moment: float, arn: str, *, key: str, created: str, ascending: bool
) -> list[Document]:
    place = next((place for place, entry in enumerate(ordered, 1) if entry[key] == arn), None)
    if place is not None:
        return ordered[place:]
    return [entry for entry in ordered if (seconds_of(entry[created]) > moment) == ascending]


def _read_token(token: str) -> tuple[float, str]:
    try:
        moment, arn = orjson.loads(base64.urlsafe_b64decode(token))
    except (binascii.Error, ValueError, TypeError) as problem:
        raise validation("nextToken: not a token of this list.") from problem
    if not isinstance(moment, int | float) or not isinstance(arn, str):
        raise validation("nextToken: not a token of this list.")
    return moment, arn
