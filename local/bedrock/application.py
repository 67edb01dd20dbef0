"""The ASGI application: every route of every API on one set of shared parts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

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
        service.records.close()

    return Starlette(
        routes=[
            *mantle_routes(service, jobs, staleness),
            *native_routes(service, native_jobs),
            *simulation_routes(service, stop),
        ],
        lifespan=lifespan,
        exception_handlers={HTTPException: _no_route},
    )


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
