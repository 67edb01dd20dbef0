"""What the application answers when a route refuses a request or fails: a problem document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestUnsupportedContentType, RequestValidationError
from aws_lambda_powertools.utilities.data_classes.common import BaseProxyEvent
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel

from tunedrop.api import documents, problems
from tunedrop.api.problems import Problem
from tunedrop.api.resolver import json_text
from tunedrop.api.wording import wrong_fields

logger = Logger(child=True)

BODIES: Mapping[str, type[BaseModel]] = {
    "/runs": documents.RunRequest,
    "/uploads": documents.UploadRequest,
    "/validations": documents.ValidationRequest,
}
"""What each resource takes by POST."""


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
        return _refusal(_problem_of(error, app.current_event))

    @on(ClientError)
    @on(BotoCoreError)
    def unavailable(error: Exception) -> Response[Any]:
        logger.exception("a service refused or did not answer", error=str(error))
        return _refusal(
            Problem("unavailable", "Try again in a moment; with the same Idempotency-Key, nothing happens twice.")
        )

    @on(Exception)
    def failed(error: Exception) -> Response[Any]:
        logger.exception("a route failed", error=str(error))
        return _refusal(Problem("internal", "The log of this request has the reason."))


def _problem_of(error: RequestValidationError, event: BaseProxyEvent) -> Problem:
    found = error.errors()
    if any(each["type"] == "json_invalid" for each in found):
        return Problem("request-malformed", "The body must be one JSON object.")
    missing = [
        each for each in found if each["type"] == "missing" and str(each["loc"][-1]).lower() == "idempotency-key"
    ]
    if missing:
        return Problem("idempotency-key-missing", "Send a new key for each run; keep it if you repeat the request.")
    model = BODIES.get(str(event.raw_event.get("resource")))
    if model is None or event.http_method != "POST":
        return problems.invalid(wrong_fields(found, None, ()))
    return problems.invalid(wrong_fields(found, event.json_body, tuple(model.model_fields)))


def _refusal(problem: Problem) -> Response[Any]:
    return Response(
        problem.status,
        content_type=problems.MEDIA_TYPE,
        body=json_text(problem.document()),
        headers={**problem.headers},
    )
