"""The ASGI application: every route of every API on one set of shared parts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.bedrock.browsers import ProgramsOnly
from local.bedrock.errors import ApiError
from local.bedrock.http import error_response, marked
from local.bedrock.mantle.jobs import Jobs
from local.bedrock.mantle.lists import Staleness
from local.bedrock.mantle.routes import mantle_routes
from local.bedrock.native.jobs import CustomizationJobs
from local.bedrock.native.routes import native_routes, refused_operation
from local.bedrock.service import Service
from local.bedrock.simulation import simulation_routes


def application(service: Service) -> Starlette:
    """The application; while it lives it trains what is to be trained."""
    staleness = Staleness(service.switches)
    jobs = Jobs(service, staleness)
    native_jobs = CustomizationJobs(service)

    async def stop() -> None:
        await jobs.stop_all()
        await native_jobs.stop_all()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        jobs.go_on()
        native_jobs.go_on()
        yield
        await stop()
        await service.engine.close()
        service.records.close()

    made = Starlette(
        routes=[
            *mantle_routes(service, jobs, staleness),
            *native_routes(service, native_jobs),
            *simulation_routes(service, stop),
        ],
        lifespan=lifespan,
        exception_handlers={HTTPException: _no_route},
    )
    made.add_middleware(ProgramsOnly)
    made.add_middleware(_Marked, trained_by=service.engine.trained_by)
    return made


class _Marked:
    """Every answer says that it is simulated, or that this machine's language model is behind it."""

    def __init__(self, app: ASGIApp, *, trained_by: str) -> None:
        self._app = app
        mark = {"simulation": "x-tunedrop-simulated"}.get(trained_by, f"x-tunedrop-trained-by-{trained_by}")
        self._header = (mark.encode(), b"true")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def marked_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], self._header]
            await send(message)

        await self._app(scope, receive, marked_send)


async def _no_route(request: Request, problem: Exception) -> Response:
    status, headers = (problem.status_code, problem.headers) if isinstance(problem, HTTPException) else (500, None)
    native = refused_operation(request)
    if native is not None:
        return marked(native)
    code = "not_found" if status == 404 else "method_not_allowed"
    refusal = ApiError(status, code, f"No such route: {request.method} {request.url.path}")
    response = error_response(refusal)
    response.headers.update(headers or {})  # which methods there are
    return marked(response)
