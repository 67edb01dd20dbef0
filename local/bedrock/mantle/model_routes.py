"""GET /v1/models, GET /v1/models/{id}, and DELETE where the switch gives it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from local.bedrock.engine import Engine
from local.bedrock.errors import ApiError
from local.bedrock.http import JsonResponse
from local.bedrock.mantle.jobs import trained_by
from local.bedrock.models import AskedModel
from local.bedrock.records import Document
from local.bedrock.service import Service


class ModelRoutes:
    """The routes' handlers."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def list(self, _: Request) -> Response:
        """GET /v1/models"""
        return JsonResponse(
            {
                "object": "list",
                "data": [_model_object(model, self._service.engine) for model in self._service.models.all()],
            }
        )

    async def retrieve(self, request: Request) -> Response:
        """GET /v1/models/{model_id}"""
        return JsonResponse(_model_object(self._find(request), self._service.engine))

    async def delete(self, request: Request) -> Response:
        """DELETE /v1/models/{model_id}, tuned models only"""
        model = self._find(request)
        if not self._service.switches.model_deletion or not model.tuned:
            raise ApiError(404, "not_found", f"Model '{model.model_id}' cannot be deleted.")
        self._service.models.delete(model.model_id)
        return JsonResponse({"id": model.model_id, "object": "model", "deleted": True})

    def _find(self, request: Request) -> AskedModel:
        name = request.path_params["model_id"]
        found = self._service.models.find(name)
        if found is None or found.base.tuned_by == "native":
            raise ApiError(404, "model_not_found", f"The model '{name}' does not exist.", param="model")
        return found


def _model_object(model: AskedModel, engine: Engine) -> Document:
    return {
        "id": model.model_id,
        "object": "model",
        "created": model.created,
        "owned_by": model.base.owner,
        **trained_by(engine),
    }
