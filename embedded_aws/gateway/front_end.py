"""Serves a deployed REST API on a loopback port, each request answered by the function behind its route."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import TYPE_CHECKING, Any

from embedded_aws import browsers
from embedded_aws.gateway.authorizer import IamAuthorizer, Refused
from embedded_aws.gateway.gateway_responses import GatewayResponses
from embedded_aws.gateway.proxy_event import (
    Api,
    MalformedAnswer,
    Request,
    Response,
    event_of,
    gateway_error,
    response_of,
)
from embedded_aws.gateway.routes import Match, Route, RouteTable
from embedded_aws.lambdas.errors import InvokeRefused
from embedded_aws.lambdas.service import Answer

if TYPE_CHECKING:
    from embedded_aws.embedded import EmbeddedAws

LOG = logging.getLogger(__name__)

MAX_REQUEST_BYTES = 10 * 1024 * 1024
"""API Gateway's payload limit (docs.aws.amazon.com/apigateway/latest/developerguide/limits.html)."""

DISCARD_BYTES = 1 << 20
WORKERS = 64


Authorize = Callable[[Request, Route], Mapping[str, Any]]
"""Who calls, as fields of `requestContext.identity`; raises Refused."""


def everyone(request: Request, route: Route) -> Mapping[str, Any]:
    """Lets every caller in, whatever the route's authorization: nothing but loopback reaches this server."""
    del request, route
    return {}


def by_iam(aws: EmbeddedAws, rest_api_id: str, stage: str) -> Authorize:
    """Checks the signature where the route wants IAM's authorization, and the API's resource policy, as AWS does."""
    policy = aws.client("apigateway").get_rest_api(restApiId=rest_api_id).get("policy")
    return IamAuthorizer(Api(rest_api_id, stage, aws.account, aws.region, ()), policy, aws.permissions)


class ApiFrontEnd:
    """The HTTP side of one stage of a REST API, at `url`. A context manager; ends with `close`."""

    def __init__(
        self, aws: EmbeddedAws, rest_api_id: str, stage: str, *, port: int = 0, authorize: Authorize = everyone
    ) -> None:
        self._aws = aws
        self._authorize = authorize
        self._routes = RouteTable.of(aws.client("apigateway"), rest_api_id)
        self.responses = GatewayResponses.of(aws.client("apigateway"), rest_api_id)
        self._api = Api(rest_api_id, stage, aws.account, aws.region, self._routes.binary_media_types)
        self._invocations = ThreadPoolExecutor(WORKERS, thread_name_prefix="gateway")
        self._server = _Server(("127.0.0.1", port), _handler_of(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """The stage's URL, without a slash at its end."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/{self._api.stage}"

    def start(self) -> ApiFrontEnd:
        self._thread.start()
        self._aws.apis[self._api.id] = self.url.removesuffix(f"/{self._api.stage}")
        return self

    def close(self) -> None:
        self._aws.apis.pop(self._api.id, None)
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._invocations.shutdown(wait=False, cancel_futures=True)

    def __enter__(self) -> ApiFrontEnd:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def answer(self, method: str, target: str, headers: list[tuple[str, str]], body: bytes, source_ip: str) -> Response:
        """The response to a request for `target`: the path with the stage, and the query."""
        path, _, query = target.partition("?")
        prefix = f"/{self._api.stage}"
        by_a_page = browsers.refusal(method, query, {name.lower(): value for name, value in headers})
        if by_a_page or (path != prefix and not path.startswith(f"{prefix}/")):
            # A page's, or there is no such stage: so there is no deployment, and no gateway response of the API's own.
            return replace(gateway_error(403, "Forbidden", "ForbiddenException"), refusal=None)
        request = Request(method, path.removeprefix(prefix) or "/", query, headers, body, source_ip)
        match = self._routes.find(request.method, request.path)
        if match is None:
            # So the gateway answers for a route that does not exist, to anonymous and signed requests alike.
            return gateway_error(
                403,
                "Missing Authentication Token",
                "MissingAuthenticationTokenException",
                "MISSING_AUTHENTICATION_TOKEN",
            )
        try:
            identity = self._authorize(request, match.route)
            integration = match.route.integration
            if integration.function is None:
                return Response(integration.mock_status, b"", tuple((integration.mock_headers or {}).items()))
            answer = self._invoke(integration.function, request, match, identity)
            return response_of(answer.payload, request, self._api)
        except Refused as refusal:
            return refusal.response
        except MalformedAnswer as error:
            LOG.warning("%s %s was answered with what a proxy integration cannot use: %s", method, path, error)
            return gateway_error(502, "Internal server error", "InternalServerErrorException")

    def _invoke(self, function_arn: str, request: Request, match: Match, identity: Mapping[str, Any]) -> Answer:
        """The function's answer. Raises Refused."""
        broken = gateway_error(500, "Internal server error", "InternalServerErrorException")
        if not self._may_invoke(function_arn, request, match.route):
            LOG.warning("the policy of %s does not let API Gateway in for %s", function_arn, match.route.resource)
            raise Refused(broken)
        event = event_of(request, match, self._api, identity)
        invocation = self._invocations.submit(self._aws.invoke, function_arn, event)
        try:
            answer = invocation.result(match.route.integration.timeout_seconds)
        except FutureTimeout:
            timed_out = "Endpoint request timed out"
            raise Refused(
                gateway_error(504, timed_out, "InternalServerErrorException", "INTEGRATION_TIMEOUT")
            ) from None
        except InvokeRefused as refusal:
            raise Refused(request_too_large() if refusal.status == 413 else broken) from refusal
        if answer.is_error:
            raise Refused(gateway_error(502, "Internal server error", "InternalServerErrorException"))
        return answer

    def _may_invoke(self, function_arn: str, request: Request, route: Route) -> bool:
        source = f"arn:aws:execute-api:{self._api.region}:{self._api.account}:{self._api.id}/{self._api.stage}"
        return self._aws.permissions.service_may(
            "apigateway.amazonaws.com",
            "lambda:InvokeFunction",
            function_arn,
            source_arn=f"{source}/{request.method}{route.resource}",
        )


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256  # connections that wait to be taken; the library's 5 resets those of a burst


def request_too_large() -> Response:
    """What is larger than the gateway, or the function behind it, takes."""
    return gateway_error(413, "Request Too Long", "RequestTooLargeException", "REQUEST_TOO_LARGE")


def _handler_of(front_end: ApiFrontEnd) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if self.headers.get("Transfer-Encoding"):
                response = gateway_error(411, "Length Required", "LengthRequiredException")
                self.close_connection = True
            elif length > MAX_REQUEST_BYTES:
                # Read to its end all the same: a client that still sends would see a broken connection, no answer.
                while length > 0 and (piece := self.rfile.read(min(length, DISCARD_BYTES))):
                    length -= len(piece)
                response = request_too_large()
            else:
                body = self.rfile.read(length)
                try:
                    response = front_end.answer(
                        self.command, self.path, list(self.headers.items()), body, self.client_address[0]
                    )
                except Exception:
                    LOG.exception("the front end broke at %s %s", self.command, self.path)
                    response = gateway_error(500, "Internal server error", "InternalServerErrorException")
            response = front_end.responses.render(response)
            self.send_response(response.status)
            for name, value in response.headers:
                if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(response.body)

        def __getattr__(self, name: str) -> Any:
            # The base class looks for do_GET, do_POST …: the gateway has an answer for any method.
            if name.startswith("do_"):
                return self._serve
            raise AttributeError(name)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            LOG.debug(format, *args)

    return Handler
