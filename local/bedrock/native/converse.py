"""Converse: the base model through its inference profile, and deployments of customised ones."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from local.bedrock.catalog import NOVA, NOVA_PROFILE, NOVA_TUNED, base_model
from local.bedrock.errors import ApiError
from local.bedrock.http import JsonResponse, json_body
from local.bedrock.native.deployments import Deployments
from local.bedrock.native.errors import no_resource, validation
from local.bedrock.policy import Policy
from local.bedrock.prompts import text_of
from local.bedrock.records import Document
from local.bedrock.service import Service
from local.bedrock.simulated_model import prompt_tokens

_STOP_REASONS = {"stop": "end_turn", "length": "max_tokens"}


class Converse:
    """The route's handler."""

    def __init__(self, service: Service, deployments: Deployments) -> None:
        self._service = service
        self._deployments = deployments

    async def converse(self, request: Request) -> Response:
        """POST /model/{modelId}/converse"""
        began = time.monotonic()
        body = await json_body(request)
        policy = self._policy(request.path_params["model_id"])
        messages = _messages(body)
        settings = body.get("inferenceConfig") or {}
        if self._service.switches.inference_seconds:
            await asyncio.sleep(self._service.switches.inference_seconds)
        (answer,) = self._service.model.answers(
            policy,
            messages,
            temperature=_number(settings, "temperature", 0.0, 1.0, 0.7),
            max_tokens=int(_number(settings, "maxTokens", 1, 65_535, 65_535)),
        )
        asked = prompt_tokens(messages)
        return JsonResponse(
            {
                "output": {"message": {"role": "assistant", "content": [{"text": answer.text}]}},
                "stopReason": _STOP_REASONS[answer.finish],
                "usage": {
                    "inputTokens": asked,
                    "outputTokens": answer.tokens,
                    "totalTokens": asked + answer.tokens,
                },
                "metrics": {"latencyMs": round(1000 * (time.monotonic() - began))},
            }
        )

    def _policy(self, model_id: str) -> Policy:
        """The policy behind a model id. Raises ApiError as the runtime does for what cannot be asked on demand."""
        region, account = self._service.region, self._service.account
        profile_arn = f"arn:aws:bedrock:{region}:{account}:inference-profile/{NOVA_PROFILE}"
        base = base_model(NOVA_PROFILE)
        if model_id in (NOVA_PROFILE, profile_arn) and base is not None:
            return base.policy
        if model_id.removeprefix(f"arn:aws:bedrock:{region}::foundation-model/") in (NOVA, NOVA_TUNED):
            raise validation(
                f"Invocation of model ID {model_id} with on-demand throughput isn't supported. Retry your request with "
                "the ID or ARN of an inference profile that contains this model."
            )
        if ":custom-model-deployment/" in model_id:
            return self._deployed(model_id)
        if ":custom-model/" in model_id:
            raise validation(f"Invocation of model ID {model_id} needs a deployment or provisioned throughput.")
        raise validation("The provided model identifier is invalid.")

    def _deployed(self, arn: str) -> Policy:
        deployment = self._deployments.find(arn)
        status = self._deployments.status(deployment)
        if status != "Active":
            raise ApiError(429, "ModelNotReadyException", f"The deployment {arn} is {status}, not Active.")
        found = self._service.models.find(deployment["model_arn"])
        if found is None:
            raise no_resource(f"The model {deployment['model_arn']} of the deployment {arn} was deleted.")
        return found.policy


def _messages(body: Document) -> list[Document]:
    given: Any = body.get("messages")
    if not isinstance(given, list) or not given or given[0].get("role") != "user":
        raise validation("A conversation must start with a user message.")
    system = text_of(body.get("system") or [])
    messages: list[Document] = [{"role": "system", "content": system}] if system else []
    return messages + [{"role": turn.get("role"), "content": text_of(turn.get("content"))} for turn in given]


def _number(settings: Document, name: str, least: float, most: float, default: float) -> float:
    value = settings.get(name)
    if value is None:
        return default
    if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
        raise validation(f"inferenceConfig.{name}: expected a number from {least:g} to {most:g}, got {value!r}.")
    return float(value)
