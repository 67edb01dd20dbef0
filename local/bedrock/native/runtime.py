"""Bedrock's runtime for Nova: Converse and InvokeModel, streamed or not, of the base model and of deployments."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from local.bedrock.answers import Answer, Asked
from local.bedrock.catalog import NOVA, NOVA_PROFILE, NOVA_TUNED, base_model
from local.bedrock.errors import ApiError, not_imitated
from local.bedrock.http import JsonResponse, json_body
from local.bedrock.model_ref import ModelRef
from local.bedrock.native import event_stream
from local.bedrock.native.conversation import Conversation, read_conversation
from local.bedrock.native.deployments import Deployments
from local.bedrock.native.errors import no_resource, validation
from local.bedrock.native.service_model import check_members, read_input
from local.bedrock.native.turn import Shown, blocks_of, events_of
from local.bedrock.records import Document
from local.bedrock.service import Service
from local.bedrock.simulated_model import REASONING, tokens_of
from local.bedrock.tool_calls import calls_of

# Members of a request that are not imitated, with the values that ask for nothing.
_CONVERSE_REFUSED: dict[str, tuple[object, ...]] = {
    "guardrailConfig": (),
    "promptVariables": ({},),
    "additionalModelResponseFieldPaths": ([],),
    "performanceConfig": ({}, {"latency": "standard"}),
    "serviceTier": ({"type": "default"},),
    "outputConfig": ({},),
}
_GUARDRAIL_HEADERS = ("x-amzn-bedrock-guardrailidentifier", "x-amzn-bedrock-guardrailversion")
_INVOKE_MEMBERS = {"schemaVersion", "system", "messages", "inferenceConfig", "toolConfig", "reasoningConfig"}
_INVOKE_SETTINGS = {"maxTokens", "max_new_tokens", "temperature", "topP", "top_p", "topK", "top_k", "stopSequences"}
_OTHER_SPELLINGS = {"max_new_tokens": "maxTokens", "top_p": "topP", "top_k": "topK"}


@dataclass(frozen=True, slots=True)
class Told:
    """An answer, and the figures beside it."""

    answer: Answer
    calls: list[Document]  # of tools, as chat completions show them
    reasoning: Shown
    thought: int  # tokens
    asked: int  # tokens of the prompt
    milliseconds: int

    @property
    def stop_reason(self) -> str:
        """Why the answer ended, in the runtime's words."""
        if self.calls:
            return "tool_use"
        if self.answer.stopped_by is not None:
            return "stop_sequence"
        return "end_turn" if self.answer.finish == "stop" else "max_tokens"

    @property
    def output_tokens(self) -> int:
        """What was written, with the thoughts: they are charged although they are not shown."""
        return self.answer.tokens + self.thought

    @property
    def usage(self) -> Document:
        """The tokens, as both operations tell them."""
        total = self.asked + self.output_tokens
        return {"inputTokens": self.asked, "outputTokens": self.output_tokens, "totalTokens": total}

    @property
    def blocks(self) -> list[Document]:
        """The content of the assistant's turn."""
        return blocks_of(self.answer.text, self.calls, self.reasoning)

    @property
    def message(self) -> Document:
        """The assistant's turn."""
        return {"role": "assistant", "content": self.blocks}

    @property
    def events(self) -> list[tuple[str, Document]]:
        """The assistant's turn as it is streamed."""
        return list(events_of(self.blocks, self.stop_reason))


class Runtime:
    """The routes' handlers."""

    def __init__(self, service: Service, deployments: Deployments) -> None:
        self._service = service
        self._deployments = deployments

    async def converse(self, request: Request) -> Response:
        """POST /model/{modelId}/converse"""
        told = await self._ask(request, await self._conversation(request, "Converse"))
        return JsonResponse(
            {
                "output": {"message": told.message},
                "stopReason": told.stop_reason,
                "usage": told.usage,
                "metrics": {"latencyMs": told.milliseconds},
            }
        )

    async def converse_stream(self, request: Request) -> Response:
        """POST /model/{modelId}/converse-stream"""
        told = await self._ask(request, await self._conversation(request, "ConverseStream"))
        metadata = {"usage": told.usage, "metrics": {"latencyMs": told.milliseconds}}
        events = [*told.events, ("metadata", metadata)]
        return self._streamed([(event_stream.event(kind, payload), _is_delta(kind)) for kind, payload in events])

    async def invoke(self, request: Request) -> Response:
        """POST /model/{modelId}/invoke"""
        told = await self._ask(request, await self._invocation(request))
        body = {"output": {"message": told.message}, "stopReason": told.stop_reason, "usage": told.usage}
        headers = {
            "x-amzn-bedrock-input-token-count": str(told.asked),
            "x-amzn-bedrock-output-token-count": str(told.output_tokens),
            "x-amzn-bedrock-invocation-latency": str(told.milliseconds),
        }
        return JsonResponse(body, headers=headers)

    async def invoke_stream(self, request: Request) -> Response:
        """POST /model/{modelId}/invoke-with-response-stream"""
        told = await self._ask(request, await self._invocation(request))
        figures = {
            "inputTokenCount": told.asked,
            "outputTokenCount": told.output_tokens,
            "invocationLatency": told.milliseconds,
            "firstByteLatency": told.milliseconds,
        }
        metadata = {"usage": told.usage, "metrics": {}, "trace": {}}
        last = {"metadata": metadata, "amazon-bedrock-invocationMetrics": figures}
        chunks = [*((kind, {kind: payload}) for kind, payload in told.events), ("metadata", last)]
        frames = [
            (event_stream.event("chunk", {"bytes": base64.b64encode(orjson.dumps(chunk)).decode()}), _is_delta(kind))
            for kind, chunk in chunks
        ]
        return self._streamed(frames, {"x-amzn-bedrock-content-type": "application/json"})

    async def _conversation(self, request: Request, operation: str) -> Conversation:
        body = await json_body(request)
        given = read_input(operation, body=body, path={"modelId": request.path_params["model_id"]})
        for name, harmless in _CONVERSE_REFUSED.items():
            if name in given and given[name] not in harmless:
                raise not_imitated(name)
        settings = dict(given.get("inferenceConfig") or {})
        more = given.get("additionalModelRequestFields") or {}
        for name, value in more.items():
            if name == "inferenceConfig" and isinstance(value, dict) and set(value) <= {"topK"}:
                settings |= value
            elif name != "reasoningConfig":
                raise not_imitated(f"additionalModelRequestFields.{name}")
        return read_conversation(given, settings, more.get("reasoningConfig"))

    async def _invocation(self, request: Request) -> Conversation:
        for header in _GUARDRAIL_HEADERS:
            if header in request.headers:
                raise not_imitated(header)
        body = await json_body(request)
        given = {name: value for name, value in body.items() if value is not None}
        _refuse_extraneous(given, _INVOKE_MEMBERS, "")
        if given.get("schemaVersion", "messages-v1") != "messages-v1":
            raise validation("Malformed input request: schemaVersion must be 'messages-v1'.")
        shapes = ("system", "messages", "toolConfig")
        check_members("Converse", {name: given[name] for name in shapes if name in given})
        settings = given.get("inferenceConfig") or {}
        if not isinstance(settings, dict):
            raise validation("Malformed input request: inferenceConfig must be an object.")
        _refuse_extraneous(settings, _INVOKE_SETTINGS, "inferenceConfig.")
        settings = {_OTHER_SPELLINGS.get(name, name): value for name, value in settings.items()}
        if not isinstance(settings.get("stopSequences") or [], list):
            raise validation("Malformed input request: inferenceConfig.stopSequences must be a list.")
        return read_conversation(given, settings, given.get("reasoningConfig"))

    async def _ask(self, request: Request, conversation: Conversation) -> Told:
        began = time.monotonic()
        ref = self._ref(request.path_params["model_id"])
        if self._service.switches.inference_seconds:
            await asyncio.sleep(self._service.switches.inference_seconds)
        asked = Asked(
            temperature=conversation.temperature,
            top_p=conversation.top_p,
            top_k=conversation.top_k,
            max_tokens=conversation.max_tokens,
            stops=conversation.stops,
        )
        answers = await self._service.engine.answers(ref, conversation.messages, asked)
        (answer,) = answers.replies
        finished = answer.finish == "stop" and answer.stopped_by is None
        thinks = conversation.thinks and self._service.engine.reasons
        return Told(
            answer,
            calls_of(answer.text) if conversation.may_call and finished else [],
            self._service.switches.converse_reasoning if thinks else "none",
            tokens_of(REASONING) if thinks else 0,
            asked=answers.prompt_tokens,
            milliseconds=round(1000 * (time.monotonic() - began)),
        )

    def _streamed(self, frames: list[tuple[bytes, bool]], headers: dict[str, str] | None = None) -> Response:
        async def sent() -> AsyncIterator[bytes]:
            for frame, is_delta in frames:
                if is_delta:
                    await asyncio.sleep(self._service.switches.stream_piece_seconds)
                yield frame

        return StreamingResponse(sent(), media_type=event_stream.MEDIA_TYPE, headers=headers)

    def _ref(self, model_id: str) -> ModelRef:
        """The model behind a model id. Raises ApiError as the runtime does for what cannot be asked on demand."""
        region, account = self._service.region, self._service.account
        profile_arn = f"arn:aws:bedrock:{region}:{account}:inference-profile/{NOVA_PROFILE}"
        base = base_model(NOVA_PROFILE)
        if model_id in (NOVA_PROFILE, profile_arn) and base is not None:
            return self._service.engine.base(base)
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

    def _deployed(self, arn: str) -> ModelRef:
        deployment = self._deployments.find(arn)
        status = self._deployments.status(deployment)
        if status != "Active":
            raise ApiError(429, "ModelNotReadyException", f"The deployment {arn} is {status}, not Active.")
        found = self._service.models.find(deployment["model_arn"])
        if found is None:
            raise no_resource(f"The model {deployment['model_arn']} of the deployment {arn} was deleted.")
        return found.ref


def _is_delta(kind: str) -> bool:
    return kind == "contentBlockDelta"


def _refuse_extraneous(given: dict[str, Any], known: set[str], where: str) -> None:
    for name in given:
        if name not in known:
            raise validation(
                f"Malformed input request: #/{where}{name}: extraneous key [{name}] is not permitted, please reformat "
                "your input and try again."
            )
