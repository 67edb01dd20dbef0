"""The console's routes: the page, a session, the API in the caller's name, files on their way.

It decides nothing about runs: the API does. What the page needs to know beside the API's documents (the stages and the
curves, with their titles) comes from the package that the report takes it from.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from local.console import files
from local.console.caller import Caller
from local.console.page_files import PageFiles
from local.console.problems import MEDIA_TYPE, problem
from local.console.relay import asked
from local.console.session import Sessions
from tunedrop.api.documents import MOST_UPLOAD_BYTES
from tunedrop.reporting.page_data import CURVES
from tunedrop.stages import STAGES
from tunedrop_client.errors import FileRefused, NoSuchPlace, Problem, Unreachable

MOST_BODY_BYTES = 2**20
"""A request with a recipe has at most some 130 KB."""

REPORT_POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""A report is a page of the stack's, with texts of models in it: it gets an origin of its own, which is nobody's, so
that no script in it could act for the console or send anything. Its own policy allows only its own scripts."""

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Parts:
    """What the routes work with."""

    caller: Caller
    sessions: Sessions
    page: PageFiles
    cookie: str
    """The cookie's name."""


def application(parts: Parts) -> Starlette:
    """The routes, without the guard before them."""

    def signed_in(endpoint: Endpoint) -> Endpoint:
        async def checked(request: Request) -> Response:
            if not parts.sessions.known(request.cookies.get(parts.cookie, "")):
                return problem(
                    401,
                    "session",
                    "This browser has not opened the console",
                    "Open the newest link that `tunedrop console` printed; each link opens one browser.",
                )
            return await endpoint(request)

        return checked

    async def page(request: Request) -> Response:
        return parts.page.answer(request.path_params.get("name", "index.html"))

    async def open_session(request: Request) -> Response:
        if request.method == "HEAD":
            return Response()  # whoever only looks where a link leads does not use it up
        cookie = parts.sessions.open(request.query_params.get("token", ""))
        if cookie is None and not parts.sessions.known(request.cookies.get(parts.cookie, "")):
            return parts.page.answer("used.html", status=401)
        answer = RedirectResponse("/", 303)
        if cookie is not None:
            answer.set_cookie(parts.cookie, cookie, httponly=True, samesite="strict", path="/")
        return answer

    async def about(_request: Request) -> Response:
        place = parts.caller.place
        return JSONResponse(
            {
                "api_url": place.api_url,
                "region": place.region,
                "local": place.local,
                "stages": [{"name": stage.name, "title": stage.title, "optional": stage.optional} for stage in STAGES],
                "curves": [
                    {"id": each.id, "keys": each.keys, "title": each.title, "note": each.note, "zero": each.zero}
                    for each in CURVES
                ],
            }
        )

    async def api(request: Request) -> Response:
        wanted = asked(request.method, request.scope["path"].removeprefix("/api"), request.query_params.multi_items())
        if wanted is None:
            return problem(404, "route", "The console passes no such request on", "docs/api.md lists the API's routes.")
        body = await _json_body(request)
        key = request.headers.get("idempotency-key")
        document = await run_in_threadpool(
            parts.caller.ask,
            wanted.method,
            wanted.path,
            query=wanted.query,
            body=body,
            headers={"Idempotency-Key": key} if key else {},
            repeat=wanted.repeat,
        )
        return JSONResponse(document)

    async def take_file(request: Request) -> Response:
        size = _size(request, MOST_UPLOAD_BYTES)
        body = files.Passing(request.stream(), size)

        def pass_on() -> Any:
            place = parts.caller.ask("POST", "/uploads", body={"bytes": size})
            files.pass_on(body, place["url"], place["headers"])
            return {"upload_id": place["upload_id"]}

        return JSONResponse(await run_in_threadpool(pass_on))

    def give_document(
        resource: str, member: str, media_type: str = "application/json", headers: Mapping[str, str] | None = None
    ) -> Endpoint:
        """The route of one document of a run: the API gives a link to it as `member` of the run's `resource`."""

        async def give(request: Request) -> Response:
            wanted = asked("GET", f"/runs/{request.path_params['run_id']}/{resource}", ())
            if wanted is None:
                return problem(404, "route", "There is no such run", "A run's id has letters, digits and hyphens.")

            def fetched() -> bytes | None:
                link = parts.caller.ask("GET", wanted.path)[member]
                return files.fetch(link) if link else None

            content = await run_in_threadpool(fetched)
            if content is None:
                return problem(404, "document", "The run has no such document", "It did not come that far.")
            return Response(content, media_type=media_type, headers=dict(headers or {}))

        return give

    report_headers = {"content-security-policy": REPORT_POLICY, "x-frame-options": "SAMEORIGIN"}
    return Starlette(
        routes=[
            Route("/", page),
            Route("/open", open_session),
            Route("/page/{name:path}", page),
            Route("/about", signed_in(about)),
            Route("/api/{path:path}", signed_in(api), methods=["GET", "POST"]),
            Route("/files", signed_in(take_file), methods=["POST"]),
            Route(
                "/documents/{run_id}/report", signed_in(give_document("report", "page", "text/html", report_headers))
            ),
            Route("/documents/{run_id}/rehearsal", signed_in(give_document("findings", "rehearsal_link"))),
        ],
        exception_handlers={
            Problem: _refused,
            Unreachable: _unreachable,
            NoSuchPlace: _no_credentials,
            FileRefused: _file_refused,
            HTTPException: _http,
            ClientDisconnect: _http,
            Exception: _failed,
        },
    )


async def _json_body(request: Request) -> Any:
    """The request's JSON object; None where it has no body. Raises HTTPException."""
    if request.method == "GET" or request.headers.get("content-length") == "0":
        return None
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise HTTPException(415, "Send the body as application/json.")
    size = _size(request, MOST_BODY_BYTES)
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > size:
            raise HTTPException(413, "The body is longer than it was said to be.")
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        raise HTTPException(400, "The body is no JSON.") from None
    if not isinstance(body, dict):
        raise HTTPException(400, "Send one JSON object.")
    return body


def _size(request: Request, most: int) -> int:
    """How long the body says it is. Raises HTTPException."""
    told = request.headers.get("content-length", "")
    if not (told.isascii() and told.isdigit() and len(told) < 20):
        raise HTTPException(411, "Say how long the body is (Content-Length).")
    size = int(told)
    if size > most:
        raise HTTPException(413, f"The body has {size:,} bytes; at most {most:,} are taken.")
    if size == 0:
        raise HTTPException(400, "The file is empty.")
    return size


def _refused(_request: Request, error: Exception) -> Response:
    """A problem of the API's, as it is."""
    status = error.status if isinstance(error, Problem) else 500
    document = error.document if isinstance(error, Problem) else {}
    whole = {"type": "about:blank", "title": "The API refused the request", "status": status, "detail": "", **document}
    return JSONResponse(whole, status, media_type=MEDIA_TYPE)


def _unreachable(_request: Request, error: Exception) -> Response:
    return problem(504, "unreachable", "The stack does not answer", f"{error}. The page tries again by itself.")


def _no_credentials(_request: Request, error: Exception) -> Response:
    detail = f"{error}. Log in as you do for the AWS CLI; the console then goes on by itself."
    return problem(401, "credentials", "The AWS credentials cannot be used", detail)


def _file_refused(_request: Request, error: Exception) -> Response:
    return problem(502, "file", "The file was not passed on", f"{error}.")


def _failed(_request: Request, error: Exception) -> Response:
    """Something that nobody thought of; the server prints where."""
    return problem(500, "internal", "The console failed", f"{type(error).__name__}: the command has printed where.")


def _http(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 400
    detail = str(error.detail) if isinstance(error, HTTPException) else "The request broke off."
    answer = problem(status, "request", "The console does not take this request", detail)
    answer.headers.update((error.headers or {}) if isinstance(error, HTTPException) else {})
    return answer
