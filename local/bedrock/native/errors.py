"""Refusals of the native APIs: the exceptions of the service model, as boto3 reads them."""

from __future__ import annotations

from starlette.responses import Response

from local.bedrock.errors import ApiError
from local.bedrock.http import JsonResponse

# What a fault or a refusal that names no exception becomes, by its HTTP status.
_BY_STATUS = {
    400: "ValidationException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    429: "ThrottlingException",
    500: "InternalServerException",
    501: "NotImplementedException",
    503: "ServiceUnavailableException",
}


def validation(message: str) -> ApiError:
    """400 ValidationException."""
    return ApiError(400, "ValidationException", message)


def conflict(message: str) -> ApiError:
    """400 ConflictException: a name is taken, or a thing is in use."""
    return ApiError(400, "ConflictException", message)


def quota_exceeded(message: str) -> ApiError:
    """400 ServiceQuotaExceededException."""
    return ApiError(400, "ServiceQuotaExceededException", message)


def no_resource(message: str) -> ApiError:
    """404 ResourceNotFoundException."""
    return ApiError(404, "ResourceNotFoundException", message)


def denied(message: str, code: str = "AccessDeniedException") -> ApiError:
    """403: the request is not signed for this service and Region, or its action is denied."""
    return ApiError(403, code, message)


def error_response(refusal: ApiError) -> Response:
    """A refusal as the rest-json protocol has it: the exception's name in a header, its message in the body."""
    code = refusal.code if refusal.code.endswith("Exception") else _BY_STATUS.get(refusal.status, "ValidationException")
    return JsonResponse({"message": refusal.message}, refusal.status, headers={"x-amzn-errortype": code})
