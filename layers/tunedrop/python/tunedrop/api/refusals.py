"""What the application answers when a route refuses a request or fails: a problem document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestUnsupportedContentType, RequestValidationError
from botocore.exceptions import BotoCoreError, ClientError

from tunedrop.api import problems
from tunedrop.api.problems import Problem
from tunedrop.api.resolver import json_text

logger = Logger(child=True)


def add_refusals(app: APIGatewayRestResolver) -> None:
    """Have the application answer a problem document whatever a route raises."""

    def on(kind: type[Exception]) -> Callable[..., Any]:
        handler: Callable[..., Any] = app.exception_handler(kind)
        return handler

    @on(Problem)
    def refused(problem: Problem) -> Response[Any]:
        logger.info("refused", problem=problem.kind)
        return _refusal(problem)

    @on(NotFoundError)
    def no_such_route(_: NotFoundError) -> Response[Any]:
        return _refusal(Problem("not-found", "There is no such resource; docs/api.md lists them."))

    @on(RequestUnsupportedContentType)
    def no_json(_: RequestUnsupportedContentType) -> Response[Any]:
        return _refusal(problems.no_json())

    @on(RequestValidationError)
    def invalid(error: RequestValidationError) -> Response[Any]:
        return _refusal(_problem_of(error))

    @on(ClientError)
    @on(BotoCoreError)
    def unavailable(error: Exception) -> Response[Any]:
        logger.exception("a service refused or did not answer", error=str(error))
        return _refusal(
            Problem("unavailable", "Try again in a moment; with the same Idempotency-Key nothing is doubled.")
        )

    @on(Exception)
    def failed(error: Exception) -> Response[Any]:
        logger.exception("a route failed", error=str(error))
        return _refusal(Problem("internal", "The log of this request has the reason."))


def _problem_of(error: RequestValidationError) -> Problem:
    found = error.errors()
    if any(each["type"] == "json_invalid" for each in found):
        return Problem("request-malformed", "The body must be one JSON object.")
    missing = [
        each for each in found if each["type"] == "missing" and str(each["loc"][-1]).lower() == "idempotency-key"
    ]
    if missing:
        return Problem("idempotency-key-missing", "Send a new key for each run, and the same one for each try of it.")
    told = [
        {"field": ".".join(str(part) for part in each["loc"]), "expected": str(each.get("msg", each["type"]))}
        for each in found[:20]
    ]
    return Problem("request-invalid", "; ".join(f"{each['field']}: {each['expected']}" for each in told), errors=told)


def _refusal(problem: Problem) -> Response[Any]:
    return Response(problem.status, content_type=problems.MEDIA_TYPE, body=json_text(problem.document()))
