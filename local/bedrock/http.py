"""How every route answers: request ids, keys, faults, errors."""

from __future__ import annotations

import asyncio
import base64
import logging
import os
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from local.bedrock.errors import ApiError, invalid
from local.bedrock.faults import Fault
from local.bedrock.records import Document
from local.bedrock.service import Service

Handler = Callable[[Request], Awaitable[Response]]

_log = logging.getLogger(__name__)
_STATUS_BODIES = {
    "429": ApiError(429, "rate_limit_exceeded", "Too many requests, please slow down.", kind="rate_limit_error"),
    "500": ApiError(
        500, "internal_server_error", "The server had an error processing your request.", kind="server_error"
    ),
    "503": ApiError(503, "service_unavailable", "The service is temporarily unavailable.", kind="server_error"),
}


class Connection(HttpToolsProtocol):
    """uvicorn's connection, found again by its client's address so that a fault can reset it."""

    open: dict[tuple[str, int], asyncio.Transport] = {}  # noqa: RUF012 - one table for all connections

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Note the connection."""
        super().connection_made(transport)
        self.open[transport.get_extra_info("peername")[:2]] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        for address, transport in list(self.open.items()):
            if transport is self.transport:
                del self.open[address]
        super().connection_lost(exc)


class JsonResponse(Response):
    """A JSON body, by orjson."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The bytes of the body."""
        return orjson.dumps(content)


@dataclass(frozen=True, slots=True)
class Api:
    """How one of the service's APIs checks its callers and words its errors."""

    authorise: Callable[[Request, str], Awaitable[None]]  # raises ApiError; the second argument is the IAM action
    error: Callable[[ApiError], Response]


def route(service: Service, api: Api, *, method: str, path: str, action: str, handler: Handler) -> Route:
    """A route of the service: held back, made to fail, checked and counted before its handler answers."""

    async def endpoint(request: Request) -> Response:
        delay = service.faults.delay(action)
        if delay:
            await asyncio.sleep(delay)
        fault = service.faults.draw(action)
        try:
            if fault and fault.when == "before":
                return await _befallen(request, fault, None, service, api)
            await api.authorise(request, action)
            service.calls[action] += 1
            await service.asked.note(request, action)
            response = await handler(request)
        except ApiError as refusal:
            response = api.error(refusal)
        except ClientDisconnect:
            return Response()
        except Exception:
            _log.exception("%s %s", method, path)
            response = api.error(_STATUS_BODIES["500"])
        if fault and fault.when == "after":
            return await _befallen(request, fault, response, service, api)
        return marked(response)

    return Route(path, endpoint, methods=[method])


def marked(response: Response) -> Response:
    """The response with a request id in the service's form, as every answer has it."""
    response.headers["x-amzn-requestid"] = f"req_{base64.b32encode(os.urandom(15)).decode().lower()}"
    return response


def error_response(refusal: ApiError) -> Response:
    """A refusal in the OpenAI-compatible API's envelope. It tells the openai SDK to try no 501 again."""
    headers = {"x-should-retry": "false"} if refusal.status == 501 else None
    return JsonResponse(refusal.body(), refusal.status, headers=headers)


async def json_body(request: Request) -> Document:
    """The request's JSON object. Raises ApiError (400)."""
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError as problem:
        raise invalid(f"We could not parse the JSON body of your request: {problem}") from problem
    if not isinstance(body, dict):
        raise invalid("The body of the request must be a JSON object.")
    return body


def server_sent(events: AsyncIterator[bytes]) -> Response:
    """A stream of server-sent events."""
    return StreamingResponse(events, media_type="text/event-stream", headers={"cache-control": "no-cache"})


async def _befallen(request: Request, fault: Fault, response: Response | None, service: Service, api: Api) -> Response:
    """What the caller gets instead; `response` is what it would have got, where the side effect was made."""
    if fault.kind in _STATUS_BODIES:
        return marked(api.error(_STATUS_BODIES[fault.kind]))
    if fault.kind == "hang":
        await asyncio.sleep(service.switches.hang_seconds)
    if fault.kind in ("hang", "reset"):
        reset(request)
        return Response()
    body = b"" if response is None else await _whole_body(response)
    media = "application/json" if response is None else response.headers.get("content-type")
    half = body[: len(body) // 2] or b'{"id": '
    if fault.kind == "malformed":
        return marked(Response(half, media_type=media))
    headers: Mapping[str, str] = {"content-length": str(len(body) or 100)}
    return marked(StreamingResponse(_cut_off(request, half), media_type=media, headers=headers))


async def _cut_off(request: Request, half: bytes) -> AsyncIterator[bytes]:
    yield half
    await asyncio.sleep(0.01)  # so that the half is on the wire before the connection goes
    reset(request)


async def _whole_body(response: Response) -> bytes:
    if isinstance(response, StreamingResponse):
        return b"".join(
            [piece.encode() if isinstance(piece, str) else bytes(piece) async for piece in response.body_iterator]
        )
    return bytes(response.body)


def reset(request: Request) -> None:
    """Reset the connection of a request, as a broken network would: no answer, no orderly close."""
    transport = Connection.open.get((request.client.host, request.client.port)) if request.client else None
    if transport is None:
        return
    with suppress(OSError, AttributeError):
        # Lingering for 0 seconds makes the kernel send RST instead of FIN.
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
