"""What the console itself refuses, as problem documents like the API's."""

from __future__ import annotations

from starlette.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:tunedrop:problem:console-"


def problem(status: int, kind: str, title: str, detail: str) -> JSONResponse:
    """A refusal. `kind` is the end of its type, which begins with `console-`."""
    document = {"type": TYPE_PREFIX + kind, "title": title, "status": status, "detail": detail}
    return JSONResponse(document, status, media_type=MEDIA_TYPE)
